"""What is sent for a keyword, so that the server finds what the caller means.

The server searches inputs and outputs as they are stored, as JSON in ASCII, and looks at the first 30 characters of a
keyword only. So the keyword is sent as JSON writes it, which finds the same on every version that was measured
(1.11.2, 1.14.2, 1.16.1). Dify 1.11 writes U+0100 to U+FFFF that way itself: there, such a keyword can be sent as it is
where its JSON is too long.
"""

from __future__ import annotations

import json
import re
from typing import Final

SEARCHED_CHARACTERS: Final = 30
UUID: Final = "[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}"
ESCAPED_BY_SERVER: Final = r"[ !#-\[\]-~\u0100-\ud7ff\ue000-\uffff]*"
"""Text that Dify 1.11 turns into what it stores: ASCII that JSON leaves as it is, and U+0100 to U+FFFF. It is compiled
when it is first needed, which takes milliseconds: most programs give no keyword."""
ESCAPING_VERSION: Final = r"(?s:1\.11(?:\..*)?)"


class Verbatim(str):
    """A `keyword` or `status` for `logs.list`, `logs.iter` and `logs.follow` that is sent unchecked and unescaped.

    >>> client.logs.iter(keyword=Verbatim("müller"))  # an end user's session id, which the server stores unescaped
    >>> client.logs.list(status=Verbatim("archived"))  # a status that neither the SDK nor this server knows
    Traceback (most recent call last):
        ...
    dify_workflow.BadRequestError: GET /v1/workflows/logs: 400 invalid_param: ...
    """

    __module__ = "dify_workflow"

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Verbatim({str(self)!r})"


def sent_keyword(keyword: str, version: str | None) -> str | None:
    """What is sent for a keyword; None where that depends on the server's version, which is not known yet.

    Args:
        keyword: as given by the caller.
        version: the server's version, such as "1.11.2"; "" when the server does not say it, None when it is not known
            yet.

    Raises:
        ValueError: it does not fit into what the server searches; the message names the longest beginning that does.
    """
    if isinstance(keyword, Verbatim):
        return str(keyword)
    escaped = json_text(keyword)
    if len(escaped) <= SEARCHED_CHARACTERS:
        return escaped
    if re.fullmatch(UUID, keyword):  # the server compares it with the run's id
        return keyword
    if len(keyword) <= SEARCHED_CHARACTERS and re.fullmatch(ESCAPED_BY_SERVER, keyword):
        if version is None:
            return None
        if re.fullmatch(ESCAPING_VERSION, version):
            return keyword
    beginning = longest_beginning(keyword, version)
    raise ValueError(
        f"keyword must be shorter: the server searches for its first {SEARCHED_CHARACTERS} characters, and {keyword!r} "
        f"has {len(escaped)} as the server stores text (JSON, with everything outside ASCII as \\uXXXX); the longest "
        f"beginning that fits is {beginning!r}"
    )


def longest_beginning(keyword: str, version: str | None) -> str:
    """The longest beginning of a keyword that fits into what the server searches."""
    length = used = 0
    for character in keyword:
        used += len(json_text(character))
        if used > SEARCHED_CHARACTERS:
            break
        length += 1
    if version is not None and re.fullmatch(ESCAPING_VERSION, version):
        as_it_is = re.match(ESCAPED_BY_SERVER, keyword[:SEARCHED_CHARACTERS])
        length = max(length, as_it_is.end() if as_it_is else 0)
    return keyword[:length]


def json_text(text: str) -> str:
    """A text as JSON in ASCII writes it, without the quotes."""
    return json.dumps(text)[1:-1]
