"""Which logs a walk is about: what the server can filter by, and what has to be filtered here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from . import times
from .keywords import Verbatim, sent_keyword

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
    further = _checked_others(others) if others else {}
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


class PageFilters(NamedTuple):
    """The filters of one page.

    Attributes:
        sent: those that go to the server, by the operation's names.
        undecided_keyword: as that of `LogFilters`.
    """

    sent: dict[str, Any]
    undecided_keyword: str | None


def page_filters(
    *,
    keyword: str | None,
    status: str | None,
    created_at__before: Time | None,
    created_at__after: Time | None,
    created_by_end_user_session_id: str | None,
    created_by_account: str | None,
    version: str | None = None,
    **others: object,
) -> PageFilters:
    """The filters of one page, checked. `version` is the server's, None when it is not known yet.

    `others` are further parameters of the operation, which are sent as they are.

    Raises:
        ValueError: one that cannot be meant, or that the server cannot apply.
    """
    sent: dict[str, Any] = checked_texts(
        keyword=keyword,
        status=status,
        created_by_end_user_session_id=created_by_end_user_session_id,
        created_by_account=created_by_account,
    )
    times.check_order(created_at__after, created_at__before)
    if created_at__before is not None:
        sent["created_at__before"] = times.to_utc_text("created_at__before", created_at__before)
    if created_at__after is not None:
        sent["created_at__after"] = times.to_utc_text("created_at__after", created_at__after)
    sent |= _checked_others(others) if others else {}
    undecided = None
    if keyword is not None:
        if "created_by_end_user_session_id" in sent:
            raise ValueError(
                "keyword must be given to logs.list without created_by_end_user_session_id: the server returns 500 for "
                "both; logs.iter takes them together"
            )
        found = sent_keyword(keyword, version)
        undecided = keyword if found is None else None
        sent["keyword"] = keyword if found is None else found
    return PageFilters(sent, undecided)


def _checked_others(others: Mapping[str, Any]) -> dict[str, Any]:
    """Further parameters of the operation, without those that were left out.

    Raises:
        ValueError: one that the operation does not take.
    """
    from dify_workflow_api.api.logs import list_workflow_logs  # noqa: PLC0415 - loaded when needed

    list_workflow_logs.build_request(**others)
    return {name: value for name, value in others.items() if value is not None}


def checked_texts(
    *,
    keyword: str | None,
    status: str | None,
    created_by_end_user_session_id: str | None,
    created_by_account: str | None,
) -> dict[str, str]:
    """The filters that are text, without those that were left out.

    To the server, empty text is no filter: an application that passes an empty user id would show all users' logs.

    Raises:
        ValueError: one that is not a string, or has no meaning.
    """
    given: dict[str, str] = {}
    for name, text in (
        ("keyword", keyword),
        ("status", status),
        ("created_by_end_user_session_id", created_by_end_user_session_id),
        ("created_by_account", created_by_account),
    ):
        if text is None:
            continue
        given[name] = text
        if not isinstance(text, str):
            raise ValueError(f"{name} must be a string, got {text!r}")
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            raise ValueError(f"{name} must be a string without lone surrogates, got {text!r}")
        if isinstance(text, Verbatim) and name in ("keyword", "status"):
            continue
        if name == "status":
            _check_status(text)
        elif not text.strip():
            raise ValueError(
                f"{name} must be left out (None) to mean no filter, got {text!r}: the server returns all users' logs "
                "for empty text"
            )
        elif name == "created_by_account" and text != text.strip():
            raise ValueError(f"{name} must be an account's e-mail address without blanks around it, got {text!r}")
    return given


def _check_status(status: str) -> None:
    from dify_workflow_api.models.workflow_run_status import (  # noqa: PLC0415 - loaded when needed
        WORKFLOW_RUN_STATUS_MEMBERS,
    )

    if status in WORKFLOW_RUN_STATUS_MEMBERS:
        return
    from difflib import get_close_matches  # noqa: PLC0415 - loaded when needed

    nearest = get_close_matches(status.strip().lower(), WORKFLOW_RUN_STATUS_MEMBERS, n=1, cutoff=0.5)
    raise ValueError(
        f"status must be one of {', '.join(map(repr, WORKFLOW_RUN_STATUS_MEMBERS))}, exactly, or left out (None); "
        f"got {str(status)!r}"
        + (f", which may mean {nearest[0]!r}" if nearest else "")
        + "; dify_workflow.Verbatim sends a status that this version does not know"
    )


def _part(log: object, model: str, name: str) -> object:
    return getattr(getattr(log, model, None), name, None)
