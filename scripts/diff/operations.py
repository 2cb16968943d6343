"""Two whole descriptions of an API compared: what differs for a program that calls it.

What a caller cannot notice is wording: text, order, operation ids, names of schemas, of security schemes and of the
parameters in a path (unless the new name is that of another id), and the servers, for which server is called is the
caller's choice (`base_url`).

Events of a stream are compared even where no operation refers to their schemas: the vendor describes a stream as a
string, and its events as a schema with a discriminator that stands alone.
"""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from openapi import names
from openapi.diagnostics import shown
from openapi.references import resolved
from openapi.structure import VENDOR_NAME, path_names

from diff.changes import Change, in_order
from diff.events import event_roots, is_reduced, paired, streams, unions, unused_schemas
from diff.load import listed, mapping
from diff.normalize import Schemas
from diff.schemas import SchemaComparison

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openapi.tree import Tree

    from diff.changes import Severity
    from diff.load import Description, Operation
    from diff.normalize import Node
    from diff.schemas import Inner


def compared(old: Description, new: Description) -> list[Change]:
    """Every change from one description to another, the gravest first.

    Raises:
        RecursionError: Schemas lead to one another too deeply to be followed.
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _DEEPEST))
    try:
        return in_order(_Comparison(old, new).changes())
    finally:
        sys.setrecursionlimit(limit)


_DEEPEST = 30_000
"""So deep may calls be nested: a schema may lead to another, and that to a third, many times over."""


class Parameter(NamedTuple):
    """A parameter of an operation, or a header of a response.

    Attributes:
        name: As it is written.
        node: Its mapping, no reference.
        schema: Its schema, wherever it is given.
        required: Whether it must be sent.
    """

    name: str
    node: Tree
    schema: Node
    required: bool


class _Comparison:
    def __init__(self, old: Description, new: Description) -> None:
        self.old = old
        self.new = new
        self._schemas: dict[int, Schemas] = {}
        self._pairs: dict[tuple[int, int], SchemaComparison] = {}

    def changes(self) -> Iterable[Change]:
        for key, operation in self.old.operations.items():
            if key not in self.new.operations:
                yield Change(
                    "breaking", operation.name, "the operation is gone", (operation.node,), kind="operation-removed"
                )
        for key, operation in self.new.operations.items():
            if key not in self.old.operations:
                yield Change(
                    "additive", operation.name, "the operation is new", (), (operation.node,), "operation-added"
                )
        for key, operation in self.new.operations.items():
            if key in self.old.operations:
                yield from self._operation(self.old.operations[key], operation)
        yield from self._events()
        yield from self._servers()
        yield from self._texts_around()
        for pair in self._pairs.values():
            for before, after in pair.renamed.items():
                yield Change("wording", f"schema {before}", f"is called {shown(after)} now", kind="schema-renamed")

    # --- operations --------------------------------------------------------------------------------------------------

    def _operation(self, old: Operation, new: Operation) -> Iterable[Change]:
        here = new.name
        for keyword in ("operationId", "summary", "description", "tags", "externalDocs"):
            if old.node.get(keyword) != new.node.get(keyword):
                is_id = keyword == "operationId" and keyword in old.node and keyword in new.node
                named = f"is called {shown(str(new.node[keyword]))} now" if is_id else f"its `{keyword}` differs"
                kind = "operation-id" if keyword == "operationId" else "text"
                yield Change("wording", here, named, (old.node,), (new.node,), kind)
        yield from _deprecated(here, old.node, new.node)
        if mapping(old.node.get("callbacks")) != mapping(new.node.get("callbacks")):
            what = "its callbacks differ; no client responds to them"
            yield Change("wording", here, what, (old.node,), (new.node,), "callbacks")
        yield from self._security(old, new)
        yield from self._parameters(old, new)
        yield from self._body(old, new)
        yield from self._responses(old, new)

    def _security(self, old: Operation, new: Operation) -> Iterable[Change]:
        before, after = _security(old), _security(new)
        if before == after:
            return
        nodes = ((old.node,), (new.node,))
        said = f"the security is {_security_text(after)}; it was {_security_text(before)}"
        is_more = bool(before) and before < after
        kind = "security-added" if is_more else "security-changed"
        yield Change("additive" if is_more else "breaking", f"{new.name} security", said, *nodes, kind)

    # --- parameters --------------------------------------------------------------------------------------------------

    def _parameters(self, old: Operation, new: Operation) -> Iterable[Change]:
        before, after = parameters(old), parameters(new)
        for key in dict.fromkeys([*before, *after]):
            location = key[0]
            parameter = after.get(key) or before[key]
            where = f"{new.name} {location} {shown(parameter.name)}"
            if key not in after:
                yield Change("breaking", where, "the parameter is gone", (before[key].node,), (), "parameter-removed")
            elif key not in before:
                how = "the parameter is new, and required" if parameter.required else "the parameter is new"
                severity: Severity = "breaking" if parameter.required else "additive"
                kind = "parameter-added-required" if parameter.required else "parameter-added"
                yield Change(severity, where, how, (), (parameter.node,), kind)
            else:
                yield from self._parameter(where, location, before[key], after[key], self._pair(old, new))
                if location == "path":
                    yield from self._path_name(where, before[key], after[key])
        kept = [key for key in before if key in after]
        if kept != [key for key in after if key in before]:
            yield Change("wording", new.name, "the order of the parameters differs", (old.node,), (new.node,), "order")

    def _path_name(self, where: str, old: Parameter, new: Parameter) -> Iterable[Change]:
        """What another name of a path's parameter means: the same id in other words, or another id."""
        if old.name == new.name:
            return
        nodes = (old.node,), (new.node,)
        in_use = [_path_names(side) for side in (self.old, self.new)]
        # Both names in use, in one of the two descriptions: so they are names of two things.
        are_two = any({old.name, new.name} <= side for side in in_use)
        if _is_another(old.name, new.name, are_two=are_two):
            what = f"another id is expected here; it was {shown(old.name)}"
            yield Change("breaking", where, what, *nodes, "path-parameter-replaced")
        else:
            what = f"is called so now; it was called {shown(old.name)}"
            yield Change("wording", where, what, *nodes, "parameter-renamed")

    @staticmethod
    def _parameter(
        where: str, location: str, old: Parameter, new: Parameter, pair: SchemaComparison
    ) -> Iterable[Change]:
        nodes = ((old.node,), (new.node,))
        if old.name != new.name and location != "path":
            what = f"is called so now; it was called {shown(old.name)}"
            yield Change("wording", where, what, *nodes, "parameter-renamed")
        if old.required != new.required:
            severity: Severity = "breaking" if new.required else "additive"
            how = "is required; it was optional" if new.required else "is optional; it was required"
            yield Change(severity, where, how, *nodes, "parameter-required" if new.required else "parameter-optional")
        yield from _texts(where, old.node, new.node, "description", "example", "examples")
        yield from _deprecated(where, old.node, new.node)
        if _style(old.node, location) != _style(new.node, location):
            yield Change("breaking", where, "lists and objects are written in another way", *nodes, "parameter-style")
        inner = [*pair.default(old.schema, new.schema), *pair.sent(old.schema, new.schema)]
        yield from _placed(where, inner, nodes, "parameter")

    # --- bodies and responses ----------------------------------------------------------------------------------------

    def _body(self, old: Operation, new: Operation) -> Iterable[Change]:
        before = resolved(old.document, old.node.get("requestBody"))
        after = resolved(new.document, new.node.get("requestBody"))
        where = f"{new.name} body"
        if not after and not before:
            return
        if not after:
            yield Change("breaking", where, "no body is taken any more", (before,), (), "body-removed")
        elif not before:
            is_required = after.get("required") is True
            how = "a body must be sent" if is_required else "a body can be sent"
            kind = "body-added-required" if is_required else "body-added"
            yield Change("breaking" if is_required else "additive", where, how, (), (after,), kind)
        else:
            nodes = ((before,), (after,))
            required = before.get("required") is True, after.get("required") is True
            if required[0] != required[1]:
                how = "must be sent; it was optional" if required[1] else "is optional; it had to be sent"
                kind = "body-required" if required[1] else "body-optional"
                yield Change("breaking" if required[1] else "additive", where, how, *nodes, kind)
            yield from _texts(where, before, after, "description")
            yield from self._content(where, before, after, self._pair(old, new).sent, "body")

    def _responses(self, old: Operation, new: Operation) -> Iterable[Change]:
        before = {str(status): given for status, given in mapping(old.node.get("responses")).items()}
        after = {str(status): given for status, given in mapping(new.node.get("responses")).items()}
        for status in dict.fromkeys([*before, *after]):
            if status.startswith("x-"):
                continue
            where = f"{new.name} {status}"
            if status in before:
                was = resolved(old.document, before[status])
                covering = next((key for key in (status, f"{status[0]}XX", "default") if key in after), None)
                if covering is None:
                    is_success = status.startswith("2")
                    how = "this response is gone" if is_success else "this error is no longer described"
                    kind = "response-removed" if is_success else "error-removed"
                    yield Change("breaking" if is_success else "additive", where, how, (was,), (), kind)
                else:
                    yield from self._response(where, was, resolved(new.document, after[covering]), old, new)
                    if covering != status:
                        what = f"is described by {covering} now"
                        yield Change("additive", where, what, (was,), (), "response-covered")
            else:
                how = "this response is new" if status.startswith("2") else "this error is described"
                kind = "response-added" if status.startswith("2") else "error-added"
                yield Change("additive", where, how, (), (resolved(new.document, after[status]),), kind)

    def _response(self, where: str, was: Tree, now: Tree, old: Operation, new: Operation) -> Iterable[Change]:
        yield from _texts(where, was, now, "description", "links")
        is_success = where.rpartition(" ")[2].startswith("2")
        yield from self._content(where, was, now, self._pair(old, new).received, "response" if is_success else "error")
        before, after = _headers(old.document, was), _headers(new.document, now)
        pair = self._pair(old, new)
        for key in dict.fromkeys([*before, *after]):
            header = after.get(key) or before[key]
            place = f"{where} header {shown(header.name)}"
            if key not in after:
                yield Change("breaking", place, "the header is gone", (before[key].node,), (), "header-removed")
            elif key not in before:
                yield Change("additive", place, "the header is new", (), (header.node,), "header-added")
            else:
                nodes = ((before[key].node,), (after[key].node,))
                if before[key].required != after[key].required:
                    always = after[key].required
                    how = "is always there; it could be absent" if always else "can be absent; it was always there"
                    kind = "header-required" if always else "header-optional"
                    yield Change("additive" if always else "breaking", place, how, *nodes, kind)
                yield from _texts(place, before[key].node, after[key].node, "description")
                yield from _placed(place, pair.received(before[key].schema, after[key].schema), nodes, "header")

    @staticmethod
    def _content(
        where: str, old: Tree, new: Tree, compare: Callable[[Node, Node], list[Inner]], side: str
    ) -> Iterable[Change]:
        before, after = _media_types(old), _media_types(new)
        has_several = len(before) > 1 or len(after) > 1
        for name in dict.fromkeys([*before, *after]):
            place = f"{where} {shown(name)}" if has_several and not _is_json(name) else where
            if name not in after:
                what = f"the content type {shown(name)} is gone"
                yield Change("breaking", where, what, (old,), (new,), f"{side}-content-type-removed")
            elif name not in before:
                what = f"the content type {shown(name)} is new"
                yield Change("additive", where, what, (old,), (new,), f"{side}-content-type-added")
            else:
                was, now = before[name], after[name]
                yield from _texts(place, was, now, "example", "examples", "encoding")
                schemas = [(media["schema"],) if "schema" in media else () for media in (was, now)]
                yield from _placed(place, compare(schemas[0], schemas[1]), ((was,), (now,)), side, apart=" ")

    # --- around the operations ---------------------------------------------------------------------------------------

    def _servers(self) -> Iterable[Change]:
        moved: dict[tuple[str, str], list[Operation]] = {}
        for key, operation in self.new.operations.items():
            if key in self.old.operations:
                sides = self.old.operations[key], operation
                for reported in (_server_url, _server_template):  # the template, where the address itself is the same
                    urls = [" or ".join(_servers(side, reported)) for side in sides]
                    if urls[0] != urls[1]:
                        moved.setdefault((urls[0], urls[1]), []).append(operation)
                        break
        kept = sum(key in self.old.operations for key in self.new.operations)
        for (before, after), operations in moved.items():
            what = f"the server is {shown(after)}; it was {shown(before)}. The caller chooses it (base_url)"
            places = (
                ["servers"] if len(operations) == kept else [f"{operation.name} servers" for operation in operations]
            )
            yield from (Change("wording", place, what, kind="server") for place in places)

    def _texts_around(self) -> Iterable[Change]:
        before, after = self.old.documents, self.new.documents
        if len(before) == len(after) == 1:
            was, now = mapping(before[0].get("info")), mapping(after[0].get("info"))
            for keyword in ("title", "summary", "description", "version", "termsOfService", "contact", "license"):
                if was.get(keyword) != now.get(keyword):
                    yield Change("wording", f"info {keyword}", "differs", (was,), (now,), "text")
            if before[0].get("tags") != after[0].get("tags"):
                yield Change("wording", "tags", "differ", (before[0],), (after[0],), "text")
            if mapping(before[0].get("webhooks")) != mapping(after[0].get("webhooks")):
                what = "differ; they are no calls of a client"
                yield Change("wording", "webhooks", what, (before[0],), (after[0],), "webhooks")
            unused = [unused_schemas(document) for document in (before[0], after[0])]
            unused_names = dict.fromkeys([*unused[0], *unused[1]])
            if differing := [name for name in unused_names if unused[0].get(name) != unused[1].get(name)]:
                what = f"schemas that nothing uses differ: {shown(', '.join(differing))}"
                yield Change("wording", "components", what, (before[0],), (after[0],), "unused")
        kept = [key for key in self.old.operations if key in self.new.operations]
        if kept != [key for key in self.new.operations if key in self.old.operations]:
            yield Change("wording", "paths", "the order of the operations differs", kind="order")

    # --- events ------------------------------------------------------------------------------------------------------

    def _events(self) -> Iterable[Change]:
        """What differs in events that no operation refers to, and that those of its operations send that stream."""
        if not any(
            streams(self.old.operations[key]) and streams(operation)
            for key, operation in self.new.operations.items()
            if key in self.old.operations
        ):
            return  # what sends them is new, gone, or not described here
        before, after = event_roots(self.old), event_roots(self.new)
        pairs = paired(before, unions(self.new), after, unions(self.old))
        for was, now in pairs:
            where = f"events {shown(was.name if was and was.name else now.name if now else '')}"
            if was and now:
                inner = self._schemas_pair(was.document, now.document).received((was.reference,), (now.reference,))
                yield from _placed(where, inner, ((was.node,), (now.node,)), "event")
            elif was:
                if after or not is_reduced(self.new):
                    what = "these events are no longer described"
                    yield Change("breaking", where, what, (was.node,), (), "events-removed")
                else:
                    what = "these events are not described here, as is nothing to which no operation refers"
                    yield Change("wording", where, what, (was.node,), (), "events-left-out")
            elif now:
                severity: Severity = "additive" if before or not is_reduced(self.old) else "wording"
                yield Change(severity, where, "these events are described", (), (now.node,), "events-added")

    def _pair(self, old: Operation, new: Operation) -> SchemaComparison:
        return self._schemas_pair(old.document, new.document)

    def _schemas_pair(self, old: Tree, new: Tree) -> SchemaComparison:
        for document in (old, new):
            self._schemas.setdefault(id(document), Schemas(document))
        key = (id(old), id(new))
        if key not in self._pairs:
            self._pairs[key] = SchemaComparison(self._schemas[key[0]], self._schemas[key[1]])
        return self._pairs[key]


