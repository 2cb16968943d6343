"""Packages that only some features need: imported when such a feature is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def imported(name: str, extra: str) -> ModuleType:
    """A module of an optional package.

    Args:
        name: the module.
        extra: the extra of this distribution that installs it.

    Raises:
        ImportError: it is not installed; the message has the command that installs it.
    """
    from importlib import import_module  # noqa: PLC0415 - loaded when needed

    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != name.partition(".")[0]:
            raise
        raise ImportError(
            f"this needs {error.name}: pip install 'dify-workflow-sdk[{extra}]'", name=error.name
        ) from None
