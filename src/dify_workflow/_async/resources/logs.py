"""The app's run logs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, overload

from dify_workflow_api.api.logs import list_workflow_logs

from ..._http.config import DEFAULT_PATIENCE, MOST_SECONDS
from ..._logs.page_filters import page_filters
from . import AsyncResource

if TYPE_CHECKING:
    import builtins
    from collections.abc import Awaitable, Callable, Mapping

    from ..._http.config import TimeoutOption
    from ..._logs.filters import LogFilters
    from ..._logs.log_range import LogRange
    from ..._logs.times import Time
    from ..._logs.walk import PageRequest
    from ...models import WorkflowLogPage, WorkflowRunStatus
    from ...results import WorkflowRunDetail
    from ..base_client import AsyncBaseClient
    from ..log_details import AsyncDetailedLogWalk
    from ..log_follow import AsyncLogChanges, AsyncLogFollow
    from ..log_walk import AsyncLogWalk
    from .raw_resources import AsyncRawLogs

MOST_WORKERS: Final = 64


class AsyncLogs(AsyncResource):
    """The app's run logs: what ran, for whom, how long, how many tokens, and what failed."""

    __module__ = "dify_workflow.types"
    __slots__ = ()

    @property
    def with_raw_response(self) -> AsyncRawLogs:
        """The same methods, which return the response: its status, its headers, and `.parse()` for the result."""
        from .raw_resources import AsyncRawLogs  # noqa: PLC0415 - loaded when needed

        return AsyncRawLogs(self._base_client)

    async def list(
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

        Use it for the newest logs, and `iter` to read all of them. Reading page after page loses logs: the server sorts
        by creation time in whole seconds, and returns logs of the same second in a different order on each page.

        Args:
            keyword: string in the run's inputs or outputs, in upper or lower case (ASCII letters only), or a run's id.
                It is sent as the server stores strings: as JSON, where a character outside ASCII takes six (an emoji
                twelve), and `"`, a backslash or a tab two. That must fit into 30 characters; on Dify 1.11, which
                converts U+0100 to U+FFFF itself, up to 30 such and ASCII characters fit. An end user's session id is
                stored as it is: to find one outside ASCII, give `Verbatim("...")`, which is sent unchanged. `%` and `_`
                are wildcards on Dify 1.11 and literal since 1.14.
            status: a `WorkflowRunStatus`, spelled exactly so. Servers filter by succeeded, failed and stopped, and
                refuse the others (a `BadRequestError`); `iter` takes every status. `Verbatim("...")` sends one that
                this version does not know.
            created_at__before: latest creation time, inclusive: a datetime (naive means UTC), a date (its first moment
                in UTC), an ISO 8601 string, or an age such as "90s", "15m", "24h", "7d", "2w", "1mo".
            created_at__after: earliest creation time, inclusive, no later than `created_at__before`; the same forms.
            created_by_end_user_session_id: the `user` that was given at the run, exactly. An empty string is refused,
                as the server returns all users' logs for it. Not together with `keyword`, for which the server
                responds 500: `iter` takes both.
            created_by_account: e-mail address of the account that ran it, exactly; the server refuses unknown ones.
            page: 1 to 99999.
            limit: logs per page, 1 to 100.
            timeout: seconds, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: an invalid argument, such as an unknown status, an empty string, times that exclude each other,
                or a keyword that the server could not find; raised before the logs are requested.
            BadRequestError: the server refuses a value, such as a status or an unknown account.
            DifyError: no usable response came, or one with an error status.
        """
        sent, undecided_keyword = page_filters(
            keyword=keyword,
            status=status,
            created_at__before=created_at__before,
            created_at__after=created_at__after,
            created_by_end_user_session_id=created_by_end_user_session_id,
            created_by_account=created_by_account,
            version=self._base_client.version,
        )
        call = list_workflow_logs.build_request(**sent, page=page, limit=limit)
        if undecided_keyword is not None:
            await _check_keyword(self._base_client, undecided_keyword, timeout)
        return await self._base_client.call(call, timeout)

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
        range: LogRange | None = None,
        checkpoint: Mapping[str, Any] | None = None,
        workers: int = 1,
        details: None = None,
        patience: float = DEFAULT_PATIENCE,
        timeout: TimeoutOption = None,
    ) -> AsyncLogWalk: ...

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
        range: LogRange | None = None,
        checkpoint: Mapping[str, Any] | None = None,
        workers: int = 1,
        details: int,
        patience: float = DEFAULT_PATIENCE,
        timeout: TimeoutOption = None,
    ) -> AsyncDetailedLogWalk: ...

    def iter(
        self,
        *,
        keyword: str | None = None,
        status: WorkflowRunStatus | str | None = None,
        created_at__before: Time | None = None,
        created_at__after: Time | None = None,
        created_by_end_user_session_id: str | None = None,
        created_by_account: str | None = None,
        range: LogRange | None = None,  # noqa: A002 - what it is
        checkpoint: Mapping[str, Any] | None = None,
        workers: int = 1,
        details: int | None = None,
        patience: float = DEFAULT_PATIENCE,
        timeout: TimeoutOption = None,
    ) -> AsyncLogWalk | AsyncDetailedLogWalk:
        """Every matching log, each exactly once, newest first: `GET /workflows/logs`, as often as it takes.

        Every matching log that existed when the walk began is yielded, whatever is added or deleted later; or the
        walk raises `IncompleteWalkError`. Logs that are added later may be left out. Memory does not grow with the
        number of logs. The walk has `.total`, `.seen`, and a `.checkpoint` from which another walk continues.

        A server whose database session or process is not in UTC displays other times than it filters by. The walk
        notices, is exact all the same, and says in `.time_shift` by how many seconds `created_at` is off; the bounds
        mean true times. The bounds are the server's: one that excludes them leaves out the logs of those two seconds,
        unless the walk notices while it reads.

        Args:
            keyword: string in the run's inputs or outputs, in upper or lower case (ASCII letters only), or a run's id.
                It is sent as the server stores strings: as JSON, where a character outside ASCII takes six (an emoji
                twelve), and `"`, a backslash or a tab two. That must fit into 30 characters; on Dify 1.11, which
                converts U+0100 to U+FFFF itself, up to 30 such and ASCII characters fit. An end user's session id is
                stored as it is: to find one outside ASCII, give `Verbatim("...")`, which is sent unchanged. `%` and `_`
                are wildcards on Dify 1.11 and literal since 1.14.
            status: a `WorkflowRunStatus`, spelled exactly so. Those that servers do not filter by (all but succeeded,
                failed and stopped) are filtered here, from all logs. `Verbatim("...")` sends one that this version does
                not know to the server.
            created_at__before: latest creation time, inclusive: a datetime (naive means UTC), a date (its first moment
                in UTC), an ISO 8601 string, or an age such as "90s", "15m", "24h", "7d", "2w", "1mo".
            created_at__after: earliest creation time, inclusive, no later than `created_at__before`; the same forms.
            created_by_end_user_session_id: the `user` that was given at the run, exactly. An empty string is refused,
                as the server returns all users' logs for it. Together with `keyword`, for which the server responds
                500, it is filtered here.
            created_by_account: e-mail address of the account that ran it, exactly; the server refuses unknown ones.
            range: one of `ranges`, with the filters that were given there; no others are taken with it.
            checkpoint: the `.checkpoint` of an earlier walk with the same filters, as it was or read from JSON: this
                walk continues after the last log that the other one yielded. Without filters, those of the checkpoint
                are used. Ages count from when that walk began.
            workers: requests at once, 1 to 64: disjoint ranges of time are read in parallel and yielded in order. It
                helps where responses are slow; with one server process of one worker it gains nothing.
            details: 1 to 64: each log comes with its run's inputs and outputs, as a `DetailedLog` of `.log`, `.run` and
                `.error`; at most so many runs are read at once. A run that cannot be read is the `.error` of its log:
                so is one that fails three times while the server responds to other requests, which is checked with a
                request for another run or for a page of one log.
            patience: seconds for which an outage of the server is waited out once the first page has come: connection
                errors, timeouts, 408, 429, and every 5xx but 501 and 505, after the client's own retries. A longer
                `Retry-After` is obeyed. Each wait is logged as a warning; a success ends the outage. Then the last
                error is raised, and its message says to continue from `.checkpoint`. 0 raises at once.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: an invalid argument, or a checkpoint of other filters; raised before any request is sent. While
                iterating: a keyword that only Dify 1.11 finds, on another server, whose version only a response shows.
            ConfigurationError: the timeout is invalid.
            IncompleteWalkError: while iterating: the server contradicts itself, so that logs may be missing;
                `.expected` and `.seen` have the numbers.
            DifyError: while iterating: a request failed, for the first page at once and later after `patience`;
                what was yielded is valid, and so is `.checkpoint`.
            RuntimeError: while iterating: the walk was closed before its last log, or the process was forked.
        """
        for name, number in {"workers": workers, "details": 1 if details is None else details}.items():
            if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MOST_WORKERS:
                raise ValueError(f"{name} must be an integer from 1 to {MOST_WORKERS}, got {number!r}")
        _check_patience(patience)
        self._base_client.limits(timeout)  # refused now, not by the first request
        from ..._http.lifetimes import AsyncLifetime  # noqa: PLC0415 - loaded when needed
        from ..._http.outages import Outages  # noqa: PLC0415 - loaded when needed
        from ..._logs.ranges import walk_filters  # noqa: PLC0415 - loaded when needed
        from ..._tracing.spans import walk_span  # noqa: PLC0415 - as above
        from ..log_walk import AsyncLogWalk  # noqa: PLC0415 - loaded when needed
        from ..outages import AsyncCallThroughOutages  # noqa: PLC0415 - loaded when needed

        filters = walk_filters(
            range,
            checkpoint,
            keyword=keyword,
            status=status,
            created_at__before=created_at__before,
            created_at__after=created_at__after,
            created_by_end_user_session_id=created_by_end_user_session_id,
            created_by_account=created_by_account,
            version=self._base_client.version,
        )
        life = AsyncLifetime()
        base_client = self._base_client.within(life)
        outages = Outages(patience)
        read_page = _page_reader(base_client, filters, timeout)
        span = walk_span(base_client.configuration)
        if span is not None:
            from ..tracing import traced_call  # noqa: PLC0415 - loaded when needed

            read_page = partial(traced_call, span, read_page)
        walk = AsyncLogWalk(
            AsyncCallThroughOutages(read_page, outages, life),
            filters,
            checkpoint=checkpoint,
            workers=workers,
            life=life,
            configuration=base_client.configuration,
            span=span if details is None else None,
        )
        if details is None:
            return walk
        from ..._logs.walk import PageRequest  # noqa: PLC0415 - loaded when needed
        from ..log_details import AsyncDetailedLogWalk  # noqa: PLC0415 - loaded when needed
        from .runs import AsyncRuns  # noqa: PLC0415 - loaded when needed

        probe = partial(read_page, PageRequest(before=None, after=None, limit=1))
        get: Callable[[str], Awaitable[WorkflowRunDetail]] = partial(AsyncRuns(base_client).get, timeout=timeout)
        if span is not None:
            from ..tracing import traced_call  # noqa: PLC0415 - loaded when needed

            get = partial(traced_call, span, get)
        return AsyncDetailedLogWalk(
            walk,
            AsyncCallThroughOutages(get, outages, life, probe=probe),
            at_once=details,
            outages=outages,
            configuration=base_client.configuration,
            span=span,
        )

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
    ) -> AsyncLogFollow:
        """New logs as they appear, oldest first, without end: `GET /workflows/logs`, again and again.

        Each new log is yielded once, and once more when one that was yielded unfinished has ended (`running`, later
        `succeeded`): the server's listing does not report it. A log that appears late, up to 30 seconds older than the
        newest one, is not missed; nor, up to 300 seconds older, where pages of one poll show that a replica lags.
        Outages are waited out; after a restart, continue from the `.checkpoint`. The interval grows to 6 × `poll`.

        A server that displays other times than it filters by is noticed, as by `iter`, and `.time_shift` says by how
        much. One limit: where a database session is in a zone with daylight-saving time, logs of the hour that is
        repeated in autumn are sorted into that hour's first pass, so that they may be left out.

        Args:
            poll: seconds between two requests while logs arrive, over 0.
            since: earliest creation time to begin with, in the forms that `list` takes; unless given, what is there
                already is left out. Ignored when `checkpoint` is given.
            keyword: string in the run's inputs or outputs, in upper or lower case (ASCII letters only), or a run's id.
                It is sent as the server stores strings: as JSON, where a character outside ASCII takes six (an emoji
                twelve), and `"`, a backslash or a tab two. That must fit into 30 characters; on Dify 1.11, which
                converts U+0100 to U+FFFF itself, up to 30 such and ASCII characters fit. An end user's session id is
                stored as it is: to find one outside ASCII, give `Verbatim("...")`, which is sent unchanged. `%` and `_`
                are wildcards on Dify 1.11 and literal since 1.14.
            status: only logs of runs in this `WorkflowRunStatus`, spelled exactly so, each once: a log that changes
                into it is returned then. Filtered here, never by the server, as only a log of another status can
                change into it; so is a `Verbatim("...")`, for a status that this version does not know.
            created_by_end_user_session_id: the `user` that was given at the run, exactly. An empty string is refused,
                as the server returns all users' logs for it. Together with `keyword`, for which the server responds
                500, it is filtered here.
            created_by_account: e-mail address of the account that ran it, exactly; the server refuses unknown ones.
            checkpoint: the `.checkpoint` of an earlier `follow` with the same filters, as it was or read from JSON.
            give_up_after: age in seconds, a day unless given, beyond which an unfinished log is read once more and
                then no longer: on Dify 1.11 the log of a run that was stopped stays `running` for good.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: an invalid argument, or a checkpoint of other filters; raised before any request is sent. While
                iterating: a keyword that only Dify 1.11 finds, on another server, whose version only a response shows.
            ConfigurationError: the timeout is invalid.
            APIStatusError: while iterating: an error that waiting does not resolve, such as 401. Outages (connection
                errors, 5xx, 429, responses that are not the API's) are logged as warnings and waited out.
        """
        self._base_client.limits(timeout)  # refused now, not by the first request
        from ..._http.lifetimes import AsyncLifetime  # noqa: PLC0415 - loaded when needed
        from ..._logs.follow import checked_following  # noqa: PLC0415 - loaded when needed
        from ..log_follow import AsyncLogFollow  # noqa: PLC0415 - loaded when needed

        filters, following = checked_following(
            keyword=keyword,
            status=status,
            created_by_end_user_session_id=created_by_end_user_session_id,
            created_by_account=created_by_account,
            version=self._base_client.version,
            poll=poll,
            give_up_after=give_up_after,
            since=since,
            checkpoint=checkpoint,
        )
        life = AsyncLifetime()
        read_page = _page_reader(self._base_client.within(life), filters, timeout)
        return AsyncLogFollow(read_page, following, life=life, configuration=self._base_client.configuration)

    def changes(
        self,
        *,
        checkpoint: Mapping[str, Any] | None = None,
        since: Time | None = None,
        keyword: str | None = None,
        status: WorkflowRunStatus | str | None = None,
        created_by_end_user_session_id: str | None = None,
        created_by_account: str | None = None,
        give_up_after: float = 86_400.0,
        patience: float = 0.0,
        timeout: TimeoutOption = None,
    ) -> AsyncLogChanges:
        """The logs that are new or have ended since a checkpoint, oldest first, then the end: `GET /workflows/logs`.

        For jobs that run from time to time: each call continues from the `.checkpoint` of the one before it. Each new
        log is given once, and again when one that was given unfinished has ended. A log that appears late, up to 30
        seconds older than the newest one, is not missed. Without a checkpoint and `since`, nothing is given: the
        checkpoint then says where to begin.

        Checkpoints are those of `follow`: either method continues from the other's. In the hour that is repeated in
        autumn, where a database session is in a zone with daylight-saving time, the same limit holds as for `follow`.

        Args:
            checkpoint: the `.checkpoint` of an earlier `changes` or `follow` with the same filters, as it was or read
                from JSON.
            since: earliest creation time to begin with, in the forms that `list` takes. Ignored when `checkpoint` is
                given.
            keyword: string in the run's inputs or outputs, in upper or lower case (ASCII letters only), or a run's id.
                It is sent as the server stores strings: as JSON, where a character outside ASCII takes six (an emoji
                twelve), and `"`, a backslash or a tab two. That must fit into 30 characters; on Dify 1.11, which
                converts U+0100 to U+FFFF itself, up to 30 such and ASCII characters fit. An end user's session id is
                stored as it is: to find one outside ASCII, give `Verbatim("...")`, which is sent unchanged. `%` and `_`
                are wildcards on Dify 1.11 and literal since 1.14.
            status: only logs of runs in this `WorkflowRunStatus`, spelled exactly so, each once: a log that changes
                into it is returned then. Filtered here, as is a `Verbatim("...")`, for a status that this version does
                not know.
            created_by_end_user_session_id: the `user` that was given at the run, exactly. An empty string is refused,
                as the server returns all users' logs for it. Together with `keyword`, for which the server responds
                500, it is filtered here.
            created_by_account: e-mail address of the account that ran it, exactly; the server refuses unknown ones.
            give_up_after: age in seconds, a day unless given, beyond which an unfinished log is looked up once more and
                then left alone: on Dify 1.11 the log of a run that was stopped stays `running` for good.
            patience: seconds for which an outage of the server is waited out once the first page has come; 0, unless
                given, raises its error at once.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: an invalid argument, or a checkpoint of other filters; raised before any request is sent. While
                iterating: a keyword that only Dify 1.11 finds, on another server.
            IncompleteWalkError: while iterating: the server contradicts itself, so that logs may be missing.
            DifyError: while iterating: a request failed; what was yielded is valid, and so is `.checkpoint`.
            RuntimeError: while iterating: it was closed before its last log, or the process was forked.
        """
        _check_patience(patience)
        self._base_client.limits(timeout)  # refused now, not by the first request
        from ..._http.lifetimes import AsyncLifetime  # noqa: PLC0415 - loaded when needed
        from ..._http.outages import Outages  # noqa: PLC0415 - loaded when needed
        from ..._logs.follow import checked_following  # noqa: PLC0415 - loaded when needed
        from ..log_follow import AsyncLogChanges  # noqa: PLC0415 - loaded when needed
        from ..outages import AsyncCallThroughOutages  # noqa: PLC0415 - loaded when needed

        filters, following = checked_following(
            keyword=keyword,
            status=status,
            created_by_end_user_session_id=created_by_end_user_session_id,
            created_by_account=created_by_account,
            version=self._base_client.version,
            poll=MOST_SECONDS,
            give_up_after=give_up_after,
            since=since,
            checkpoint=checkpoint,
        )
        life = AsyncLifetime()
        read_page = _page_reader(self._base_client.within(life), filters, timeout)
        patient = AsyncCallThroughOutages(read_page, Outages(patience), life, what="logs.changes")
        return AsyncLogChanges(patient, following, life=life, configuration=self._base_client.configuration)

    async def ranges(
        self,
        parts: int,
        *,
        keyword: str | None = None,
        status: WorkflowRunStatus | str | None = None,
        created_at__before: Time | None = None,
        created_at__after: Time | None = None,
        created_by_end_user_session_id: str | None = None,
        created_by_account: str | None = None,
        timeout: TimeoutOption = None,
    ) -> builtins.list[LogRange]:
        """Disjoint ranges of time of about equal size, newest first, for several machines: `GET /workflows/logs`.

        >>> parts = await client.logs.ranges(8, status="failed")
        >>> logs = client.logs.iter(range=parts[0])  # on any machine: a range can be pickled, and written as JSON

        Together they hold each log that existed when this was called, and matches, exactly once; each is read by one
        `iter`, which proves that it gives all of its range. It takes at most `parts` + 1 requests on a server whose
        times are in UTC. A second is never split, so that there may be fewer ranges than requested; none where there
        are no logs.

        Args:
            parts: how many, 1 to 1000.
            keyword: string in the run's inputs or outputs, in upper or lower case (ASCII letters only), or a run's id.
                It is sent as the server stores strings: as JSON, where a character outside ASCII takes six (an emoji
                twelve), and `"`, a backslash or a tab two. That must fit into 30 characters; on Dify 1.11, which
                converts U+0100 to U+FFFF itself, up to 30 such and ASCII characters fit. An end user's session id is
                stored as it is: to find one outside ASCII, give `Verbatim("...")`, which is sent unchanged. `%` and `_`
                are wildcards on Dify 1.11 and literal since 1.14.
            status: a `WorkflowRunStatus`, spelled exactly so. Those that servers do not filter by (all but succeeded,
                failed and stopped) are filtered here, from all logs. `Verbatim("...")` sends one that this version does
                not know to the server.
            created_at__before: latest creation time, inclusive: a datetime (naive means UTC), a date (its first moment
                in UTC), an ISO 8601 string, or an age such as "90s", "15m", "24h", "7d", "2w", "1mo".
            created_at__after: earliest creation time, inclusive, no later than `created_at__before`; the same forms.
            created_by_end_user_session_id: the `user` that was given at the run, exactly. An empty string is refused,
                as the server returns all users' logs for it. Together with `keyword`, for which the server responds
                500, it is filtered here.
            created_by_account: e-mail address of the account that ran it, exactly; the server refuses unknown ones.
            timeout: seconds for one attempt, or an `httpx.Timeout`; the client's own unless given.

        Raises:
            ValueError: an argument that cannot be meant; nothing was sent.
            IncompleteWalkError: the server's time filters exclude the bounds, so that ranges would lose logs.
            DifyError: no usable response came, or one with an error status.
        """
        from ..._logs.filters import log_filters  # noqa: PLC0415 - loaded when needed
        from ..._logs.ranges import Plan  # noqa: PLC0415 - loaded when needed
        from ..._logs.walk import Reply  # noqa: PLC0415 - loaded when needed

        filters = log_filters(
            keyword=keyword,
            status=status,
            created_at__before=created_at__before,
            created_at__after=created_at__after,
            created_by_end_user_session_id=created_by_end_user_session_id,
            created_by_account=created_by_account,
            version=self._base_client.version,
        )
        plan = Plan(filters, parts)
        read_page = _page_reader(self._base_client, filters, timeout)
        while (request := plan.next_request()) is not None:
            plan.accept(Reply.of(await read_page(request)))
        return plan.ranges


def _check_patience(patience: float) -> None:
    if isinstance(patience, bool) or not isinstance(patience, int | float) or not 0 <= patience <= MOST_SECONDS:
        raise ValueError(f"patience must be seconds from 0 to {MOST_SECONDS:g}, got {patience!r}")


def _page_reader(
    base_client: AsyncBaseClient, filters: LogFilters, timeout: TimeoutOption
) -> Callable[[PageRequest], Awaitable[WorkflowLogPage]]:
    from ..._logs.times import text_of_second  # noqa: PLC0415 - loaded when needed

    async def read(request: PageRequest) -> WorkflowLogPage:
        if filters.undecided_keyword is not None:
            await _check_keyword(base_client, filters.undecided_keyword, timeout)
        call = list_workflow_logs.build_request(
            **filters.sent,
            created_at__before=text_of_second(request.before),
            created_at__after=text_of_second(request.after),
            page=request.page,
            limit=request.limit,
        )
        return await base_client.call(call, timeout)

    return read


async def _check_keyword(base_client: AsyncBaseClient, keyword: str, timeout: TimeoutOption) -> None:
    """Check a keyword that only some versions of the server can be sent as it is, once the version is known.

    Raises:
        ValueError: this server would not find it.
    """
    from ..._logs.keywords import sent_keyword  # noqa: PLC0415 - loaded when needed

    sent_keyword(keyword, await base_client.fetched_version(timeout))
