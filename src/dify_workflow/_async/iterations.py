"""What walks, follows and streams have in common: how they are iterated, how they end, and who may use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from .._lifetimes import AsyncLifetime, EndedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

T = TypeVar("T")


class AsyncIteration(Generic[T]):
    """An iterator over items that a generator makes, which can be closed from anywhere.

    Nothing that runs refers back to this object, so that forgetting it ends all at once.
    """

    __module__ = "dify_workflow.types"

    _kind = "iterator"
    """What messages call it."""

    def __init__(self, life: AsyncLifetime, items: AsyncGenerator[T]) -> None:
        self._life = life
        self._items = items
        life.belongs_to(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._life.is_open:
            try:
                return await anext(self._items)
            except (StopAsyncIteration, EndedError):
                pass
            except (ValueError, RuntimeError) as error:
                self._life.check_clash(error)
        self._life.refuse_in_child(self._kind)
        raise self._end()

    def _end(self) -> Exception:
        """What is raised where there is no further item."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        self._life.refuse_in_child(self._kind)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the iteration, from wherever this is called; nothing of it stays behind."""
        await self._life.close(self._items)


def life_of(iteration: AsyncIteration[Any]) -> AsyncLifetime:
    """The lifetime of an iterator, for another one that it works for."""
    return iteration._life  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - a friend of the class
