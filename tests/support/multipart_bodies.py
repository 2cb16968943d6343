"""Multipart bodies taken apart by a parser that is not ours: the one of Python's `email`."""

from __future__ import annotations

from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from email.message import EmailMessage


@dataclass(frozen=True)
class Part:
    """One part of a body."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: str | None = None


def parts_of(content_type: str, body: bytes) -> list[Part]:
    """The parts of a body, in their order."""
    # Names of files are UTF-8 as they are, which the parser of mails keeps as surrogates.
    head = b"Content-Type: " + content_type.encode() + b"\r\n\r\n"
    message = cast("EmailMessage", BytesParser(policy=HTTP).parsebytes(head + body))
    assert message.get_content_type() == "multipart/form-data"
    assert message.defects == []
    return [_part(cast("EmailMessage", part)) for part in message.iter_parts()]


def _part(message: EmailMessage) -> Part:
    assert message.get_content_disposition() == "form-data"
    parameters = dict(message.get_params(header="content-disposition", unquote=True) or [])
    content = message.get_payload(decode=True)
    assert isinstance(content, bytes)
    filename = parameters.get("filename")
    return Part(
        name=parameters["name"],
        content=content,
        filename=None if filename is None else filename.encode("utf-8", "surrogateescape").decode(),
        content_type=message["content-type"],
    )
