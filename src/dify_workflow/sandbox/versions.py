"""What the Dify servers whose behavior the sandbox shows do differently from each other, as data.

Every difference between versions is one field of `ServerVersion`; the operations read it there and never compare
version numbers.
"""

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["DEFAULT_VERSION", "SERVER_VERSIONS", "VERSION_NAMES", "ServerVersion", "Version", "server_version"]

Version = Literal["1.11", "1.11.2", "1.14", "1.14.2", "1.16", "1.16.1"]
"""A server version that the sandbox can show; the short name is that of the release that was measured."""

DEFAULT_VERSION: Final = "1.11"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerVersion:
    """One server version.

    Attributes:
        number: What it sends in `X-Version`.
        pydantic: The pydantic release whose documentation its validation messages link to.
        varies_by_cookie: Whether its responses have `Vary: Cookie`.
        has_forms: Whether runs can pause for a form, and the routes of forms, of a run's events and of end users exist.
        queues_streams: Whether a streaming run is a queued task: the stream begins with a ping, is silent until a
            worker takes the task, and the inputs are checked by the worker.
        refused_stream: What a stream with inputs that the worker refuses shows: nothing at all (`silence`), or a
            `failure` of a run that does not exist. Without effect unless streams are queued.
        literal_keyword: Whether `%` and `_` in `keyword` are literal and the keyword is compared as it was sent;
            otherwise they are wildcards and the keyword is escaped as Python escapes it.
        outputs_as_object: Whether a run's detail shows outputs as an object; otherwise as JSON text.
        unknown_run_status: The status for the detail of an unknown run: 404, or 200 with null in every field.
        start_node_has_system_inputs: Whether the start node's inputs contain `sys.*` values.
        failed_node_outputs: Whether a failed node's outputs are `{}`; otherwise null.
        stored_stop: The error text of a stopped run if the stop is stored; None where the stored run stays `running`.
        file_keys: The keys of a file in inputs and outputs, in their order.
        upload_keys: The keys of the response to an upload, in their order.
        upload_too_large: The message for a file that is too large.
        site_keys: The keys of `GET /site`, in their order.
        form_id_is_node_execution: Whether a form's id is that of the node's execution.
        approval_channels: Whether pause reasons have `approval_channels`.
        form_events: Whether `human_input_form_filled` and `human_input_form_timeout` are sent.
        trace_sessions: Whether a run's tracing session is read, and must be a string of 1 to 200 characters.
    """

    number: str
    pydantic: str
    varies_by_cookie: bool
    has_forms: bool
    queues_streams: bool
    refused_stream: Literal["silence", "failure"]
    literal_keyword: bool
    outputs_as_object: bool
    unknown_run_status: Literal[200, 404]
    start_node_has_system_inputs: bool
    failed_node_outputs: bool
    stored_stop: str | None
    file_keys: tuple[str, ...]
    upload_keys: tuple[str, ...]
    upload_too_large: str
    site_keys: tuple[str, ...]
    form_id_is_node_execution: bool
    approval_channels: bool
    form_events: bool
    trace_sessions: bool


_OLD_FILE_KEYS: Final = (
    *("dify_model_identity", "id", "tenant_id", "type", "transfer_method", "remote_url", "related_id"),
    *("filename", "extension", "mime_type", "size", "url"),
)
_FILE_KEYS: Final = (
    *("dify_model_identity", "id", "type", "transfer_method", "remote_url", "reference"),
    *("filename", "extension", "mime_type", "size", "related_id", "url"),
)
_OLD_UPLOAD_KEYS: Final = (
    *("id", "name", "size", "extension", "mime_type", "created_by", "created_at", "preview_url", "source_url"),
)
_NEW_UPLOAD_KEYS: Final = ("original_url", "user_id", "tenant_id", "conversation_id", "file_key")
_OLD_SITE_KEYS: Final = (
    *("title", "chat_color_theme", "chat_color_theme_inverted", "icon_type", "icon", "icon_background", "icon_url"),
    *("description", "copyright", "privacy_policy", "custom_disclaimer", "default_language", "show_workflow_steps"),
    "use_icon_as_answer_icon",
)
_SITE_KEYS_1_14: Final = (
    *("title", "chat_color_theme", "chat_color_theme_inverted", "icon_type", "icon", "icon_background"),
    *("description", "copyright", "privacy_policy", "custom_disclaimer", "default_language", "show_workflow_steps"),
    *("use_icon_as_answer_icon", "icon_url"),
)
_SITE_KEYS_1_16: Final = (
    *("title", "chat_color_theme", "chat_color_theme_inverted", "icon_type", "icon", "icon_background"),
    *("description", "copyright", "privacy_policy", "input_placeholder", "custom_disclaimer", "default_language"),
    *("show_workflow_steps", "use_icon_as_answer_icon", "icon_url"),
)

_MEASURED: Final = (
    ServerVersion(
        number="1.11.2",
        pydantic="2.11",
        varies_by_cookie=False,
        has_forms=False,
        queues_streams=False,
        refused_stream="silence",
        literal_keyword=False,
        outputs_as_object=False,
        unknown_run_status=200,
        start_node_has_system_inputs=True,
        failed_node_outputs=False,
        stored_stop=None,
        file_keys=_OLD_FILE_KEYS,
        upload_keys=_OLD_UPLOAD_KEYS,
        upload_too_large="File size exceeded. {message}",  # the braces are the server's
        site_keys=_OLD_SITE_KEYS,
        form_id_is_node_execution=False,
        approval_channels=False,
        form_events=False,
        trace_sessions=False,
    ),
    ServerVersion(
        number="1.14.2",
        pydantic="2.12",
        varies_by_cookie=True,
        has_forms=True,
        queues_streams=True,
        refused_stream="silence",
        literal_keyword=True,
        outputs_as_object=True,
        unknown_run_status=404,
        start_node_has_system_inputs=False,
        failed_node_outputs=True,
        stored_stop=None,
        file_keys=_FILE_KEYS,
        upload_keys=(*_OLD_UPLOAD_KEYS, *_NEW_UPLOAD_KEYS),
        upload_too_large="",
        site_keys=_SITE_KEYS_1_14,
        form_id_is_node_execution=False,
        approval_channels=False,
        form_events=True,
        trace_sessions=False,
    ),
    ServerVersion(
        number="1.16.1",
        pydantic="2.12",
        varies_by_cookie=True,
        has_forms=True,
        queues_streams=True,
        refused_stream="failure",
        literal_keyword=True,
        outputs_as_object=True,
        unknown_run_status=404,
        start_node_has_system_inputs=False,
        failed_node_outputs=True,
        stored_stop="Aborted: User requested stop",
        file_keys=_FILE_KEYS,
        upload_keys=("id", "reference", *_OLD_UPLOAD_KEYS[1:], *_NEW_UPLOAD_KEYS),
        upload_too_large="",
        site_keys=_SITE_KEYS_1_16,
        form_id_is_node_execution=True,
        approval_channels=True,
        form_events=False,
        trace_sessions=True,
    ),
)

SERVER_VERSIONS: Final = {
    name: server for server in _MEASURED for name in (server.number.rpartition(".")[0], server.number)
}
"""Server versions by their names, short and long."""

VERSION_NAMES: Final = tuple(SERVER_VERSIONS)


def server_version(name: str) -> ServerVersion:
    """Return the server version of this name.

    Raises:
        ValueError: If there is none.
    """
    if name not in SERVER_VERSIONS:
        raise ValueError(f"version must be one of {', '.join(VERSION_NAMES)}, got {name!r}")
    return SERVER_VERSIONS[name]
