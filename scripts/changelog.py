"""The changelog at a release: its unreleased part becomes the entry of the new version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from spec_report import Change
    from versions import Version

_HEADING = re.compile(r"^## (.+?)[ \t]*$", re.MULTILINE)
_UNRELEASED = re.compile(r"(?:(?P<version>[0-9.]+) - )?unreleased", re.IGNORECASE)


class ChangelogError(Exception):
    """The changelog does not say what a release needs."""


def unreleased_version(text: str) -> str | None:
    """The version that the heading of the unreleased part names; None where it names none, or where there is no part.

    So it is before the first release, and the heading is `## 0.1.0 - unreleased` then.
    """
    heading = _HEADING.search(text)
    found = _UNRELEASED.fullmatch(heading[1]) if heading else None
    return found["version"] if found else None


def released(text: str, version: Version, day: date, changes: list[Change]) -> tuple[str, str]:
    """The changelog with an entry for a version in place of its unreleased part, and that entry.

    Args:
        text: The changelog.
        version: The new version.
        day: Its date.
        changes: What changed in the spec; it is told below what was written by hand.

    Raises:
        ChangelogError: There is nothing to tell, or there is an entry for this version.
    """
    headings = list(_HEADING.finditer(text))
    if any(heading[1].split(" ")[0] == str(version) and not _UNRELEASED.fullmatch(heading[1]) for heading in headings):
        raise ChangelogError(f"CHANGELOG.md has an entry for {version} already")
    start = headings[0].start() if headings else len(text)
    end, written = start, ""
    if headings and _UNRELEASED.fullmatch(headings[0][1]):
        end = headings[1].start() if len(headings) > 1 else len(text)
        written = text[headings[0].end() : end].strip("\n")
    if not written.strip() and not changes:
        raise ChangelogError(
            "CHANGELOG.md has nothing that is unreleased: write what this release brings below a first heading "
            "`## Unreleased`"
        )
    parts = [f"## {version} - {day.isoformat()}", written, _spec_part(changes)]
    entry = "\n\n".join(part for part in parts if part.strip()) + "\n"
    before, behind = text[:start].rstrip("\n"), text[end:]
    return f"{before}\n\n{entry}" + (f"\n{behind}" if behind else ""), entry


def _spec_part(changes: list[Change]) -> str:
    """What changed in the spec; of texts only how many there are."""
    lines = []
    for change in changes:
        if change.severity != "wording":
            mark = "**breaking:** " if change.severity == "breaking" else ""
            # Each on one line: at the start of another, some of it could be a heading or a list.
            lines.append(f"- {mark}`{_plain(change.where).replace('`', chr(39))}`: {_escaped(_plain(change.what))}")
    if words := sum(change.severity == "wording" for change in changes):
        lines.append(
            f"- {words} of its texts and names {'has' if words == 1 else 'have'} changed, and nothing by them."
        )
    return "### The API's spec\n\n" + "\n".join(lines) if lines else ""


def _plain(text: str) -> str:
    """On one line, with nothing in it that is not seen: a part of it is the vendor's."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _escaped(text: str) -> str:
    return re.sub(r"([\\<\[`])", r"\\\1", text)
