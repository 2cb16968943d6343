"""`dify-workflow runs rerun`: inputs of earlier runs, again, and what has changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.command_line import run, variables

from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0, version="1.16") as sandbox:
        sandbox.set_workflow(lambda inputs: {"answer": inputs["query"], "length": 5})
        yield sandbox


def started(sandbox: Sandbox, *queries: str) -> list[str]:
    with sandbox.client() as client:
        runs = [client.runs.run({"query": query}, user="u-1") for query in queries]
    return [str(one.workflow_run_id) for one in runs]


def test_each_run_is_run_again_with_its_inputs(sandbox: Sandbox):
    ids = started(sandbox, "one", "two")
    found = run("runs", "rerun", "-", stdin="\n".join(ids), **variables(sandbox)).objects
    assert [one["rerun_of"] for one in found] == ids
    assert [one["data"]["outputs"]["answer"] for one in found] == ["one", "two"]
    assert len(sandbox.started_runs) == 4
    new = run("runs", "rerun", ids[0], "-o", "id", **variables(sandbox)).out.split()
    assert len(new) == 1
    assert new[0] not in ids


def test_a_comparison_shows_what_has_changed(sandbox: Sandbox):
    ids = started(sandbox, "one", "two")
    sandbox.set_workflow(lambda inputs: {"answer": inputs["query"].replace("w", "W"), "length": 5})
    found: list[dict[str, Any]] = run("runs", "rerun", "--compare", *ids, **variables(sandbox)).objects
    assert [one["same"] for one in found] == [True, False]
    assert (found[1]["old"]["outputs"]["answer"], found[1]["new"]["outputs"]["answer"]) == ("two", "tWo")
    lines = run("runs", "rerun", "--compare", ids[1], "-o", "table", **variables(sandbox)).out.splitlines()
    assert lines[0].endswith(": different")
    assert lines[1:] == [
        '  status: "succeeded"',
        '- outputs.answer: "two"',
        '+ outputs.answer: "tWo"',
        "  outputs.length: 5",
    ]


def test_a_failed_run_is_exit_code_3_after_all_were_run(sandbox: Sandbox):
    ids = started(sandbox, "one", "two")

    def fails(inputs: dict[str, Any]) -> dict[str, Any]:
        if inputs["query"] == "one":
            raise ValueError("no quota")
        return {}

    sandbox.set_workflow(fails)
    result = run("runs", "rerun", *ids, **variables(sandbox))
    assert result.code == 3
    assert [json.loads(line)["data"]["status"] for line in result.out.splitlines()] == ["failed", "succeeded"]
    assert "no quota" in result.err


def test_nothing_is_started_for_wrong_ids(sandbox: Sandbox):
    [known] = started(sandbox, "one")
    assert run("runs", "rerun", known, "no-uuid", **variables(sandbox)).code == 2
    assert run("runs", "rerun", UNKNOWN, **variables(sandbox)).code == 1
    assert run("runs", "rerun", known, "--compare", "-o", "id", **variables(sandbox)).code == 2
    assert len(sandbox.started_runs) == 1
