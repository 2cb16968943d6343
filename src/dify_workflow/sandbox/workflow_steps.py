"""What a workflow of the sandbox can do, step by step.

A workflow is a Python function that gets the run's inputs. A plain one gives the outputs; raising an exception makes
the run fail with the exception's text:

>>> def shout(inputs):
...     return {"answer": inputs["query"].upper()}

A generator does more: it yields steps, and returns the outputs. A `str` is text for the stream.

>>> def think(inputs):
...     yield "Let me see"
...     yield Wait(0.5)
...     submission = yield HumanForm("Go on?")
...     return {"answer": inputs["query"], "action": submission and submission.action}

It is called in the sandbox's own thread, so it must not block: to let time pass, it yields `Wait`.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Emit", "FormSubmission", "HumanForm", "NextNode", "Step", "StreamError", "Wait", "Wire", "Workflow"]


@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes, in seconds; a stop or the end of the sandbox cuts it short."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NextNode:
    """The node that works is finished, and another one starts; a run begins its work in a node called `Work`."""

    title: str
    node_type: str = "code"


@dataclass(frozen=True, slots=True)
class Emit:
    """An event of any kind, sent as it is given.

    Attributes:
        event: The whole JSON object; `workflow_run_id` and `task_id` are added where it has none.
    """

    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wire:
    """Bytes that a stream sends as they are, for what no event can express. A blocking response leaves them out."""

    data: bytes


@dataclass(frozen=True, slots=True)
class StreamError:
    """The workflow breaks down: the stream sends an `error` event and ends; a blocking response has its status.

    As a first step it is a workflow that cannot even start, which leaves no run and no log. Later on, the run stays
    `running`, as nobody is left to write its end.
    """

    message: str
    code: str = "invalid_param"
    status: int = 400


@dataclass(frozen=True, slots=True)
class HumanForm:
    """The run pauses until somebody has filled in a form; servers before 1.14 cannot, and the run fails.

    The step gives a `FormSubmission`, or None when nobody has answered in time.

    Attributes:
        content: What the form asks, in Markdown.
        inputs: Its fields, as `GET /form/human_input/{form_token}` shows them.
        actions: Ids and titles of its buttons.
        expires_in: Seconds until it expires.
    """

    content: str
    inputs: Sequence[Mapping[str, Any]] = ()
    actions: Mapping[str, str] = field(default_factory=lambda: {"approve": "Approve", "reject": "Reject"})
    expires_in: float = 3 * 86_400.0


@dataclass(frozen=True, slots=True)
class FormSubmission:
    """What somebody has filled into a form."""

    inputs: Mapping[str, Any]
    action: str


Step = str | Wait | NextNode | Emit | Wire | StreamError | HumanForm
"""What a workflow can yield."""

Outputs = Mapping[str, Any]

Workflow = Callable[[dict[str, Any]], "Outputs | Generator[Step, FormSubmission | None, Outputs | None]"]
"""A function that gets a run's inputs. It gives the outputs, or is a generator of steps that returns them."""
