"""The app's run logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_workflow_api.api.logs import list_workflow_logs

from .. import _times

if TYPE_CHECKING:
    from .._configuration import TimeoutOption
    from .._times import Time
    from ..models import WorkflowLogPage, WorkflowRunStatus
    from .caller import AsyncCaller


class AsyncLogs:
    """The app's run logs: what ran, for whom, how long, how many tokens, and what failed."""

    __slots__ = ("_caller",)

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

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

        Reading page after page loses rows: the server sorts by a creation time of whole seconds, and rows of one
        second come in another order on each page. It is right for a look at the newest rows, not for reading all.

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
        return await self._caller.call(call, timeout)
