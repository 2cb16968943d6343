"""Differences between two API descriptions, and what follows from them.

A change is *breaking* when a program that was written for the old description can fail with the new one. It is
*additive* when the contract differs and no such program can notice: more is offered, or less is required. It is
*wording* when the contract is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity: TypeAlias = Literal["breaking", "additive", "wording"]
Verdict: TypeAlias = Literal["breaking", "additive", "none"]

SEVERITIES: tuple[Severity, ...] = ("breaking", "additive", "wording")
"""The gravest first."""


class Change(NamedTuple):
    """One difference.

    Attributes:
        severity: Whom it concerns.
        where: The place in the API, such as `GET /workflows/logs query status`.
        what: What is different there, in a few words.
        old: The mappings of the old description that it is about; none for what is new.
        new: The same of the new description; none for what is gone.
        kind: The stable id of this kind of change, such as `response-field-removed`. Texts may be reworded, ids not.
    """

    severity: Severity
    where: str
    what: str
    old: tuple[Any, ...] = ()
    new: tuple[Any, ...] = ()
    kind: str = ""

    def shown(self) -> dict[str, str]:
        """What is reported of it."""
        return {"severity": self.severity, "where": self.where, "what": self.what}


def verdict(changes: Iterable[Change]) -> Verdict:
    """The gravest severity there is; none when all is wording."""
    found = {change.severity for change in changes}
    return "breaking" if "breaking" in found else "additive" if "additive" in found else "none"


def in_order(changes: Iterable[Change]) -> list[Change]:
    """Each change once, the gravest first, otherwise in the order in which they are given."""
    unique: dict[tuple[str, str, str], Change] = {}
    for change in changes:
        unique.setdefault(change[:3], change)
    return sorted(unique.values(), key=lambda change: SEVERITIES.index(change.severity))
