"""The overlays on a newer document, action by action: which lost their object, and which say what the vendor says.

The compilation stops at the first action that matches nothing. Here all of them are judged, because who updates wants
to know the whole of it at once. An action that matches nothing is never dropped by itself: it is a correction with a
reason, and only a person can decide whether the reason is gone, too, or the thing has merely moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from openapi.diagnostics import SpecError
from openapi.references import at
from openapi.structure import schemas
from openapi.tree import copied, line_of
from overlays import actions, extensions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openapi.tree import Pointer, Tree


class Correction(NamedTuple):
    """One action of an overlay.

    Attributes:
        file: The overlay's file name.
        number: The action's number in it, from 1.
        line: The line of the file.
        target: Its JSONPath.
        reason: Its description.
    """

    file: str
    number: int
    line: int
    target: str
    reason: str

    @property
    def place(self) -> str:
        """Where to look."""
        return f"spec/overlays/{self.file}:{self.line} (action {self.number}: {self.target})"


class Judgement(NamedTuple):
    """What became of an action.

    Attributes:
        correction: The action.
        finding: What became of it.
        text: That in words, with what to do.
    """

    correction: Correction
    finding: Literal["matches nothing", "does not fit", "says what the vendor says"]
    text: str

    @property
    def is_wrong(self) -> bool:
        """Whether the spec cannot be compiled with it."""
        return self.finding != "says what the vendor says"


class Corrected(NamedTuple):
    """A document to which the overlays were applied, as far as they could be.

    Attributes:
        tree: The document.
        judgements: The actions of which something is to be said.
        problems: What else went wrong on the way, one line each.
        touched: What each action changed, and where that is in the document.
        facts: The facts that the actions state, each with whether it changed anything: the vendor says otherwise.
    """

    tree: Tree
    judgements: list[Judgement]
    problems: list[str]
    touched: list[tuple[Pointer, Correction]]
    facts: dict[Fact, bool]


class Fact(NamedTuple):
    """One fact that an action states: a leaf of its update, or that something is to be removed.

    Attributes:
        file: The overlay's file name.
        number: The action's number in it, from 1.
        leaf: Where the fact is in the action's update; nothing of a removal.
    """

    file: str
    number: int
    leaf: Pointer


def corrected(tree: Tree, paths: list[Path]) -> Corrected:
    """Applies overlays to a document, which is not changed.

    Raises:
        SpecError: A file is no overlay.
    """
    tree = copied(tree)
    judgements: list[Judgement] = []
    problems: list[str] = []
    touched: list[tuple[Pointer, Correction]] = []
    facts: dict[Fact, bool] = {}
    for path in paths:
        overlay = actions.read_overlay(path)
        for number, action in enumerate(overlay["actions"], 1):
            line = line_of(overlay, ("actions", number - 1))
            correction = Correction(path.name, number, line, action["target"], " ".join(action["description"].split()))
            if actions.is_of_texts(overlay):
                actions.describe(tree, action)
                continue
            stated = dict(_facts(tree, action))
            facts |= {Fact(path.name, number, leaf): reported for leaf, reported in stated.items()}
            judgement, places = _carried_out(tree, action, correction, touched)
            if judgement is None and stated and not any(stated.values()) and action.get("remove") is not True:
                judgement = Judgement(
                    correction,
                    "says what the vendor says",
                    "changes nothing: the vendor's document says it now itself; the action can be dropped",
                )
            if judgement is not None:
                judgements.append(judgement)
            if places and extensions.are_in(action.get("update")):
                names = extensions.names_given(tree, places)
                try:
                    extensions.carry_out(tree, path.name, places)  # what cannot be carried out is left out
                except SpecError as error:
                    problems += [f"spec/overlays/{line}" for line in str(error).splitlines()]
                if names:
                    touched = [(_renamed(where, names), by) for where, by in touched]
    return Corrected(tree, judgements, problems, touched, facts)


def repeated(before: Corrected, after: Corrected) -> list[Fact]:
    """The facts that the vendor states now itself: they changed something in the document before, and nothing now."""
    return [fact for fact, is_stated in before.facts.items() if is_stated and after.facts.get(fact) is False]


class Orphan(NamedTuple):
    """A field that an action requires, and that the document no longer has.

    Attributes:
        file: The overlay's file name.
        number: The action's number in it, from 1.
        leaf: Where the list of required fields is in the action's update.
        name: The field.
    """

    file: str
    number: int
    leaf: Pointer
    name: str


def orphans(result: Corrected, paths: list[Path]) -> list[Orphan]:
    """Takes the fields that actions require, and that are gone, out of the lists of required fields; what they are.

    That the vendor removed them is a change of its own, which a person decides about.
    """
    found: list[Orphan] = []
    by_file = {path.name: actions.read_overlay(path)["actions"] for path in paths}
    for part in schemas(result.tree):
        required, properties = part.node.get("required"), part.node.get("properties")
        if not isinstance(required, list) or not isinstance(properties, dict) or _COMPOSED & part.node.keys():
            continue
        for name in [name for name in required if name not in properties]:
            by = [
                Orphan(one.file, one.number, leaf, name)
                for place, one in result.touched
                for leaf in _leaves(by_file[one.file][one.number - 1].get("update"))
                if place == (*part.where, "required") and leaf == place[len(place) - len(leaf) :]
                if name in at(by_file[one.file][one.number - 1]["update"], leaf)
            ]
            if by:
                found += by
                required.remove(name)
    return list(dict.fromkeys(found))


_COMPOSED = {"$ref", "allOf", "anyOf", "oneOf"}


def _facts(tree: Tree, action: Tree) -> Iterator[tuple[Pointer, bool]]:
    """The facts that an action states, each with whether it differs from what the document has."""
    is_removal = action.get("remove") is True
    try:
        nodes = [at(tree, where) for where in actions.matches(tree, action)]
    except actions.ActionError:
        if is_removal:
            yield (), False  # what is to be removed is not there
        return
    if is_removal:
        yield (), True
        return
    for leaf in _leaves(action["update"]):
        if not _NO_FACTS & set(leaf):
            yield leaf, any(_differs(node, action["update"], leaf) for node in nodes)


_NO_FACTS = {extensions.NAME, extensions.PATH, extensions.PROPERTY_ORDER}


def _differs(node: Any, update: Any, leaf: Pointer) -> bool:  # noqa: ANN401  # any JSON value
    if isinstance(node, list):
        return bool(actions.same_item(node, update) != update)
    for step in leaf[:-1]:
        node = node.get(step) if isinstance(node, dict) else None
        update = update[step]
    if not leaf:
        return False  # an update without content
    if leaf[-1] == extensions.WITHOUT:
        return isinstance(node, dict) and any(key in node for key in update[leaf[-1]])
    there, value = (node.get(leaf[-1]) if isinstance(node, dict) else None), update[leaf[-1]]
    if isinstance(there, list) and isinstance(value, list):
        return any(item not in there for item in value)
    if there is None and value == {}:
        return not (isinstance(node, dict) and leaf[-1] in node)
    return bool(there != value) and value != {}


def _carried_out(
    tree: Tree, action: Tree, correction: Correction, touched: list[tuple[Pointer, Correction]]
) -> tuple[Judgement | None, list[Pointer]]:
    try:
        places = actions.carry_out(tree, action)
    except actions.ActionError as error:
        is_gone = "matches nothing" in str(error)
        if is_gone and action.get("remove") is True:
            return None, []  # what it removes is not there any more: the vendor says so now itself
        text = (
            "matches nothing in the new document: drop it when the vendor fixed what it corrects; change its target "
            "when that has moved"
            if is_gone
            else f"{error}: change it to what the new document has there"
        )
        return Judgement(correction, "matches nothing" if is_gone else "does not fit", text), []
    for where in places:
        changed = [()] if action.get("remove") is True else _leaves(action["update"])
        touched += [((*where, *leaf), correction) for leaf in changed]
    return None, places


def _leaves(update: Any) -> list[Pointer]:  # noqa: ANN401  # any JSON value
    if not isinstance(update, dict) or not update:
        return [()]
    return [(key, *leaf) for key, value in update.items() for leaf in _leaves(value)]


def _renamed(where: Pointer, names: dict[str, Any]) -> Pointer:
    if where[:2] == ("components", "schemas") and len(where) > 2 and where[2] in names:  # noqa: PLR2004
        return (*where[:2], names[str(where[2])], *where[3:])
    return where
