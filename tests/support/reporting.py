"""What a run of the tests prints: one line of progress, each failure when it happens, and no endless texts."""

from __future__ import annotations

import time
from typing import Any

import pytest

LONGEST_LINE = 400
LONGEST_REASON = 200
MOST_LINES = 40
"""Lines of one assertion's explanation."""


class Progress:
    """Shows how many tests are done, for runs on several processes: a line that changes, or one for each 5 %."""

    def __init__(self, terminal: Any) -> None:
        self._terminal = terminal
        terminal._show_progress_info = False  # pytest's own share would stand alone in the last line
        self._begun = time.monotonic()
        self._total = self._done = self._failed = self._shown = 0

    def pytest_xdist_setupnodes(self, specs: list[Any]) -> None:
        """Say what comes before the first test: each process lists the tests."""
        self._write(f"listing the tests, in {len(specs)} processes", end="\n")

    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Note how many tests there are."""
        self._total = len(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """Leave the letters out of what passes or fails as it is meant to; both are counted all the same."""
        if hasattr(report, "wasxfail") or report.skipped or not isinstance(report, pytest.TestReport):
            return None
        if report.failed:
            return ("failed" if report.when == "call" else "error"), "", "FAILED"
        return ("passed" if report.when == "call" else ""), "", ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test, and print a failure."""
        if report.failed:
            self._failed += 1
            self._write(f"FAILED {report.nodeid}{reason(report.longrepr)}", end="\n")
        if report.when == "teardown":
            self._done += 1
            share = 100 * self._done // max(self._total, 1)
            if self._terminal.isatty or share >= self._shown + 5 or self._done == self._total:
                self._shown = share
                self._write(self.text(time.monotonic() - self._begun), end="" if self._terminal.isatty else "\n")

    def text(self, seconds: float) -> str:
        """The line of progress."""
        failed = f", {self._failed} failed" if self._failed else ""
        minutes, rest = divmod(int(seconds), 60)
        return f"{self._shown:3} %  {self._done} of {self._total} tests{failed}, {minutes} min {rest:02} s"

    def _write(self, text: str, *, end: str) -> None:
        if self._terminal.isatty:
            self._terminal.rewrite(text, erase=True)
            self._terminal.write(end)
        else:
            self._terminal.write(f"{text}{end}", flush=True)


def reason(longrepr: Any) -> str:
    """The first line of what a test failed with."""
    message = str(getattr(getattr(longrepr, "reprcrash", None), "message", ""))
    return f": {message.splitlines()[0][:LONGEST_REASON]}" if message else ""


def shorten(longrepr: Any) -> None:
    """Cut what is too long out of the text of a failure."""
    chain = getattr(longrepr, "chain", None) or [(getattr(longrepr, "reprtraceback", None),)]
    for traceback, *_ in chain:
        for entry in getattr(traceback, "reprentries", ()):
            if isinstance(getattr(entry, "lines", None), list):
                entry.lines = shortened(entry.lines)


def shortened(lines: list[str]) -> list[str]:
    """The lines of one part of a traceback, without the middle of long lines and of long explanations."""
    lines = [
        line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 100]} ... {line[-90:]}"
        for text in lines
        for line in text.split("\n")
    ]
    explained = [number for number, line in enumerate(lines) if line.startswith("E ")]
    if len(explained) > MOST_LINES:
        first, last = explained[MOST_LINES - 10], explained[-10]
        lines[first:last] = [f"E   ... {last - first} lines more; -vv shows them"]
    return lines
