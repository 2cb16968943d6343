"""What changed in the public Python API, by the text that `public_api` renders of it."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class InterfaceChange(NamedTuple):
    """One line of the public API that is gone, new or different; and whom that concerns.

    Attributes:
        severity: Whether it breaks somebody.
        what: What changed.
        place: The thing by its name and those around it, such as `AppSite.title`.
    """

    severity: Literal["breaking", "additive"]
    what: str
    place: str = ""


def interface_changes(before: str, after: str) -> list[InterfaceChange]:
    """What differs between two such texts, the breaking ones first.

    What is gone or different breaks somebody, unless it is a call that takes more than it took and gives the same, or
    an attribute that has fewer types than it had. What is new is an addition.
    """
    old, new = _placed(before), _placed(after)
    found: list[InterfaceChange] = []
    for name in dict.fromkeys([*old, *new]):
        gone = [line for line in old.get(name, ()) if line not in new.get(name, ())]
        come = [line for line in new.get(name, ()) if line not in old.get(name, ())]
        for was, now in zip(gone, come, strict=False):
            severity: Literal["breaking", "additive"] = (
                "additive" if _takes_more(was, now) or _is_narrower(was, now) else "breaking"
            )
            what = f"{now}, was {was}" if len(was + now) < _WIDE else _reported(was, now)
            found.append(InterfaceChange(severity, what, name))
        found += [InterfaceChange("breaking", f"gone: {line}", name) for line in gone[len(come) :]]
        found += [InterfaceChange("additive", f"new: {line}", name) for line in come[len(gone) :]]
    return sorted(found, key=lambda change: change.severity != "breaking")


_WIDE = 160
_NAME = re.compile(r"\s*(?:(?:async|class|classmethod|def|overload|property|staticmethod)\s+)*(?P<name>[\w.]+)")


def _placed(text: str) -> dict[str, list[str]]:
    """The lines of a text by what they are about: the name that each begins with, below the names around it."""
    found: dict[str, list[str]] = {}
    around: list[tuple[int, str]] = []
    for line in _joined(text):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        while around and around[-1][0] >= indent:
            around.pop()
        match = _NAME.match(line)
        name = match["name"] if match else line.strip()
        place = ".".join([*(outer for _, outer in around), name])
        outer = ".".join(outer for _, outer in around)
        found.setdefault(place, []).append(f"{outer}: {line.strip()}" if outer else line.strip())
        around.append((indent, name))
    return found


def _joined(text: str) -> Iterator[str]:
    """The lines of a text, with each signature on one line."""
    pieces: list[str] = []
    for line in text.splitlines():
        if pieces:
            pieces.append(line.strip())
            if line.strip().startswith(")"):
                yield f"{pieces[0]}{' '.join(pieces[1:-1]).removesuffix(',')}{pieces[-1]}"
                pieces = []
        elif line.endswith("("):
            pieces = [line]
        else:
            yield line
    yield from pieces


def _is_narrower(was: str, now: str) -> bool:
    """Whether an attribute has some of the types that it had."""
    old, new = _ATTRIBUTE.fullmatch(was), _ATTRIBUTE.fullmatch(now)
    if old is None or new is None or old["name"] != new["name"]:
        return False
    return set(new["types"].split(" | ")) < set(old["types"].split(" | "))


_ATTRIBUTE = re.compile(r"(?P<name>(?:\w+: )?(?:property )?\w+): (?P<types>[^()]*?)(?: = ABSENT)?")


def _takes_more(was: str, now: str) -> bool:
    """Whether a signature only grew by arguments that may be left out."""
    old, new = _call(was), _call(now)
    if old is None or new is None or (old[0], old[2]) != (new[0], new[2]):
        return False
    rest = iter(new[1])
    if not all(argument in rest for argument in old[1]):  # in the same order
        return False
    more = [argument for argument in new[1] if argument not in old[1]]
    is_keyword = all("*" in new[1][: new[1].index(argument)] for argument in more)
    return is_keyword and all("=" in argument for argument in more)


def _call(line: str) -> tuple[str, list[str], str] | None:
    """A signature: what is before the brackets, the arguments, what is behind."""
    start, end = line.find("("), line.rfind(")")
    if start < 0 or end < start:
        return None
    arguments, depth, current = [], 0, ""
    for character in line[start + 1 : end]:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and not depth:
            arguments.append(current.strip())
            current = ""
        else:
            current += character
    return line[:start], [argument for argument in [*arguments, current.strip()] if argument], line[end:]


def _reported(was: str, now: str) -> str:
    """Two long lines by what differs in them."""
    words = difflib.ndiff(was.split(", "), now.split(", "))
    reported = [word for word in words if word[0] in "+-"]
    match = _NAME.match(now)
    return f"{match['name'] if match else now[:40]}: {', '.join(reported)}"
