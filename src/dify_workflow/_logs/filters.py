"""Which logs a walk is about: what the server can filter by, and what has to be filtered here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from . import times
from .keywords import Verbatim, sent_keyword
from .page_filters import checked_others, checked_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..models import WorkflowLog
    from .times import Time

FILTERABLE_STATUSES: Final = frozenset({"succeeded", "failed", "stopped"})
"""The statuses that Dify 1.11 filters by; it refuses the others, though its responses contain them."""
TEXT_FILTERS: Final = frozenset({"keyword", "status", "created_by_end_user_session_id", "created_by_account"})
TIME_FILTERS: Final = frozenset({"created_at__before", "created_at__after"})


class LogFilters(NamedTuple):
    """The filters of a walk.

    Attributes:
        given: the filters as the caller gave them, as JSON values without those that were left out.
        sent: those that go to the server with every page, by the operation's names.
        newest: latest second, inclusive; None is no bound.
        oldest: earliest second, inclusive; None is no bound.
        status: status to filter by here; None when there is none, or the server does it.
        session_id: end user's session id to filter by here; None when there is none, or the server does it.
        undecided_keyword: keyword for which it depends on the server's version whether it can be sent as it is; it has
            to be checked before the first page. None when there is no such keyword.
        verbatim: names of those that were given as `Verbatim`.
    """

    given: Mapping[str, Any]
    sent: Mapping[str, Any]
    newest: int | None
    oldest: int | None
    status: str | None
    session_id: str | None
    undecided_keyword: str | None = None
    verbatim: frozenset[str] = frozenset()

    def as_given(self) -> dict[str, str]:
        """The filters as the caller gave them, `Verbatim` where he gave that."""
        return {name: Verbatim(text) if name in self.verbatim else text for name, text in self.given.items()}

    @property
    def are_applied_by_server(self) -> bool:
        """Whether the server applies all of them, so that its `total` is the number of logs that match."""
        return self.status is None and self.session_id is None

    def with_status_here(self, status: str | None) -> LogFilters:
        """These filters with the status filtered here: a log is then seen before it has the status, and after."""
        sent = {name: value for name, value in self.sent.items() if name != "status"}
        return self._replace(sent=sent, status=status or None)

    def match(self, log: WorkflowLog) -> bool:
        """Whether a log passes what is filtered here. Of an odd log, what is not there matches nothing."""
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
    version: str | None = None,
    is_continued: bool = False,
    **others: object,
) -> LogFilters:
    """The filters of a walk, checked.

    `version` is the server's, None when it is not known yet. With `is_continued`, a checkpoint is given: ages counted
    from now have no meaning then. `others` are further parameters of the operation, which are sent as they are.

    Raises:
        ValueError: one without a meaning: not a string, not a time, empty, no status, or times that exclude each other.
    """
    given = checked_texts(
        keyword=keyword,
        status=status,
        created_by_end_user_session_id=created_by_end_user_session_id,
        created_by_account=created_by_account,
    )
    moments = {"created_at__before": created_at__before, "created_at__after": created_at__after}
    as_given = {name: times.as_given(name, value) for name, value in moments.items() if value is not None}
    if not is_continued:
        times.check_order(created_at__after, created_at__before)
    further = checked_others(others) if others else {}
    sent: dict[str, Any] = {name: str(text) for name, text in given.items()} | further
    all_given = sent | as_given
    here: dict[str, Any] = {"status": None, "session_id": None}
    if not isinstance(status, Verbatim) and sent.get("status") not in FILTERABLE_STATUSES:
        here["status"] = sent.pop("status", None)
    if "keyword" in sent and "created_by_end_user_session_id" in sent:
        # Dify 1.11 joins the end users twice for these two, and responds with 500. Of the two, a session id can be
        # compared here; what a keyword finds, only the server knows.
        here["session_id"] = sent.pop("created_by_end_user_session_id")
    undecided = None
    if keyword is not None:
        found = sent_keyword(keyword, version)
        undecided = keyword if found is None else None
        sent["keyword"] = keyword if found is None else found
    return LogFilters(
        given=all_given,
        sent=sent,
        newest=times.latest_second("created_at__before", created_at__before),
        oldest=times.earliest_second("created_at__after", created_at__after),
        undecided_keyword=undecided,
        verbatim=frozenset(name for name, text in given.items() if isinstance(text, Verbatim)),
        **here,
    )


def filters_from(value: object, verbatim: object) -> dict[str, Any]:
    """The filters that were written as JSON: `LogFilters.given` and the names of those that were `Verbatim`.

    Raises:
        ValueError: they are damaged.
    """
    from dify_workflow_api.api.logs import list_workflow_logs  # noqa: PLC0415 - loaded when needed

    known = (list_workflow_logs.build_request.__kwdefaults__ or {}).keys() - {"page", "limit"}
    names = cast("list[object]", verbatim) if isinstance(verbatim, list) else [None]
    filters = cast("dict[object, object]", value) if isinstance(value, dict) else {None: None}
    if not known >= filters.keys() or not known >= {*names}:
        raise ValueError(f"no filters of logs.iter: {value!r}, verbatim: {verbatim!r}")
    if not all(
        isinstance(text, str if name in TEXT_FILTERS | TIME_FILTERS else _PLAIN) for name, text in filters.items()
    ):
        raise ValueError(f"no filters of logs.iter: {value!r}")
    return {str(name): Verbatim(str(text)) if name in names else text for name, text in filters.items()}


_PLAIN: Final = (str, int, float, bool)


def _part(log: object, model: str, name: str) -> object:
    return getattr(getattr(log, model, None), name, None)
