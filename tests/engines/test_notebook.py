"""The notebook of examples/ in a kernel of Jupyter, as a reader runs it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient
from support.documented_code import ROOT

from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOTEBOOK = ROOT / "examples" / "explore_logs.ipynb"


def test_each_cell_shows_what_it_is_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with Sandbox(rows=300) as sandbox:
        monkeypatch.setenv("DIFY_API_KEY", sandbox.api_key)
        monkeypatch.setenv("DIFY_BASE_URL", sandbox.base_url)
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [
        one["data"]
        for cell in notebook.cells
        for one in cell.get("outputs", ())
        if one["output_type"] == "execute_result"
    ]
    name, page, statuses, errors, run = shown
    assert name["text/plain"] == "'main'"
    assert page["text/html"].count("<tr>") >= 5
    assert statuses["text/plain"].startswith("[('succeeded', ")
    assert re.match(r"\[\([1-9]\d*, '", errors["text/plain"])
    assert "'query'" in run["text/plain"]
