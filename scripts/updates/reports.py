"""The report of an update: for people (and for the text of a change request) as Markdown, for programs as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from comparison.changes import SEVERITIES, verdict

if TYPE_CHECKING:
    from pathlib import Path

    from comparison.changes import Change

    from updates.corrections import Judgement
    from updates.interface import InterfaceChange
    from updates.meanings import Told
    from updates.verification import Verification

STEPS = ("none", "patch", "minor", "major")
"""Version steps, the smallest first."""


class Report(NamedTuple):
    """What an update found and did.

    Attributes:
        file: The name of the document that was given.
        kind: What that is, in words.
        stored_as: Where it is, or would be, stored.
        replaces: The names of the documents whose place it takes.
        is_ready: Whether the update was made; otherwise nothing changed but this report.
        told: The changes of the compiled spec; None when it could not be put together.
        vendors: The changes of the vendor's own document.
        interface: The changes of the public Python API; None when it was not made.
        judgements: The overlay actions of which something is to be said.
        gaps: Where the facade no longer matches the spec.
        verification: What the contract tests say; None when they were not run.
        problems: Why the update was not made, one line or more each.
    """

    file: str
    kind: str
    stored_as: str
    replaces: list[str]
    is_ready: bool
    told: list[Told] | None
    vendors: list[Change]
    interface: list[InterfaceChange] | None
    judgements: list[Judgement]
    gaps: list[str]
    verification: Verification | None
    problems: list[str]

    @property
    def step(self) -> str:
        """The version step that follows for the SDK: none when nothing of what it ships differs."""
        severities = {told.change.severity for told in self.told or ()}
        severities |= {change.severity for change in self.interface or ()}
        if "breaking" in severities:
            return "major"
        if "additive" in severities:
            return "minor"
        return "patch" if severities else "none"

    @property
    def hidden(self) -> list[Change]:
        """What the vendor changed and the overlays keep from users."""
        seen = {told.change.where for told in self.told or ()}
        return [change for change in self.vendors if change.severity != "wording" and change.where not in seen]


def write(report: Report, folder: Path) -> None:
    """Writes `spec-report.json` and `spec-report.md`.

    The JSON keeps what updates since the last release found (`unreleased`), for a release is about all of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "spec-report.json"
    data = as_json(report)
    data["unreleased"] = _unreleased(path, data if report.is_ready else None)
    for name, text in (("json", json.dumps(data, indent=2, ensure_ascii=False) + "\n"), ("md", as_markdown(report))):
        part = folder / f".spec-report.{name}"
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(folder / f"spec-report.{name}")


def as_json(report: Report) -> dict[str, Any]:
    """The report for programs."""
    told = None if report.told is None else report.told
    return {
        "outcome": "ready" if report.is_ready else "refused",
        "document": {
            "file": report.file,
            "kind": report.kind,
            "stored_as": report.stored_as,
            "replaces": report.replaces,
        },
        "verdict": None if told is None else verdict(one.change for one in told),
        "step": report.step,
        "changes": [one.change.shown() | {"meaning": one.meaning, "places": one.places} for one in told or ()],
        "api": None if report.interface is None else [change._asdict() for change in report.interface],
        "vendor": {
            "verdict": verdict(report.vendors),
            "changes": [change.shown() for change in report.vendors],
            "kept_from_users": [change.shown() for change in report.hidden],
        },
        "overlays": [
            {
                **judgement.correction._asdict(),
                "finding": judgement.finding,
                "text": judgement.text,
                "must_change": judgement.is_wrong,
            }
            for judgement in report.judgements
        ],
        "facade": report.gaps,
        "contract": None if report.verification is None else _verification(report.verification),
        "problems": report.problems,
    }


