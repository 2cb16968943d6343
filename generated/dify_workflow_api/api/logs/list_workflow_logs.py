"""`list_workflow_logs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import types as _types
from ...types import Request

if TYPE_CHECKING:
    from ...models.workflow_log_page import WorkflowLogPage
    from ...models.workflow_run_status import WorkflowRunStatus


def build_request(
    *,
    keyword: str | None = None,
    status: WorkflowRunStatus | str | None = None,
    page: int | None = None,
    limit: int | None = None,
    created_at__before: str | None = None,
    created_at__after: str | None = None,
    created_by_end_user_session_id: str | None = None,
    created_by_account: str | None = None,
) -> Request[WorkflowLogPage]:
    """List workflow logs

    Returns one page of the app's workflow logs, newest first. Runs started for debugging in the console are not
    listed.

    Logs are ordered by `created_at`, which has a resolution of one second, and nothing decides the order inside one
    second: it may differ from page to page. Reading page after page therefore returns some logs twice and others
    never, while the number of logs still equals `total`; of 602 logs, reading 100 at a time lost 8. New logs shift
    the pages as well. To see every log, narrow `created_at__before` and compare ids.

    A log changes after it was listed, for example from running to succeeded.

    The key of an app that is not a workflow app, or is not published, gets an empty list, not an error. `keyword`
    together with `created_by_end_user_session_id` gets status 500.

    GET /workflows/logs

    Args:
        keyword: String to search for in the run's inputs and outputs and in the end user's session id, in upper
            or lower case. A run's id (a UUID, with or without dashes) finds that run. An empty string means no
            filter.
            Only the first 30 characters count. Inputs and outputs are searched as stored, that is as JSON in ASCII:
            names of variables match too, and a double quote must be given as `\\"`. Error texts and log ids are not
            searched.
            On server version 1.11.2 `%` stands for any string and `_` for any one character; accented letters, emoji
            and strings with a backslash never match, while Chinese, Japanese and Korean characters do. From version
            1.14 on `%` and `_` are literal, and characters outside ASCII match session ids only; in inputs and
            outputs, the ASCII escapes match that JSON has for it.
            Together with `created_by_end_user_session_id` the server responds with 500.
        status: Only logs of runs in this state. Server version 1.11.2 accepts `succeeded`, `failed` and
            `stopped`, in lower case; to every other value, `running` included, it responds with 400, although runs do
            have other states.
            A run that was stopped through the API is found by `stopped` on server version 1.16.1; on 1.11.2 and
            1.14.2 it keeps the state `running` for good.
        page: The page to return, from 1 to 99999. Past the last page `data` is empty and `total` is still right.
            The server's own default is 1.
        limit: The most logs to return, from 1 to 100. Other values get status 400. 100 is the cheapest per log.
            The server's own default is 20.
        created_at__before: Only logs created at or before this time (`<=`, so a log of that very second is
            returned). ISO 8601, such as `2026-11-22T21:59:00Z`, `2026-11-22T21:59:00+08:00` or `2026-11-22`. Without
            an offset, UTC is meant; a date alone means its first second. An empty string means no filter. Anything
            else, Unix seconds included, gets status 400.
            The name has two underscores; with one it is ignored silently. A `+` must be percent-encoded.
        created_at__after: Only logs created at or after this time (`>=`, so a log of that very second is
            returned). ISO 8601, such as `2026-11-22T21:59:00Z`, `2026-11-22T21:59:00+08:00` or `2026-11-22`. Without
            an offset, UTC is meant; a date alone means its first second. An empty string means no filter. Anything
            else, Unix seconds included, gets status 400.
            The name has two underscores; with one it is ignored silently. A `+` must be percent-encoded.
        created_by_end_user_session_id: Only logs of the end user with exactly this session id: the `user` that
            was given when the run was started. An unknown one gives an empty list. An empty string means no filter.
            Together with `keyword` the server responds with 500.
        created_by_account: Only logs of the account with exactly this e-mail address, in the same upper and lower
            case. It is not the account's id: that, like any unknown address, gets status 400. An empty string means
            no filter. A `+` must be percent-encoded.

    Raises:
        ValueError: An argument is not what the API takes; nothing was sent.
    """
    return Request(
        operation="list_workflow_logs",
        method="GET",
        path="/workflows/logs",
        params=_types.pairs(
            ("keyword", _types.text("keyword", keyword)),
            ("status", _types.text("status", status)),
            ("page", _types.integer("page", page, minimum=1, maximum=99999)),
            ("limit", _types.integer("limit", limit, minimum=1, maximum=100)),
            ("created_at__before", _types.text("created_at__before", created_at__before)),
            ("created_at__after", _types.text("created_at__after", created_at__after)),
            (
                "created_by_end_user_session_id",
                _types.text("created_by_end_user_session_id", created_by_end_user_session_id),
            ),
            ("created_by_account", _types.text("created_by_account", created_by_account)),
        ),
        load_response=_response,
    )


def _response() -> type[WorkflowLogPage]:
    from ...models.workflow_log_page import WorkflowLogPage  # loaded when there is a response

    return WorkflowLogPage