def _texts(where: str, old: Tree, new: Tree, *keywords: str) -> Iterable[Change]:
    """What differs in keywords that only inform."""
    for keyword in keywords:
        if (old.get(keyword) or None) != (new.get(keyword) or None):
            verb = "differ" if keyword.endswith("s") else "differs"
            yield Change("wording", where, f"the {keyword} {verb}", (old,), (new,), "text")


def _deprecated(where: str, old: Tree, new: Tree) -> Iterable[Change]:
    if bool(old.get("deprecated")) != bool(new.get("deprecated")):
        how, kind = ("now", "deprecated") if new.get("deprecated") else ("no longer", "undeprecated")
        yield Change("wording", where, f"is deprecated {how}", (old,), (new,), kind)


# --- what an operation has -------------------------------------------------------------------------------------------


def parameters(operation: Operation) -> dict[tuple[str, str], Parameter]:
    """The parameters of an operation, those of its path included, by their location and what they are known by.

    That is the name, without regard to capitals in a header; and of a path, the position, for its names are wording.
    """
    found: dict[tuple[str, str], Parameter] = {}
    in_path = path_names(operation.path)
    for holder in (operation.item, operation.node):
        for given in listed(holder.get("parameters")):
            node = resolved(operation.document, given)
            name, location = node.get("name"), node.get("in")
            if not isinstance(name, str) or not isinstance(location, str):
                continue
            if location == "header" and name.lower() in {"accept", "content-type", "authorization"}:
                continue  # by the standard, such a parameter is no parameter
            known_by = name.lower() if location == "header" else name
            if location == "path" and name in in_path:
                known_by = f"#{in_path.index(name)}"
            called = node.get(VENDOR_NAME, name)
            found[location, known_by] = _parameter(called, node, is_required=location == "path")
    return found


