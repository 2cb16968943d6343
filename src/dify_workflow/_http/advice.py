"""What a caller can do after an error of an operation that must not be repeated blindly, in words for its message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from .._errors import APIConnectionError, APIStatusError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .._errors import DifyError

    Advice = Callable[[DifyError], str]

LOOK: Final = "look for it with logs.list(created_by_end_user_session_id=user) before starting it again"
AFTER_RUN: Final = f"the run may still be running: {LOOK}"
LONG_RUNS: Final = "; runs.start(...) does not depend on one long response"
AFTER_EMPTY_STREAM: Final = (
    "the run may be waiting for a free worker and still be executed (or its inputs were refused, which Dify 1.14 does "
    f"not report in a stream): {LOOK}"
)
AFTER_BROKEN_STREAM: Final = "the run may still be running: look at it with runs.get(workflow_run_id)"
AFTER_UPLOAD: Final = "the file may have been stored: uploading it again is safe, and stores it a second time"
AFTER_SUBMISSION: Final = (
    "the form may have been submitted: submitting it again is safe, and fails with status 412 if it was"
)

GATEWAY_STATUSES: Final = frozenset({408, 502, 503, 504})
FIRST_OWN_STATUS: Final = 520
"""From here on to 599, proxies have statuses of their own."""

MOST_NAMED: Final = 5
"""Files that a message names."""


def add_advice(error: DifyError, advice: str) -> None:
    """Append an advice, if there is one, to the message of an error."""
    if advice:
        error.args = (f"{error}; {advice}", *error.args[1:])


def after_run(body: dict[str, Any]) -> Advice:
    """What to do after an error of a request that starts a run.

    Args:
        body: what the request sends.
    """

    def advice(error: DifyError) -> str:
        if not may_have_been_done(error):
            return _after_refused_files(error, body)
        return AFTER_RUN + (LONG_RUNS if body.get("response_mode") == "blocking" else "")

    return advice


def after_broken_stream(error: DifyError, *, workflow_run_id: str | None, starts_run: bool) -> str:
    """What to do after an error that ended a stream before its run.

    Args:
        error: what ended it.
        workflow_run_id: the run; None where no event said it.
        starts_run: whether the request of the stream started the run.
    """
    if not isinstance(error, APIConnectionError):
        return ""
    if workflow_run_id is not None:
        return AFTER_BROKEN_STREAM
    return AFTER_EMPTY_STREAM if starts_run else ""


def after_upload(error: DifyError) -> str:
    """What to do after an error of an upload."""
    return AFTER_UPLOAD if may_have_been_done(error) else ""


def after_submission(error: DifyError) -> str:
    """What to do after an error of the submission of a form."""
    return AFTER_SUBMISSION if may_have_been_done(error) else ""


def may_have_been_done(error: DifyError) -> bool:
    """Whether the server may have done what was requested, or may be doing it: the error came from between."""
    if isinstance(error, APIConnectionError):
        return error.request_sent
    status = error.status_code if isinstance(error, APIStatusError) else 0
    return status in GATEWAY_STATUSES or status >= FIRST_OWN_STATUS


def _after_refused_files(error: DifyError, body: dict[str, Any]) -> str:
    message = error.message.lower() if isinstance(error, APIStatusError) else ""
    is_other_type = "file type does not match" in message
    if not is_other_type and "file validation failed" not in message:
        return ""
    files = list(_files_in(body.get("inputs"), "inputs")) + list(_files_in(body.get("files"), "files"))
    sent = ", ".join(f"{place} as {file.get('type')!r}" for place, file in files[:MOST_NAMED])
    advice = [f"sent were {sent}{', ...' if len(files) > MOST_NAMED else ''}"]
    if is_other_type:
        advice.append("the server detects the type by the ending of the file's name, else by its content type")
    else:
        advice.append(
            "the app's form accepts only some types and endings, which client.app.parameters().user_input_form lists"
        )
    calls = dict.fromkeys(_call(file) for _, file in files)
    return "; ".join([*advice, f"try {' or '.join(calls)}"])


def _call(file: dict[str, object]) -> str:
    """The call that sends a file as another type."""
    other = "'document'" if file.get("type") == "custom" else "'custom'"
    if file.get("transfer_method") == "remote_url":
        return f"remote_file(url, type={other})"
    return f"upload.as_input(type={other})" if file.get("type") in {"custom", "document"} else "upload.as_input()"


def _files_in(value: object, place: str) -> Iterator[tuple[str, dict[str, object]]]:
    """The files in what a run is given, at any depth, each with its place."""
    if isinstance(value, list):
        for number, item in enumerate(cast("list[object]", value)):
            yield from _files_in(item, f"{place}[{number}]")
    elif isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        if "transfer_method" in fields:
            yield place, fields
        else:
            for name, item in fields.items():
                yield from _files_in(item, f"{place}[{name!r}]")
