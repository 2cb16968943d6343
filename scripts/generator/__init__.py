"""From the stored spec to the generated package: what `scripts/generate.py` does, step by step.

`document` reads the spec and puts it into the plain form that openapi-python-client carries without loss; `package`
runs that generator with the project's own `templates`, `code`, `rules` and `text` give the templates their Python, and
`folder` brings the result to its place.
"""
