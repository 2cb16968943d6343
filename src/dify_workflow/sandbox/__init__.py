"""A stand-in for a Dify workflow app on this machine: `python -m dify_workflow.sandbox`.

It answers the workflow-app API over HTTP on 127.0.0.1 as Dify server 1.11.2 does, peculiarities included, with
generated rows in an embedded SQLite database. In tests use `dify_workflow.testing`, which starts and stops it.

Rooms, in the order in which a request passes them: `server` (the thread and the socket), `app` (routes), `journal`
(which requests arrived), `access` (the API key), `queries` (the query string), `logs` (the answer), `database` and
`rows` (what is stored), `history` (what is generated), `traps` (behaviour that tests can switch), `errors`.
"""

SERVER_VERSION = "1.11.2"
"""The server release whose behaviour the sandbox shows."""

INSTALL_HINT = "the sandbox needs starlette and uvicorn: python -m pip install 'dify-workflow-sdk[sandbox]'"
"""What a person reads when the packages of the extra `sandbox` are missing."""


def lacks_extra(error: ModuleNotFoundError) -> bool:
    """Say whether an import failed because the extra `sandbox` is not installed."""
    return (error.name or "").partition(".")[0] in {"starlette", "uvicorn"}
