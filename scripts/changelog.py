"""The changelog at a release: its unreleased part becomes the entry of the new version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from project import RefusalError

if TYPE_CHECKING:
    from datetime import date

    from diff.changes import Change
    from versions import Version

_UNRELEASED = re.compile(
    r"^## (?:[0-9.]+ - )?unreleased[ \t]*\n(.*?)(?=^## |\Z)", re.MULTILINE | re.IGNORECASE | re.DOTALL
)


def released(text: str, version: Version, day: date, changes: list[Change]) -> tuple[str, str]:
    """The changelog with an entry for a version in place of its unreleased part, and that entry.

    Args:
        text: The changelog.
        version: The new version.
        day: Its date.
        changes: What changed in the spec; it is listed below what was written by hand.

    Raises:
        RefusalError: There is nothing unreleased, or there is an entry for this version.
    """
    if re.search(rf"^## {re.escape(str(version))} - (?!unreleased)", text, re.MULTILINE | re.IGNORECASE):
        raise RefusalError(f"CHANGELOG.md has an entry for {version} already")
    found = _UNRELEASED.search(text)
    written = found[1].strip("\n") if found else ""
    if not written.strip() and not changes:
        raise RefusalError("CHANGELOG.md has nothing unreleased: write what this release brings below `## Unreleased`")
    parts = [f"## {version} - {day.isoformat()}", written, _spec_part(changes)]
    entry = "\n\n".join(part for part in parts if part.strip()) + "\n"
    first = re.search(r"^## ", text, re.MULTILINE)
    start, end = found.span() if found else (first.start() if first else len(text),) * 2
    rest = text[end:]
    return text[:start].rstrip("\n") + f"\n\n{entry}" + (f"\n{rest}" if rest else ""), entry


def _spec_part(changes: list[Change]) -> str:
    """What changed in the spec; of wordings only how many."""
    lines = []
    for change in changes:
        if change.severity != "wording":
            mark = "**breaking:** " if change.severity == "breaking" else ""
            lines.append(f"- {mark}`{_plain(change.where).replace('`', chr(39))}`: {_escaped(_plain(change.what))}")
    if words := len(changes) - len(lines):
        lines.append(f"- {words} of its texts and names {'has' if words == 1 else 'have'} changed, with no effect.")
    return "### The API's spec\n\n" + "\n".join(lines) if lines else ""


def _plain(text: str) -> str:
    """On one line, without invisible characters: a part of the text is the vendor's."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _escaped(text: str) -> str:
    return re.sub(r"([\\<\[`])", r"\\\1", text)
