"""The item of `runs.batch`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class BatchItem:
    """A row of a batch whose run has ended: an item of `runs.batch`.

    Attributes:
        index: the number of the row, from 0.
        inputs: the row, as it was given.
        run_id: the run's id; None where no run is known.
        status: how the run ended: `succeeded`, `failed`, `stopped`, `partial-succeeded`; `paused` for a run that waits
            for a person; `refused` where no run was started, as the inputs cannot be run; `unknown` where it cannot be
            known whether a run was started, or what became of it.
        outputs: the workflow's outputs by name; None unless the run has some.
        error: why the run failed or was refused, or what is not known; None unless it did.
    """

    __module__ = "dify_workflow.types"

    index: int
    inputs: Mapping[str, Any]
    run_id: str | None
    status: str
    outputs: Any
    error: str | None
