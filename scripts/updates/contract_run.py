"""Whether the facade still matches the spec: the contract tests, run where the update was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

from updates.workspace import scratch

if TYPE_CHECKING:
    from updates.workspace import Workspace

TESTS = ("tests/contract", "-m", "not tools")
"""The contract tests, without those of the tools, whose code an update does not change."""
MOST_FAILURES = 25
_LONGEST = 1500


class Failure(NamedTuple):
    """A test that failed: its name, and what it says."""

    test: str
    text: str


class Verification(NamedTuple):
    """What the contract tests say.

    Attributes:
        passed: How many of them pass.
        failures: Those that do not.
        problem: Why they could not be run as they should; nothing when they could.
    """

    passed: int
    failures: list[Failure]
    problem: str

    @property
    def is_right(self) -> bool:
        """Whether all of them passed."""
        return not self.failures and not self.problem and self.passed > 0


def gaps(place: Workspace) -> list[str]:
    """What the spec has and the facade does not, or the other way round, one sentence each."""
    ran = place.run("scripts/facade_coverage.py")
    lines = [line for line in ran.output.splitlines() if line.strip()]
    return (lines or [f"scripts/facade_coverage.py ended with {ran.status}"]) if ran.status else []


def verified(place: Workspace, tests: tuple[str, ...]) -> Verification:
    """Runs the contract tests in a copy of the project.

    Args:
        place: The copy.
        tests: What pytest is to run, with options where needed.
    """
    with scratch("update-tests-") as folder:
        report = folder / "report.xml"
        options = (
            "-q",
            "-p",
            "no:cacheprovider",
            f"--maxfail={MOST_FAILURES}",
            f"--junitxml={report}",
            f"--basetemp={folder}/tests",
        )
        ran = place.run("-m", "pytest", *options, *tests)
        if not report.exists():
            return Verification(0, [], f"pytest ended with {ran.status}:\n{ran.output[-_LONGEST:].strip()}")
        suite = ET.parse(report).getroot()  # noqa: S314 - written just now, by the test runner
    cases = list(suite.iter("testcase"))
    failures = [
        Failure(f"{case.get('classname', '')}.{case.get('name', '')}", (found.get("message") or "")[:_LONGEST])
        for case in cases
        for found in [*case.findall("failure"), *case.findall("error")]
    ]
    passed = sum(1 for case in cases if not any(case.find(tag) is not None for tag in ("failure", "error", "skipped")))
    problem = ""
    if ran.status and not failures:
        problem = f"pytest ended with {ran.status}:\n{ran.output[-_LONGEST:].strip()}"
    elif not passed and not failures:
        problem = "no contract test was run"
    return Verification(passed, failures, problem)
