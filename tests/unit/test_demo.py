"""The demonstration: what it shows fits the terminal."""

from __future__ import annotations

import io

import demo
import pytest
from rich.console import Console

from dify_workflow.testing import Sandbox


@pytest.mark.parametrize(("width", "last"), [(20, "created"), (80, "seconds"), (111, "error")])
def test_narrow_terminals_get_fewer_whole_columns(width: int, last: str):
    assert demo.shown_columns(width)[-1] == last


def test_no_digit_is_lost_in_80_columns():
    with Sandbox(rows=8) as sandbox, sandbox.client() as client:
        page = client.logs.list(limit=8)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(demo.as_table(page))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    for log in page.data:
        run = log.workflow_run
        assert any(demo.local_time(log.created_at_utc) in line for line in lines)
        assert run is None or any(f"{run.elapsed_time:.2f} " in line for line in lines)


@pytest.mark.parametrize("width", [80, 120])
def test_headings_and_commands_fit_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch):
    console = Console(width=width, record=True, file=io.StringIO())
    monkeypatch.setattr(demo, "console", console)
    demo.heading("What failed during the last day", 'client.logs.list(status="failed", created_at__after="24h")')
    for command in demo.COMMANDS:
        demo.show_command(f".venv/bin/dify-workflow --profile sandbox {command}")
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= width
    assert any(line.endswith("\\") for line in lines) == (width == 80)
