"""`upload_file`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import types as _types
from ...types import Request

if TYPE_CHECKING:
    from ...models.uploaded_file import UploadedFile


def build_request(
    *,
    file: object,
    user: str | None = None,
) -> Request[UploadedFile]:
    """Upload a file

    Uploads one file, for use in the inputs of runs. Each upload stores another file, the same content too, and there
    is no operation that deletes one; a request whose response was lost should not be sent again without need.

    The limits as they come are 10 MB for an image, 50 MB for sound, 100 MB for video and 15 MB for anything else.
    `GET /parameters` has a server's own limits. Any type is taken, and an empty file too. A proxy in front may have a
    lower limit, and responds with HTML.

    POST /files/upload

    Args:
        file: The file, with its name and its content type, which are both stored as they were sent.
        user: Who the file belongs to, in the same words as `user` of a run. Without it the file belongs to an end
            user that all callers without a `user` share.

    Raises:
        ValueError: An argument is not what the API takes; nothing was sent.
    """
    return Request(
        operation="upload_file",
        method="POST",
        path="/files/upload",
        fields=_types.pairs(
            ("user", _types.text("user", user)),
        ),
        files=_types.parts(
            ("file", _types.file("file", file, required=True)),
        ),
        load_response=_response,
    )


def _response() -> type[UploadedFile]:
    from ...models.uploaded_file import UploadedFile  # loaded when there is a response

    return UploadedFile
