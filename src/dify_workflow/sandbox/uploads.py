"""The operation `POST /files/upload`."""

import secrets
import time
import uuid
from pathlib import PurePosixPath
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from .answers import json_answer
from .errors import ApiError, invalid_param
from .multipart import MultipartError, Part, boundary_of, read_parts
from .payloads import parse_user
from .rows import FileRow
from .services import Services

__all__ = ["UPLOAD_LIMITS", "upload_file"]

UPLOAD_LIMITS: Final = {"image": 10, "video": 100, "audio": 50, "other": 15}
"""How many megabytes (of 1024 * 1024 bytes) a file of each kind may have."""

_EXTENSIONS: Final = {
    "image": {"jpg", "jpeg", "png", "webp", "gif", "svg"},
    "video": {"mp4", "mov", "mpeg", "webm"},
    "audio": {"mp3", "m4a", "wav", "amr", "mpga"},
}
_FORBIDDEN_IN_NAMES: Final = frozenset('/\\:*?"<>|')
_LONGEST_NAME: Final = 200
_ANONYMOUS: Final = "DEFAULT-USER"


async def upload_file(services: Services, request: Request) -> Response:
    """Take a file of an app of any mode; what it contains is weighed and hashed, but not kept.

    Raises:
        ApiError: The refusal.
    """
    app = services.app_of(request)
    fields, files = await _read_form(request)
    end_user = services.end_user(parse_user(fields.get("user"), default=_ANONYMOUS))
    part = files.get("file")
    if part is None:
        raise ApiError.of(400, "no_file_uploaded", "Please upload your file.")
    if len(files) > 1:
        raise ApiError.of(400, "too_many_files", "One file at a time can be uploaded.")
    row = _accept(part, end_user.id)
    services.database.add_file(app, row)
    return json_answer(201, _answer(row, request))


async def _read_form(request: Request) -> tuple[dict[str, str], dict[str, Part]]:
    """Give fields and files; of several with one name, the first. A body that is no form has neither."""
    fields: dict[str, str] = {}
    files: dict[str, Part] = {}
    boundary = boundary_of(request.headers.get("content-type", ""))
    if boundary is None:
        return fields, files
    try:
        parts = await read_parts(request.stream(), boundary)
    except MultipartError:
        return fields, files
    for part in parts:
        if part.filename is None:
            fields.setdefault(part.name, part.text)
        else:
            files.setdefault(part.name, part)
    return fields, files


def _accept(part: Part, end_user_id: str) -> FileRow:
    if not part.content_type:
        raise ApiError.of(415, "unsupported_file_type", "A file has to say what type it has.")
    if not part.filename:
        raise ApiError.of(400, "filename_not_exists_error", "A file has to have a name.")
    name = part.filename
    if _FORBIDDEN_IN_NAMES & set(name):
        raise invalid_param("Filename contains invalid characters")
    extension = PurePosixPath(name).suffix.lstrip(".").lower()
    if len(name) > _LONGEST_NAME:
        name = f"{name.partition('.')[0][:_LONGEST_NAME]}.{extension}"
    kind = next((kind for kind, extensions in _EXTENSIONS.items() if extension in extensions), "other")
    if part.size > UPLOAD_LIMITS[kind] * 1024 * 1024:
        raise ApiError.of(413, "file_too_large", "File size exceeded. {message}")  # the braces are the server's
    return FileRow(
        id=str(uuid.uuid4()),
        name=name,
        size=part.size,
        extension=extension,
        mime_type=part.content_type,
        created_by=end_user_id,
        created_at=int(time.time()),
        sha256=part.sha256,
    )


def _answer(row: FileRow, request: Request) -> dict[str, Any]:
    host, port = request.scope["server"]
    signature = f"timestamp={row.created_at}&nonce={secrets.token_hex(16)}&sign={secrets.token_urlsafe(32)}%3D"
    return {
        "id": row.id,
        "name": row.name,
        "size": row.size,
        "extension": row.extension,
        "mime_type": row.mime_type,
        "created_by": row.created_by,
        "created_at": row.created_at,
        "preview_url": None,
        # As the real one looks; the sandbox has nothing there.
        "source_url": f"http://{host}:{port}/files/{row.id}/file-preview?{signature}",
    }