def _parameter(name: str, node: Tree, *, is_required: bool = False) -> Parameter:
    schema: Node = (node["schema"],) if "schema" in node else ()
    for media in mapping(node.get("content")).values():
        schema = (media["schema"],) if "schema" in mapping(media) else ()
    return Parameter(name, node, schema, is_required or node.get("required") is True)


def _headers(document: Tree, response: Tree) -> dict[str, Parameter]:
    headers = {str(name): resolved(document, node) for name, node in mapping(response.get("headers")).items()}
    return {n.lower(): _parameter(n, node) for n, node in headers.items() if n.lower() != "content-type"}


def _path_names(description: Description) -> set[str]:
    return {
        parameter.name
        for operation in description.operations.values()
        for (location, _), parameter in parameters(operation).items()
        if location == "path"
    }


def _is_another(old: str, new: str, *, are_two: bool) -> bool:
    """Whether a new name in a path means another thing, and is not the same in more, fewer or other capitals and words.

    Names of different things share no more than the kind of thing (`task_id`, `run_id`), and say so by the words before
    it; any two unlike names are different things where an API has both (`are_two`).
    """
    if names.are_alike(old, new):
        return False
    one, other = names.words(old), names.words(new)
    return are_two or (one[-1] == other[-1] and len(one) > 1 and len(other) > 1)


