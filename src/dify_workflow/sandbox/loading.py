"""What the command line names and the sandbox needs: a workflow function, a form, and traps."""

import dataclasses
import importlib.util
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast, get_args

from .faults import LogOrder, Traps
from .workflow_steps import Workflow

__all__ = ["LoadError", "apply_traps", "load_form", "load_workflow"]


class LoadError(Exception):
    """An option of the command line that cannot be used; the message says why, and what to do."""


# Workflows --------------------------------------------------------------------------------------------------------


def load_workflow(place: str) -> Workflow:
    """Load a function from `FILE.py:FUNCTION`; the file's folder can be imported from.

    Raises:
        LoadError: If there is no such file or function, or the file cannot be imported.
    """
    file, separator, name = place.rpartition(":")
    if not separator or not file or not name:
        raise LoadError(f"--workflow takes FILE.py:FUNCTION, such as flow.py:answer, got {place!r}")
    path = Path(file)
    if not path.is_file():
        raise LoadError(f"--workflow: there is no file {file}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise LoadError(f"--workflow: {file} is not a Python file; its name has to end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise LoadError(f"--workflow: {file} cannot be imported: {type(error).__name__}: {error}") from error
    function = getattr(module, name, None)
    if function is None:
        functions = sorted(found for found, value in vars(module).items() if _is_its_function(value, module.__name__))
        known = f"; it has {', '.join(functions)}" if functions else ""
        raise LoadError(f"--workflow: {file} has no function {name}{known}")
    if not callable(function):
        raise LoadError(f"--workflow: {name} in {file} is not a function but {type(function).__name__}")
    return cast("Workflow", function)


def _is_its_function(value: object, module: str) -> bool:
    return callable(value) and not isinstance(value, type) and getattr(value, "__module__", None) == module


# Forms ------------------------------------------------------------------------------------------------------------


def load_form(file: str) -> list[dict[str, Any]]:
    """Load a form from the response of `GET /parameters`, or from its `user_input_form` alone.

    Raises:
        LoadError: If the file cannot be read or is not a form.
    """
    try:
        content: object = json.loads(Path(file).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise LoadError(f"--form: cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise LoadError(f"--form: {file} is not JSON: {error}") from None
    if isinstance(content, dict):
        content = cast("dict[str, object]", content).get("user_input_form")
    if not isinstance(content, list):
        raise LoadError(f"--form: {file} has no user_input_form; save there what GET /parameters of your app returns")
    return [_form_item(file, number, item) for number, item in enumerate(cast("list[object]", content))]


def _form_item(file: str, number: int, item: object) -> dict[str, Any]:
    """Check one item, and write it the way that servers do: an object with one key, the field's kind."""
    fields = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
    if isinstance(fields.get("type"), str) and isinstance(fields.get("variable"), str):
        fields = {fields["type"]: fields}
    for kind, field in fields.items():
        if not isinstance(field, dict) or not isinstance(cast("dict[str, Any]", field).get("variable"), str):
            break
        if kind == "select" and not isinstance(cast("dict[str, Any]", field).get("options"), list):
            raise LoadError(f"--form: item {number} of {file}: a select needs a list of options")
    else:
        if fields:
            return fields
    raise LoadError(
        f"--form: item {number} of {file} is not a field; one looks like "
        '{"text-input": {"variable": "query", "label": "Query", "required": true}}'
    )


# Traps ------------------------------------------------------------------------------------------------------------


def apply_traps(traps: Traps, assignments: Iterable[str]) -> None:
    """Set traps from texts such as `latency=0.05,queue_delay=2`.

    Raises:
        LoadError: For a name that is not a trap, or a value that it cannot have.
    """
    for assignment in (part.strip() for text in assignments for part in text.split(",")):
        name, separator, value = (part.strip() for part in assignment.partition("="))
        if name not in _KINDS:
            raise LoadError(f"--traps: there is no trap {name!r}; there are {', '.join(_KINDS)}")
        if not separator:
            raise LoadError(f"--traps: {name} needs a value, such as {name}={_EXAMPLES[_KINDS[name]]}")
        setattr(traps, name, _trap_value(name, value))


# The kinds of values by the annotations of `Traps`; what takes a function has none.
_VALUES: Final[Mapping[Any, str]] = {
    float: "number",
    float | None: "number or none",
    int: "integer",
    int | None: "integer or none",
    bool: "true or false",
    bool | None: "true, false or none",
    LogOrder: "order",
}
_KINDS: Final = {field.name: _VALUES[field.type] for field in dataclasses.fields(Traps) if field.type in _VALUES}
_EXAMPLES: Final = {
    "number": "0.5",
    "number or none": "0.5",
    "integer": "3600",
    "integer or none": "2",
    "true or false": "true",
    "true, false or none": "true",
    "order": "unsorted",
}


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value


_ORDERS: Final[Sequence[str]] = get_args(LogOrder)
_CONVERSIONS: Final[Mapping[str, Callable[[str], object]]] = {
    "number": _seconds,
    "integer": int,
    "true": {"true": True, "false": False}.__getitem__,
    "order": lambda text: _ORDERS[_ORDERS.index(text.replace("_", " "))],
}


def _trap_value(name: str, text: str) -> object:
    kind = _KINDS[name]
    if text.lower() == "none" and kind.endswith("none"):
        return None
    try:
        return _CONVERSIONS[kind.split()[0].rstrip(",")](text.lower())
    except (ValueError, KeyError):
        allowed = " or ".join(_ORDERS) if kind == "order" else kind
        raise LoadError(f"--traps: {name} must be {allowed}, got {text!r}") from None
