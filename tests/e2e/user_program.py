"""A user's program: reports the failed runs of a Dify workflow app, from a blocking and from an asynchronous client.

The tests run it with an installed SDK, and check its types there: each `assert_type` states a type that is promised.
"""

import asyncio
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

from dify_workflow import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    AsyncDifyWorkflow,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    DifyError,
    DifyWorkflow,
    RateLimitError,
    Verbatim,
)
from dify_workflow._http.library import httpx
from dify_workflow.models import (
    Account,
    EndUser,
    WorkflowLog,
    WorkflowLogPage,
    WorkflowRunStatus,
    WorkflowRunSummary,
)
from dify_workflow.types import RawResponse


def describe(log: WorkflowLog) -> str:
    """One line about a log."""
    assert_type(log.id, str)
    assert_type(log.created_at, int)
    assert_type(log.created_at_utc, datetime | None)
    assert_type(log.workflow_run, WorkflowRunSummary | None)
    assert_type(log.created_by_account, Account | None)
    assert_type(log.created_by_end_user, EndUser | None)
    assert_type(log.additional_properties, dict[str, Any])
    if log.created_by_account is not None:
        who = assert_type(log.created_by_account.email, str)
    elif log.created_by_end_user is not None:
        who = assert_type(log.created_by_end_user.session_id, str)
    else:
        who = "someone deleted"
    when = "an odd time" if log.created_at_utc is None else log.created_at_utc.isoformat()
    return f"{when} {who}: {outcome(log.workflow_run)}"


def outcome(run: WorkflowRunSummary | None) -> str:
    """What became of a run."""
    if run is None:
        return "the run is gone"
    assert_type(run.status, WorkflowRunStatus | str)
    assert_type(run.error, str | None)
    assert_type(run.elapsed_time, float)
    assert_type(run.total_tokens, int)
    assert_type(run.total_steps, int | None)
    assert_type(run.finished_at, int | None)
    assert_type(run.finished_at_utc, datetime | None)
    if run.status == WorkflowRunStatus.FAILED:
        return f"failed after {run.elapsed_time:.1f} s: {(run.error or 'no reason given').splitlines()[0]}"
    return f"{run.status} with {run.total_tokens} tokens"


def report(client: DifyWorkflow) -> int:
    """Print the newest failed runs; how many there are in all."""
    page = client.logs.list(status="failed", created_at__after=datetime.now(UTC) - timedelta(days=30), limit=5)
    assert_type(page, WorkflowLogPage)
    assert_type(page.data, list[WorkflowLog])
    assert_type(page.total, int)
    assert_type(page.has_more, bool)
    for log in page.data:
        print(describe(log))
    counts = Counter(str(log.workflow_run.status) for log in page.data if log.workflow_run)
    assert set(counts) <= {"failed"}, counts
    assert WorkflowLogPage.from_dict(page.to_dict()) == page
    assert_type(page.to_dict(), dict[str, Any])
    response = client.logs.with_raw_response.list(status="failed", limit=1)
    assert_type(response, RawResponse[WorkflowLogPage])
    assert_type(response.status_code, int)
    assert_type(response.headers, httpx.Headers)
    assert_type(response.parse().total, int)
    return page.total


def refusals(client: DifyWorkflow) -> list[str]:
    """What the errors of some mistakes say."""
    texts: list[str] = []
    try:
        client.logs.list(status=Verbatim("no-such-status"))
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
        raise
    except BadRequestError as error:
        assert_type(error.status_code, int)
        assert_type(error.code, str | None)
        assert_type(error.message, str)
        assert_type(error.retry_after, float | None)
        assert_type(error.headers, httpx.Headers)
        assert_type(error.request, httpx.Request)
        texts.append(str(error))
    try:
        client.with_options(api_key="app-wrong").logs.list()
    except AuthenticationError as error:
        texts.append(str(error))
    try:
        DifyWorkflow(base_url="ftp://dify.example.com")
    except ConfigurationError as error:
        texts.append(str(error))
    try:
        client.logs.list(limit=0)
    except ValueError as error:
        texts.append(str(error))
    return texts


async def count_at_once(statuses: list[WorkflowRunStatus]) -> dict[str, int]:
    """How many runs ended in each way, asked for at the same time."""
    async with AsyncDifyWorkflow(timeout=httpx.Timeout(10.0), max_retries=1) as client:
        pages = await asyncio.gather(*(client.logs.list(status=status, limit=1) for status in statuses))
        assert_type(pages, list[WorkflowLogPage])
        raw = await client.request("GET", "/workflows/logs", params={"limit": 1})
        assert raw["limit"] == 1
        response = await client.logs.with_raw_response.list(limit=1)
        assert_type(response.parse(), WorkflowLogPage)
    return {status.value: page.total for status, page in zip(statuses, pages, strict=True)}


def main() -> int:
    """Run the program; the exit status."""
    with DifyWorkflow(timeout=10, max_retries=1, default_headers={"X-Purpose": "report"}) as client:
        try:
            failed = report(client)
        except (APIConnectionError, APIResponseError) as error:
            print(f"{error.request.url} gave nothing usable: {error}", file=sys.stderr)
            return 1
        except APIStatusError as error:
            print(f"{error.request.url} says {error.status_code}: {error.message}", file=sys.stderr)
            return 1
        except DifyError as error:
            print(error, file=sys.stderr)
            return 1
        for text in refusals(client):
            print(f"refused: {text}")
    counts = asyncio.run(count_at_once([WorkflowRunStatus.SUCCEEDED, WorkflowRunStatus.FAILED]))
    print(f"{failed} failed lately; in all {counts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
