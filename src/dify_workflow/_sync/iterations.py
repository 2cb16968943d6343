"""What walks, follows and streams have in common: how they are iterated, how they end, and who may use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from .._display import described
from .._http.config import CLOSED
from .._http.lifetimes import EndedError, Lifetime

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from .._http.config import Configuration

T = TypeVar("T")


class Iteration(Generic[T]):
    """An iterator that can be closed from any thread, task or signal handler.

    Nothing that runs refers back to this object, so that forgetting it ends all at once.
    """

    __module__ = "dify_workflow.types"

    _kind = "iterator"
    """What messages call it."""

    def __init__(self, life: Lifetime, items: Generator[T], *, configuration: Configuration | None = None) -> None:
        self._life = life
        self._items = items
        self._configuration = configuration
        self._is_finished = False
        life.belongs_to(self)

    def __repr__(self) -> str:
        return described(self, self._configuration, self._state())

    def _state(self) -> Mapping[str, object]:
        """What its repr shows besides the base URL."""
        return {}

    def __iter__(self) -> Self:
        if self._is_finished:
            raise RuntimeError(f"this {self._kind} has been iterated to its end; make a new one to iterate again")
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
        end = self._end()
        if self._life.is_cut and isinstance(end, RuntimeError):
            self._life.close(self._items)
            raise RuntimeError(f"{CLOSED}; {end}")
        self._is_finished = isinstance(end, StopIteration)
        raise end

    def _end(self) -> Exception:
        """What is raised where there is no further item."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._life.refuse_in_child(self._kind)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration, from any thread, task or signal handler, and release its resources."""
        self._life.close(self._items)


def state_of(iteration: Iteration[Any]) -> Mapping[str, object]:
    """What the repr of an iterator shows, for another one that has it inside."""
    return iteration._state()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - a friend of the class


def life_of(iteration: Iteration[Any]) -> Lifetime:
    """The lifetime of an iterator, for another one that it works for."""
    return iteration._life  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - a friend of the class


class Ending:
    """Ends an iterator together with another one, which waits for it.

    Args:
        iteration: the iterator that is waited for.
    """

    def __init__(self, iteration: Iteration[Any]) -> None:
        self._life = life_of(iteration)

    def interrupt(self) -> None:
        """End it."""
        self._life.end()
