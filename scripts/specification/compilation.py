"""Vendor documents and overlays to the compiled spec."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from specification import layout, marks, overlays
from specification.documents import read_document
from specification.findings import Finding, SpecError
from specification.lint import compiled_findings
from specification.merging import merged
from specification.nodes import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from specification.documents import VendorDocument
    from specification.nodes import Tree

COMPILED = "openapi.yaml"
"""The compiled document's file name, and its name in errors."""


def compiled(upstream: Path, overlay_folder: Path) -> str:
    """The compiled spec's text.

    Args:
        upstream: The folder of vendor documents.
        overlay_folder: The folder of overlays.

    Raises:
        SpecError: When a document, an overlay or the result is not right.
    """
    documents = read_upstream(upstream)
    tree = joined(documents)
    paths = overlay_paths(overlay_folder)
    for path in paths:
        tree = overlays.applied(tree, overlays.read_overlay(path), path.name, partial(_finished, name=path.name))
    return finished(tree, [document.name for document in documents], [path.name for path in paths])


def _finished(tree: Tree, action: Tree, name: str) -> Tree:
    return marks.carried_out(tree, name) if marks.are_in(action.get("update")) else tree


def joined(documents: Sequence[VendorDocument]) -> Tree:
    """All documents as one, before any overlay.

    Raises:
        SpecError: When two of them contradict each other.
    """
    tree, collisions = merged(documents)
    if collisions:
        first = collisions[0].name
        raise SpecError(first, [collision.finding for collision in collisions if collision.name == first])
    whole: Tree = plain(tree)
    return whole


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


def finished(tree: Tree, document_names: list[str], overlay_names: list[str]) -> str:
    """The text of a document to which all overlays were applied.

    Raises:
        SpecError: When the document is not right.
    """
    tree = layout.ordered(tree)
    if findings := compiled_findings(tree):
        raise SpecError(COMPILED, findings)
    return layout.text_of(tree, _header(document_names, overlay_names))


def read_upstream(folder: Path) -> list[VendorDocument]:
    """Every vendor document of a folder, in name order.

    Raises:
        SpecError: When one is not right.
    """
    paths = sorted((path for path in folder.glob("[!.]*") if path.is_file()), key=lambda path: path.name)
    return [read_document(path.name, path.read_bytes()) for path in paths]


def _header(documents: list[str], overlay_names: list[str]) -> str:
    lines = [
        "Compiled by `make spec`. Do not edit: change an overlay or our own document, then compile again.",
        "",
        *(f"  from spec/upstream/{name}" for name in documents),
        *(f"  with spec/overlays/{name}" for name in overlay_names),
        "",
        "`make check` fails when this file is not what these give.",
    ]
    return "\n".join(lines)
