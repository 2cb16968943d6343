"""Events of streams that no operation refers to.

The vendor describes what a streaming operation sends as a string, and the events in it as a component schema with a
discriminator to which nothing leads. It is a part of the contract all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from openapi.references import SCHEMAS, resolved, target

from diff.load import Description, listed, mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openapi.tree import Tree

    from diff.load import Operation

EVENT_STREAM = "text/event-stream"


class Union(NamedTuple):
    """A schema that a discriminator divides into alternatives.

    Attributes:
        name: Its name, if it is a component.
        node: Itself.
        reference: A reference to it; itself, if it is no component.
        document: The document that it is in.
    """

    name: str
    node: Tree
    reference: Tree
    document: Tree

    @property
    def tags(self) -> tuple[str, frozenset[str]]:
        """The property that distinguishes the alternatives, and the values that the schema names."""
        discriminator = mapping(self.node.get("discriminator"))
        names = frozenset(map(str, mapping(discriminator.get("mapping"))))
        return str(discriminator.get("propertyName")), names


def streams(operation: Operation) -> bool:
    """Whether an operation can respond with a stream of events."""
    return any(True for _ in _streamed(operation))


def event_roots(description: Description) -> list[Union]:
    """The component schemas with a discriminator to which no operation leads, and no other such schema."""
    found: dict[str, Union] = {}
    for document in description.documents:
        components = {name: schema for name, schema in _components(document).items() if _is_union(schema)}
        used = reached(document, document.get("paths"))
        roots = {name: schema for name, schema in components.items() if id(schema) not in used}
        below = {name: reached(document, schema) for name, schema in roots.items()}
        for name, schema in roots.items():
            around = [other for other in roots if id(schema) in below[other] and id(roots[other]) not in below[name]]
            if not around:
                found.setdefault(name, _component(document, name, schema))
    return list(found.values())


def unions(description: Description) -> list[Union]:
    """Every schema with a discriminator that an operation streams, and every such component."""
    found = [
        _component(document, name, schema)
        for document in description.documents
        for name, schema in _components(document).items()
        if _is_union(schema)
    ]
    for operation in description.operations.values():
        for schema in _streamed(operation):
            node = resolved(operation.document, schema)
            if _is_union(node) and not any(node is one.node for one in found):
                found.append(Union("", node, node, operation.document))
    return found


def paired(
    before: Sequence[Union], all_after: Sequence[Union], after: Sequence[Union], all_before: Sequence[Union]
) -> list[tuple[Union | None, Union | None]]:
    """The schemas of events in two descriptions by what describes the same events.

    That is what has the same name, or else most of the same values that distinguish the events; and nothing twice.

    Args:
        before: The roots of the old description.
        all_after: What they may correspond to in the new one, which may refer to it by now.
        after: The roots of the new description.
        all_before: What these may correspond to in the old one.
    """
    pairs: list[tuple[Union | None, Union | None]] = []
    taken: set[int] = set()
    likely = [(_likeness(root, other), root, other, True) for root in before for other in all_after]
    likely += [(_likeness(root, other), root, other, False) for root in after for other in all_before]
    for likeness, root, other, is_old in sorted(likely, key=lambda one: -one[0]):
        if likeness > _LEAST and not {id(root.node), id(other.node)} & taken:
            taken |= {id(root.node), id(other.node)}
            pairs.append((root, other) if is_old else (other, root))
    gone = [root for root in before if id(root.node) not in taken]
    come = [root for root in after if id(root.node) not in taken]
    # Without a mapping only the name identifies each: as many as before are the same ones under other names.
    unnamed = [[root for root in side if not root.tags[1]] for side in (gone, come)]
    if len(unnamed[0]) == len(unnamed[1]):
        pairs += zip(*unnamed, strict=True) if len(unnamed[0]) == 1 else ()
        gone, come = ([root for root in side if root.tags[1]] for side in (gone, come))
    return [*pairs, *((root, None) for root in gone), *((None, root) for root in come)]


_LEAST = 0.4


def _likeness(one: Union, other: Union) -> float:
    """How much two schemas have in common: 2 for the same name, else the share of the values that both know."""
    (name, values), (other_name, other_values) = one.tags, other.tags
    if one.name and one.name == other.name:
        return 2
    return len(values & other_values) / len(values | other_values) if name == other_name and values else 0


def unused_schemas(document: Tree) -> dict[str, Any]:
    """The component schemas to which neither operations lead nor the events of streams."""
    roots = event_roots(Description([document], {}))
    used = reached(document, [document.get("paths"), *(root.node for root in roots)])
    return {name: schema for name, schema in _components(document).items() if id(schema) not in used}


def is_reduced(description: Description) -> bool:
    """Whether documents hold only what operations lead to, as the pages of a docs site do."""
    return all(
        id(schema) in used
        for document in description.documents
        for used in [reached(document, document.get("paths"))]
        for schema in _components(document).values()
        if isinstance(schema, dict)
    )


def reached(document: Tree, start: object) -> set[int]:
    """The ids of all mappings that are in a part of a document, or that it leads to."""
    found: set[int] = set()
    waiting: list[Any] = [start]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict) and id(node) not in found:
            found.add(id(node))
            waiting += node.values()
            reference = node.get("$ref")
            if isinstance(reference, str) and reference.startswith("#"):
                waiting.append(target(document, reference))
            for to in mapping(mapping(node.get("discriminator")).get("mapping")).values():
                waiting.append(target(document, to if isinstance(to, str) and "/" in to else f"{SCHEMAS}{to}"))
    return found


def _component(document: Tree, name: str, schema: Tree) -> Union:
    return Union(name, schema, {"$ref": f"{SCHEMAS}{name.replace('~', '~0').replace('/', '~1')}"}, document)


def _components(document: Tree) -> dict[str, Any]:
    return {str(name): node for name, node in mapping(mapping(document.get("components")).get("schemas")).items()}


def _is_union(schema: object) -> bool:
    discriminator = mapping(mapping(schema).get("discriminator"))
    has_alternatives = discriminator.get("mapping") or listed(mapping(schema).get("oneOf"))
    return isinstance(discriminator.get("propertyName"), str) and bool(has_alternatives)


def _streamed(operation: Operation) -> Iterable[object]:
    for status, given in mapping(operation.node.get("responses")).items():
        content = mapping(resolved(operation.document, given).get("content"))
        for name, media in content.items():
            if str(status).startswith("2") and str(name).partition(";")[0].strip().lower() == EVENT_STREAM:
                yield mapping(media).get("schema")
