"""The report of an update: for people (and for the text of a change request) as Markdown, for programs as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from diff.acknowledged import FILE, reason_for
from diff.changes import SEVERITIES, verdict
from openapi.tree import LinedMap
from outputs import put

from updates.groups import grouped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from diff.acknowledged import Acknowledged
    from diff.changes import Change, Severity

    from updates.contract_run import Verification
    from updates.groups import Group
    from updates.impact import ReportedChange
    from updates.interface import InterfaceChange
    from updates.overlay_status import Judgement

STEPS = ("none", "patch", "minor", "major")
"""Version steps, the smallest first."""


@dataclass
class Report:
    """What an update found and did.

    Attributes:
        file: The name of the document that was given.
        kind: What that is, in words.
        stored_as: Where it is, or would be, stored.
        replaces: The names of the documents whose place it takes.
        outcome: What became of the update: taken, decisions or broken.
        is_made: Whether anything in the project changed.
        reported: The changes of the compiled spec; None when it could not be put together.
        vendors: The changes of the vendor's own document.
        interface: The changes of the public Python API; None when it was not made.
        judgements: The overlay actions of which something is to be said.
        gaps: Where the facade no longer matches the spec.
        verification: What the contract tests say; None when they were not run.
        problems: Why the update was not made, one line or more each.
        todos: What is left to do and does not stand in the way, one line each.
        acknowledged: The breaks that spec/acknowledged.yaml lists.
        taken_out: What was taken out of the overlays, because the vendor says it now itself.
        agreed: The changes with which the vendor came to say so.
        others: The operations of the document that are not selected.
        written: What was written into the facade, to be reviewed, one line each.
    """

    file: str
    kind: str = "a document that could not be used"
    stored_as: str = "nothing"
    replaces: list[str] = field(default_factory=list)
    outcome: str = "broken"
    is_made: bool = False
    reported: list[ReportedChange] | None = None
    vendors: list[Change] = field(default_factory=list)
    interface: list[InterfaceChange] | None = None
    judgements: list[Judgement] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    verification: Verification | None = None
    problems: list[str] = field(default_factory=list)
    todos: Sequence[str] = ()
    acknowledged: Sequence[Acknowledged] = ()
    taken_out: Sequence[str] = ()
    agreed: Sequence[Change] = ()
    others: Sequence[str] = ()
    written: Sequence[str] = ()

    @property
    def is_ready(self) -> bool:
        """Whether the update was taken, or would have been."""
        return self.outcome == "taken"

    @property
    def verdict(self) -> str:
        """The graver of two: what the vendor changed, unless it came to agree with us, and what changes for users."""
        differing = [change for change in self.vendors if change not in self.agreed]
        return verdict([*differing, *(one.change for one in self.reported or ())])

    @property
    def is_provisional(self) -> bool:
        """Whether the changes may differ once the overlay actions that do not fit are changed."""
        return any(judgement.is_wrong for judgement in self.judgements)

    @property
    def unused(self) -> list[Acknowledged]:
        """The acknowledged breaks that are none of the changes."""
        if self.reported is None:
            return []
        return [one for one in self.acknowledged if not any(one.is_of(reported.change) for reported in self.reported)]

    @property
    def methods(self) -> dict[str, list[Severity]]:
        """The facade's methods that changes concern, each with the severities of these, the gravest first."""
        found: dict[str, set[Severity]] = {}
        for reported in self.reported or ():
            for method in reported.methods if reported.change.severity != "wording" else ():
                found.setdefault(method, set()).add(reported.change.severity)
        by_severity = {name: sorted(severities, key=SEVERITIES.index) for name, severities in found.items()}
        return dict(sorted(by_severity.items(), key=lambda item: SEVERITIES.index(item[1][0])))

    @property
    def step(self) -> str:
        """The version step that follows for the SDK: none when nothing of what it ships differs."""
        severities = {
            "additive" if reason_for(reported.change, self.acknowledged) else reported.change.severity
            for reported in self.reported or ()
        }
        known = {
            one.attribute for one in self.reported or () if one.attribute and reason_for(one.change, self.acknowledged)
        }
        severities |= {"additive" if change.place in known else change.severity for change in self.interface or ()}
        if "breaking" in severities:
            return "major"
        if "additive" in severities:
            return "minor"
        return "patch" if severities else "none"

    @property
    def hidden(self) -> list[Change]:
        """What the vendor changed and the overlays keep from users."""
        seen = {reported.change.where for reported in self.reported or ()}
        quiet = [change for change in self.vendors if change.severity != "wording" and change.where not in seen]
        return [change for change in quiet if change not in self.agreed]


