"""What a run takes for its inputs: the rules of the app's form, as `GET /parameters` shows it."""

import base64
import json
import math
import mimetypes
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

from .errors import internal_server_error, invalid_param
from .records import WORKSPACE_ID, FileRow

__all__ = ["FILE_EXTENSIONS", "Files", "form_allows_file", "take_files", "take_inputs"]

FILE_EXTENSIONS: Final = {
    "image": {"jpg", "jpeg", "png", "webp", "gif", "svg"},
    "video": {"mp4", "mov", "mpeg", "webm"},
    "audio": {"mp3", "m4a", "wav", "amr", "mpga"},
    "document": {
        "txt",
        "markdown",
        "md",
        "mdx",
        "pdf",
        "html",
        "htm",
        "xlsx",
        "xls",
        "docx",
        "csv",
        "vtt",
        "properties",
    },
}
"""The endings that decide a file's type, without a dot; other files go by their content type."""


@dataclass(frozen=True, slots=True)
class Files:
    """The uploaded files that a request can name.

    Attributes:
        find: Gives an uploaded file by its id, in small letters and with dashes.
        url: Gives the signed URL of an uploaded file.
        keys: The keys of a file in inputs and outputs, in their order.
    """

    find: Callable[[str], FileRow | None]
    url: Callable[[FileRow], str]
    keys: tuple[str, ...]


