"""Taking in one more vendor document: all of it, byte for byte, or nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lint.checks import vendor_notes
from openapi.diagnostics import Finding, SpecError
from openapi.structure import operations
from openapi.tree import plain
from outputs import put
from overlays.compilation import counting, read_upstream

from importer import reduction
from importer.documents import MAX_BYTES, read_document
from importer.merging import merged
from importer.selection import FILE as SELECTION
from importer.selection import read_selection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from importer.documents import VendorDocument
    from importer.selection import Selection


class Intake(NamedTuple):
    """What became of a document that was taken in.

    Attributes:
        target: Where it is stored now.
        kind: What it is, in words.
        operations: Its operations, each as `GET /path`.
        notes: What an overlay should put right.
        is_new: Whether it was stored just now; otherwise it was there already, byte for byte.
    """

    target: Path
    kind: str
    operations: list[str]
    notes: list[Finding]
    is_new: bool


def take_in(source: Path, upstream: Path) -> Intake:
    """Checks a vendor document against everything stored so far, and stores it.

    Args:
        source: The document. Its name stays; its content decides what it is.
        upstream: The folder of vendor documents.

    Raises:
        SpecError: When it can't be taken in; the folder is as it was. Findings about `source` carry its full path as
            the name, those about a stored document that document's name.
    """
    name = str(source)
    target = upstream / checked_name(source)
    data = read_bytes(source)
    stored = target.read_bytes() if target.is_file() else None
    if stored not in (None, data):
        text = f"another document is stored as {target.name}; give this one another name, or remove that one first"
        raise _refusal(source, text)
    for other in upstream.iterdir() if stored is None else ():
        if other.name.lower() == target.name.lower():
            text = f"{other.name} is stored, and some file systems take the two names for one; choose another"
            raise _refusal(source, text)
    document = read_document(name, data)
    named = [f"{method.upper()} {path}" for part in document.parts for path, method, _ in operations(part)]
    if not named:
        raise _refusal(source, "the document describes no operation; at least one is needed")
    if stored is None:
        together = [*read_upstream(upstream), document._replace(name=target.name)]
        _, collisions = merged(counting(together, read_selection(upstream.parent / SELECTION)))
        if collisions:
            raise SpecError(name, sorted({finding for _, finding in collisions}))
        put(target, data)
    notes = [*document.notes, *(note for part in document.parts for note in vendor_notes(part))]
    return Intake(target, document.kind, named, notes, stored is None)


def take_structure(source: Path, upstream: Path) -> Intake:
    """Stores a document as structure alone, reduced to the selected operations, in place of the structure before.

    Args:
        source: The document; only its facts are kept.
        upstream: The folder of vendor documents; the selection is beside it.

    Raises:
        SpecError: When it can't be taken in; the folder is as it was.
    """
    selection = read_selection(upstream.parent / SELECTION)
    if selection is None:
        raise _refusal(source, f"there is no {SELECTION} beside {upstream.name}")
    heir = succession(source, read_upstream(upstream), selection)
    target = upstream / heir.name
    named = [f"{method.upper()} {path}" for path, method, _ in operations(heir.document.parts[0])]
    is_new = not target.is_file() or target.read_bytes() != heir.data
    if is_new:
        put(target, heir.data)
    return Intake(target, f"structure of {heir.document.kind}", named, [], is_new)


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
    if not any(True for part in document.parts for _ in operations(part)):
        raise _refusal(source, "the document describes no operation; at least one is needed")
    if not reduction.reduced(document.parts, selection)["paths"]:
        raise _refusal(source, f"none of its operations is in {SELECTION}; at least one must be")
    before = reduction.stored_in(stored)
    tree = reduction.newer(document, selection, before.parts[0] if before else None)
    name = before.name if before else (checked_name(source).partition(".")[0] or "vendor") + reduction.SUFFIX
    is_known = before is not None and plain(tree) == plain(before.parts[0])
    others = tuple(reduction.others(document.parts, selection))
    data = reduction.text_of(tree).encode()
    return Succession(document._replace(parts=[tree]), data, name, before, is_known, others)


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def checked_name(source: Path) -> str:
    """The name of a file, when it can be that of a stored document.

    Raises:
        SpecError: It cannot.
    """
    if not _NAME.fullmatch(source.name):
        text = "the file's name may have up to 100 letters, digits, '.', '_' and '-', and begins with a letter or digit"
        raise _refusal(source, text)
    return source.name


def read_bytes(source: Path) -> bytes:
    """The bytes of a document, and not many more than a document can have.

    Raises:
        SpecError: It is no regular file.
    """
    if not source.is_file():  # a device or a pipe may never end
        raise _refusal(source, "not a regular file")
    with source.open("rb") as file:
        return file.read(MAX_BYTES + 1)  # one too many shows that it is too large


def _refusal(source: Path, text: str) -> SpecError:
    return SpecError(str(source), [Finding(1, "", text)])
