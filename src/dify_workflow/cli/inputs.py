"""Inputs of runs and forms, as they are given on the command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dify_workflow import DifyWorkflow

HELP = (
    "An input: NAME=TEXT, NAME:=JSON for other values, NAME=@FILE uploads a file. NAME[]=... adds to a list. "
    "May be repeated."
)


class FileToUpload(NamedTuple):
    """A file that is to be uploaded."""

    path: Path


def inputs_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options for inputs; the command gets them as `given` and `inputs`, for `read_inputs`."""
    function = click.option(
        "--inputs", metavar="FILE", help="A JSON object of inputs; - is standard input. --input replaces single ones."
    )(function)
    return click.option("-i", "--input", "given", multiple=True, metavar="NAME=VALUE", help=HELP)(function)


def read_inputs(given: tuple[str, ...], inputs: str | None) -> dict[str, Any]:
    """The inputs by name; files are still to be uploaded.

    Raises:
        click.UsageError: one that can't be meant.
    """
    values = {} if inputs is None else _object_in(inputs)
    named: set[str] = set()
    for one in given:
        name, sign, text = one.partition("=")
        if not sign:
            raise click.UsageError(f"--input takes NAME=VALUE, got {one!r}")
        is_json = name.endswith(":")
        name = name.removesuffix(":")
        is_item = name.endswith("[]")
        name = name.removesuffix("[]")
        if not name:
            raise click.UsageError(f"--input takes NAME=VALUE, got {one!r}")
        value = _json(name, text) if is_json else _file(name, text[1:]) if text.startswith("@") else text
        if not is_item:
            if name in named:
                raise click.UsageError(f"the input {name!r} is given twice: {name}[]=... makes a list")
            values[name] = value
        elif name in named and isinstance(values[name], list):
            values[name].append(value)
        elif name in named:
            raise click.UsageError(f"the input {name!r} is given as a value and as a list")
        else:
            values[name] = [value]
        named.add(name)
    return values


def uploaded(value: Any, client: DifyWorkflow, user: str) -> Any:  # noqa: ANN401 - JSON is anything
    """A value in which each file has been uploaded."""
    if isinstance(value, FileToUpload):
        return client.files.upload(value.path, user=user)
    return [uploaded(item, client, user) for item in _items(value)] if isinstance(value, list) else value


def _items(value: Any) -> list[Any]:  # noqa: ANN401 - as above
    return list(value)


def file_at(option: str, name: str) -> FileToUpload:
    """A file that there is.

    Raises:
        click.UsageError: there is none.
    """
    from pathlib import Path

    path = Path(name)
    if not path.is_file():
        raise click.UsageError(f"{option}: there is no file {name!r}")
    return FileToUpload(path)


def _file(name: str, path: str) -> FileToUpload:
    from pathlib import Path

    if not Path(path).is_file():
        raise click.UsageError(
            f"input {name!r}: there is no file {path!r}; text that begins with @ is given as {name}:='\"@...\"'"
        )
    return FileToUpload(Path(path))


def _json(name: str, text: str) -> object:
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"the input {name!r} is not valid JSON: {error}") from None


def _object_in(name: str) -> dict[str, Any]:
    import json
    from pathlib import Path

    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise click.UsageError(f"--inputs: {name}: {error.strerror}") from None
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"--inputs: {name} is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise click.UsageError(f"--inputs: {name} must have a JSON object of inputs by name")
    return cast("dict[str, Any]", value)
