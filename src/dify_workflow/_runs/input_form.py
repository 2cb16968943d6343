"""The app's form: what a run takes for its inputs, by the rules that Dify servers apply to them."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, cast

from .._http.decode import is_object
from .arguments import checked_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..models import AppParameters

Form = list[tuple[str, dict[str, Any]]]
"""Kind and settings of each input that the form names."""

TEXTS: Final = frozenset({"text-input", "paragraph"})
FILES: Final = frozenset({"file", "file-list"})


def form_of(parameters: AppParameters) -> Form:
    """The form that `GET /parameters` describes; items of an unknown shape are left out."""
    items: object = parameters.to_dict().get("user_input_form")
    form: Form = []
    for item in cast("list[object]", items) if isinstance(items, list) else []:
        if not is_object(item):
            continue
        for kind, field in item.items():
            if is_object(field) and isinstance(field.get("variable"), str):
                form.append((kind, field))
    return form


def check_inputs(inputs: Mapping[str, Any], form: Form) -> None:
    """Check inputs against a form, as the server does.

    Raises:
        ValueError: they are not a JSON object, or do not fit the form; the message lists each problem and the form.
    """
    given = checked_inputs(inputs)
    problems = [*_unknown(given, form)]
    for kind, field in form:
        problems.extend(_problems(kind, field, given.get(field["variable"])))
    if problems:
        wanted = "\n".join(f"  {_described(kind, field)}" for kind, field in form)
        found = "\n".join(f"  {problem}" for problem in problems)
        raise ValueError(f"these inputs do not fit the app's form:\n{found}\nThe form takes:\n{wanted}")


def _unknown(given: Mapping[str, Any], form: Form) -> Iterator[str]:
    names = [field["variable"] for _, field in form]
    if not names:  # an app without a form may still read what it is sent
        return
    for name in given:
        if name not in names and not name.startswith("sys."):
            near = get_close_matches(name, names, 1)
            yield f"{name}: the form has no input of this name" + (f"; did you mean {near[0]!r}?" if near else "")


def _problems(kind: str, field: dict[str, Any], value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON is anything
    name = field["variable"]
    if value is None:
        if field.get("required"):
            yield f"{name}: required"
        return
    problem = _problem(kind, field, value)
    if problem is not None:
        yield f"{name}: {problem}"


def _problem(kind: str, field: dict[str, Any], value: Any) -> str | None:  # noqa: ANN401, PLR0911 - JSON; one per rule
    if kind in TEXTS or kind == "select":
        return _text_problem(kind, field, value)
    if kind == "number":
        return None if _is_number(value) else f"must be a number, got {value!r}"
    if kind == "checkbox":
        return None if isinstance(value, bool) else f"must be True or False, got {value!r}"
    if kind == "file":
        return _file_problem(field, value)
    if kind == "file-list":
        if not isinstance(value, list):
            return f"must be a list of files, got {value!r}"
        most: object = field.get("max_length")
        if isinstance(most, int) and 0 < most < len(value):  # pyright: ignore[reportUnknownArgumentType] - JSON
            return f"takes at most {most} files, got {len(value)}"  # pyright: ignore[reportUnknownArgumentType] - JSON
        return next((problem for file in cast("list[object]", value) if (problem := _file_problem(field, file))), None)
    return None


def _text_problem(kind: str, field: dict[str, Any], value: object) -> str | None:
    if not isinstance(value, str):
        return f"must be a string, got {value!r}"
    if kind == "select":
        known = _listed(field, "options")
        return None if value in known else f"must be one of {', '.join(map(repr, known))}, got {value!r}"
    longest: object = field.get("max_length")
    if isinstance(longest, int) and 0 < longest < len(value):
        return f"takes at most {longest} characters, got {len(value)}"
    return None


def _is_number(value: object) -> bool:
    if isinstance(value, int | float):  # the server takes True for 1
        return True
    if not isinstance(value, str):
        return False
    try:
        float(value or 0)
    except ValueError:
        return not value.strip()
    return True


def _file_problem(field: dict[str, Any], value: object) -> str | None:
    if not is_object(value):
        return f"must be a file: an upload, or what as_input() and remote_file() return; got {value!r}"
    for key, allowed in (("type", "allowed_file_types"), ("transfer_method", "allowed_file_upload_methods")):
        found, known = value.get(key), _listed(field, allowed)
        if known and found is not None and found not in known:
            return f"takes files with {key} {' or '.join(map(repr, known))}, got {found!r}"
    return None


def _described(kind: str, field: dict[str, Any]) -> str:
    details = [kind, "required" if field.get("required") else "optional"]
    most: object = field.get("max_length")
    if kind in TEXTS and most:
        details.append(f"at most {most} characters")
    elif kind == "file-list" and most:
        details.append(f"at most {most} files")
    elif kind == "select":
        details.append("one of " + ", ".join(map(repr, _listed(field, "options"))))
    if kind in FILES and (types := _listed(field, "allowed_file_types")):
        details.append("types " + ", ".join(map(str, types)))
    return f"{field['variable']}: {', '.join(details)}"


def _listed(field: dict[str, Any], name: str) -> list[object]:
    found: object = field.get(name)
    return cast("list[object]", found) if isinstance(found, list) else []
