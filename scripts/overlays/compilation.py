"""Vendor documents and overlays to the compiled spec."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from importer.documents import read_document
from importer.merging import merged
from importer.reduction import SUFFIX
from importer.selection import FILE, STRUCTURE, read_selection
from lint.checks import compiled_findings
from openapi import serialize
from openapi.diagnostics import Finding, SpecError
from openapi.references import SCHEMAS
from openapi.structure import METHODS, VENDOR_NAME, route
from openapi.tree import copied, plain, walked

from overlays import actions, defaults, extensions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from importer.documents import VendorDocument
    from importer.selection import Selection
    from openapi.tree import Pointer, Tree

COMPILED = "openapi.yaml"
"""The compiled document's file name, and its name in errors."""


class Finished(NamedTuple):
    """A compiled document.

    Attributes:
        text: Its text.
        todos: The places where a name or a text was made by rule, because no overlay has one.
    """

    text: str
    todos: list[str]


def compiled(upstream: Path, overlay_folder: Path) -> str:
    """The compiled spec's text.

    Args:
        upstream: The folder of vendor documents; the selection of operations is beside it.
        overlay_folder: The folder of overlays.

    Raises:
        SpecError: When a document, an overlay or the result is not right.
    """
    return compiled_with_todos(upstream, overlay_folder).text


def compiled_with_todos(upstream: Path, overlay_folder: Path) -> Finished:
    """The compiled spec's text, and what in it was made by rule.

    Raises:
        SpecError: When a document, an overlay or the result is not right.
    """
    documents = read_upstream(upstream)
    tree = joined(documents, read_selection(upstream.parent / FILE))
    paths = overlay_paths(overlay_folder)
    for path in paths:
        tree = actions.applied(tree, actions.read_overlay(path), path.name, partial(_finished, name=path.name))
    return finished(tree, [document.name for document in documents], [path.name for path in paths])


def _finished(tree: Tree, action: Tree, places: list[Pointer], name: str) -> None:
    if extensions.are_in(action.get("update")):
        extensions.carry_out(tree, name, places)


def joined(documents: Sequence[VendorDocument], selection: Selection | None = None) -> Tree:
    """All documents as one, before any overlay.

    Args:
        documents: The documents.
        selection: Which document counts where two describe an operation; None when each is described once.

    Raises:
        SpecError: When two of them contradict each other.
    """
    tree, collisions = merged(counting(documents, selection))
    if collisions:
        first = collisions[0].name
        raise SpecError(first, [collision.finding for collision in collisions if collision.name == first])
    whole: Tree = plain(tree)
    return whole


def counting(documents: Sequence[VendorDocument], selection: Selection | None) -> list[VendorDocument]:
    """What of the documents counts: without the operations for which the selection names another document.

    Tags belong to this project, and so do the servers of a structure; the vendor's are left out.
    """
    if selection is None:
        return list(documents)
    found = []
    for document in documents:
        is_structure = document.name.endswith(SUFFIX)
        own = STRUCTURE if is_structure else document.name
        left_out = {one.key for one in selection.operations if one.document not in ("", own)}
        parts = [part for part in (_without(part, left_out) for part in document.parts) if part["paths"]]
        for part in parts:
            part.pop("tags", None)
            if is_structure:
                part.pop("servers", None)
            for item in part["paths"].values():
                for operation in item.values():
                    if isinstance(operation, dict):
                        operation.pop("tags", None)
                        for parameter in operation.get("parameters", ()):
                            parameter.pop(VENDOR_NAME, None)
        found.append(document._replace(parts=parts))
    return found


def _without(part: Tree, left_out: Iterable[tuple[str, str]]) -> Tree:
    """A copy of a document without some operations, and without the schemas that only they need."""
    part = copied(part)
    gone = False
    for path, item in list(part.get("paths", {}).items()):
        for method in [method for method in item if (method, route(path)) in left_out]:
            del item[method]
            gone = True
        if not any(key in METHODS for key in item):
            del part["paths"][path]
    if gone:
        kept = _reachable(part)
        named = part.get("components", {}).get("schemas", {})
        for name in [name for name in named if name not in kept]:
            del named[name]
    return part


def _reachable(part: Tree) -> set[str]:
    waiting: list[object] = [part["paths"], {k: v for k, v in part.get("components", {}).items() if k != "schemas"}]
    found: set[str] = set()
    while waiting:
        for _, node in walked(waiting.pop()):
            if isinstance(node, str) and node.startswith(SCHEMAS):
                name = node.removeprefix(SCHEMAS).partition("/")[0]
                if name not in found:
                    found.add(name)
                    waiting.append(part["components"]["schemas"].get(name))
    return found


def overlay_paths(folder: Path) -> list[Path]:
    """The overlays of a folder, in the order in which they are applied.

    Raises:
        SpecError: When a file cannot be one.
    """
    paths = sorted(folder.glob("[!.]*"), key=lambda path: path.name)
    for path in paths:
        if path.suffix != ".yaml":
            raise SpecError(path.name, [Finding(1, "", "an overlay's name must end in .yaml")])
    return paths


def finished(tree: Tree, document_names: list[str], overlay_names: list[str]) -> Finished:
    """The text of a document to which all overlays were applied; what has no name or no text gets one by rule.

    Raises:
        SpecError: When the document is not right.
    """
    tree, todos = completed(tree)
    if findings := compiled_findings(tree):
        raise SpecError(COMPILED, findings)
    return Finished(serialize.text_of(tree, _header(document_names, overlay_names)), todos)


def completed(tree: Tree) -> tuple[Tree, list[str]]:
    """A document in our order, with names and texts by rule where no overlay gave one; and where that is."""
    tree, names = defaults.named(tree)
    tree, texts = defaults.described(tree)
    return serialize.ordered(tree), [
        *(f"{name} needs a name" for name in names),
        *(f"{text} needs a text" for text in texts),
    ]


def read_upstream(folder: Path) -> list[VendorDocument]:
    """Every vendor document of a folder, in name order.

    Raises:
        SpecError: When one is not right.
    """
    paths = sorted((path for path in folder.glob("[!.]*") if path.is_file()), key=lambda path: path.name)
    return [read_document(path.name, path.read_bytes()) for path in paths]


def _header(documents: list[str], overlay_names: list[str]) -> str:
    lines = [
        "Compiled by `make spec`. Do not edit: change an overlay, then compile again.",
        "",
        *(f"  from spec/upstream/{name}" for name in documents),
        *(f"  with spec/overlays/{name}" for name in overlay_names),
        "",
        "`make check` fails when this file is not what these give.",
    ]
    return "\n".join(lines)
