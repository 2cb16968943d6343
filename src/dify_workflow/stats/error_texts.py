"""Group errors: what stays the same when the same thing fails again."""

from __future__ import annotations

import re

LONGEST_LINE = 500
"""Characters of an error's first line that are looked at."""

NO_TEXT = "(no error text)"

_VARIABLE = re.compile(
    r"""
      \b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b  # a UUID
    | \b(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{8,}\b                  # an id in hexadecimal digits
    | \b0[xX][0-9a-fA-F]+\b
    | (?<!\w)'[^']*'(?!\w) | "[^"]*" | `[^`]*` | “[^”]*” | ‘[^’]*’ | 「[^」]*」 | «[^»]*»
    | \d+(?:[.,:]\d+)*
    """,
    re.VERBOSE,
)


def first_line(error: object) -> str:
    """The first line of an error that is not blank, without blanks around it; "" if there is none."""
    if not isinstance(error, str):
        return "" if error is None else repr(error)[:LONGEST_LINE]
    for line in error.splitlines():
        if text := line.strip():
            return text[:LONGEST_LINE]
    return ""


def normalized(line: str) -> str:
    """A first line with each id, number and quoted text replaced by "…"."""
    return re.sub(r"…(?:\s*…)+", "…", _VARIABLE.sub("…", line)) or NO_TEXT
