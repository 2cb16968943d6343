"""The results of `runs` and `files`: the API's models with methods of their own.

Each is a subclass of the generated model of its operation: unexpected values are kept, and `to_dict()` returns what was
received.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from dify_workflow_api.models.uploaded_file import UploadedFile
from dify_workflow_api.models.workflow_run import WorkflowRun
from dify_workflow_api.models.workflow_run_response import WorkflowRunResponse

from ._errors import WorkflowRunError
from ._http.decode import is_object
from ._runs.upload import TYPES, type_of_file, with_files_as_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dify_workflow_api.models.workflow_run_status import WorkflowRunStatus

    from ._logs.detailed_log import DetailedLog

__all__ = ["DetailedLog", "FileType", "Upload", "WorkflowRunDetail", "WorkflowRunResult", "remote_file"]

FileType = Literal["document", "image", "audio", "video", "custom"]
"""The type of a file in a workflow's inputs."""


if not TYPE_CHECKING:  # a type checker would take this for a module that has every name

    def __getattr__(name: str) -> object:
        if name != "DetailedLog":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from ._logs.detailed_log import DetailedLog  # noqa: PLC0415 - loads the models of logs, which runs do not need

        return DetailedLog


class WorkflowRunResult(WorkflowRunResponse):
    """The result of a blocking run, `runs.run`. A failed run is a result too, not an exception: see `status`."""

    __module__ = "dify_workflow.types"

    __slots__ = ()

    @property
    def status(self) -> WorkflowRunStatus | str | None:
        """How the run ended: `succeeded`, `failed`, `stopped`, `partial-succeeded`, or what a newer server says."""
        return self.data.status if self._has_data() else None

    @property
    def outputs(self) -> Any:  # noqa: ANN401 - JSON is anything
        """The workflow's outputs by name; empty or None for a failed run."""
        return self.data.outputs if self._has_data() else None

    @property
    def error(self) -> str | None:
        """The error of a run that failed."""
        return self.data.error if self._has_data() else None

    def raise_for_status(self) -> Self:
        """This result, unless the run failed or was stopped; a run that waits for a person (`paused`) did neither.

        Raises:
            WorkflowRunError: the run failed or was stopped.
        """
        _raise_for(self.status, self.error, self.workflow_run_id)
        return self

    def _has_data(self) -> bool:
        return hasattr(self.data, "status")  # a server that sends no object there still gives a result


class WorkflowRunDetail(WorkflowRun):
    """A run as the server stores it: `runs.get`.

    `inputs` and `outputs`, which Dify 1.11 sends as JSON strings, are decoded.

    Attributes:
        inputs_text: the string that `inputs` was received as; None where it was not a string.
        outputs_text: the string that `outputs` was received as; None where it was not a string.
    """

    __module__ = "dify_workflow.types"

    __slots__ = ("inputs_text", "outputs_text")

    inputs_text: str | None
    outputs_text: str | None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.inputs_text = self.outputs_text = None

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The detail of a JSON object; see `Model.from_dict`."""
        self = super().from_dict(src)
        for name in ("inputs", "outputs"):
            text = src.get(name)
            parsed = text
            if isinstance(text, str):
                try:
                    parsed = json.loads(text)
                except (ValueError, RecursionError):
                    parsed = text  # not JSON after all: it is given as it came
            setattr(self, name, parsed)
            setattr(self, f"{name}_text", text if isinstance(text, str) else None)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The JSON object: what was received, with the changes made since."""
        result = super().to_dict()
        for name in ("inputs", "outputs"):
            text = getattr(self, f"{name}_text")
            if text is not None and _stands_for(text, result.get(name)):
                result[name] = text
        return result

    def __copy__(self) -> Self:
        return self.from_dict(self.to_dict())

    def inputs_for_rerun(self) -> dict[str, Any]:
        """The inputs in the form in which `runs.run` and `runs.stream` take them, to start the same run again.

        The `sys.*` values, which the server adds, are left out. Files, also those in lists and objects, are given as
        references to the stored uploads or remote addresses: in the form in which a run returns them, a server refuses
        them ("Invalid upload file id"). Uploads can be used only for the same end user.

        >>> client.runs.run(detail.inputs_for_rerun(), user="u-1", files=detail.files_for_rerun())

        Raises:
            ValueError: the inputs are not a JSON object, or a file among them has neither an id nor an address.
        """
        inputs: Any = {} if self.inputs is None else self.inputs
        if not is_object(inputs):
            raise ValueError(f"the inputs of this run are not a JSON object, and cannot be sent again: {inputs!r}")
        return {
            name: with_files_as_inputs(value, f"inputs[{name!r}]")
            for name, value in inputs.items()
            if not name.startswith("sys.")
        }

    def files_for_rerun(self) -> list[Any] | None:
        """The files of the whole run, as `files=` of `runs.run` takes them; None where it had none.

        Raises:
            ValueError: a file among them has neither an id nor an address.
        """
        inputs: Any = self.inputs
        files: object = inputs.get("sys.files") if is_object(inputs) else None
        if not isinstance(files, list) or not files:
            return None
        return [with_files_as_inputs(file, "files") for file in cast("list[object]", files)]

    def raise_for_status(self) -> Self:
        """This run, unless it failed or was stopped; one that is running, or waits for a person, did neither.

        Raises:
            WorkflowRunError: the run failed or was stopped.
        """
        _raise_for(self.status, self.error, self.id)
        return self


