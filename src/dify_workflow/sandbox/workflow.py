"""The workflow of a new sandbox's apps: a run does what its inputs ask for.

| input | effect |
|---|---|
| `query` | required, up to 256 characters; the answer |
| `seconds` | the run takes so long, 0 to 3600 |
| `chunks` | the answer is streamed in so many `text_chunk` events, 1 to 10,000; the seconds are spread over them |
| `fail` | the run fails with this error |
| `error_event` | an `error` event with this message is all that the stream sends: no run, no log; blocking, a 400 |
| `document`, `documents` | a file and a list of files; the outputs name them |
| `pause` | from version 1.14 on: the run pauses for a form with this text, and its answer is part of the outputs |
"""

import json
from collections.abc import Generator
from typing import Any, Final

from .workflow_steps import FormSubmission, HumanForm, Step, StreamError, Wait

__all__ = ["LONGEST_RUN", "echo_workflow", "input_form", "workflow_of_inputs"]

LONGEST_RUN: Final = 3600
_MOST_CHUNKS: Final = 10_000


def input_form(*, pauses: bool) -> list[dict[str, Any]]:
    """Give the form of the inputs above, as `GET /parameters` shows it."""
    items = [
        _item("text-input", "query", max_length=256, required=True),
        _item("number", "seconds", minimum=0, maximum=LONGEST_RUN),
        _item("number", "chunks", minimum=1, maximum=_MOST_CHUNKS),
        _item("paragraph", "fail", max_length=4000),
        _item("paragraph", "error_event", max_length=4000),
        _item("file", "document", **_ANY_FILE),
        _item("file-list", "documents", max_length=5, **_ANY_FILE),
    ]
    if pauses:
        items.append(_item("paragraph", "pause", max_length=4000))
    return items


def workflow_of_inputs(inputs: dict[str, Any]) -> Generator[Step, FormSubmission | None, dict[str, Any]]:
    """Do what the inputs ask for, in the order of the table above."""
    if inputs["error_event"]:
        yield StreamError(inputs["error_event"])
    answer: str = inputs["query"]
    count = int(inputs["chunks"] or 1)
    for number in range(count):
        if inputs["seconds"]:
            yield Wait(inputs["seconds"] / count)
        yield answer[len(answer) * number // count : len(answer) * (number + 1) // count]
    if inputs["fail"]:
        raise RuntimeError(inputs["fail"])
    outputs: dict[str, Any] = {"answer": answer, "document": inputs["document"]}
    if inputs["documents"]:
        outputs["documents"] = inputs["documents"]
    if inputs.get("pause"):
        submission = yield HumanForm(inputs["pause"], inputs=[_COMMENT])
        outputs["action"] = submission and submission.action
        outputs["comment"] = submission and submission.inputs.get("comment")
    return outputs


def echo_workflow(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs as outputs, and as `answer` the query or, without one, all inputs as JSON text."""
    query = inputs.get("query")
    return {"answer": query if isinstance(query, str) else json.dumps(inputs, ensure_ascii=False), **inputs}


_ANY_FILE: Final[dict[str, Any]] = {
    "allowed_file_types": ["document", "image", "audio", "video", "custom"],
    "allowed_file_extensions": [],
    "allowed_file_upload_methods": ["local_file", "remote_url"],
}

_COMMENT: Final[dict[str, Any]] = {
    "type": "paragraph",
    "output_variable_name": "comment",
    "default": {"type": "constant", "selector": [], "value": ""},
}


def _item(kind: str, name: str, **rules: object) -> dict[str, Any]:
    common: dict[str, Any] = {
        "label": name,
        "max_length": 48,
        "options": [],
        "required": False,
        "type": kind,
        "variable": name,
    }
    return {kind: {**common, **rules}}
