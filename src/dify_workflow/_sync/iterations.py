"""What walks, follows and streams have in common: how they are iterated, how they end, and who may use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from .._lifetimes import EndedError, Lifetime

if TYPE_CHECKING:
    from collections.abc import Generator

T = TypeVar("T")


class Iteration(Generic[T]):
    """An iterator over items that a generator makes, which can be closed from anywhere.

    Nothing that runs refers back to this object, so that forgetting it ends all at once.
    """

    __module__ = "dify_workflow.types"

    _kind = "iterator"
    """What messages call it."""

    def __init__(self, life: Lifetime, items: Generator[T]) -> None:
        self._life = life
        self._items = items
        life.belongs_to(self)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._life.is_open:
            try:
                return next(self._items)
            except (StopIteration, EndedError):
                pass
            except (ValueError, RuntimeError) as error:
                self._life.check_clash(error)
        self._life.refuse_in_child(self._kind)
        raise self._end()

    def _end(self) -> Exception:
        """What is raised where there is no further item."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._life.refuse_in_child(self._kind)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration, from wherever this is called; nothing of it stays behind."""
        self._life.close(self._items)


def life_of(iteration: Iteration[Any]) -> Lifetime:
    """The lifetime of an iterator, for another one that it works for."""
    return iteration._life  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - a friend of the class
