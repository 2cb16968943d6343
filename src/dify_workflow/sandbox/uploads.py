"""The operation `POST /files/upload`, and the address at which an uploaded file can be fetched."""

import hashlib
import hmac
import secrets
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from .auth import authorize
from .errors import ApiError, invalid_param, nul_character
from .faults import shown_time
from .input_form import FILE_EXTENSIONS
from .json_responses import json_response
from .multipart import MultipartError, Part, boundary_of, read_parts
from .records import WORKSPACE_ID, FileRow
from .request_bodies import parse_user

if TYPE_CHECKING:
    from starlette.requests import Request

    from .state import SandboxState

__all__ = ["UPLOAD_LIMITS", "UploadStore", "fetch_file", "preview_file", "signed_url", "upload_file"]

UPLOAD_LIMITS: Final = {"image": 10, "video": 100, "audio": 50, "other": 15}
"""How many megabytes (of 1024 * 1024 bytes) a file of each kind may have."""

_FORBIDDEN_IN_NAMES: Final = frozenset('/\\:*?"<>|')
_LONGEST_NAME: Final = 200
_ANONYMOUS: Final = "DEFAULT-USER"


class UploadStore:
    """The contents of uploaded files, in a temporary folder that is made when the first one arrives."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._secret = secrets.token_bytes(16)

    def keep(self, file_id: str, part: Part) -> None:
        """Keep what a part contains."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="dify-sandbox-"))
        if part.content is not None:
            part.content.seek(0)
            with (self._folder / file_id).open("wb") as target:
                shutil.copyfileobj(part.content, target)

    def find(self, file_id: str) -> Path | None:
        """Return the path of a file's content; None if this sandbox has not received it."""
        path = None if self._folder is None else self._folder / file_id
        return path if path is not None and path.is_file() else None

    def sign(self, text: str) -> str:
        """Return the signature that opens the address of a file."""
        return hmac.digest(self._secret, text.encode(), hashlib.sha256).hex()

    def close(self) -> None:
        """Delete everything."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def signed_url(state: "SandboxState", request: "Request", file: FileRow) -> str:
    """Return the URL at which a file can be fetched without a key, as the server signs it."""
    host, port = request.scope["server"]
    timestamp, nonce = int(time.time()), secrets.token_hex(16)
    sign = state.uploads.sign(f"{file.id}|{timestamp}|{nonce}")
    query = f"timestamp={timestamp}&nonce={nonce}&sign={sign}%3D"
    return f"http://{host}:{port}/files/{file.id}/file-preview?{query}"


async def upload_file(state: "SandboxState", request: "Request") -> Response:
    """Take a file of an app of any mode.

    Raises:
        ApiError: The refusal.
    """
    app = state.app_of(request)
    fields, files = await _read_form(request)
    try:
        end_user = state.end_user(app, parse_user(fields.get("user"), default=_ANONYMOUS))
        part = files.get("file")
        if part is None:
            raise ApiError.of(400, "no_file_uploaded", "Please upload your file.")
        if len(files) > 1:
            raise ApiError.of(400, "too_many_files", "Only one file is allowed.")
        row = _accept(part, end_user.id, state.server.upload_too_large)
        state.uploads.keep(row.id, part)
    finally:
        for part in files.values():
            if part.content is not None:
                part.content.close()
    state.database.add_file(app, row)
    return json_response(201, _shown(state, request, row))


async def fetch_file(state: "SandboxState", request: "Request") -> Response:
    """`GET /files/{file_id}/file-preview`, outside the API: a file's content, for all who have its signed URL."""
    query, file_id = request.query_params, request.path_params["file_id"]
    sign = state.uploads.sign(f"{file_id}|{query.get('timestamp')}|{query.get('nonce')}") + "="
    path = state.uploads.find(file_id)
    row = state.database.find_any_file(file_id)
    if row is None or path is None or not hmac.compare_digest(sign.encode(), query.get("sign", "").encode()):
        raise ApiError.of(404, "not_found", "File not found or signature is invalid")
    headers = {"Content-Length": str(row.size)}
    if query.get("as_attachment", "").lower() in {"true", "1"}:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(row.name)}"
    if not row.mime_type.startswith("text/"):
        return StreamingResponse(_content_of(path), headers=headers, media_type=row.mime_type)
    headers["Content-Type"] = row.mime_type  # without the charset that is added otherwise
    return StreamingResponse(_content_of(path), headers=headers)


async def _content_of(path: Path) -> AsyncGenerator[bytes, None]:
    with path.open("rb") as file:
        while data := file.read(65_536):
            yield data


async def preview_file(state: "SandboxState", request: "Request") -> Response:
    """`GET /files/{file_id}/preview`: 404 for every file, as the server knows only those of chat messages."""
    authorize(request.headers.get("authorization"), state.database.find_app)
    raise ApiError.of(404, "file_not_found", "File not found in message context")


async def _read_form(request: "Request") -> tuple[dict[str, str], dict[str, Part]]:
    """Give fields and files; of several with one name, the first. A body that is not a form has neither."""
    fields: dict[str, str] = {}
    files: dict[str, Part] = {}
    boundary = boundary_of(request.headers.get("content-type", ""))
    if boundary is None:
        return fields, files
    try:
        parts = await read_parts(request.stream(), boundary, keep_content=True)
    except MultipartError:
        return fields, files
    for part in parts:
        if part.filename is None:
            fields.setdefault(part.name, part.text)
            if part.content is not None:
                part.content.close()
        elif files.setdefault(part.name, part) is not part and part.content is not None:
            part.content.close()
    return fields, files


def _accept(part: Part, end_user_id: str, too_large: str) -> FileRow:
    if not part.content_type:
        raise ApiError.of(415, "unsupported_file_type", "File type not allowed.")
    if not part.filename:
        raise ApiError.of(400, "filename_not_exists_error", "The specified filename does not exist.")
    name = part.filename
    if _FORBIDDEN_IN_NAMES & set(name):
        raise invalid_param("Filename contains invalid characters")
    if "\0" in name:
        raise nul_character()
    extension = PurePosixPath(name).suffix.lstrip(".").lower()
    if len(name) > _LONGEST_NAME:
        name = f"{name.partition('.')[0][:_LONGEST_NAME]}.{extension}"
    kind = next((kind for kind in UPLOAD_LIMITS if extension in FILE_EXTENSIONS.get(kind, ())), "other")
    if part.size > UPLOAD_LIMITS[kind] * 1024 * 1024:
        raise ApiError.of(413, "file_too_large", too_large)
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


def _shown(state: "SandboxState", request: "Request", row: FileRow) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "size": row.size,
        "extension": row.extension,
        "mime_type": row.mime_type,
        "created_by": row.created_by,
        "created_at": shown_time(state.traps, row.created_at),
        "source_url": signed_url(state, request, row),
        "tenant_id": WORKSPACE_ID,
    }
    return {key: values.get(key) for key in state.server.upload_keys}