def write(report: Report, folder: Path) -> None:
    """Writes `spec-report.json` and `spec-report.md`.

    The JSON keeps what updates since the last release found (`unreleased`), for a release is about all of them.
    """
    path = folder / "spec-report.json"
    data = as_json(report)
    data["unreleased"] = _unreleased(path, data if report.is_ready else None)
    for name, text in (("json", json.dumps(data, indent=2, ensure_ascii=False) + "\n"), ("md", as_markdown(report))):
        put(folder / f"spec-report.{name}", text.encode())


def as_json(report: Report) -> dict[str, Any]:
    """The report for programs."""
    return {
        "outcome": report.outcome,
        "document": {key: getattr(report, key) for key in ("file", "kind", "stored_as", "replaces")},
        "verdict": None if report.reported is None else report.verdict,
        "provisional": report.is_provisional,
        "step": report.step,
        "methods": report.methods,
        "todos": list(report.todos),
        "changes": [_as_json(one, report) for one in report.reported or ()],
        "acknowledged_without_a_change": [
            {"id": one.kind, "place": one.place, "reason": one.reason, "line": one.line} for one in report.unused
        ],
        "api": None
        if report.interface is None
        else [{"severity": change.severity, "what": change.what} for change in report.interface],
        "vendor": {
            "verdict": verdict(report.vendors),
            "changes": [_with_id(change) for change in report.vendors],
            "kept_from_users": [_with_id(change) for change in report.hidden],
            "agrees_now": [_with_id(change) for change in report.agreed],
            "not_selected": list(report.others),
        },
        "overlays": [
            {**one.correction._asdict(), "finding": one.finding, "text": one.text, "must_change": one.is_wrong}
            for one in report.judgements
        ],
        "taken_out_of_overlays": list(report.taken_out),
        "facade": report.gaps,
        "written": list(report.written),
        "contract": None if report.verification is None else _verification(report.verification),
        "problems": report.problems,
    }


def _with_id(change: Change) -> dict[str, str]:
    return {"id": change.kind} | change.shown()


def _as_json(one: ReportedChange, report: Report) -> dict[str, Any]:
    found: dict[str, Any] = _with_id(one.change) | {"meaning": one.meaning, "places": one.places}
    found |= {"attribute": one.attribute, "methods": list(one.methods)}
    reason = reason_for(one.change, report.acknowledged)
    return found | {"acknowledged": reason} if reason else found


def as_markdown(report: Report) -> str:
    """The report for people: a summary of at most `MOST_SUMMARY` lines, then all of it."""
    api = [f"- {change.severity}: {_code(change.what)}" for change in report.interface or ()]
    most = report.others[:_MOST_WHERES]
    sections = {
        "What stands in the way": [] if report.is_ready else _items(report.problems),
        **_changes(report),
        "Written into the facade, to be reviewed": _items(report.written),
        "Public Python API": api if api or report.interface is None else ["The same as before."],
        "Changed by the vendor, kept from users by our overlays": [_hidden(one, report.file) for one in report.hidden],
        "Taken out of the overlays": _items(report.taken_out),
        "Operations of the document that are not selected": [
            f"{', '.join(map(_code, most))}{_and_more(len(report.others) - len(most))}."
        ]
        * bool(most),
        "Overlay actions to look at": _items(
            f"{_code(one.correction.place)} {one.text}. Its reason: {one.correction.reason}"
            for one in report.judgements
        ),
        "Acknowledged breaks that are none of the changes": [
            f"- {_code(f'spec/{FILE}:{one.line}')}: {_code(one.kind)} at {_code(one.place)}" for one in report.unused
        ],
        "To do": _items(report.todos) if len(report.todos) > _MOST_TODOS else [],
        "Where the facade does not match the spec": _items(report.gaps),
        "Contract tests": _tests(report.verification),
    }
    lines = summary(report)
    for heading, content in sections.items():
        lines += [f"## {heading}", "", *content, ""] if content else []
    return "\n".join(lines).rstrip("\n") + "\n"


