"""Breaking changes that somebody has looked at and found to break no user of this SDK.

They are listed in spec/acknowledged.yaml, each with the id of its kind, its place and the reason:

```yaml
breaks:
  - id: response-field-removed
    place: GET /workflows/logs 200 data[].details
    reason: No released version of the SDK has the field.
```

Such a change stays breaking in the verdict, and requires no larger version step than an addition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from openapi.diagnostics import Finding, SpecError
from openapi.parse import read_file
from openapi.tree import line_of, pointer_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from diff.changes import Change

FILE = "acknowledged.yaml"
"""The file's name in the folder of the spec."""


class Acknowledged(NamedTuple):
    """A break that is acknowledged.

    Attributes:
        kind: The id of the kind of change.
        place: Where it is, as a report has it.
        reason: Why it breaks no user.
        line: The line of the file.
    """

    kind: str
    place: str
    reason: str
    line: int

    def is_of(self, change: Change) -> bool:
        """Whether a change is the one that is acknowledged."""
        return (change.severity, change.kind, change.where) == ("breaking", self.kind, self.place)


def read_list(path: Path, key: str) -> tuple[Any, list[Any]]:
    """A file that has a list under one key and nothing else, with that list; empty when there is no such file.

    Raises:
        SpecError: With the line of what is wrong in it.
    """
    try:
        tree = read_file(path.name, path.read_bytes())
    except FileNotFoundError:
        return {}, []
    given = tree.get(key) if isinstance(tree, dict) and tree.keys() == {key} else None
    if not isinstance(given, list):
        raise SpecError(path.name, [Finding(1, "", f"must be a mapping with a list `{key}` and nothing else")])
    return tree, given


def read_acknowledged(path: Path) -> list[Acknowledged]:
    """The breaks that a file acknowledges; none when there is no such file.

    Raises:
        SpecError: With the line of what is wrong in it.
    """
    tree, given = read_list(path, "breaks")
    found: list[Acknowledged] = []
    wrong: list[Finding] = []
    for i, one in enumerate(given):
        line = line_of(tree, ("breaks", i))
        texts = [one.get(key) for key in _KEYS] if isinstance(one, dict) and one.keys() == {*_KEYS} else []
        if texts and all(isinstance(text, str) and text.strip() for text in texts):
            kind, place, reason = map(str, texts)
            found.append(Acknowledged(kind, place, reason, line))
        else:
            text = f"each break has {', '.join(_KEYS)}, all text and none empty"
            wrong.append(Finding(line, pointer_text(("breaks", i)), text))
    if wrong:
        raise SpecError(path.name, wrong)
    return found


_KEYS = ("id", "place", "reason")


def reason_for(change: Change, acknowledged: Iterable[Acknowledged]) -> str:
    """Why a change breaks no user; empty when it is not acknowledged."""
    return next((one.reason for one in acknowledged if one.is_of(change)), "")
