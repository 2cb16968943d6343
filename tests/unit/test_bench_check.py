"""The guard of speed fails on what has grown, says what it could not compare, and counts the same each time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from check import CALLS, INSTRUCTIONS, STORED, Change, Counted, MissingError, instructions, main, output
from check_scenarios import SCENARIOS, Connection, calls, memory

if TYPE_CHECKING:
    from pathlib import Path

HERE = {"python": "CPython 3.11", "httpx": "0.28.1"}
ELSEWHERE = {"python": "CPython 3.12", "httpx": "0.28.1"}
FIGURES = {"walk": {"Python calls": 1000, "C calls": 2000}, "upload": {"Python calls": 300}}


def counter(figures: Any, environment: Any = HERE):
    return lambda: Counted(environment, figures)


def missing() -> Counted:
    raise MissingError("the counting tool is not installed")


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A file in which the figures are stored, of calls and of instructions."""
    file = tmp_path / "check.json"
    assert main(["--update"], {CALLS: counter(FIGURES), INSTRUCTIONS: counter({"walk": {INSTRUCTIONS: 7}})}, file) == 0
    return file


def changed(scenario: str, measure: str, value: int) -> dict[str, dict[str, int]]:
    return {**FIGURES, scenario: {**FIGURES[scenario], measure: value}}


# --- what fails -------------------------------------------------------------------------------------------------------


def test_figures_that_are_as_stored_pass(stored: Path, capsys: pytest.CaptureFixture[str]):
    assert main([], {CALLS: counter(FIGURES)}, stored) == 0
    reported = capsys.readouterr()
    assert "GROWN" not in reported.err
    assert "SKIPPED" not in reported.err
    assert [line.split()[-1] for line in reported.out.splitlines()[1:]] == ["+0.0%"] * 3


