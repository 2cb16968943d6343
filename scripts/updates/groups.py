"""Equal changes grouped: twelve fields of one class that may be absent are one line of a report, not twelve."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from updates.impact import ReportedChange


class Group(NamedTuple):
    """Changes of one kind, with the same text, in one class or one part of an operation.

    Attributes:
        title: What changed, such as ``12 fields of `EndUserDetail` may be absent``.
        reported: The changes.
    """

    title: str
    reported: list[ReportedChange]

    @property
    def kind(self) -> str:
        """The stable id of the kind of change."""
        return self.reported[0].change.kind

    @property
    def meanings(self) -> list[str]:
        """What the changes mean, each meaning once."""
        return list(dict.fromkeys(one.meaning for one in self.reported))

    @property
    def places(self) -> list[str]:
        """The lines and overlay actions that they come from, each once."""
        return list(dict.fromkeys(place for one in self.reported for place in one.places))


def grouped(reported: Iterable[ReportedChange]) -> list[Group]:
    """Changes by kind, text and owner, in their order."""
    found: dict[tuple[str, ...], list[ReportedChange]] = {}
    for one in reported:
        change = one.change
        owner, _ = _split(one)
        found.setdefault((change.severity, change.kind, change.what, owner), []).append(one)
    return [Group(_title(key[3], members), members) for key, members in found.items()]


def _split(one: ReportedChange) -> tuple[str, str]:
    """What a changed thing is part of, and its own name: a class and its attribute, or a place and its last part."""
    if one.change.kind.startswith("error-"):
        return _ERRORS, one.change.where
    if one.attribute:
        owner, _, name = one.attribute.partition(".")
        return owner, name
    where, dot, name = one.change.where.rpartition(".")
    if dot and "/" not in name and " " not in name:
        return where, name
    where, _, name = one.change.where.rpartition(" ")
    return where, name


_ERRORS = "errors"


def _title(owner: str, reported: list[ReportedChange]) -> str:
    names = list(dict.fromkeys(name for one in reported for _, name in [_split(one)]))
    change = reported[0].change
    if len(names) == 1:
        wheres = list(dict.fromkeys(one.change.where for one in reported))
        more = f" (and {len(wheres) - 1} more places)" if len(wheres) > 1 else ""
        thing = reported[0].attribute if reported[0].attribute and len(wheres) > 1 else wheres[0]
        return f"`{_quiet(thing)}`{more}: {change.what}"
    if owner == _ERRORS:
        return f"{len(names)} times in errors: {change.what}"
    plural = next((text for ending, text in _PLURALS.items() if change.kind.endswith(ending)), "")
    things = "parameters" if change.kind.startswith("parameter-") else "fields"
    if not plural:
        return f"`{_quiet(owner)}`, {len(names)} times: {change.what}"
    return f"{len(names)} {things} of `{_quiet(owner)}` {plural}"


_PLURALS = {
    "response-field-optional": "may be absent",
    "event-field-optional": "may be absent",
    "body-field-optional": "may be left out",
    "body-field-required": "must be sent",
    "-field-required": "are always there",
    "field-added-required": "must be sent, and are new",
    "-field-added": "are new",
    "-field-removed": "are gone",
    "body-null-added": "may be null when sent",
    "body-null-removed": "may no longer be null when sent",
    "-null-added": "may be null",
    "-null-removed": "are never null any more",
    "parameter-added": "are new",
    "parameter-added-required": "are new, and required",
    "parameter-removed": "are gone",
}


def _quiet(text: str) -> str:
    return text.replace("`", "'")
