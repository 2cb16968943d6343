"""A stand-in for a Dify workflow app on this machine: `python -m dify_workflow.sandbox`.

It answers the workflow-app API over HTTP on 127.0.0.1 as Dify server 1.11.2 does, peculiarities included, with
generated rows in an embedded SQLite database. Runs are real: they take time, stream, fail, pause, and can be stopped.
In tests use `dify_workflow.testing`, which starts and stops it.

Rooms, in the order in which a request passes them:

- `server` (the thread and the socket), `app` (routes), `journal` (which requests arrived, which runs they started),
  `traps` (behaviour that tests can switch), `services` (what the operations share);
- the operations: `logs`, `runs`, `forms`, `uploads`, `end_users`, `app_info`;
- what they read: `access` (the API key), `queries` (the query string), `payloads` (JSON bodies), `input_form` (a run's
  inputs), `multipart` (uploads); `validation`, `errors` and `answers` are in whose words they answer;
- runs: `steps` (what a workflow can do), `workflow` (the one of a new sandbox), `engine` (what happens while it runs),
  `events` (how a stream tells it), `streams` (who gets to see it when);
- `database` and `rows` (what is stored), `history` (what is generated).
"""

VERSIONS = {"1.11.2": "1.11.2", "1.14": "1.14.2"}
"""The servers whose behaviour the sandbox can show, and what each of them says in `X-Version`."""

INSTALL_HINT = "the sandbox needs starlette and uvicorn: python -m pip install 'dify-workflow-sdk[sandbox]'"
"""What a person reads when the packages of the extra `sandbox` are missing."""


def lacks_extra(error: ModuleNotFoundError) -> bool:
    """Say whether an import failed because the extra `sandbox` is not installed."""
    return (error.name or "").partition(".")[0] in {"starlette", "uvicorn"}
