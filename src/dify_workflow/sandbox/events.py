"""The events of a run, as a stream carries them.

A frame is `data: ` and one line of JSON, compact and with every character as it is; the server never writes an
`event:` line, except for its ping, which has nothing else.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["PING", "Node", "RunIds", "error_frame", "frame"]

PING: Final = b"event: ping\n\n"


@dataclass(frozen=True, slots=True)
class RunIds:
    """What names a run in each of its events."""

    run_id: str
    task_id: str

    def frame(self, event: str, data: Mapping[str, Any]) -> bytes:
        """Give the frame of an event."""
        return frame({"event": event, "workflow_run_id": self.run_id, "task_id": self.task_id, "data": data})


@dataclass(slots=True)
class Node:
    """One node of a run, in the words of `node_started` and `node_finished`.

    Attributes:
        id: Id of this execution of the node.
        node_id: Id of the node in the workflow.
        created_at: Epoch seconds.
        started: Reading of the clock that measures how long it took.
    """

    id: str
    node_id: str
    node_type: str
    title: str
    created_at: int
    started: float

    def started_data(self) -> dict[str, Any]:
        """Give what `node_started` tells."""
        return {
            **self._names(),
            "inputs": None,
            "inputs_truncated": False,
            "created_at": self.created_at,
            "extras": {},
            "iteration_id": None,
            "loop_id": None,
            "agent_strategy": None,
        }

    def finished_data(
        self,
        *,
        inputs: Mapping[str, Any],
        outputs: Mapping[str, Any] | None,
        status: str,
        error: str | None,
        elapsed_time: float,
        finished_at: int,
    ) -> dict[str, Any]:
        """Give what `node_finished` tells."""
        return {
            **self._names(),
            "inputs": inputs,
            "inputs_truncated": False,
            "process_data": {},
            "process_data_truncated": False,
            "outputs": outputs,
            "outputs_truncated": False,
            "status": status,
            "error": error,
            "elapsed_time": elapsed_time,
            "execution_metadata": None,
            "created_at": self.created_at,
            "finished_at": finished_at,
            "files": [],
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


def error_frame(run_id: str | None, *, code: str, status: int, message: str) -> bytes:
    """Give an `error` event, which names no task; and no run either when none had started."""
    return frame({"event": "error", "workflow_run_id": run_id, "code": code, "status": status, "message": message})
