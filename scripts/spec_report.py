"""What `make update` reports of a change of the spec, as a release reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from diff.changes import SEVERITIES, Change
from project import RefusalError
from versions import STEPS, Step, larger

if TYPE_CHECKING:
    from pathlib import Path


class Report(NamedTuple):
    """What changed, the gravest first, and the step that follows; None when nothing requires a step."""

    step: Step | None
    changes: list[Change]


def read(path: Path) -> Report | None:
    """Read a report; None when there is none.

    Raises:
        RefusalError: The file is not a report, or its step is smaller than what its changes require.
    """
    try:
        raw = json.loads(path.read_text("utf-8"))
        # What came of all updates since the last release, and not of the last one alone.
        raw = raw.get("unreleased", raw)
        changes = [
            Change(SEVERITIES[SEVERITIES.index(one["severity"])], str(one["where"]), str(one["what"]))
            for one in raw["changes"]
        ]
        step = None if raw["step"] in {None, "none"} else STEPS[STEPS.index(raw["step"])]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RefusalError(f"{path.name} is not a report of `make update`: {error!r}") from None
    asked = step_for(changes)
    if asked in {"major", "minor"} and (step is None or larger(step, asked) != step):
        raise RefusalError(f"{path.name} contradicts itself: its step is {step}, and its changes require {asked}")
    return Report(step, changes)


def step_for(changes: list[Change]) -> Step:
    """The step that follows from changes, and from none."""
    found = {change.severity for change in changes}
    return "major" if "breaking" in found else "minor" if "additive" in found else "patch"
