"""The resources of a client, and what they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..base_client import BaseClient


class Resource:
    """A group of operations, such as `client.logs`."""

    __module__ = "dify_workflow.types"
    __slots__ = ("_base_client",)

    def __init__(self, base_client: BaseClient) -> None:
        self._base_client = base_client

    def __repr__(self) -> str:
        from ..._display import described  # noqa: PLC0415 - loaded when needed

        return described(self, self._base_client.configuration, {})


def base_client_of(resource: Resource) -> BaseClient:
    """What a resource calls operations with, for what it makes."""
    return resource._base_client  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - a friend of the class