def as_markdown(report: Report) -> str:
    """The report for people."""
    lines = [f"# Spec update: {_plain(report.file)}", ""]
    place = " and ".join(report.replaces) or "nothing"
    lines += [f"{_plain(report.kind)}, in place of {place}, as `{report.stored_as}`.", ""]
    if report.told is not None:
        found = verdict(one.change for one in report.told)
        lines += [f"**Verdict: {found}. Version step: {report.step}.**", ""]
    if not report.is_ready:
        lines += ["**The update was not made; nothing in the project has changed.** What stands in its way:", ""]
        lines += [item for problem in report.problems for item in _item(problem)] + [""]
    lines += _changes_part(report)
    lines += _interface_part(report)
    if report.hidden:
        lines += ["## Changed by the vendor, kept from users by our overlays", ""]
        lines += [f"- {change.severity}: {_code(change.where)}: {_plain(change.what)}" for change in report.hidden]
        lines += [""]
    if report.judgements:
        lines += ["## Overlay actions to look at", ""]
        for judgement in report.judgements:
            lines += _item(
                f"{_code(judgement.correction.place)} {judgement.text}. Its reason: {judgement.correction.reason}"
            )
        lines += [""]
    lines += _facade_part(report)
    return "\n".join(lines).rstrip("\n") + "\n"


_HEADINGS = {"breaking": "## Breaking", "additive": "## Additive", "wording": "## Wording only"}
_MOST_WORDING = 30


def _changes_part(report: Report) -> list[str]:
    lines: list[str] = []
    for severity in SEVERITIES:
        told = [one for one in report.told or () if one.change.severity == severity]
        if not told:
            continue
        lines += [_HEADINGS[severity], ""]
        for one in told[: _MOST_WORDING if severity == "wording" else None]:
            lines += [f"- {_code(one.change.where)}: {_plain(one.change.what)}"]
            if severity != "wording":
                lines += [f"  {_plain(one.meaning)}"]
                lines += [f"  From {', '.join(_code(place) for place in one.places)}."] if one.places else []
        if severity == "wording" and len(told) > _MOST_WORDING:
            lines += [f"- and {len(told) - _MOST_WORDING} more"]
        lines += [""]
    if report.told is not None and not report.told:
        lines += ["The compiled spec is the same as before.", ""]
    return lines


def _interface_part(report: Report) -> list[str]:
    if report.interface is None:
        return []
    if not report.interface:
        return ["## Public Python API", "", "The same as before.", ""]
    return [
        "## Public Python API",
        "",
        *(f"- {change.severity}: {_code(change.what)}" for change in report.interface),
        "",
    ]


def _facade_part(report: Report) -> list[str]:
    lines: list[str] = []
    if report.gaps:
        lines += ["## Where the facade does not match the spec", ""]
        lines += [item for gap in report.gaps for item in _item(gap)] + [""]
    if report.verification is not None:
        found = report.verification
        lines += ["## Contract tests", "", f"{found.passed} passed, {len(found.failures)} failed.", ""]
        for failure in found.failures:
            lines += [f"- `{failure.test}`", *(f"      {line}" for line in failure.text.splitlines()[:12])]
        lines += [f"    {line}" for line in found.problem.splitlines()]
        lines += [""] if found.failures or found.problem else []
    return lines


def _verification(found: Verification) -> dict[str, Any]:
    return {
        "passed": found.passed,
        "failed": len(found.failures),
        "failures": [failure._asdict() for failure in found.failures],
        "problem": found.problem,
    }


def _unreleased(path: Path, data: dict[str, Any] | None) -> dict[str, Any]:
    """What updates found since the last release, which takes the report away; this one's included when it was made."""
    try:
        before = json.loads(path.read_text("utf-8"))["unreleased"]
        step, changes = str(before["step"]), list(before["changes"])
    except (OSError, ValueError, KeyError, TypeError):
        step, changes = "none", []
    if data is not None:
        mine = [{key: change[key] for key in ("severity", "where", "what")} for change in data["changes"]]
        changes = [change for change in changes if change not in mine] + mine
        step = max(step, data["step"], key=lambda one: STEPS.index(one) if one in STEPS else 0)
    return {"step": step, "changes": changes}


def _item(text: str) -> list[str]:
    first, *others = text.splitlines() or [""]
    return [f"- {_plain(first)}", *(f"  {_plain(line)}" for line in others)]


def _plain(text: str) -> str:
    """On one line, and nothing in it that is not seen: a part of it is the vendor's."""
    seen = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(seen.replace("<", "\\<").split())


def _code(text: str) -> str:
    return f"`{_plain(text).replace('`', chr(39)).replace(chr(92) + '<', '<')}`"
