"""Print the newest logs of an app, and how many runs failed during the last day."""

from dify_workflow import DifyWorkflow

with DifyWorkflow() as client:
    print(client.app.info().name)
    for log in client.logs.list(limit=5):
        run = log.workflow_run
        if run is not None:  # the server may have deleted the run and kept its log
            print(log.created_at_utc, run.status, f"{run.elapsed_time:.1f} s", run.error or "")
    failed = client.logs.list(status="failed", created_at__after="24h", limit=1).total
    print(failed, "failed during the last 24 hours")
