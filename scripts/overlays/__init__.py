"""This project's names, corrections and text, and the document that they make of the vendor's.

Read in this order: `actions` (OpenAPI Overlay 1.0) -> `extensions` (what an overlay cannot say: renaming, order) ->
`defaults` (names and texts by rule, where no overlay has any) -> `compilation` (all of it).
"""
