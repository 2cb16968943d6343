"""Documents of the vendor in, one OpenAPI 3.1 document out.

Read in the order in which data flows: `docs_pages` and `legacy_docs_pages` (both generations of the docs-page export)
-> `documents` (any vendor document, read and checked; `texts` puts its texts right) -> `selection` (the operations of
the SDK) and `reduction` (a document reduced to its facts about them) -> `merging` (several documents to one).
`storage` stores one more document.
"""
