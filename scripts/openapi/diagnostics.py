"""What is wrong with a document, and how it is said."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that is wrong.

    Attributes:
        line: The line of the file that was read, from 1; 0 when there is no file, as for the compiled document.
        where: A JSON pointer into the document, or nothing when the text could not be read as a document.
        text: What is wrong, and what is allowed.
        rule: The name of the lint rule that found it, or nothing.
    """

    line: int
    where: str
    text: str
    rule: str = ""

    def said(self, name: str) -> str:
        """The finding in one line, as compilers say it: `FILE:LINE: where: what is wrong [rule]`."""
        place = f"{shown(name)}:{self.line}" if self.line else shown(name)
        where = f" {shown(self.where)}:" if self.where else ""
        rule = f" [{self.rule}]" if self.rule else ""
        return f"{place}:{where} {shown(self.text)}{rule}"


class SpecError(Exception):
    """A document that cannot be used, and why.

    Attributes:
        name: The name of the document.
        findings: Everything that is wrong with it, at least one.
    """

    def __init__(self, name: str, findings: list[Finding]) -> None:
        super().__init__("\n".join(finding.said(name) for finding in findings))
        self.name = name
        self.findings = findings


def shown(text: str, limit: int = 400) -> str:
    """Text from outside, made safe for a terminal: one line, no control characters, not endless."""
    safe = "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
    return safe if len(safe) <= limit else f"{safe[:limit]}..."