MOST_SUMMARY = 40
"""So many lines the summary has at most; it is complete by itself, as the text of a notification."""
_MOST_GROUPS, _MOST_PROBLEMS, _MOST_TODOS = 5, 6, 3
_LONGEST = 300


def summary(report: Report) -> list[str]:
    """What has to be known first: verdict, version step, methods concerned, decisions and what is left to do."""
    place = " and ".join(report.replaces) or "nothing"
    lines = [
        f"# Spec update: {_plain(report.file)}",
        "",
        f"{_plain(report.kind)}, in place of {_plain(place)}, as {_code(report.stored_as)}.",
        "",
    ]
    if report.reported is not None:
        lines += [f"**Verdict: {report.verdict}. Version step: {report.step}.**", ""]
        if report.is_provisional:
            wrong = sum(judgement.is_wrong for judgement in report.judgements)
            which = "an overlay action is" if wrong == 1 else f"{wrong} overlay actions are"
            lines += [f"Verdict and step are provisional: {which} unresolved.", ""]
        lines += _counts(report)
    if not report.is_ready:
        kept = "What was made is kept." if report.is_made else "Nothing in the project has changed."
        lines += [f"**The update was not taken: {report.outcome}. {kept}** What stands in its way:", ""]
        lines += [*_first(report.problems, _MOST_PROBLEMS, "What stands in the way"), ""]
    lines += _methods_part(report)
    graver = [group for severity in SEVERITIES[:2] for group in _groups(report, severity)]
    if graver:
        lines += ["Changes:", ""]
        lines += [
            f"- {group.reported[0].change.severity}: {_clipped(_title(group))} ({_code(group.kind)})"
            for group in graver[:_MOST_GROUPS]
        ]
        if len(graver) > _MOST_GROUPS:
            lines += [f"- and {len(graver) - _MOST_GROUPS} more, below"]
        lines += [""]
    for heading, texts in (("Written into the facade, to be reviewed", report.written), ("To do", report.todos)):
        if texts and (report.is_ready or texts is report.todos):
            lines += [f"{heading}:", "", *_first(texts, _MOST_TODOS, heading), ""]
    return lines


def _methods_part(report: Report) -> list[str]:
    if not report.methods:
        return []
    lines = ["Methods concerned:", ""]
    for severity in SEVERITIES[:2]:
        if names := [name for name, found in report.methods.items() if found[0] == severity]:
            more = _and_more(len(names) - _MOST_NAMES)
            lines += [f"- {severity}: {', '.join(map(_code, names[:_MOST_NAMES]))}{more}"]
    return [*lines, ""]


_MOST_NAMES = 12


def _counts(report: Report) -> list[str]:
    reported = report.reported or []
    counts = {severity: sum(one.change.severity == severity for one in reported) for severity in SEVERITIES}
    said = [f"{count} {severity}" for severity, count in counts.items() if count]
    reasons = sum(bool(reason_for(one.change, report.acknowledged)) for one in reported)
    more = f"; {reasons} of the breaking ones acknowledged" if reasons else ""
    return [f"Changes of the compiled spec: {', '.join(said)}{more}.", ""] if said else []


def _first(texts: Sequence[str], most: int, heading: str) -> list[str]:
    lines = [f"- {_clipped(_plain(text.splitlines()[0] if text else ''))}" for text in texts[:most]]
    more = [f'- and {len(texts) - most} more, under "{heading}"'] if len(texts) > most else []
    return lines + more


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip(chr(92))}..."


def _groups(report: Report, severity: Severity) -> list[Group]:
    return grouped(
        one for one in report.reported or () if one.change.severity == severity and one.change.kind not in NOTICES
    )


