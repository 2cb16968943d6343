"""The events of a run, as a stream carries them.

A frame is `data: ` and one line of JSON, compact and with every character as it is; the server never writes an
`event:` line, except for its ping, which has nothing else.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

__all__ = ["PING", "Node", "RunIds", "as_text", "error_frame", "files_in", "frame", "spaced_frame"]

PING: Final = b"event: ping\n\n"


@dataclass(frozen=True, slots=True)
class RunIds:
    """What names a run in each of its events."""

    run_id: str
    task_id: str

    def frame(self, event: str, data: Mapping[str, Any]) -> bytes:
        """Give the frame of an event."""
        return frame({"event": event, "workflow_run_id": self.run_id, "task_id": self.task_id, "data": data})


class Node:
    """One node of a run, in the words of `node_started` and `node_finished`.

    Attributes:
        id: Id of this execution of the node.
        node_id: Id of the node in the workflow.
        status: `running`, `paused`, or how it ended.
    """

    def __init__(self, node_id: str, node_type: str, title: str) -> None:
        self.id = str(uuid.uuid4())
        self.node_id = node_id
        self.node_type = node_type
        self.title = title
        self.begin()

    def begin(self) -> None:
        """Note that it starts, or continues after a pause."""
        self.status = "running"
        self._error: str | None = None
        self._created_at = time.time()
        self._started = time.perf_counter()
        self._elapsed_time = 0.0
        self._finished_at = self._created_at

    def end(self, status: str, error: str | None, finished_at: float) -> None:
        """Note that it has ended or paused."""
        self.status = status
        self._error = error
        self._elapsed_time = round(time.perf_counter() - self._started, 6)
        self._finished_at = finished_at

    def started_data(self, shown_time: Callable[[float], int]) -> dict[str, Any]:
        """Give the data of `node_started`."""
        return {
            **self._names(),
            "inputs": None,
            "inputs_truncated": False,
            "created_at": shown_time(self._created_at),
            "extras": {},
            "iteration_id": None,
            "loop_id": None,
            "agent_strategy": None,
        }

    def finished_data(
        self,
        shown_time: Callable[[float], int],
        *,
        inputs: Mapping[str, Any] | None,
        process_data: Mapping[str, Any] | None,
        outputs: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        """Give the data of `node_finished`."""
        return {
            **self._names(),
            "inputs": inputs,
            "inputs_truncated": False,
            "process_data": process_data,
            "process_data_truncated": False,
            "outputs": outputs,
            "outputs_truncated": False,
            "status": self.status,
            "error": self._error,
            "elapsed_time": self._elapsed_time,
            "execution_metadata": None,
            "created_at": shown_time(self._created_at),
            "finished_at": shown_time(self._finished_at),
            "files": files_in(outputs or {}),
            "iteration_id": None,
            "loop_id": None,
        }

    def _names(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "node_id": self.node_id,
            "node_type": self.node_type,
            "title": self.title,
            "index": 1,  # for each of them
            "predecessor_node_id": None,
        }


def frame(event: Mapping[str, Any]) -> bytes:
    """Give the bytes of an event."""
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return b"data: " + text.encode(errors="replace") + b"\n\n"  # half a surrogate pair has no bytes


def spaced_frame(event: Mapping[str, Any]) -> bytes:
    """Give the bytes of the one event that the server writes another way: the last one of a run that has ended."""
    return f"data: {json.dumps(event)}\n\n".encode()


def as_text(value: object) -> str:
    """Give an output value as the text that streams carry it in."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list):
        items = cast("list[object]", value)
        return "\n".join(as_text(item) if _is_file(item) else f"- {item}" for item in items)
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return _file_as_text(fields) if _is_file(fields) else _indented(fields)
    return str(value)


def files_in(outputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the files among output values."""
    found: list[object] = []
    values: Iterable[object] = outputs.values()
    for value in values:
        found += cast("list[object]", value) if isinstance(value, list) else [value]
    return [cast("dict[str, Any]", value) for value in found if _is_file(value)]


def _is_file(value: object) -> bool:
    return isinstance(value, dict) and "dify_model_identity" in value


def _file_as_text(file: Mapping[str, Any]) -> str:
    url = file.get("url") or file.get("remote_url") or ""
    return f"{'!' if file.get('type') == 'image' else ''}[{file.get('filename') or url}]({url})"


def _indented(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def error_frame(run_id: str | None, *, code: str, status: int, message: str) -> bytes:
    """Give an `error` event, which names no task; and no run either when none had started."""
    return frame({"event": "error", "workflow_run_id": run_id, "code": code, "status": status, "message": message})
