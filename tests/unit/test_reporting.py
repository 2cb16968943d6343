"""What a run of the tests prints."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from support.reporting import LONGEST_LINE, MOST_LINES, Progress, reason, shorten, shortened


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_one_line_and_failures_are_named(is_terminal: bool):
    printed: list[str] = []
    terminal = SimpleNamespace(
        isatty=is_terminal,
        write=lambda text, **_: printed.append(text),
        rewrite=lambda text, **_: printed.append(f"\r{text}"),
    )
    progress = Progress(terminal)
    progress.pytest_xdist_setupnodes(specs=[None] * 3)
    assert "listing the tests, in 3 processes" in "".join(printed)
    printed.clear()
    progress.pytest_xdist_node_collection_finished(ids=["test"] * 100)
    for number in range(100):
        for when in ("setup", "call", "teardown"):
            outcome = "failed" if (number, when) == (50, "call") else "passed"
            why = (
                SimpleNamespace(reprcrash=SimpleNamespace(message="assert 1 == 2\nand more")) if number == 50 else None
            )
            report = pytest.TestReport(f"a.py::test_{number}", ("a.py", 1, ""), {}, outcome, why, when)
            counted = outcome if when == "call" else ""
            assert progress.pytest_report_teststatus(report) == (counted, "", "FAILED" if outcome == "failed" else "")
            progress.pytest_runtest_logreport(report)
    text = "".join(printed).replace("\r", "\n")
    assert "FAILED a.py::test_50: assert 1 == 2\n" in text
    lines = text.split()
    assert lines.count("FAILED") == 1
    assert lines.count("tests,") + lines.count("tests") == (100 if is_terminal else 20)
    assert progress.text(125.5) == "100 %  100 of 100 tests, 1 failed, 2 min 05 s"


def test_failures_are_cut_in_their_middle():
    short = ["    assert x", "E   assert 1 == 2"]
    assert shortened(short) == short
    long = shortened(["    assert x", "E   " + "x" * 10_000, *(f"E   line {number}" for number in range(1000))])
    assert max(map(len, long)) <= LONGEST_LINE
    assert len(long) == MOST_LINES + 2
    assert (long[0], long[-1]) == ("    assert x", "E   line 999")
    assert long[-11].endswith(" lines more; -vv shows them")


def test_each_part_of_a_traceback_is_cut():
    entry = SimpleNamespace(lines=["x" * 1000])
    shorten(SimpleNamespace(chain=[(SimpleNamespace(reprentries=[entry]), None, None)]))
    assert len(entry.lines[0]) <= LONGEST_LINE
    shorten("only a text")
    assert reason("only a text") == reason(None) == ""
