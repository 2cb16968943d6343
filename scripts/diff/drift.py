"""What the vendor's document says otherwise than the compiled spec: its drift, and which of it is known.

The compiled spec keeps what was measured. Each difference that is known is listed in spec/drift.yaml with the reason
why the spec does not follow the vendor; what is not listed there is new and needs a decision.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from openapi.diagnostics import Finding, SpecError
from openapi.tree import line_of, pointer_text

from diff.acknowledged import read_list
from diff.events import EVENT_STREAM, streams, unions
from diff.load import Description
from diff.normalize import OTHERS
from diff.operations import compared

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from diff.changes import Change

FILE = "drift.yaml"
"""The file's name in the folder of the spec."""


class Fact(NamedTuple):
    """One thing that the vendor says otherwise.

    Attributes:
        kind: The id of the kind of difference.
        says: What the vendor says, and the spec.
        part: The part of an operation that it is in, such as `GET /workflows/logs 200`, or an event of a stream.
        inner: The place in that part, such as `data[].id`; `.` for the part itself.
    """

    kind: str
    says: str
    part: str
    inner: str

    @property
    def place(self) -> str:
        """Both together, as they are shown."""
        return self.part if self.inner == ITSELF else f"{self.part} {self.inner}"

    def is_of(self, names: Iterable[str]) -> bool:
        """Whether it is about one of some operations, or about events, by their names."""
        return any(self.part == name or self.part.startswith(f"{name} ") for name in names)


class Known(NamedTuple):
    """A fact that is listed, why the spec does not follow the vendor, and the line of the file."""

    fact: Fact
    reason: str
    line: int


ITSELF = "."
_PARTS = "query|path|header|cookie|body|security|servers|default|[0-9][0-9X]{2}"
_PLACE = re.compile(
    rf"(?P<part>events(?: \[event=[^\]]*\])?|[A-Z]+ /\S*(?: (?:{_PARTS}))?)[ .]?(?P<inner>.*)", re.DOTALL
)


def drift(spec: Description, vendor: Description) -> dict[Fact, Change]:
    """What a vendor's document says otherwise of the operations of the compiled spec, in the order of the comparison.

    Texts, names and operations that the spec does not cover play no part. Of an event it makes no difference whether
    operations refer to it or it stands apart. A document with at most half of the operations is a part of one: it says
    nothing of the others.
    """
    covered = {key: operation for key, operation in vendor.operations.items() if key in spec.operations}
    names = {operation.name: spec.operations[key].name for key, operation in covered.items()}
    streaming = {operation.name for operation in spec.operations.values() if streams(operation)}
    is_part = 2 * len(covered) <= len(spec.operations)
    left_out = {"events-added", *(["operation-removed"] if is_part else [])}
    found: dict[Fact, Change] = {}
    for change in compared(spec, Description(vendor.documents, covered)):
        if change.severity == "wording" or change.kind in left_out:
            continue
        fact = _fact(change, names, streaming)
        if fact is not None:
            found.setdefault(fact, change)
    return found


def has_events(spec: Description, vendor: Description) -> bool:
    """Whether a vendor's document describes the events of an operation of the spec."""
    covered = [operation for key, operation in vendor.operations.items() if key in spec.operations]
    return any(map(streams, covered)) and bool(unions(vendor))


def _fact(change: Change, names: dict[str, str], streaming: set[str]) -> Fact | None:
    where, kind = change.where, change.kind
    name = " ".join(where.split(" ")[:2])
    if name in names:
        where = names[name] + where[len(name) :]
    stream = re.match(rf"(?P<name>[A-Z]+ \S+) 2\d\d(?: {EVENT_STREAM})?(?= \[event=|$)", where)
    if stream and stream["name"] in streaming:
        if kind == "response-type" and stream.end() == len(where):
            return None  # the vendor calls a stream a string, and its events stand apart
        where, kind = f"events{where[stream.end() :]}", kind.replace("response-", "event-", 1)
    elif where.startswith("events "):
        where = re.sub(r"^events [^\[]*(\[|$)", lambda match: f"events {match[1]}".rstrip(), where)
    if where.startswith(f"events [event={OTHERS}]"):
        return None  # what the vendor does not name it does not promise
    match = _PLACE.fullmatch(where)
    part, inner = (match["part"], match["inner"]) if match else (where, "")
    return Fact(kind, change.what, part, inner or ITSELF)


def read_known(path: Path) -> list[Known]:
    """The facts that a file lists; none when there is no such file.

    Raises:
        SpecError: With the lines of what is wrong in it.
    """
    tree, groups = read_list(path, "groups")
    known: list[Known] = []
    wrong: list[Finding] = []
    seen: dict[Fact, int] = {}
    for i, group in enumerate(groups):
        where = ("groups", i)
        if not _is_group(group):
            text = "a group has a reason, an id, what it says, and places: a mapping from parts to texts, none empty"
            wrong.append(Finding(line_of(tree, where), pointer_text(where), text))
            continue
        for part, inners in group["places"].items():
            line = line_of(tree, (*where, "places", part))
            for inner in re.split(r";\s+", inners.strip()):
                fact = Fact(group["id"], group["says"], part, inner)
                if fact in seen:
                    text = f"{fact.place} is listed twice, first on line {seen[fact]}"
                    wrong.append(Finding(line, pointer_text(where), text))
                seen[fact] = line
                known.append(Known(fact, group["reason"], line))
    if wrong:
        raise SpecError(path.name, wrong)
    return known


def _is_group(group: object) -> bool:
    if not isinstance(group, dict) or group.keys() != {"reason", "id", "says", "places"}:
        return False
    places = group["places"]
    texts = [group["reason"], group["id"], group["says"]]
    texts += [*places, *places.values()] if isinstance(places, dict) and places else [None]
    return all(isinstance(text, str) and text.strip() for text in texts)


def as_groups(facts: Iterable[Fact], reason: str = "") -> str:
    """Facts as the file lists them, grouped by what they say; the reason is for a person to write.

    Args:
        facts: The facts.
        reason: The reason of all of them.
    """
    groups: dict[tuple[str, str], dict[str, list[str]]] = {}
    for fact in facts:
        groups.setdefault((fact.kind, fact.says), {}).setdefault(fact.part, []).append(fact.inner)
    lines: list[str] = []
    for (kind, says), places in groups.items():
        lines += ["  - reason: >-", *_wrapped(reason, 6)] if reason else ["  - reason: ''"]
        lines += [f"    id: {kind}", f"    says: {_quoted(says)}", "    places:"]
        for part, inners in places.items():
            text = "; ".join(inners)
            short = f"      {_quoted(part)}: {_quoted(text)}"
            lines += [short] if len(short) <= _WIDTH else [f"      {_quoted(part)}: >-", *_wrapped(text, 8)]
    return "\n".join(lines)


_WIDTH = 118


def _wrapped(text: str, indent: int) -> list[str]:
    margin = " " * indent
    return textwrap.wrap(
        text, _WIDTH, initial_indent=margin, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
