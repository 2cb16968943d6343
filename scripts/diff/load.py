"""A file to the operations that it describes, each with all that holds for it.

Unlike an import, a comparison refuses no document for what it says: only for what cannot be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from importer.documents import parsed
from openapi.references import resolved
from openapi.structure import METHODS, route
from openapi.upgrade import upgraded

if TYPE_CHECKING:
    from pathlib import Path

    from openapi.tree import Tree


class Operation(NamedTuple):
    """An operation and what it is part of.

    Attributes:
        method: In capital letters.
        path: As it is written.
        node: Its own mapping.
        item: The mapping of its path.
        document: The OpenAPI 3.1 document that it is in, and in which its references lead somewhere.
    """

    method: str
    path: str
    node: Tree
    item: Tree
    document: Tree

    @property
    def name(self) -> str:
        """What it is called, such as `GET /workflows/logs`."""
        return f"{self.method} {self.path}"


class Description(NamedTuple):
    """A described API.

    Attributes:
        documents: Its OpenAPI 3.1 documents: one, or one for each page of a docs site.
        operations: Its operations, by method and path with the parameters' names left out, as they make no other path.
    """

    documents: list[Tree]
    operations: dict[tuple[str, str], Operation]


def read(path: Path) -> Description:
    """Reads a file: OpenAPI 3.0 or 3.1 as JSON or YAML, or pages of the docs site.

    Raises:
        SpecError: It cannot be read.
        OSError: There is no such file, or it is not to be opened.
    """
    return described([upgraded(part) for part in parsed(path.name, path.read_bytes()).parts])


def described(documents: list[Tree]) -> Description:
    """What OpenAPI 3.1 documents describe together."""
    operations: dict[tuple[str, str], Operation] = {}
    for document in documents:
        for path, given in mapping(document.get("paths")).items():
            item = resolved(document, given)
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    found = Operation(method.upper(), str(path), item[method], item, document)
                    operations.setdefault((found.method, route(found.path)), found)
    return Description(documents, operations)


def mapping(node: object) -> Tree:
    """A mapping, or an empty one for whatever is none."""
    return node if isinstance(node, dict) else {}


def listed(node: object) -> list[Any]:
    """A list, or an empty one for whatever is none."""
    return node if isinstance(node, list) else []
