"""The operations `GET /info`, `/parameters`, `/meta` and `/site`: what an app is and which inputs it takes."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .errors import ApiError
from .json_responses import json_response
from .state import SandboxState
from .uploads import UPLOAD_LIMITS

__all__ = ["get_app_info", "get_app_meta", "get_app_parameters", "get_app_site"]


async def get_app_info(state: SandboxState, request: Request) -> Response:
    """`GET /info`."""
    app = state.app_of(request)
    return json_response(
        200,
        {
            "name": app.name,
            "description": app.description,
            "tags": [],
            "mode": app.mode,
            "author_name": "Sandbox Owner",
        },
    )


async def get_app_parameters(state: SandboxState, request: Request) -> Response:
    """`GET /parameters`; an app that is not published has none."""
    app = state.app_of(request)
    if not app.published:
        raise ApiError.of(400, "app_unavailable", "App unavailable, please check your app configurations.")
    off: dict[str, Any] = {"enabled": False}
    return json_response(
        200,
        {
            "opening_statement": "",
            "suggested_questions": [],
            "suggested_questions_after_answer": off,
            "speech_to_text": off,
            "text_to_speech": {**off, "language": "", "voice": ""},
            "retriever_resource": {"enabled": True},
            "annotation_reply": off,
            "more_like_this": off,
            "user_input_form": list(state.behavior_of(app).form or ()) if app.mode == "workflow" else [],
            "sensitive_word_avoidance": off,
            "file_upload": off,
            "system_parameters": {
                "image_file_size_limit": UPLOAD_LIMITS["image"],
                "video_file_size_limit": UPLOAD_LIMITS["video"],
                "audio_file_size_limit": UPLOAD_LIMITS["audio"],
                "file_size_limit": UPLOAD_LIMITS["other"],
                "workflow_file_upload_limit": 10,
            },
        },
    )


async def get_app_meta(state: SandboxState, request: Request) -> Response:
    """`GET /meta`."""
    state.app_of(request)
    return json_response(200, {"tool_icons": {}})


async def get_app_site(state: SandboxState, request: Request) -> Response:
    """`GET /site`."""
    app = state.app_of(request)
    values: dict[str, Any] = {
        "title": app.name,
        "chat_color_theme_inverted": False,
        "icon_type": "emoji",
        "icon": "🤖",
        "icon_background": "#FFEAD5",
        "custom_disclaimer": "",
        "default_language": "en-US",
        "show_workflow_steps": True,
        "use_icon_as_answer_icon": False,
    }
    return json_response(200, {key: values.get(key) for key in state.server.site_keys})
