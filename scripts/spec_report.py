"""What `make update` reports of a change of the spec, as a release reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from diff.changes import SEVERITIES, Change
from versions import STEPS, Step, larger

if TYPE_CHECKING:
    from pathlib import Path

    from diff.changes import Severity


class Report(NamedTuple):
    """What changed, the gravest first, and the step that follows; None when nothing asks for a step."""

    step: Step | None
    changes: list[Change]


class ReportError(Exception):
    """A file is not such a report."""


def read(path: Path) -> Report | None:
    """Read a report; None when there is none.

    Raises:
        ReportError: The file is not a report, or its step is smaller than what its changes ask for.
    """
    try:
        raw = json.loads(path.read_text("utf-8"))
        # What came of all updates since the last release, and not of the last one alone.
        if "unreleased" in raw:
            raw = raw["unreleased"]
        changes = [Change(_severity(one), str(one["where"]), str(one["what"])) for one in raw["changes"]]
        step = _step(raw["step"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        detail = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ReportError(f"{path.name} is not a report of `make update`: {detail}") from None
    asked = step_for(changes)
    if asked in {"major", "minor"} and (step is None or larger(step, asked) != step):
        raise ReportError(f"{path.name} contradicts itself: its step is {step}, and its changes ask for {asked}")
    return Report(step, changes)


def step_for(changes: list[Change]) -> Step:
    """The step that follows from changes, and from none."""
    found = {change.severity for change in changes}
    return "major" if "breaking" in found else "minor" if "additive" in found else "patch"


def _severity(change: dict[str, Any]) -> Severity:
    for severity in SEVERITIES:
        if severity == change["severity"]:
            return severity
    raise ValueError(f"unknown severity {change['severity']!r}")


def _step(value: object) -> Step | None:
    if value in {None, "none"}:
        return None
    for step in STEPS:
        if step == value:
            return step
    raise ValueError(f"unknown step {value!r}")
