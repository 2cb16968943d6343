"""The pages of the reference: what their directives stand for.

A page names what it documents:

    ```{reference}
    dify_workflow.types.Logs as client.logs
    dify_workflow.types.LogWalk
    ```

Instead of names, `models`, `events` and `commands` stand for all of these.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from . import commands
from .entries import entry
from .interface import interface
from .schemas import MODULE, is_event, model

if TYPE_CHECKING:
    from .entries import Form

REFERENCE: Final = re.compile(r"^```\{reference\}[^\S\n]*([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def completed(text: str, form: Form) -> str:
    """The Markdown of a page, with the reference in place of the directives."""
    return REFERENCE.sub(lambda found: _section(found[1].strip(), found[2].split("\n"), form), text)


def _section(what: str, lines: list[str], form: Form) -> str:
    if what == "commands":
        return commands.page()
    if what in {"models", "events"}:
        names = [name for name in interface().names(MODULE) if is_event(name) == (what == "events")]
        return "\n".join(model(name, form) for name in names)
    entries = [line.partition(" as ") for line in lines if line.strip()]
    return "\n".join(entry(path.strip(), form, called=called.strip()) for path, _, called in entries)
