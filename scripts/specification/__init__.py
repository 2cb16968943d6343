"""The spec chain: vendor documents and overlays in, one OpenAPI 3.1 document out.

Read in the order in which data flows:

`sources` (text to a tree that knows its lines, `nodes`) -> `pages` and `older_pages` (both generations of the docs-page
export) -> `documents` (any vendor document, read and checked) -> `upgrade` (OpenAPI 3.0 to 3.1) -> `selection` (the
operations of the SDK) and `structure` (a document reduced to its facts about them) -> `merging` (several documents to
one) -> `overlays` and `marks` (this project's names, corrections and text) -> `defaults` (names and texts by rule) ->
`lint` with `rules` (what the validator does not see) -> `layout` (the document's bytes) -> `compilation` (all of it).
`intake` stores one more vendor document. `anatomy` and `references` know what is where in a document; all the others
ask them.
"""