def _style(node: Tree, location: str) -> tuple[object, ...]:
    if "content" in node:
        return tuple(mapping(node["content"]))
    style = node.get("style", "form" if location in {"query", "cookie"} else "simple")
    return style, node.get("explode", style == "form")


def _media_types(holder: Tree) -> dict[str, Tree]:
    return {
        str(name).partition(";")[0].strip().lower(): mapping(media)
        for name, media in mapping(holder.get("content")).items()
    }


def _is_json(name: str) -> bool:
    return name == "application/json" or name.endswith("+json")


def _servers(operation: Operation, reported: Callable[[Tree], str]) -> list[str]:
    for holder in (operation.node, operation.item, operation.document):
        if servers := [server for server in listed(holder.get("servers")) if isinstance(server, dict)]:
            return [reported(server) for server in servers]
    return ["/"]


def _server_template(server: Tree) -> str:
    """A server's address with its variables as they are written, each with its default and the values allowed."""
    variables = [
        f"{name} = {mapping(given).get('default')}"
        + (f" of {', '.join(map(str, listed(mapping(given).get('enum'))))}" if mapping(given).get("enum") else "")
        for name, given in sorted(mapping(server.get("variables")).items())
    ]
    return " with ".join([str(server.get("url", "/")), *variables[:1]]) + "".join(f", {one}" for one in variables[1:])


