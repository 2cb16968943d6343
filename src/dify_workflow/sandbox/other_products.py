"""The routes of other products, such as chat apps and knowledge, as far as they accept a workflow app's key.

Each responds in JSON: what the server says to a key of the wrong kind, or an empty result.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response

from .errors import ApiError, invalid_param, unauthorized
from .json_responses import json_response

if TYPE_CHECKING:
    from .state import SandboxState

__all__ = ["OTHER_ROUTES"]

_Operation = Callable[["SandboxState", Request], Awaitable[Response]]


def _refused(make_refusal: Callable[[], ApiError]) -> _Operation:
    async def refuse(state: "SandboxState", request: Request) -> Response:
        state.app_of(request)
        raise make_refusal()

    return refuse


def _empty(body: Mapping[str, Any]) -> _Operation:
    async def respond(state: "SandboxState", request: Request) -> Response:
        state.app_of(request)
        return json_response(200, body)

    return respond


_WRONG_MODE: Final = "Please check if your app mode matches the right API route."

_not_chat = _refused(lambda: ApiError.of(400, "not_chat_app", _WRONG_MODE))
_unavailable = _refused(
    lambda: ApiError.of(400, "app_unavailable", "App unavailable, please check your app configurations.")
)
_no_message = _refused(lambda: ApiError.of(404, "not_found", "Message Not Exists."))
_no_annotation = _refused(lambda: ApiError.of(404, "not_found", "Annotation not found"))
_forbidden = _refused(lambda: ApiError.of(403, "forbidden", "Forbidden"))
_no_speech = _refused(lambda: invalid_param("TTS is not enabled"))
_no_audio = _refused(lambda: ApiError.of(400, "no_audio_uploaded", "Please upload your audio."))
_dataset_key = _refused(lambda: unauthorized("Access token is invalid"))

OTHER_ROUTES: Final[dict[str, dict[str, _Operation]]] = {
    "/v1/chat-messages": {"POST": _not_chat},
    "/v1/chat-messages/{task_id}/stop": {"POST": _not_chat},
    "/v1/completion-messages": {"POST": _unavailable},
    "/v1/completion-messages/{task_id}/stop": {"POST": _unavailable},
    "/v1/conversations": {"GET": _not_chat},
    "/v1/conversations/{conversation_id:uuid}": {"DELETE": _not_chat},
    "/v1/conversations/{conversation_id:uuid}/name": {"POST": _not_chat},
    "/v1/conversations/{conversation_id:uuid}/variables": {"GET": _not_chat},
    "/v1/messages": {"GET": _not_chat},
    "/v1/messages/{message_id:uuid}/feedbacks": {"POST": _no_message},
    "/v1/messages/{message_id:uuid}/suggested": {"GET": _not_chat},
    "/v1/app/feedbacks": {"GET": _empty({"data": []})},
    "/v1/apps/annotations": {
        "GET": _empty({"data": [], "has_more": False, "limit": 20, "total": 0, "page": 1}),
        "POST": _forbidden,
    },
    "/v1/apps/annotations/{annotation_id:uuid}": {"PUT": _no_annotation, "DELETE": _no_annotation},
    "/v1/text-to-audio": {"POST": _no_speech},
    "/v1/audio-to-text": {"POST": _no_audio},
    "/v1/datasets": {"GET": _dataset_key, "POST": _dataset_key},
    "/v1/datasets/{path:path}": dict.fromkeys(("GET", "POST", "PATCH", "PUT", "DELETE"), _dataset_key),
}
"""Routes and, for each method that they have, what a workflow app's key gets there."""
