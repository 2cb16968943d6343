"""What the resources of a client have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..base_client import Caller


class Resource:
    """A group of operations, such as `client.logs`."""

    __module__ = "dify_workflow.types"
    __slots__ = ("_caller",)

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def __repr__(self) -> str:
        from ..._display import described  # noqa: PLC0415 - loaded when needed

        return described(self, self._caller.configuration, {})


def caller_of(resource: Resource) -> Caller:
    """What a resource calls operations with, for what it makes."""
    return resource._caller  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - a friend of the class