def _server_url(server: Tree) -> str:
    variables = mapping(server.get("variables"))

    def default(match: re.Match[str]) -> str:
        return str(mapping(variables.get(match[1])).get("default", match[0]))

    return re.sub(r"\{([^{}]*)\}", default, str(server.get("url", "/")))


def _security(operation: Operation) -> frozenset[frozenset[str]]:
    """The ways to be let in, each a set of what must be shown; an empty one when nothing must be."""
    given = operation.node.get("security", operation.document.get("security"))
    schemes = mapping(mapping(operation.document.get("components")).get("securitySchemes"))
    ways = set()
    for requirement in listed(given):
        way = set()
        for name, scopes in mapping(requirement).items():
            scheme = resolved(operation.document, schemes.get(name))
            way.add(_scheme_text(scheme, name, listed(scopes)))
        ways.add(frozenset(way))
    return frozenset(ways or {frozenset()})


def _scheme_text(scheme: Tree, name: str, scopes: list[Any]) -> str:
    kind = str(scheme.get("type", name))
    said = {
        "http": f"http {str(scheme.get('scheme', '')).lower()}",
        "apiKey": f"the key {str(scheme.get('name', ''))!r} in {scheme.get('in')}",
        "openIdConnect": f"OpenID Connect at {scheme.get('openIdConnectUrl')}",
    }.get(kind, kind)
    if str(scheme.get("in")) == "header":
        said = said.lower()
    if kind == "oauth2":
        flows = {
            flow: {key: value for key, value in mapping(given).items() if key.endswith("Url")}
            for flow, given in mapping(scheme.get("flows")).items()
        }
        said = f"OAuth 2 {json.dumps(flows, sort_keys=True, default=str)}"
    return said + (f" with {', '.join(sorted(map(str, scopes)))}" if scopes else "")


def _security_text(ways: frozenset[frozenset[str]]) -> str:
    return shown(" or ".join(sorted(" with ".join(sorted(way)) or "none" for way in ways)))


def _placed(
    where: str, found: Iterable[Inner], nodes: tuple[tuple[Any, ...], tuple[Any, ...]], side: str, *, apart: str = ""
) -> Iterable[Change]:
    """Changes inside a schema as changes of the API.

    Args:
        where: The place of the schema.
        found: What differs inside.
        nodes: What is around the schema, in both descriptions.
        side: What the schema is of, for the id: parameter, body, response, error, header or event.
        apart: What stands between the two places, when the outer one is no name of what the inner one is in.
    """
    for change in found:
        inner = change.path.removeprefix(".") if apart else change.path
        place = f"{where}{apart if inner else ''}{shown(inner)}"
        old, new = (change.old, change.new) if change.old or change.new else nodes
        is_general = change.kind in {"text", "order", "deprecated", "undeprecated"}
        kind = change.kind if is_general else f"{side}-{change.kind}"
        yield Change(change.severity, place, change.what, old, new, kind)
