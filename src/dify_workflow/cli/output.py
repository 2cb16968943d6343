"""Formats of the output, and progress."""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, Any, Final, cast

import click

from .errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

_C1: Final = re.compile("[\x7f-\x9f]")
TERMINAL_SECONDS: Final = 0.2
LINE_SECONDS: Final = 10.0


def default_format() -> str:
    """The format where none was chosen."""
    return "table" if sys.stdout.isatty() else "jsonl"


def json_text(value: object, *, indent: int | None = None) -> str:
    """A value as JSON which the output can carry, without characters that control a terminal."""
    import json

    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:  # a lone surrogate, or a terminal that is not UTF-8
        return json.dumps(value, indent=indent).replace("\x7f", "\\u007f")
    return _C1.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def iso(moment: datetime) -> str:
    """A time in UTC as ISO 8601."""
    return moment.isoformat().replace("+00:00", "Z")


def print_object(value: Mapping[str, Any], output: str) -> None:
    """Print one object: as lines of names and values, as an indented JSON document, or as one line of JSON."""
    if output == "table":
        for name, text in _lines(value):
            click.echo(f"{name}: {printable(text)}")
    else:
        click.echo(json_text(value, indent=2 if output == "json" else None))


def print_objects(values: Sequence[tuple[str, Mapping[str, Any]]], output: str) -> None:
    """Print the objects of several apps, each with the name of its profile as `app`."""
    objects = [{"app": name, **value} for name, value in values]
    if output == "json":
        click.echo(json_text(objects, indent=2))
        return
    for number, value in enumerate(objects):
        if output == "table" and number:
            click.echo()
        print_object(value, output)


def _lines(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, item in value.items():
        if fields := _fields(item):
            yield from _lines(fields, f"{prefix}{name}.")
        elif item is not None:
            yield f"{prefix}{name}", item if isinstance(item, str) else json_text(item)


def _fields(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


class Progress:
    """How far a command is, on stderr: on a terminal in place, else a line every ten seconds."""

    def __init__(self, *, quiet: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._is_terminal = sys.stderr.isatty()
        # On one terminal the output itself shows the progress.
        self._is_on = not quiet and not (self._is_terminal and sys.stdout.isatty())
        self._clock = clock
        self._seconds = TERMINAL_SECONDS if self._is_terminal else LINE_SECONDS
        self._next = clock() + self._seconds
        self._is_shown = False

    def show(self, count: int) -> None:
        """Note that so many were read."""
        if self._is_on and self._clock() >= self._next:  # most calls end here
            self.show_text(f"{count:,} logs read")

    def show_text(self, text: str) -> None:
        """Show how far it is, if it is time to."""
        if not self._is_on or self._clock() < self._next:
            return
        self._next = self._clock() + self._seconds
        self._is_shown = True
        click.echo(f"\r{text}\x1b[K" if self._is_terminal else text, nl=not self._is_terminal, err=True)

    def end(self) -> None:
        """Remove what was printed in place."""
        if self._is_shown and self._is_terminal:
            click.echo("\r\x1b[K", nl=False, err=True)
