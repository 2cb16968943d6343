"""The app's run logs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, overload

from dify_workflow_api.api.logs import list_workflow_logs

from .. import _times
from .._configuration import MOST_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .._configuration import TimeoutOption
    from .._filters import LogFilters
    from .._times import Time
    from .._walks import PageRequest
    from ..models import WorkflowLogPage, WorkflowRunStatus
    from .caller import Caller
    from .details import DetailedLogWalk
    from .follow import LogFollow
    from .walks import LogWalk

MOST_WORKERS: Final = 64


class Logs:
    """The app's run logs: what ran, for whom, how long, how many tokens, and what failed."""

    __slots__ = ("_caller",)

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self,
        *,
        keyword: str | None = None,
        status: WorkflowRunStatus | str | None = None,
        created_at__before: Time | None = None,
        created_at__after: Time | None = None,
        created_by_end_user_session_id: str | None = None,
        created_by_account: str | None = None,
        page: int = 1,
        limit: int = 20,
        timeout: TimeoutOption = None,
    ) -> WorkflowLogPage:
        """One page of the logs, newest first: `GET /workflows/logs`.

        Reading page after page loses rows: the server sorts by a creation time of whole seconds, and rows of one
        second come in another order on each page. It is right for a look at the newest rows; `iter` reads all.

        Args:
            keyword: text that the inputs, the outputs or the end user's session id contain; the server uses the first
                30 characters, ignores case, and reads % and _ as wildcards. A run's id finds that run.
            status: status of the run. Dify 1.11 filters by succeeded, failed and stopped only, and refuses the rest.
            created_at__before: latest creation time, inclusive: a datetime (naive means UTC), a date (its first moment
                in UTC), ISO 8601 text, or an age such as "90s", "15m", "24h", "7d", "2w", "1mo".
            created_at__after: earliest creation time, inclusive; the same forms.
            created_by_end_user_session_id: the `user` that was given at the run, exactly.
            created_by_account: e-mail address of the account that ran it, exactly; the server refuses unknown ones.
            page: 1 to 99999.
            limit: rows a page, 1 to 100.
            timeout: seconds, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: an argument that cannot be sent; nothing was sent.
            BadRequestError: the server refuses a value, such as a status or an unknown account.
            DifyError: as every method does; see `dify_workflow._errors`.
        """
        call = list_workflow_logs.build_request(
            keyword=keyword,
            status=status,
            page=page,
            limit=limit,
            created_at__before=_times.optional("created_at__before", created_at__before),
            created_at__after=_times.optional("created_at__after", created_at__after),
            created_by_end_user_session_id=created_by_end_user_session_id,
            created_by_account=created_by_account,
        )
        return self._caller.call(call, timeout)

    @overload
    def iter(
        self,
        *,
        keyword: str | None = None,
        status: WorkflowRunStatus | str | None = None,
        created_at__before: Time | None = None,
        created_at__after: Time | None = None,
        created_by_end_user_session_id: str | None = None,
        created_by_account: str | None = None,
        checkpoint: Mapping[str, Any] | None = None,
        workers: int = 1,
        details: None = None,
        timeout: TimeoutOption = None,
    ) -> LogWalk: ...

    @overload
    def iter(
        self,
        *,
        keyword: str | None = None,
        status: WorkflowRunStatus | str | None = None,
        created_at__before: Time | None = None,
        created_at__after: Time | None = None,
        created_by_end_user_session_id: str | None = None,
        created_by_account: str | None = None,
        checkpoint: Mapping[str, Any] | None = None,
        workers: int = 1,
        details: int,
        timeout: TimeoutOption = None,
    ) -> DetailedLogWalk: ...

    def iter(
        self,
        *,
        keyword: str | None = None,
        status: WorkflowRunStatus | str | None = None,
        created_at__before: Time | None = None,
        created_at__after: Time | None = None,
        created_by_end_user_session_id: str | None = None,
        created_by_account: str | None = None,
        checkpoint: Mapping[str, Any] | None = None,
        workers: int = 1,
        details: int | None = None,
        timeout: TimeoutOption = None,
    ) -> LogWalk | DetailedLogWalk:
        """Every matching row of the logs, each exactly once, newest first: `GET /workflows/logs`, as often as it takes.

        Every row that existed when the walk began, and matches, is given, whatever arrives or is deleted meanwhile; or
        the walk ends in an `IncompleteWalkError`. Rows that arrive later may be left out. Memory does not grow with
        the number of rows. The walk has `.total`, `.seen`, and a `.checkpoint` from which another walk goes on.

        Args:
            keyword: as for `list`.
            status: any status of a run; those that the server does not filter by are filtered here, from all rows.
            created_at__before: as for `list`.
            created_at__after: as for `list`.
            created_by_end_user_session_id: as for `list`; together with `keyword`, for which the server answers 500, it
                is filtered here.
            created_by_account: as for `list`.
            checkpoint: the `.checkpoint` of an earlier walk with the same filters, as it was or read from JSON: this
                walk goes on after the last row that the other one gave. Ages count from when that one began.
            workers: requests at once, 1 to 64: disjoint ranges of time are read side by side, and given in order. It
                helps where answers take long to come; one server process with one worker gains nothing.
            details: 1 to 64: each row comes with its run's inputs and outputs, as a `DetailedLog` of `.log`, `.run` and
                `.error`; at most so many runs are looked up at once. A run that cannot be had is its own row's error.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: an argument that cannot be used, or a checkpoint of other filters; nothing was sent.
            IncompleteWalkError: while iterating: the server contradicts itself, so that rows may be missing;
                `.expected` and `.seen` say how many.
            DifyError: while iterating, as every method does; what was given is given, and `.checkpoint` holds.
        """
        for name, number in {"workers": workers, "details": 1 if details is None else details}.items():
            if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MOST_WORKERS:
                raise ValueError(f"{name} must be an integer from 1 to {MOST_WORKERS}, got {number!r}")
        from .._filters import log_filters  # noqa: PLC0415 - loaded when needed
        from .._lifetimes import Lifetime  # noqa: PLC0415 - loaded when needed
        from .walks import LogWalk  # noqa: PLC0415 - loaded when needed

        filters = log_filters(
            keyword=keyword,
            status=status,
            created_at__before=created_at__before,
            created_at__after=created_at__after,
            created_by_end_user_session_id=created_by_end_user_session_id,
            created_by_account=created_by_account,
        )
        life = Lifetime()
        caller = self._caller.within(life)
        read_page = _page_reader(caller, filters, timeout)
        walk = LogWalk(read_page, filters, checkpoint=checkpoint, workers=workers, life=life)
        if details is None:
            return walk
        from .details import DetailedLogWalk  # noqa: PLC0415 - loaded when needed
        from .runs import Runs  # noqa: PLC0415 - loaded when needed

        return DetailedLogWalk(walk, partial(Runs(caller).get, timeout=timeout), at_once=details)

    def follow(
        self,
        *,
        poll: float = 5.0,
        since: Time | None = None,
        keyword: str | None = None,
        status: WorkflowRunStatus | str | None = None,
        created_by_end_user_session_id: str | None = None,
        created_by_account: str | None = None,
        checkpoint: Mapping[str, Any] | None = None,
        give_up_after: float = 86_400.0,
        timeout: TimeoutOption = None,
    ) -> LogFollow:
        """New rows of the logs as they appear, oldest first, without end: `GET /workflows/logs`, again and again.

        Each new row is given once, and once more when one that was given unfinished has ended (`running`, later
        `succeeded`): the server's listing never tells. A row that appears late, up to 30 seconds older than the newest
        one, is not missed. Outages are survived by trying again, restarts by the `.checkpoint`. While nothing happens
        it asks ever more seldom, up to every sixth `poll`.

        Args:
            poll: seconds between two looks while something happens, over 0.
            since: earliest creation time to begin with, in the forms that `list` takes; unless given, what is there
                already is left out. A checkpoint knows better: with one, this counts for nothing.
            keyword: as for `list`.
            status: only rows of runs in this status, each once: a row that changes into it is given then. Filtered
                here.
            created_by_end_user_session_id: as for `iter`.
            created_by_account: as for `list`.
            checkpoint: the `.checkpoint` of an earlier `follow` with the same filters, as it was or read from JSON.
            give_up_after: age in seconds, a day unless given, beyond which an unfinished row is looked up once more and
                then left alone: on Dify 1.11 the row of a run that was stopped stays `running` for good.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: an argument that cannot be used, or a checkpoint of other filters; nothing was sent.
            APIStatusError: while iterating: a refusal that waiting does not mend, such as 401. Outages (connection
                errors, 5xx, 429, answers that are not the API's) are logged as warnings and waited out.
        """
        for name, seconds in {"poll": poll, "give_up_after": give_up_after}.items():
            if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= MOST_SECONDS:
                raise ValueError(f"{name} must be seconds over 0, and at most {MOST_SECONDS:g}, got {seconds!r}")
        from .._filters import log_filters  # noqa: PLC0415 - loaded when needed
        from .._following import Following  # noqa: PLC0415 - loaded when needed
        from .._lifetimes import Lifetime  # noqa: PLC0415 - loaded when needed
        from .follow import LogFollow  # noqa: PLC0415 - loaded when needed

        filters = log_filters(
            keyword=keyword,
            status=status,
            created_at__before=None,
            created_at__after=None,
            created_by_end_user_session_id=created_by_end_user_session_id,
            created_by_account=created_by_account,
        ).with_status_here(status)
        following = Following(
            filters, oldest=_times.earliest_second("since", since), poll=float(poll), give_up_after=float(give_up_after)
        )
        if checkpoint is not None:
            following.restore(checkpoint)
        life = Lifetime()
        return LogFollow(_page_reader(self._caller.within(life), filters, timeout), following, life=life)


def _page_reader(
    caller: Caller, filters: LogFilters, timeout: TimeoutOption
) -> Callable[[PageRequest], WorkflowLogPage]:
    def read(request: PageRequest) -> WorkflowLogPage:
        call = list_workflow_logs.build_request(
            **filters.sent,
            created_at__before=_times.text_of_second(request.before),
            created_at__after=_times.text_of_second(request.after),
            page=request.page,
            limit=request.limit,
        )
        return caller.call(call, timeout)

    return read
