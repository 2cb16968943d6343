"""Walks within their span: its requests are made while it is the current one, and it ends with the walk."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from .._logs.walk import PageRequest
    from .._tracing.spans import WalkSpan

T = TypeVar("T")
Asked = TypeVar("Asked", bound="PageRequest | str")


async def traced_call(span: WalkSpan, call: Callable[[Asked], Awaitable[T]], asked: Asked) -> T:
    """What a call gives that a walk makes."""
    span.count(asked)
    with span.current():
        return await call(asked)


async def traced_items(span: WalkSpan, items: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """The items of a walk, whose span ends with them."""
    try:
        async with aclosing(items):
            async for item in items:
                span.rows += 1
                yield item
    except BaseException as error:
        span.failed(error)
        raise
    span.end()
