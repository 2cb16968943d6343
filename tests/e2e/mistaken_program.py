"""A user's program with mistakes that a type checker must find: each on a line that says so. It is never run."""

from dify_workflow import APIStatusError, AsyncDifyWorkflow, DifyWorkflow
from dify_workflow.models import WorkflowLog


def mistakes(client: DifyWorkflow, log: WorkflowLog) -> None:
    """Mistakes with the blocking client."""
    client.logs.list("failed")  # mistake: the parameters have names
    client.logs.list(limit="100")  # mistake: text for a number
    client.logs.list(stauts="failed")  # mistake: there is no such parameter
    client.logs.list(created_at__after=1764028800)  # mistake: the server reads no epoch seconds
    client.logs.with_raw_response.list(limit="100")  # mistake: text for a number
    print(client.logs.with_raw_response.list().total)  # mistake: the result is in .parse()
    client.logs.with_raw_response.iter()  # mistake: a walk has many responses
    DifyWorkflow("app-not-a-key")  # mistake: options have names
    print(log.created_at.isoformat())  # mistake: epoch seconds are a number
    print(log.created_at_utc.isoformat())  # mistake: it may be None
    print(log.workflow_run.status)  # mistake: the run may be gone
    print(log.no_such_field)  # mistake: there is no such field
    try:
        client.logs.list()
    except APIStatusError as error:
        print(error.retry_after.hour)  # mistake: seconds are a number, or None


async def asynchronous_mistakes(client: AsyncDifyWorkflow) -> None:
    """Mistakes with the asynchronous client."""
    print(client.logs.list().total)  # mistake: not awaited
    with client:  # mistake: it takes `async with`
        pass