def take_inputs(form: Sequence[Mapping[str, Any]] | None, given: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """Give the inputs that a workflow gets: one per field of the form; what the form does not know is left out.

    Args:
        form: Items of `user_input_form`, each an object with one key, the field's kind; None takes everything.
        given: The inputs of the request.
        files: The uploaded files.

    Raises:
        ApiError: 400 for the first input that breaks a rule, 500 for a list or an object as a number.
    """
    if form is None:
        return dict(given)
    taken: dict[str, Any] = {}
    for item in form:
        for kind, field in item.items():
            taken[field["variable"]] = _take(kind, field, given.get(field["variable"]), files)
    return taken


def take_files(mappings: Sequence[Mapping[str, Any]], files: Files) -> list[dict[str, Any]]:
    """Give the files that a request names, as a workflow gets them; those that name nothing are left out.

    Raises:
        ApiError: 400 for the first that is unknown or of another type than the request says.
    """
    return [_file(mapping, files, None) for mapping in mappings if _names_something(mapping)]


def _take(kind: str, field: Mapping[str, Any], value: object, files: Files) -> object:
    name = field["variable"]
    if value is None:
        if field.get("required"):
            raise invalid_param(f"{name} is required in input form")
        return field.get("default")
    match kind:
        case "text-input" | "paragraph" | "select":
            return _text(kind, field, value)
        case "number":
            return _number(field, value)
        case "checkbox" if not isinstance(value, bool):
            raise invalid_param(f"{name} in input form must be true or false")
        case "file":
            if not isinstance(value, dict):
                raise invalid_param(f"{name} in input form must be a file")
            return _file(cast("dict[str, Any]", value), files, field)
        case "file-list":
            return _file_list(field, value, files)
        case _:
            return value


def _text(kind: str, field: Mapping[str, Any], value: object) -> str:
    name = field["variable"]
    if not isinstance(value, str):
        raise invalid_param(f"(type '{kind}') {name} in input form must be a string")
    if kind == "select" and value not in field["options"]:
        raise invalid_param(f"{name} in input form must be one of the following: {field['options']}")
    longest = field.get("max_length")
    if kind != "select" and longest and len(value) > longest:
        raise invalid_param(f"{name} in input form must be less than {longest} characters")
    return value.replace("\0", "")


def _number(field: Mapping[str, Any], value: object) -> float | None:
    name = field["variable"]
    if isinstance(value, str) and not value.strip():
        return None
    if not isinstance(value, str | int | float):  # the server lets Python convert it, which is not caught there
        raise internal_server_error()
    number: float
    if isinstance(value, str):
        try:
            number = float(value) if "." in value else int(value)
        except ValueError:
            raise invalid_param(f"{name} in input form must be a valid number") from None
    else:
        number = value  # true and false are numbers to the server
    # The server's form knows no bounds: these are the sandbox's own, so that no run is without end.
    low, high = field.get("minimum", -math.inf), field.get("maximum", math.inf)
    if not low <= number <= high:
        raise invalid_param(f"{name} in input form must be from {low} to {high}")
    return number


def _file_list(field: Mapping[str, Any], value: object, files: Files) -> list[dict[str, Any]]:
    name = field["variable"]
    given = cast("list[object]", value) if isinstance(value, list) else [None]
    if not all(isinstance(file, dict) for file in given):
        raise invalid_param(f"{name} in input form must be a list of files")
    longest = field.get("max_length")
    if longest and len(given) > longest:
        raise invalid_param(f"{name} in input form must be less than {longest} files")
    mappings = cast("list[dict[str, Any]]", given)
    return [_file(mapping, files, field) for mapping in mappings if _names_something(mapping)]


# Files ----------------------------------------------------------------------------------------------------------

_TRANSFER_METHODS: Final = {"remote_url", "local_file", "tool_file", "datasource_file"}


def _names_something(mapping: Mapping[str, Any]) -> bool:
    method = mapping.get("transfer_method")
    return bool(method) and (method != "remote_url" or bool(mapping.get("url")))


def _file(mapping: Mapping[str, Any], files: Files, field: Mapping[str, Any] | None) -> dict[str, Any]:
    method = mapping.get("transfer_method")
    if not method:
        raise invalid_param("transfer_method is required in file mapping")
    if method not in _TRANSFER_METHODS:
        raise invalid_param(f"No matching enum found for value '{method}'")
    match method:
        case "local_file":
            file = _uploaded_file(mapping, files)
            stated = mapping.get("type", "custom")
        case "remote_url":
            file = _remote_file(mapping)
            stated = mapping.get("type")
        case _:
            kind = "ToolFile" if method == "tool_file" else "DatasourceFile"
            raise invalid_param(f"{kind} {mapping.get(f'{method}_id')} not found")
    detected = file["type"]
    if stated and detected is not None and stated != detected:
        raise invalid_param("Detected file type does not match the specified type. Please verify the file.")
    if field is not None and not form_allows_file(field, stated or "custom", file["extension"], str(method)):
        raise invalid_param(f"File validation failed for file: {file['filename']}")
    file |= {
        "dify_model_identity": "__dify__file__",
        "id": None,
        "tenant_id": WORKSPACE_ID,
        "transfer_method": method,
        "type": stated or detected or "custom",
    }
    return {key: file.get(key) for key in files.keys}


def _uploaded_file(mapping: Mapping[str, Any], files: Files) -> dict[str, Any]:
    upload_id = mapping.get("upload_file_id")
    if not upload_id:
        raise invalid_param("Invalid upload file id")
    try:
        id_ = str(uuid.UUID(upload_id))
    except (ValueError, AttributeError):
        raise invalid_param("Invalid upload file id format") from None
    row = files.find(id_)
    if row is None:
        raise invalid_param("Invalid upload file")
    record = base64.urlsafe_b64encode(json.dumps({"record_id": row.id}, separators=(",", ":")).encode()).decode()
    return {
        "type": _detected_type(row.extension, row.mime_type),
        "remote_url": "",
        "reference": f"dify-file-ref:{record}",
        "related_id": row.id,
        "filename": row.name,
        "extension": f".{row.extension}",
        "mime_type": row.mime_type,
        "size": row.size,
        "url": files.url(row),
    }


def _remote_file(mapping: Mapping[str, Any]) -> dict[str, Any]:
    url = mapping.get("url")
    if not isinstance(url, str) or not url:
        raise invalid_param("Invalid file url")
    # The server requests name, type and size there; a sandbox goes nowhere and reads them from the URL.
    filename = unquote(urlsplit(url).path.rpartition("/")[2]) or "unknown_file"
    mime_type = mimetypes.guess_type(filename)[0] or ""
    extension = mimetypes.guess_extension(mime_type) or PurePosixPath(filename).suffix
    known = bool(mime_type or extension)
    return {
        "type": _detected_type(extension.lstrip("."), mime_type) if known else None,
        "remote_url": url,
        "reference": None,
        "related_id": None,
        "filename": filename,
        "extension": extension or ".bin",
        "mime_type": mime_type,
        "size": -1,
        "url": url,
    }


def _detected_type(extension: str, mime_type: str) -> str:
    for kind, extensions in FILE_EXTENSIONS.items():
        if extension in extensions:
            return kind
    for kind in ("image", "video", "audio"):
        if kind in mime_type:
            return kind
    return "document" if "text" in mime_type or "pdf" in mime_type else "custom"


def form_allows_file(field: Mapping[str, Any], kind: str, extension: str, method: str) -> bool:
    """Say whether the form's own lists of types, endings and ways have this file; an empty list has all."""
    kinds, methods = field.get("allowed_file_types"), field.get("allowed_file_upload_methods")
    if methods and method not in methods:
        return False
    if kind != "custom":
        return not kinds or kind in kinds
    endings = {str(ending).lower().lstrip(".") for ending in field.get("allowed_file_extensions") or ()}
    if kinds and kind not in kinds and not endings:
        return False
    return not endings or extension.lower().lstrip(".") in endings
