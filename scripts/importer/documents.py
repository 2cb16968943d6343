"""Vendor documents of every accepted kind, read and made OpenAPI 3.1."""

from __future__ import annotations

import functools
from typing import NamedTuple

from lint.checks import vendor_findings
from openapi.diagnostics import Finding, SpecError
from openapi.parse import SourceError, decoded, read_json, read_yaml
from openapi.tree import LinedMap, Pointer, Tree, copied, line_of, pointer_text
from openapi.upgrade import upgraded

from importer import docs_pages
from importer.legacy_docs_pages import converted
from importer.texts import put_right

MAX_BYTES = 8_000_000


class VendorDocument(NamedTuple):
    """One vendor file, read.

    Attributes:
        name: Its file name.
        kind: What it is, in words, e.g. "1 page of the older export".
        parts: Its content as OpenAPI 3.1.0 documents: one, or one for each page. Their lines are the file's.
        notes: What in it was put right or left out.
    """

    name: str
    kind: str
    parts: list[Tree]
    notes: tuple[Finding, ...] = ()

    @property
    def is_pages(self) -> bool:
        """Whether it is pages of the docs site, which describe their own operations and nothing else."""
        return "page" in self.kind.split(" ", 2)[1]


def read_document(name: str, data: bytes) -> VendorDocument:
    """Detects what a vendor's file is, reads it, and checks each part of it.

    Args:
        name: The file's name, which decides nothing: the content does.
        data: The file's bytes.

    Raises:
        SpecError: With the lines of all that is wrong.
    """
    document = _checked(name, data)
    return document._replace(parts=[copied(part) for part in document.parts])


@functools.lru_cache(maxsize=16)
def _checked(name: str, data: bytes) -> VendorDocument:
    """The document of a file: checking takes long, and an update reads the stored ones more than once."""
    document = parsed(name, data)
    notes = [note for part in document.parts for note in _without_webhooks(part)]
    findings = [finding for part in document.parts for finding in vendor_findings(part)]
    if findings:
        raise SpecError(name, findings)
    parts = [upgraded(part) for part in document.parts]
    return document._replace(parts=parts, notes=(*document.notes, *notes))


def _without_webhooks(document: Tree) -> list[Finding]:
    """Leaves webhooks out of a document of OpenAPI 3.1 (3.0 has none), and says which."""
    webhooks = document.get("webhooks")
    if not isinstance(webhooks, dict) or not str(document.get("openapi")).startswith("3.1"):
        return []
    places: list[Pointer] = [("webhooks", name) for name in webhooks]
    text = "a webhook is a call to the user, and no operation that a client calls; it is left out"
    notes = [Finding(line_of(document, where), pointer_text(where), text) for where in places]
    del document["webhooks"]
    return notes


def parsed(name: str, data: bytes) -> VendorDocument:
    """Detects what a file is and reads it, without a check of what it says, in the OpenAPI version that it states.

    Raises:
        SpecError: It cannot be read as any of the kinds.
    """
    if len(data) > MAX_BYTES:
        raise SpecError(name, [Finding(1, "", f"{len(data):,} bytes; {MAX_BYTES:,} are allowed")])
    try:
        text = decoded(data, hold=True)
        if text.lstrip().startswith("{"):
            kind, parts = "OpenAPI in JSON", [_plain(read_json(text, hold=True))]
        elif found := docs_pages.split(text):
            kind, parts = _read_pages(found)
        else:
            kind, parts = "OpenAPI in YAML", [_plain(read_yaml(text, hold=True))]
        notes = tuple(note for part in parts for note in put_right(part))
    except SourceError as error:
        raise SpecError(name, [Finding(error.line, "", error.text)]) from None
    return VendorDocument(name, kind, parts, notes)


def _read_pages(found: list[docs_pages.Page]) -> tuple[str, list[Tree]]:
    read = [(page, docs_pages.read(page)) for page in found]
    newer = sum(docs_pages.is_newer(tree) for _, tree in read)
    counts = [(len(read) - newer, "older"), (newer, "newer")]
    kind = " and ".join(f"{count} page{'s' * (count > 1)} of the {name} export" for count, name in counts if count)
    return kind, [_versioned(tree) if docs_pages.is_newer(tree) else converted(page, tree) for page, tree in read]


def _plain(tree: object) -> Tree:
    if not isinstance(tree, LinedMap) or "openapi" not in tree:
        raise SourceError(
            1,
            "neither a docs-page export (a fence that says `yaml FILE METHOD PATH`) nor an OpenAPI document "
            "(a mapping with the key `openapi`)",
        )
    return _versioned(tree)


def _versioned(tree: Tree) -> Tree:
    version = tree["openapi"]
    if not isinstance(version, str) or not version.startswith(("3.0.", "3.1.")):
        line = tree.lines.get("openapi", tree.line) if isinstance(tree, LinedMap) else 1
        raise SourceError(line, f"OpenAPI version {version!r} is not supported; 3.0.x and 3.1.x are")
    return tree
