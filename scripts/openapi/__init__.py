"""OpenAPI documents: the one reader of them, which all other parts of the scripts use.

Read in this order: `parse` (text to a `tree` that knows its lines) -> `structure` (which kind of thing is where) ->
`references` (where a `$ref` leads) -> `upgrade` (OpenAPI 3.0 to 3.1) -> `serialize` (the bytes of a document).
`diagnostics` is what is wrong with a document and how it is said, `names` the Python names of what it names.
"""
