"""Regular expressions in schemas: never tried, for they are text from outside, and one may be made never to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openapi.structure import schemas
from openapi.tree import plain

if TYPE_CHECKING:
    from openapi.tree import Tree


def without_patterns(document: Tree) -> Tree:
    """A plain copy of a document for tools that would try patterns: it takes every value that the document takes."""
    copy: Tree = plain(document)
    for part in schemas(copy):
        part.node.pop("pattern", None)
        if part.node.pop("patternProperties", None) is not None:
            part.node.pop("additionalProperties", None)  # it speaks of what no pattern took
            part.node.pop("unevaluatedProperties", None)
    return copy
