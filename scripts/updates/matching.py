"""Which stored document a newer one takes the place of: asked of the operations that both describe, and of nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from importer import reduction
from importer.documents import read_document
from importer.selection import FILE, read_selection
from importer.storage import checked_name, checked_stem, read_bytes
from openapi.diagnostics import Finding, SpecError
from openapi.structure import operations, route
from openapi.tree import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from importer.documents import VendorDocument
    from importer.selection import Selection


class Succession(NamedTuple):
    """A document, and those whose place it takes.

    Attributes:
        document: The newer document.
        data: Its bytes.
        name: The name under which it is stored: its predecessor's, when both are of one kind, so that the history of
            the project shows what changed between them; else its own.
        predecessors: The stored documents that it replaces.
        is_known: Whether it is stored already, byte for byte.
        others: Its operations that are not selected, where operations are.
    """

    document: VendorDocument
    data: bytes
    name: str
    predecessors: list[VendorDocument]
    is_known: bool
    others: tuple[str, ...] = ()


def succession(
    source: Path, upstream: Path, stored: Sequence[VendorDocument], selection: Selection | None = None
) -> Succession:
    """Finds the place of a newer document.

    It replaces the one stored document that shares operations with it, and every one all of whose operations it has.
    Where none shares any, it replaces the one of its own name.

    Args:
        source: The newer document.
        upstream: The folder of vendor documents.
        stored: What is in that folder.
        selection: The operations that are selected; those of the project unless given.

    Raises:
        SpecError: The document is not right, or nothing says which one it replaces.
    """
    data = read_bytes(source)
    document = read_document(str(source), data)
    own = described(document)
    if not own:
        raise _refusal(source, "the document describes no operation; at least one is needed")
    selection = selection or read_selection(upstream.parent / FILE)
    if selection is not None:
        return _as_structure(source, document, selection, stored)
    shared = {other.name: sorted(own & described(other)) for other in stored}
    related = [other for other in stored if shared[other.name]]
    partly = [other for other in related if not described(other) <= own]
    if not related:
        related = [other for other in stored if other.name == source.name]
        if not related:
            raise _refusal(
                source,
                "no stored document describes any of its operations, so nothing says which one it replaces: "
                "`make import` adds it; under the name of a stored document it replaces that one",
            )
    elif partly and (len(related) > 1 or not _is_likely(partly[0], own, source.name)):
        raise _refusal(source, _ambiguity(partly, shared))
    kept = len(related) == 1 and related[0].name.rpartition(".")[2].lower() == source.name.rpartition(".")[2].lower()
    name = related[0].name if kept else checked_name(source)
    others = [other.name for other in stored if other not in related]
    if taken := [other for other in others if other.lower() == name.lower()]:
        raise _refusal(source, f"{taken[0]} is stored, describes other operations, and would have the same name")
    is_known = len(related) == 1 and related[0].name == name and (upstream / name).read_bytes() == data
    return Succession(document, data, name, related, is_known)


def _as_structure(
    source: Path, document: VendorDocument, selection: Selection, stored: Sequence[VendorDocument]
) -> Succession:
    """The structure of a document in the place of the stored one, where operations are selected."""
    if not reduction.reduced(document.parts, selection)["paths"]:
        raise _refusal(source, f"none of its operations is in {FILE}; at least one must be")
    before = reduction.stored_in(stored)
    tree = reduction.newer(document, selection, before.parts[0] if before else None)
    name = before.name if before else checked_stem(source) + reduction.SUFFIX
    is_known = before is not None and plain(tree) == plain(before.parts[0])
    data = reduction.text_of(tree).encode()
    reduced = document._replace(parts=[tree])
    others = tuple(reduction.others(document.parts, selection))
    return Succession(reduced, data, name, [before] if before else [], is_known, others)


def described(document: VendorDocument) -> set[tuple[str, str]]:
    """The operations of a document, without the names in their paths."""
    return {(method.upper(), route(path)) for part in document.parts for path, method, _ in operations(part)}


def _is_likely(predecessor: VendorDocument, own: set[tuple[str, str]], name: str) -> bool:
    """Whether a document that lacks operations of another may take its place: it has most of them, or its name."""
    theirs = described(predecessor)
    return predecessor.name == name or 2 * len(theirs & own) > len(theirs)


def _ambiguity(partly: list[VendorDocument], shared: dict[str, list[tuple[str, str]]]) -> str:
    lines = []
    for other in partly:
        named = ", ".join(f"{method} {path}" for method, path in shared[other.name])
        lines.append(
            f"{other.name} describes {named} as well, and {len(described(other)) - len(shared[other.name])} operations "
            "that this document does not have, so it cannot be replaced"
        )
    return "; ".join(lines) + (
        ". Each operation is described once: take it out of one of them, and run the update again (what a stored "
        "document says of it that is right has to become an overlay)"
    )


def _refusal(source: Path, text: str) -> SpecError:
    return SpecError(str(source), [Finding(1, "", text)])