class Upload(UploadedFile):
    """A file that was uploaded: `files.upload`. It can be put into `inputs` and `files` of a run as it is."""

    __module__ = "dify_workflow.types"

    __slots__ = ()

    def as_input(self, type: FileType | None = None) -> dict[str, Any]:  # noqa: A002 - the API's own word
        """The value that stands for the file in a run's `inputs` or `files`.

        Args:
            type: one of `document`, `image`, `audio`, `video`, `custom`. By default the type that a server as shipped
                detects, by the ending of the file's name, else by its content type: it refuses any other one ("Detected
                file type does not match the specified type"). Servers that are configured for more document formats
                (`ETL_TYPE=Unstructured`) want `document` for doc, ppt, pptx, eml, msg, xml and epub, for which the
                default is `custom`.

        Raises:
            ValueError: `type` is none of these, or the server gave the upload no id.
        """
        if not isinstance(self.id, str) or not self.id:
            raise ValueError("this upload has no id, and cannot be used")
        name, mime_type = (value if isinstance(value, str) else "" for value in (self.name, self.mime_type))
        kind = type_of_file(name, mime_type) if type is None else _checked_type(type)
        return {"type": kind, "transfer_method": "local_file", "upload_file_id": self.id}


def remote_file(url: str, type: FileType) -> dict[str, Any]:  # noqa: A002 - the API's own word
    """The value that stands, in a run's `inputs` or `files`, for a file that the server fetches from an address.

    Args:
        url: the file's address, http or https.
        type: what the workflow's input takes it for.

    Raises:
        ValueError: it is not such an address, or the type is unknown.
    """
    if not isinstance(url, str) or not url.lower().startswith(("http://", "https://")):
        raise ValueError(f"url must begin with 'http://' or 'https://', got {url!r}")
    return {"type": _checked_type(type), "transfer_method": "remote_url", "url": url}


remote_file.__module__ = "dify_workflow"


def _checked_type(kind: str) -> str:
    if not isinstance(kind, str) or kind not in TYPES:
        raise ValueError(f"type must be one of {', '.join(map(repr, TYPES))}, got {kind!r}")
    return kind


def _raise_for(status: object, error: str | None, run_id: str | None) -> None:
    if isinstance(status, str) and status in {"failed", "stopped"}:
        raise WorkflowRunError(
            f"the run {run_id} {'failed' if status == 'failed' else 'was stopped'}: {error or '(no error text)'}",
            status=str(status),
            error=error,
            workflow_run_id=run_id,
        )


def _stands_for(text: str, value: object) -> bool:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        parsed = text
    try:
        return json.dumps(parsed) == json.dumps(value)  # as texts: True is no 1, and NaN is itself
    except (TypeError, ValueError, RecursionError):
        return False
