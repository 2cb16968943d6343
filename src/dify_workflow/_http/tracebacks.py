"""What an exception shows besides its text: the exceptions behind it, and the frames with their variables.

Crash reporters send the variables of every frame. Those of the libraries that carry the bytes hold the request's
headers, and what they raise may quote what the server sent.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .secrets import Secret

CARRIERS: Final = frozenset(
    {"anyio", "dify_workflow", "h11", "h2", "httpcore", "httpcore2", "httpx", "httpx2", "socket", "ssl"}
)
"""Packages whose frames below the one that catches an exception are not shown."""
TEXTS: Final = (str, bytes, bytearray)


def links_of(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that are behind it: causes, contexts, members of groups, and those in arguments."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        link = waiting.pop()
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [link.__cause__, link.__context__, *link.args]
        waiting += getattr(link, "exceptions", ())  # of a group


def hide_frames(error: BaseException) -> None:
    """Take the frames of what carries the bytes out of the tracebacks of an exception and of those behind it.

    The frame that catches it stays, and so do those of the caller's own code, such as a file that is uploaded.
    """
    for link in links_of(error):
        frames: list[TracebackType] = []
        traceback = link.__traceback__
        while traceback is not None:
            module = str(traceback.tb_frame.f_globals.get("__name__", ""))
            if not frames or module.partition(".")[0] not in CARRIERS:
                frames.append(traceback)
            traceback = traceback.tb_next
        rest: TracebackType | None = None
        for frame in reversed(frames):
            rest = TracebackType(rest, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
        link.__traceback__ = rest


def redact(error: BaseException, secret: Secret) -> None:
    """Take a secret out of an exception and of those behind it: out of their texts, arguments and attributes."""
    for link in links_of(error):
        if not secret.is_in(_shown(link)):
            continue
        _redact_link(link, secret)
    for link in links_of(error):  # what could not be changed is not kept
        for name in ("__cause__", "__context__"):
            behind = getattr(link, name)
            if behind is not None and secret.is_in(_shown(behind)):
                setattr(link, name, None)


def _redact_link(link: BaseException, secret: Secret) -> None:
    link.args = tuple(_redacted(argument, secret) for argument in link.args)
    attributes: dict[str, Any] = vars(link)
    for name, value in list(attributes.items()):
        attributes[name] = _redacted(value, secret)
    for name in ("strerror", "filename", "filename2", "object", "reason", "doc", "msg"):  # kept beside the arguments
        value = getattr(link, name, None)
        if isinstance(value, TEXTS):
            setattr(link, name, _redacted(value, secret))


def _redacted(value: object, secret: Secret) -> object:
    if isinstance(value, str):
        return secret.redact(value)
    if isinstance(value, bytes | bytearray):
        return secret.redact_bytes(bytes(value))
    if isinstance(value, list):
        return [_redacted(item, secret) for item in cast("list[object]", value)]
    if isinstance(value, BaseException) or not secret.is_in(repr(value)):
        return value
    return secret.redact(repr(value))


def _shown(link: BaseException) -> str:
    # Not the exceptions that it refers to: each is looked at by itself.
    arguments = [argument for argument in link.args if not isinstance(argument, BaseException)]
    own = str(link) if len(arguments) == len(link.args) else ""
    kept = [getattr(link, name, None) for name in ("strerror", "filename", "object", "doc", "msg")]
    return "\n".join([own, repr(arguments), repr(vars(link)), repr(kept)])
