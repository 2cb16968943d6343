"""A stand-in for a Dify workflow app on this machine: `python -m dify_workflow.sandbox`.

It serves the workflow-app API over HTTP on 127.0.0.1 as a measured Dify server does, peculiarities included, with
generated logs in an embedded SQLite database. Runs are real: they take time, stream, fail, pause, and can be stopped.
In tests use `dify_workflow.testing`, which starts and stops it.

Modules, in the order in which a request passes them:

- `server` (the thread and the socket), `app` (routes), `request_log` (which requests arrived, which runs they started),
  `faults` (behavior that tests can switch), `state` (what the operations share), `versions` (what the servers do
  differently, as data);
- the operations: `logs`, `runs`, `forms`, `uploads`, `end_users`, `app_info`, `other_products`;
- what they read: `auth` (the API key), `query_params`, `request_bodies` (JSON), `input_form` (a run's inputs),
  `multipart` (uploads); `validation`, `errors` and `answers` make the responses;
- runs: `workflow_steps` (what a workflow can do), `workflow` (the one of a new sandbox), `engine` (what happens while
  it runs), `events` (what a stream carries), `streams` (when it carries it);
- `database` and `records` (what is stored), `sample_data` (what is generated).
"""

INSTALL_HINT = "the sandbox needs starlette and uvicorn: python -m pip install 'dify-workflow-sdk[sandbox]'"
"""What a person reads when the packages of the extra `sandbox` are missing."""


def lacks_extra(error: ModuleNotFoundError) -> bool:
    """Say whether an import failed because the extra `sandbox` is not installed."""
    return (error.name or "").partition(".")[0] in {"starlette", "uvicorn"}
