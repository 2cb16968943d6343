"""What the events of a stream say about one execution of a node."""

from dataclasses import dataclass
from typing import Any

from .._http.decode import is_object


@dataclass(frozen=True, slots=True)
class NodeExecution:
    """One execution of a node of a run; a node in a loop has several. Values are as the server sent them.

    Attributes:
        id: the execution's id.
        node_id: the node's id in the workflow.
        title: the node's title.
        type: the node's type, such as `llm`, `code` or `http-request`.
        status: `running` until it is finished, then `succeeded`, `failed`, `exception` or `retry`.
        elapsed_time: seconds that it took; None until it is finished.
        total_tokens: tokens that it used; None where the server names none.
        error: why it failed; None unless it did.
        inputs: its inputs; None where the server sends none.
        outputs: its outputs; None until it is finished.
    """

    __module__ = "dify_workflow.types"

    id: str | None
    node_id: str | None
    title: str | None
    type: str | None
    status: str
    elapsed_time: float | None
    total_tokens: int | None
    error: str | None
    inputs: Any
    outputs: Any


def node_execution(data: dict[str, Any]) -> NodeExecution:
    """The execution that the data of an event describes."""
    metadata: object = data.get("execution_metadata")
    return NodeExecution(
        id=data.get("id"),
        node_id=data.get("node_id"),
        title=data.get("title"),
        type=data.get("node_type"),
        status=data.get("status") or "running",
        elapsed_time=data.get("elapsed_time"),
        total_tokens=metadata.get("total_tokens") if is_object(metadata) else None,
        error=data.get("error"),
        inputs=data.get("inputs"),
        outputs=data.get("outputs"),
    )
