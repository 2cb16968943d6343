"""What a run takes for its inputs: the rules of the app's form, as `GET /parameters` shows it."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from .errors import invalid_param
from .rows import FileRow

__all__ = ["FindFile", "take_files", "take_inputs"]

FindFile = Callable[[str], FileRow | None]
"""Gives an uploaded file by its id."""

_FILE_TYPES: Final = {"document", "image", "audio", "video", "custom"}


def take_inputs(
    form: Sequence[Mapping[str, Any]] | None, given: Mapping[str, Any], find_file: FindFile
) -> dict[str, Any]:
    """Give the inputs that a workflow gets: one per field of the form; what the form does not know is left out.

    Args:
        form: Items of `user_input_form`, each an object with one key, the field's kind; None takes everything.
        given: The inputs of the request.
        find_file: Gives an uploaded file by its id.

    Raises:
        ApiError: 400 for the first input that breaks a rule.
    """
    if form is None:
        return dict(given)
    taken: dict[str, Any] = {}
    for item in form:
        for kind, field in item.items():
            taken[field["variable"]] = _take(kind, field, given.get(field["variable"]), find_file)
    return taken


def take_files(files: Sequence[Mapping[str, Any]], find_file: FindFile) -> list[dict[str, Any]]:
    """Give the files that a request names, as a workflow gets them.

    Raises:
        ApiError: 400 for the first that is unknown or incomplete.
    """
    return [_file(file, find_file) for file in files]


def _take(kind: str, field: Mapping[str, Any], value: object, find_file: FindFile) -> object:
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
            return _file(cast("dict[str, Any]", value), find_file)
        case "file-list":
            return _file_list(field, value, find_file)
        case _:
            return value


def _text(kind: str, field: Mapping[str, Any], value: object) -> str:
    name = field["variable"]
    if not isinstance(value, str):
        raise invalid_param(f"{name} in input form must be a string")
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
    problem = invalid_param(f"{name} in input form must be a valid number")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise problem
    number: float
    if isinstance(value, str):
        try:
            number = float(value) if "." in value else int(value)
        except ValueError:
            raise problem from None
    else:
        number = value
    # The server's form knows no bounds: these are the sandbox's own, so that no run is without end.
    low, high = field.get("minimum", -math.inf), field.get("maximum", math.inf)
    if not low <= number <= high:
        raise invalid_param(f"{name} in input form must be from {low} to {high}")
    return number


def _file_list(field: Mapping[str, Any], value: object, find_file: FindFile) -> list[dict[str, Any]]:
    name = field["variable"]
    files = cast("list[object]", value) if isinstance(value, list) else [None]
    if not all(isinstance(file, dict) for file in files):
        raise invalid_param(f"{name} in input form must be a list of files")
    longest = field.get("max_length")
    if longest and len(files) > longest:
        raise invalid_param(f"{name} in input form must be less than {longest} files")
    return take_files(cast("list[dict[str, Any]]", files), find_file)


def _file(file: Mapping[str, Any], find_file: FindFile) -> dict[str, Any]:
    kind = file.get("type")
    if not isinstance(kind, str) or kind not in _FILE_TYPES:
        raise invalid_param("Invalid file type")
    match file.get("transfer_method"):
        case "local_file":
            upload_id = file.get("upload_file_id")
            row = find_file(upload_id) if isinstance(upload_id, str) else None
            if row is None:
                raise invalid_param("Invalid upload file")
            return {
                **_FILE,
                "type": kind,
                "transfer_method": "local_file",
                "related_id": row.id,
                "filename": row.name,
                "extension": f".{row.extension}" if row.extension else "",
                "mime_type": row.mime_type,
                "size": row.size,
            }
        case "remote_url":
            url = file.get("url")
            if not isinstance(url, str) or not url:
                raise invalid_param("Invalid file url")
            # The server asks there for name, type and size; a sandbox goes nowhere.
            return {**_FILE, "type": kind, "transfer_method": "remote_url", "remote_url": url}
        case _:
            raise invalid_param("Invalid file transfer method")


_FILE: Final[dict[str, Any]] = {
    "dify_model_identity": "__dify__file__",
    "id": None,
    "type": None,
    "transfer_method": None,
    "remote_url": None,
    "related_id": None,
    "filename": None,
    "extension": None,
    "mime_type": None,
    "size": -1,
}
