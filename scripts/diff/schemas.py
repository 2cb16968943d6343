"""Two schemas compared, from the side of a program that sends such values, or that receives them.

A sender breaks when less is taken than before; a receiver breaks when more comes, of a kind that it cannot know. So
the same difference weighs differently: a property that becomes optional frees a sender and fails a receiver. Inside
of one kind a receiver is expected to bear more: another value of an enum, a longer text, a further property, a further
event of a discriminated stream.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from openapi.diagnostics import shown

from diff.normalize import ANY, OTHERS, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diff.changes import Severity
    from diff.normalize import Bound, Node, Schemas, Shape

MOST_CHANGES = 1000
"""So many changes are kept of one schema: where it differs in more, it is another schema."""


class Inner(NamedTuple):
    """A change at a place inside of a schema.

    Attributes:
        severity: Whom it concerns.
        path: The place, from the schema inward, such as `.data[].status`.
        what: What is different there.
        old: The old schema there; none for what is new.
        new: The new schema there; none for what is gone.
        kind: The stable id of this kind of change, without the side that it is on, such as `field-removed`.
    """

    severity: Severity
    path: str
    what: str
    old: Node = ()
    new: Node = ()
    kind: str = ""


class SchemaComparison:
    """Compares schemas of two documents with each other.

    Attributes:
        renamed: The components whose names differ and that mean the same, by their old names: names are wording.
    """

    def __init__(self, old: Schemas, new: Schemas) -> None:
        self.renamed: dict[str, str] = {}
        self._old = old
        self._new = new
        self._under_way: set[tuple[Any, ...]] = set()
        self._done: dict[tuple[Any, ...], list[Inner]] = {}
        self._unsure: set[tuple[Any, ...]] = set()  # what was found with something around it still under way
        self._assumed = 0

    def sent(self, old: Node, new: Node) -> list[Inner]:
        """What differs for a program that sends values of the schema."""
        return self._from_outside(old, new, "sent")

    def received(self, old: Node, new: Node) -> list[Inner]:
        """What differs for a program that receives values of the schema."""
        return self._from_outside(old, new, "received")

    def default(self, old: Node, new: Node) -> list[Inner]:
        """What differs in what is taken for a value that was not sent."""
        before, after = self._old.word(old, "default"), self._new.word(new, "default")
        if _text(before) == _text(after):
            return []
        if before is None:
            what = f"{_text(after)} is taken when nothing is sent; nothing was said about that"
            return [Inner("additive", "", what, old, new, "default-added")]
        now = "nothing is said about that" if after is None else f"{_text(after)} is taken"
        kind = "default-removed" if after is None else "default-changed"
        return [Inner("breaking", "", f"when nothing is sent, {now}; it was {_text(before)}", old, new, kind)]

    def wording(self, old: Node, new: Node) -> list[Inner]:
        """What differs in what is said of a value, and not in the value."""
        found: list[Inner] = []
        for keyword, name in _TEXTS.items():
            if _text(self._old.word(old, keyword)) != _text(self._new.word(new, keyword)):
                found.append(Inner("wording", "", f"the {name} differs", old, new, "text"))
        before, after = self._old.word(old, "deprecated") is True, self._new.word(new, "deprecated") is True
        if before != after:
            how = "deprecated now" if after else "deprecated no longer"
            found.append(Inner("wording", "", f"is {how}", old, new, "deprecated" if after else "undeprecated"))
        one, other = self._old.name(old), self._new.name(new)
        if one and other and one != other:
            self.renamed.setdefault(one, other)
        return found

    def _from_outside(self, old: Node, new: Node, way: str) -> list[Inner]:
        found = self._compared(old, new, way)
        for key in self._unsure:
            self._done.pop(key, None)
        self._unsure.clear()
        return found

    def _compared(self, old: Node, new: Node, way: str) -> list[Inner]:
        found = self.wording(old, new)
        # Many references lead to one schema; compared is what they lead to, once.
        old, new = self._old.settled(old), self._new.settled(new)
        key = (way, tuple(map(id, old)), tuple(map(id, new)))
        if key in self._under_way:
            self._assumed += 1
            return found  # inside of itself it differs in nothing else than what is being found
        if key in self._done:
            if key in self._unsure:
                self._assumed += 1
            return found + self._done[key]
        assumed = self._assumed
        self._under_way.add(key)
        self._done[key] = _fewest(self._alternatives(self._old.shapes(old), self._new.shapes(new), way, old, new))
        self._under_way.discard(key)
        if self._assumed > assumed:
            self._unsure.add(key)
        return found + self._done[key]

    def _alternatives(self, olds: list[Shape], news: list[Shape], way: str, old: Node, new: Node) -> list[Inner]:
        found: list[Inner] = []
        null_before, null_after = _has_null(olds), _has_null(news)
        before, after = _by_kind(olds), _by_kind(news)
        if before.keys() != after.keys():
            taken, given = (after, before) if way == "sent" else (before, after)
            foreign = given.keys() - taken.keys() - ({"integer"} if "number" in taken else set())
            severity: Severity = "breaking" if foreign and ANY not in taken else "additive"
            found.append(Inner(severity, "", f"is {_kinds_text(news)}; it was {_kinds_text(olds)}", old, new, "type"))
        elif null_before != null_after:
            if way == "sent":
                what = "null is taken as well" if null_after else "null is no longer taken"
                severity = "additive" if null_after else "breaking"
                found.append(Inner(severity, "", what, old, new, "null-added" if null_after else "null-removed"))
            else:
                what = "may be null now" if null_after else "is never null now"
                severity = "breaking" if null_after else "additive"
                found.append(Inner(severity, "", what, old, new, "null-added" if null_after else "null-removed"))
        for kind in ("integer", "number"):  # the limits of one are limits of the other
            if kind in before and kind not in after:
                after.setdefault(kind, after.get("number" if kind == "integer" else "integer", []))
        for kind in before:
            if after.get(kind):
                if kind in {"object", "array"}:
                    found += self._structures(before[kind], after[kind], way, old, new)
                else:
                    found += [
                        Inner(*change[:3], old, new, change[3]) for change in _scalars(before[kind], after[kind], way)
                    ]
        return found

    # --- objects and arrays ------------------------------------------------------------------------------------------

    def _structures(self, olds: list[Shape], news: list[Shape], way: str, old: Node, new: Node) -> list[Inner]:
        if len(olds) == len(news) == 1:
            return self._structure(olds[0], news[0], way, old, new)
        by_tag = self._by_tag(olds, news)
        if by_tag is not None:
            return self._tagged(*by_tag, way, old, new)
        return self._covered(olds, news, way, old, new)

    def _by_tag(
        self, olds: list[Shape], news: list[Shape]
    ) -> tuple[str, dict[str, list[Shape]], dict[str, list[Shape]]] | None:
        """The alternatives by the property and value that distinguish them, where both sides have such a property."""
        names = dict.fromkeys(shape.tag[0] for shape in [*olds, *news] if shape.tag)
        if not names:
            names = dict.fromkeys(
                sorted(n for n, node in olds[0].fields.items() if self._old.constant(node) is not None)
            )
            names |= dict.fromkeys(
                sorted(n for n, node in news[0].fields.items() if self._new.constant(node) is not None)
            )
        for name in names:
            sides: list[dict[str, list[Shape]]] = []
            for shapes, schemas in ((olds, self._old), (news, self._new)):
                tagged: dict[str, list[Shape]] = {}
                for shape in shapes:
                    if shape.tag and shape.tag[0] == name:
                        tagged.setdefault(shape.tag[1], []).append(shape)
                    elif (value := schemas.constant(shape.fields.get(name, ()))) is not None:
                        tagged.setdefault(value, []).append(shape)
                if not tagged and len(shapes) == 1:  # one for several values may be divided by them on the other side
                    tagged = dict.fromkeys(schemas.constants(shapes[0].fields.get(name, ())), shapes)
                if tagged and sum(map(len, tagged.values())) >= len(shapes):
                    sides.append(tagged)
            if len(sides) == 2 and all(max(map(len, side.values())) == 1 or len(side) > 1 for side in sides):  # noqa: PLR2004
                return name, sides[0], sides[1]
        return None

    def _tagged(
        self, name: str, olds: dict[str, list[Shape]], news: dict[str, list[Shape]], way: str, old: Node, new: Node
    ) -> list[Inner]:
        found: list[Inner] = []
        for value in dict.fromkeys([*olds, *news]):
            if value == OTHERS and (value not in olds or value not in news):
                continue  # what is unnamed was never described, or is no longer: nobody can have relied on it
            said = f"{shown(name)} {_text(value)}"
            if value not in news:
                how = "is no longer taken" if way == "sent" else "is no longer among them"
                found.append(
                    Inner("breaking", "", f"the alternative with {said} {how}", old, (), "alternative-removed")
                )
            elif value not in olds:
                what = f"there is a further alternative, with {said}"
                found.append(Inner("additive", "", what, (), new, "alternative-added"))
            else:
                inner = self._structures_of_one_tag(olds[value], news[value], way, old, new)
                # Which values the tag itself can have follows from the alternatives that are there.
                inner = [change for change in inner if not _is_of_tag(change, name, value, [*olds, *news])]
                found += [change._replace(path=f"[{name}={value}]{change.path}") for change in inner]
        return found

    def _structures_of_one_tag(
        self, olds: list[Shape], news: list[Shape], way: str, old: Node, new: Node
    ) -> list[Inner]:
        if len(olds) == len(news) == 1:
            return self._structure(olds[0], news[0], way, old, new)
        return self._covered(olds, news, way, old, new)

    def _covered(self, olds: list[Shape], news: list[Shape], way: str, old: Node, new: Node) -> list[Inner]:
        """What differs between alternatives that nothing names.

        Each that was sent must fit one that is taken now; each that is received now must fit one that was known.
        """
        subjects, others = (olds, news) if way == "sent" else (news, olds)

        def between(subject: Shape, other: Shape) -> tuple[int, int, list[Inner]]:
            pair = (subject, other) if way == "sent" else (other, subject)
            changes = self._structure(*pair, way, old, new)
            severities = [change.severity for change in changes]
            return severities.count("breaking"), severities.count("additive"), changes

        best: list[tuple[int, int, int, int, list[Inner]]] = []
        for i, subject in enumerate(subjects):
            nearest: tuple[int, int, int, int, list[Inner]] | None = None
            for j, other in enumerate(others):
                breaking, additive, changes = between(subject, other)
                if nearest is None or (breaking, additive) < nearest[:2]:
                    nearest = (breaking, additive, i, j, changes)
                if nearest[:2] == (0, 0):
                    break
            best += [nearest] if nearest is not None else []
        found: list[Inner] = []
        used: set[int] = set()
        for breaking, _, i, j, changes in sorted(best, key=lambda one: one[:4]):
            label = _label(subjects[i], subjects)
            if breaking and j in used:  # the nearest is another one's counterpart, so this one has none
                is_sent = way == "sent"
                how = "is no longer taken" if is_sent else "may come as well, and is like none of those before"
                kind = "alternative-removed" if is_sent else "alternative-added"
                sides: tuple[Node, Node] = (old, ()) if is_sent else ((), new)
                what = f"an alternative{' ' * bool(label)}{label} {how}"
                found.append(Inner("breaking", "", what, *sides, kind=kind))
            else:
                used.add(j)
                found += [
                    change._replace(path=f"({label}){change.path}" if label else change.path) for change in changes
                ]
        for j, other in enumerate(others):
            if j not in used and not any(between(subject, other)[:2] == (0, 0) for subject in subjects):
                label = " ".join(["", *filter(None, [_label(other, others)])])
                what = f"a further alternative{label} is taken"
                what = what if way == "sent" else f"an alternative{label} is no longer sent"
                kind = "alternative-added" if way == "sent" else "alternative-removed"
                found.append(Inner("additive", "", what, old, new, kind))
        return found

    def _structure(self, old: Shape, new: Shape, way: str, old_node: Node, new_node: Node) -> list[Inner]:
        """What differs between two objects, or two arrays."""
        found = self._fields(old, new, way) if old.kind == "object" else self._items(old, new, way)
        here = (*_limits(old, new, way), *_rules(old, new, way))
        return found + [Inner(*change[:3], old_node, new_node, change[3]) for change in here]

    def _fields(self, old: Shape, new: Shape, way: str) -> list[Inner]:
        found: list[Inner] = []
        hidden = "readOnly" if way == "sent" else "writeOnly"
        before = {name: node for name, node in old.fields.items() if self._old.word(node, hidden) is not True}
        after = {name: node for name, node in new.fields.items() if self._new.word(node, hidden) is not True}
        for name in dict.fromkeys([*before, *after]):
            path = f".{name}"
            if name not in after:
                what = "is no longer taken" if way == "sent" else "is no longer sent"
                found.append(Inner("breaking", path, what, before[name], (), "field-removed"))
            elif name not in before:
                is_required = name in new.required and way == "sent"
                what = "must be sent, and did not exist" if is_required else "is new"
                kind = "field-added-required" if is_required else "field-added"
                found.append(Inner("breaking" if is_required else "additive", path, what, (), after[name], kind))
            else:
                found += self._required(
                    path, name in old.required, name in new.required, way, before[name], after[name]
                )
                inner = self._compared(before[name], after[name], way)
                inner = [*(self.default(before[name], after[name]) if way == "sent" else ()), *inner]
                for change in inner:
                    is_here = not change.path  # then it is as much about this field as about the schema of its values
                    old_nodes = (*before[name], *change.old) if is_here else change.old
                    new_nodes = (*after[name], *change.new) if is_here else change.new
                    found.append(change._replace(path=path + change.path, old=old_nodes, new=new_nodes))
        common = [name for name in before if name in after]
        if common != [name for name in after if name in before]:
            found.append(Inner("wording", "", "the order of the fields differs", kind="order"))
        return found + self._forbidden(old, new, way) + self._rest(old, new, way)

    @staticmethod
    def _forbidden(old: Shape, new: Shape, way: str) -> list[Inner]:
        """What differs in the fields that must not be there."""
        found: list[Inner] = []
        for name in sorted(old.absent ^ new.absent):
            if name not in new.absent:
                what = "is taken, and was not allowed" if way == "sent" else "may come, and never did"
                found.append(Inner("additive", f".{name}", what, kind="field-allowed"))
            elif way == "sent" or name in old.fields:
                what = "is no longer allowed" if way == "sent" else "is no longer sent"
                found.append(Inner("breaking", f".{name}", what, kind="field-forbidden"))
        return found

    @staticmethod
    def _required(path: str, before: bool, after: bool, way: str, old: Node, new: Node) -> Iterable[Inner]:
        if before == after:
            return
        kind = "field-required" if after else "field-optional"
        if way == "sent":
            what = "must be sent; it was optional" if after else "is optional; it had to be sent"
            yield Inner("breaking" if after else "additive", path, what, old, new, kind)
        else:
            what = "is always there; it could be absent" if after else "can be absent; it was always there"
            yield Inner("additive" if after else "breaking", path, what, old, new, kind)

    def _rest(self, old: Shape, new: Shape, way: str) -> list[Inner]:
        found: list[Inner] = []
        if old.rest is None or new.rest is None:
            if old.rest is None and new.rest is not None:
                what = "further fields are taken" if way == "sent" else "further fields may come"
                found.append(Inner("additive", "", what, (), new.rest, "further-fields-allowed"))
            elif old.rest is not None:
                what = "no further fields are taken" if way == "sent" else "no further fields come"
                severity: Severity = "breaking" if way == "sent" else "additive"
                found.append(Inner(severity, "", what, old.rest, (), "further-fields-forbidden"))
        else:
            inner = self._compared(old.rest, new.rest, way)
            found += [change._replace(path="{}" + change.path) for change in inner]
        for pattern in dict.fromkeys([*old.patterns, *new.patterns]):
            path = f"{{{shown(pattern)}}}"
            if pattern not in new.patterns:
                what = "names of this form are gone"
                found.append(Inner("breaking", path, what, old.patterns[pattern], (), "field-removed"))
            elif pattern not in old.patterns:
                what = "names of this form are new"
                found.append(Inner("additive", path, what, (), new.patterns[pattern], "field-added"))
            else:
                inner = self._compared(old.patterns[pattern], new.patterns[pattern], way)
                found += [change._replace(path=path + change.path) for change in inner]
        return found

    def _items(self, old: Shape, new: Shape, way: str) -> list[Inner]:
        found: list[Inner] = []
        for i in range(max(len(old.prefix), len(new.prefix))):
            before = old.prefix[i] if i < len(old.prefix) else old.items
            after = new.prefix[i] if i < len(new.prefix) else new.items
            found += [c._replace(path=f"[{i}]{c.path}") for c in self._compared(before, after, way)]
        return found + [c._replace(path=f"[]{c.path}") for c in self._compared(old.items, new.items, way)]


# --- values ----------------------------------------------------------------------------------------------------------

_Found = tuple["Severity", str, str, str]
"""The parts of an `Inner`: its severity, path, text and kind."""

_TEXTS = {"title": "title", "description": "description", "example": "example", "examples": "examples"}


def _scalars(olds: list[Shape], news: list[Shape], way: str) -> list[_Found]:
    """What differs between the plain values of one kind."""
    closed_before, closed_after = _is_closed(olds), _is_closed(news)
    listed_before, listed_after = _listed(olds), _listed(news)
    found: list[_Found] = []
    if closed_before and not closed_after:
        how = "are taken" if way == "sent" else "may come"
        found.append(("additive", "", f"other values than the listed ones {how}", "values-opened"))
    elif closed_after and not closed_before:
        how = "are taken" if way == "sent" else "come"
        said = ", ".join(listed_after.values())
        severity: Severity = "breaking" if way == "sent" else "additive"
        found.append((severity, "", f"only these values {how}: {shown(said)}", "values-closed"))
    if listed_before or (listed_after and not (closed_after and not closed_before)):
        found += _listing(listed_before, listed_after, way, is_open=not (closed_before and closed_after))
    if closed_before or closed_after:
        return found
    old, new = [shape for shape in olds if shape.values is None], [shape for shape in news if shape.values is None]
    if len(old) == len(new) == 1:
        found += [*_limits(old[0], new[0], way), *_rules(old[0], new[0], way), *_formats(old[0], new[0], way)]
    elif _signatures(old) != _signatures(new):
        accepted = [_signature(shape) for shape in (new if way == "sent" else old)]
        required = [_signature(shape) for shape in (old if way == "sent" else new)]
        fits = all(signature in accepted for signature in required) or _signature_of_all() in accepted
        severity = "additive" if fits or way == "received" else "breaking"
        found.append((severity, "", "the alternatives differ", "alternatives"))
    return found


def _listing(before: dict[str, str], after: dict[str, str], way: str, *, is_open: bool) -> list[_Found]:
    gone = [said for key, said in before.items() if key not in after]
    come = [said for key, said in after.items() if key not in before]
    if is_open and not after:
        return [("additive", "", "no values are listed any more", "values-opened")] if gone else []
    if is_open and not before:
        return [("additive", "", f"values are listed: {shown(', '.join(come))}", "value-added")] if come else []
    found: list[_Found] = []
    for said in gone:
        what = "is no longer taken" if way == "sent" else "is no longer sent"
        found.append(("breaking" if way == "sent" else "additive", "", f"the value {said} {what}", "value-removed"))
    for said in come:
        what = "is taken as well" if way == "sent" else "may come as well"
        found.append(("additive", "", f"the value {said} {what}", "value-added"))
    if not gone and not come and list(before) != list(after):
        found.append(("wording", "", "the order of the values differs", "order"))
    return found


def _limits(old: Shape, new: Shape, way: str) -> Iterable[_Found]:
    names = {"value": "value", "length": "length", "items": "number of items", "properties": "number of fields"}
    for key, name in names.items():
        for word, before, after, sign in (
            ("least", old.least.get(key), new.least.get(key), 1),
            ("most", old.most.get(key), new.most.get(key), -1),
        ):
            if before == after:
                continue
            narrower = before is None or (after is not None and (after > before) == (sign > 0))
            breaks = narrower and after is not None and way == "sent"
            what = f"the {name} is at {word} {_limit(after)}; it was {_limit(before)}"
            if after is None:
                what = f"the {name} is no longer limited to at {word} {_limit(before)}"
            elif before is None:
                what = f"the {name} is at {word} {_limit(after)}; it was not limited"
            yield ("breaking" if breaks else "additive"), "", what, "limit"


def _rules(old: Shape, new: Shape, way: str) -> Iterable[_Found]:
    for keyword in sorted({keyword for keyword, _ in old.rules ^ new.rules}):
        before = {rule for rule in old.rules if rule[0] == keyword}
        after = {rule for rule in new.rules if rule[0] == keyword}
        how = "differs" if before and after else "is new" if after else "is gone"
        breaks = way == "sent" and not after <= before
        what = _RULE_TEXTS.get(keyword, "its `{keyword}` {how}").format(keyword=keyword, how=how)
        yield ("breaking" if breaks else "additive"), "", what, "rule"


_RULE_TEXTS = {
    "not": "the rule for which values are forbidden {how}",
    "if": "the rule for which values go together {how}",
    "then": "the rule for which values go together {how}",
    "else": "the rule for which values go together {how}",
}


def _formats(old: Shape, new: Shape, way: str) -> Iterable[_Found]:
    if old.formats == new.formats:
        return
    before, after = (" and ".join(sorted(shape.formats)) for shape in (old, new))
    narrower, looser = new.formats > old.formats, new.formats < old.formats
    breaks = not looser if way == "sent" else not (looser or narrower)
    what = f"the format is {after or 'left open'}; it was {before or 'left open'}"
    yield ("breaking" if breaks else "additive"), "", shown(what), "format"


def _limit(bound: Bound | None) -> str:
    if bound is None:
        return "unlimited"
    return f"{'above ' if bound[1] > 0 else 'below ' if bound[1] < 0 else ''}{bound[0]}"


def _is_of_tag(change: Inner, name: str, value: str, tags: Sequence[str]) -> bool:
    """Whether a change is only about which values distinguish alternatives."""
    if change.path != f".{name}" or change.kind not in {"value-added", "value-removed"}:
        return False
    return value != OTHERS or any(_text(tag) in change.what for tag in tags)


def _label(shape: Shape, among: Sequence[Shape]) -> str:
    """What distinguishes an alternative from the others, as `with NAME`: a field that it alone requires, or has."""
    others = [other for other in among if other is not shape]
    for own, theirs in (
        (shape.required, [other.required for other in others]),
        (shape.fields.keys(), [other.fields.keys() for other in others]),
    ):
        alone = [name for name in own if not any(name in names for names in theirs)]
        if alone and others:
            return f"with {', '.join(shown(name, 40) for name in sorted(alone)[:3])}"
    return ""


def _is_closed(shapes: list[Shape]) -> bool:
    return all(shape.values is not None for shape in shapes)


def _listed(shapes: list[Shape]) -> dict[str, str]:
    """The values that are listed, by what they are as JSON, each as it is said."""
    return {_text(value): shown(_text(value), 100) for shape in shapes for value in shape.values or ()}


def _signature(shape: Shape) -> tuple[Any, ...]:
    return (
        tuple(sorted(shape.least.items())),
        tuple(sorted(shape.most.items())),
        tuple(sorted(shape.formats)),
        tuple(sorted(shape.rules)),
    )


def _signature_of_all() -> tuple[Any, ...]:
    return (), (), (), ()


def _signatures(shapes: list[Shape]) -> set[tuple[Any, ...]]:
    return {_signature(shape) for shape in shapes}


def _by_kind(shapes: list[Shape]) -> dict[str, list[Shape]]:
    kinds: dict[str, list[Shape]] = {}
    for shape in shapes:
        if shape.kind != "null":
            kinds.setdefault(shape.kind, []).append(shape)
    if ANY in kinds:
        return {ANY: kinds[ANY]}
    if "number" in kinds and "integer" in kinds:
        kinds["number"] += kinds.pop("integer")
    return kinds


def _has_null(shapes: list[Shape]) -> bool:
    return any(shape.kind in {"null", ANY} for shape in shapes)


_NAMES = {"integer": "an integer", "object": "an object", "array": "an array", "file": "a file", "null": "null"}


def _kinds_text(shapes: list[Shape]) -> str:
    kinds = [*_by_kind(shapes)]
    if _has_null(shapes) and ANY not in kinds:
        kinds.append("null")
    if not kinds:
        return "impossible"
    return " or ".join(_NAMES.get(kind, kind if kind == ANY else f"a {shown(kind, 40)}") for kind in kinds)


def _text(value: object) -> str:
    """A value as JSON in which equal values look equal."""
    if kind_of(value) == "integer":
        return str(int(value))  # type: ignore[call-overload]  # the kind says so
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _fewest(found: Sequence[Inner]) -> list[Inner]:
    """Each change once; of very many, the gravest."""
    unique: dict[tuple[str, str, str], Inner] = {}
    for change in found:
        unique.setdefault(change[:3], change)
    kept = list(unique.values())
    if len(kept) > MOST_CHANGES:
        kept = sorted(kept, key=lambda change: ("breaking", "additive", "wording").index(change.severity))
    return kept[:MOST_CHANGES]