def _title(group: Group) -> str:
    if len(group.reported) == 1:
        return f"{_code(group.reported[0].change.where)}: {_plain(group.reported[0].change.what)}"
    return _plain(group.title)


_MOST_WORDING = 30
_MOST_WHERES = 20
NOTICES = ("deprecated", "undeprecated")
"""The kinds of changes that are listed apart from texts: nothing changes yet."""


def _changes(report: Report) -> dict[str, list[str]]:
    """The sections about the compiled spec."""
    notices = [one for one in report.reported or () if one.change.kind in NOTICES]
    found = {
        "Notices": [f"- {_code(one.change.where)}: {_plain(one.change.what)}. {one.meaning}" for one in notices],
        "The compiled spec": ["The compiled spec is the same as before."] if report.reported == [] else [],
    }
    for severity, heading in zip(SEVERITIES, ("Breaking", "Additive", "Wording only"), strict=True):
        groups = _groups(report, severity)
        shown = groups[: _MOST_WORDING if severity == "wording" else None]
        more = [f"- and {len(groups) - len(shown)} more"] * (len(groups) > len(shown))
        found[heading] = [*(line for group in shown for line in _group_part(group, report)), *more]
    return found


def _group_part(group: Group, report: Report) -> list[str]:
    first = group.reported[0].change
    if first.severity == "wording":
        return [f"- {_title(group)}"]
    lines = [f"- {_title(group)} ({_code(group.kind)})"]
    if len(group.reported) > 1:
        wheres = list(dict.fromkeys(one.change.where for one in group.reported))
        more = _and_more(len(wheres) - _MOST_WHERES)
        lines += [f"  At {', '.join(map(_code, wheres[:_MOST_WHERES]))}{more}."]
    meanings = group.meanings
    lines += [f"  {_plain(meanings[0])}" + (f" And so for {len(meanings) - 1} more." if len(meanings) > 1 else "")]
    for reason in dict.fromkeys(reason_for(one.change, report.acknowledged) for one in group.reported):
        lines += [f"  Acknowledged in spec/{FILE}: {_plain(reason)}"] if reason else []
    places = group.places[:_MOST_WHERES]
    return [*lines, *([f"  From {', '.join(_code(place) for place in places)}."] if places else [])]


def _hidden(change: Change, file: str) -> str:
    at = next((f" ({_code(f'{file}:{node.line}')})" for node in change.new if isinstance(node, LinedMap)), "")
    return f"- {change.severity}: {_code(change.where)}: {_plain(change.what)}{at}"


def _tests(found: Verification | None) -> list[str]:
    if found is None:
        return []
    lines = [f"{found.passed} passed, {len(found.failures)} failed.", ""]
    for failure in found.failures:
        lines += [f"- `{failure.test}`", *(f"      {line}" for line in failure.text.splitlines()[:12])]
    return [*lines, *(f"    {line}" for line in found.problem.splitlines())]


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
        mine = [_released(change) for change in data["changes"]]
        changes = [change for change in changes if change not in mine] + mine
        step = max(step, data["step"], key=lambda one: STEPS.index(one) if one in STEPS else 0)
    return {"step": step, "changes": changes}


def _released(change: dict[str, Any]) -> dict[str, str]:
    """A change as a release reports it: an acknowledged break requires no more than an addition."""
    reported = {key: change[key] for key in ("severity", "where", "what")}
    if reason := change.get("acknowledged"):
        reported |= {"severity": "additive", "what": f"{reported['what']} (acknowledged: {reason})"}
    return reported


def _items(texts: Iterable[str]) -> list[str]:
    lines = [text.splitlines() or [""] for text in texts]
    return [f"{'  ' if i else '- '}{_plain(line)}" for text in lines for i, line in enumerate(text)]


def _and_more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _plain(text: str) -> str:
    """On one line, and nothing in it that is not seen: a part of it is the vendor's."""
    seen = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(seen.replace("<", "\\<").split())


def _code(text: str) -> str:
    return f"`{_plain(text).replace('`', chr(39)).replace(chr(92) + '<', '<')}`"