@pytest.mark.parametrize(
    ("scenario", "measure"), [("walk", "Python calls"), ("walk", "C calls"), ("upload", "Python calls")]
)
def test_a_figure_that_grew_by_over_5_percent_fails(
    stored: Path, capsys: pytest.CaptureFixture[str], scenario: str, measure: str
):
    old = FIGURES[scenario][measure]
    assert main([], {CALLS: counter(changed(scenario, measure, old * 105 // 100))}, stored) == 0
    assert "GROWN" not in capsys.readouterr().err
    new = old * 105 // 100 + 1
    assert main([], {CALLS: counter(changed(scenario, measure, new))}, stored) == 1
    reported = capsys.readouterr().err
    assert reported.count("\n") == 2  # a line for the figure, one above it
    assert f"{scenario}, {measure}: {old:,} stored, {new:,} now, +5." in reported


def test_a_figure_that_was_nothing_may_not_grow_at_all():
    assert Change("walk", "Python calls", 0, 1).has_grown
    assert not Change("walk", "Python calls", 0, 0).has_grown


def test_a_figure_that_shrank_passes_and_can_be_renewed(stored: Path, capsys: pytest.CaptureFixture[str]):
    smaller = {CALLS: counter(changed("walk", "C calls", 1800))}
    assert main([], smaller, stored) == 0
    reported = capsys.readouterr().err
    assert "make bench-check UPDATE=1" in reported
    assert "walk, C calls: 2,000 stored, 1,800 now, -10.0%" in reported
    assert main(["--update"], smaller, stored) == 0
    assert main([], {CALLS: counter(FIGURES)}, stored) == 1  # what was enough before is too much now


def test_a_scenario_without_a_stored_figure_fails(stored: Path, capsys: pytest.CaptureFixture[str]):
    assert main([], {CALLS: counter({**FIGURES, "new": {"Python calls": 1}})}, stored) == 1
    assert "new, Python calls: 1 now, and nothing is stored" in capsys.readouterr().err


def test_a_figure_that_is_not_counted_any_more_fails(stored: Path, capsys: pytest.CaptureFixture[str]):
    assert main([], {CALLS: counter({"walk": FIGURES["walk"]})}, stored) == 1
    assert "upload, Python calls: 300 stored, and it is not counted any more" in capsys.readouterr().err


# --- what cannot be compared ------------------------------------------------------------------------------------------


def test_a_missing_tool_is_told_and_the_rest_is_compared(stored: Path, capsys: pytest.CaptureFixture[str]):
    assert main([], {CALLS: counter(FIGURES), INSTRUCTIONS: missing}, stored) == 0
    assert capsys.readouterr().err == "SKIPPED: instructions, as the counting tool is not installed\n"
    grown = changed("walk", "C calls", 3000)
    assert main([], {CALLS: counter(grown), INSTRUCTIONS: missing}, stored) == 1


def test_without_valgrind_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingError, match="apt-get install valgrind"):
        instructions()


def test_figures_of_another_environment_are_not_compared(stored: Path, capsys: pytest.CaptureFixture[str]):
    counters = {
        CALLS: counter(changed("walk", "C calls", 9000), ELSEWHERE),
        INSTRUCTIONS: counter({"walk": {INSTRUCTIONS: 7}}),
    }
    assert main([], counters, stored) == 0
    reported = capsys.readouterr().err
    assert "SKIPPED: calls and memory, as nothing is stored for CPython 3.12, httpx 0.28.1." in reported
    assert "make bench-check UPDATE=1" in reported
    assert "  CPython 3.11, httpx 0.28.1\n" in reported


@pytest.mark.parametrize("counters", [{CALLS: missing}, {CALLS: counter(FIGURES, ELSEWHERE), INSTRUCTIONS: missing}])
def test_where_nothing_can_be_compared_it_does_not_pass(
    stored: Path, capsys: pytest.CaptureFixture[str], counters: Any
):
    assert main([], counters, stored) == 2
    assert capsys.readouterr().err.endswith("nothing could be compared\n")


def test_storing_leaves_the_figures_of_other_environments(stored: Path):
    assert (
        main(["--update"], {CALLS: counter({"walk": {"Python calls": 5}}, ELSEWHERE), INSTRUCTIONS: missing}, stored)
        == 0
    )
    assert main([], {CALLS: counter(FIGURES)}, stored) == 0
    assert main([], {CALLS: counter({"walk": {"Python calls": 5}}, ELSEWHERE)}, stored) == 0
    assert main([], {CALLS: counter({"walk": {"Python calls": 6}}, ELSEWHERE)}, stored) == 1
    assert main([], {INSTRUCTIONS: counter({"walk": {INSTRUCTIONS: 7}})}, stored) == 0


# --- what is counted --------------------------------------------------------------------------------------------------


def length(text: str) -> int:
    return len(text)


def lengths(times: int) -> list[int]:
    found = []
    for _ in range(times):
        found.append(length("word") + 1000)  # noqa: PERF401 - a comprehension is a call on some releases of Python
    return found


def test_calls_are_counted_one_by_one():
    few, more = calls(lambda: lengths(100)), calls(lambda: lengths(130))
    assert more["Python calls"] - few["Python calls"] == 30
    assert more["C calls"] - few["C calls"] == 60  # len and append


def test_memory_is_counted_at_its_height_and_where_it_is_kept():
    def passing() -> bytes:
        large = bytes(200_000)
        return large[:50_000]

    counted = memory(passing, keeps=True)
    assert 250_000 <= counted["bytes at the height"] < 260_000
    assert 50_000 <= counted["bytes kept"] < 60_000
    assert "bytes kept" not in memory(passing, keeps=False)


@pytest.mark.parametrize("name", ["decoding 100 rows", "page of 1 row"])
def test_a_scenario_takes_the_same_calls_each_time(name: str):
    first, second = (json.loads(output(["calls", name])) for _ in range(2))
    assert first == second
    assert min(first.values()) > 0
    assert sum(first.values()) > 50


def test_a_scenario_that_cannot_be_done_fails():
    with pytest.raises(SystemExit, match="exit status 1"):
        output(["calls", "no such scenario"])


def test_an_in_memory_connection_serves_whole_requests():
    connection = Connection(lambda target: f"the response to {target}".encode())
    connection.write(b"POST /v1/files/upload HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
    connection.write(b"abc")
    assert connection.read(100) == b""
    connection.write(b"de")
    connection.write(b"")
    assert connection.read(12) == b"the response"
    assert connection.read(100) == b" to /v1/files/upload"
    connection.write(b"GET /v1/info HTTP/1.1\r\n\r\n")
    assert connection.read(100) == b"the response to /v1/info"


def test_every_scenario_has_stored_figures_of_each_kind():
    stored = json.loads(STORED.read_text("utf-8"))
    assert set(stored) == {CALLS, INSTRUCTIONS}
    for entries in stored.values():
        assert entries
        for entry in entries:
            assert list(entry["figures"]) == list(SCENARIOS)
            assert all(value > 0 for figures in entry["figures"].values() for value in figures.values())
