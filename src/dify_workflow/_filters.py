"""Which rows a walk is about: what the server can filter by, and what has to be filtered here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from . import _times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._times import Time
    from .models import WorkflowLog

FILTERABLE_STATUSES: Final = frozenset({"succeeded", "failed", "stopped"})
"""The statuses that Dify 1.11 filters by; it refuses the others, though its answers contain them."""


@dataclass(frozen=True, slots=True)
class LogFilters:
    """The filters of a walk.

    Attributes:
        given: the filters as the caller gave them, as JSON values without those that were left out.
        sent: those that go to the server with every page, by the operation's names.
        newest: latest second, inclusive; None is no bound.
        oldest: earliest second, inclusive; None is no bound.
        status: status to filter by here; None when there is none, or the server does it.
        session_id: end user's session id to filter by here; None when there is none, or the server does it.
    """

    given: Mapping[str, str]
    sent: Mapping[str, str]
    newest: int | None
    oldest: int | None
    status: str | None
    session_id: str | None

    @property
    def are_the_servers(self) -> bool:
        """Whether the server applies all of them, so that its `total` is the number of rows that match."""
        return self.status is None and self.session_id is None

    def with_status_here(self, status: str | None) -> LogFilters:
        """These filters with the status filtered here: a row is then seen before it has the status, and after."""
        sent = {name: value for name, value in self.sent.items() if name != "status"}
        return replace(self, sent=sent, status=status or None)

    def match(self, log: WorkflowLog) -> bool:
        """Whether a row passes what is filtered here. Of an odd row, what is not there matches nothing."""
        if self.status is not None and _part(log, "workflow_run", "status") != self.status:
            return False
        return self.session_id is None or _part(log, "created_by_end_user", "session_id") == self.session_id


def log_filters(
    *,
    keyword: str | None,
    status: str | None,
    created_at__before: Time | None,
    created_at__after: Time | None,
    created_by_end_user_session_id: str | None,
    created_by_account: str | None,
) -> LogFilters:
    """The filters of a walk, checked.

    Raises:
        ValueError: one that is not text, or not a time.
    """
    texts = {
        "keyword": keyword,
        "status": status,
        "created_by_end_user_session_id": created_by_end_user_session_id,
        "created_by_account": created_by_account,
    }
    sent: dict[str, str] = {}
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name} must be text, got {value!r}")
        if value:  # to the server, empty text is no filter
            sent[name] = str(value)
    times = {"created_at__before": created_at__before, "created_at__after": created_at__after}
    given = sent | {name: _times.as_given(name, value) for name, value in times.items() if value is not None}
    here: dict[str, Any] = {"status": None, "session_id": None}
    if sent.get("status") not in FILTERABLE_STATUSES:
        here["status"] = sent.pop("status", None)
    if "keyword" in sent and "created_by_end_user_session_id" in sent:
        # Dify 1.11 joins the end users twice for these two, and answers 500. Of the two, a session id can be
        # compared here; what a keyword finds, only the server knows.
        here["session_id"] = sent.pop("created_by_end_user_session_id")
    return LogFilters(
        given=given,
        sent=sent,
        newest=_times.latest_second("created_at__before", created_at__before),
        oldest=_times.earliest_second("created_at__after", created_at__after),
        **here,
    )


def _part(log: object, model: str, name: str) -> object:
    return getattr(getattr(log, model, None), name, None)
