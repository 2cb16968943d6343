"""What a process that was forked does with what its parent had opened: it neither uses nor closes it.

Two processes that use one connection read each other's responses, and one that closes it in an orderly way ends it for
the other. So in the child, everything registered here drops what it inherited, which is then referred to for as
long as the child lives: no finalizer may run on it. Locks, which a thread of the parent may have held, are renewed.

Nothing of this costs anything in a process that does not fork.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

if TYPE_CHECKING:
    from typing import Protocol

    class Inheritable(Protocol):
        """Something that a child must not share with its parent."""

        def leave_to_parent(self) -> object:
            """Drop, in the child, what the parent opened, and return it."""
            ...


class _Inheritance:
    """What exists, and in a child what it inherited. `os` refers to it, so that it outlives every module."""

    def __init__(self) -> None:
        self.registered: WeakSet[Inheritable] = WeakSet()
        self._kept: list[object] = []

    def leave_all_to_parent(self) -> None:
        """Have everything drop what it inherited."""
        self._kept += [one.leave_to_parent() for one in list(self.registered)]


_inheritance: Final = _Inheritance()
if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_inheritance.leave_all_to_parent)


def register(one: Inheritable) -> None:
    """Have something drop what it inherited in each child that is forked while it exists."""
    _inheritance.registered.add(one)
