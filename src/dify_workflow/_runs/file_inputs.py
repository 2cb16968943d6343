"""Paths of files among the inputs of a run, which are uploaded first: objects of `pathlib`, as a string is text."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from .upload import content_type_of, type_of_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NO_ID: Final = "00000000-0000-0000-0000-000000000000"


def paths_in(value: object) -> list[Path]:
    """The paths in inputs, at any depth, each once."""
    found: dict[Path, None] = {}
    with_paths_replaced(value, found.setdefault)
    return list(found)


def with_paths_replaced(value: object, replace: Callable[[Path], object]) -> Any:  # noqa: ANN401 - JSON is anything
    """Inputs in which something stands for each path."""
    if isinstance(value, os.PathLike):
        return replace(Path(os.fsdecode(cast("os.PathLike[str]", value))))
    if isinstance(value, Mapping):
        fields = cast("Mapping[object, object]", value)
        return {name: with_paths_replaced(one, replace) for name, one in fields.items()}
    if isinstance(value, list | tuple):
        return [with_paths_replaced(one, replace) for one in cast("Iterable[object]", value)]
    return value


def to_check(inputs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
    """Inputs as the app's form is to see them, before anything is uploaded.

    Raises:
        FileNotFoundError: a path leads to no file.
    """
    return with_paths_replaced(inputs, _as_input)


def _as_input(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise FileNotFoundError(2, "there is no such file", str(path))
    kind = type_of_file(path.name, content_type_of(path.name))
    return {"type": kind, "transfer_method": "local_file", "upload_file_id": NO_ID}


class Contents:
    """The digests of files' contents; each file is read once for as long as it does not change.

    Args:
        most: so many are remembered.
    """

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._known: dict[tuple[str, int, int], str] = {}

    def digest(self, path: Path) -> str:
        """The digest of a file's name and content: a server detects the kind of a file by the end of its name.

        Raises:
            OSError: it cannot be read.
        """
        about = path.stat()
        key = (str(path), about.st_mtime_ns, about.st_size)
        found = self._known.get(key)
        if found is None:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            found = hashlib.sha256(f"{path.name}/{content}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[key] = found
        return found
