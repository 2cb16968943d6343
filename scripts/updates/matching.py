"""The structure of a newer document, in the place of the stored one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from importer import reduction
from importer.documents import read_document
from importer.selection import FILE
from importer.storage import checked_stem, read_bytes
from openapi.diagnostics import Finding, SpecError
from openapi.structure import operations, route
from openapi.tree import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from importer.documents import VendorDocument
    from importer.selection import Selection


class Succession(NamedTuple):
    """The structure of a document, and the stored one whose place it takes.

    Attributes:
        document: The structure of the newer document.
        data: The bytes that are to be stored.
        name: The name under which it is stored.
        before: The stored structure; None when there is none yet.
        is_known: Whether both say the same.
        others: The operations of the document that are not selected.
    """

    document: VendorDocument
    data: bytes
    name: str
    before: VendorDocument | None
    is_known: bool
    others: tuple[str, ...] = ()


def succession(source: Path, stored: Sequence[VendorDocument], selection: Selection) -> Succession:
    """Reduces a newer document to its structure.

    Raises:
        SpecError: The document is not right, or describes no selected operation.
    """
    document = read_document(str(source), read_bytes(source))
    if not described(document):
        raise _refusal(source, "the document describes no operation; at least one is needed")
    if not reduction.reduced(document.parts, selection)["paths"]:
        raise _refusal(source, f"none of its operations is in {FILE}; at least one must be")
    before = reduction.stored_in(stored)
    tree = reduction.newer(document, selection, before.parts[0] if before else None)
    name = before.name if before else checked_stem(source) + reduction.SUFFIX
    is_known = before is not None and plain(tree) == plain(before.parts[0])
    others = tuple(reduction.others(document.parts, selection))
    data = reduction.text_of(tree).encode()
    return Succession(document._replace(parts=[tree]), data, name, before, is_known, others)


def described(document: VendorDocument) -> set[tuple[str, str]]:
    """The operations of a document, without the names in their paths."""
    return {(method.upper(), route(path)) for part in document.parts for path, method, _ in operations(part)}


def _refusal(source: Path, text: str) -> SpecError:
    return SpecError(str(source), [Finding(1, "", text)])
