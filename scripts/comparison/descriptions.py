"""Two whole descriptions of an API compared: what differs for a program that calls it.

What a caller cannot notice is wording: text, order, operation ids, names of schemas, of security schemes and of the
parameters in a path, and the servers, for which server is called is the caller's choice (`base_url`).
"""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from specification.findings import shown

from comparison.changes import Change, in_order
from comparison.reading import listed, mapping, resolved
from comparison.schemas import SchemaComparison
from comparison.shapes import Schemas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from specification.nodes import Tree

    from comparison.changes import Severity
    from comparison.reading import Description, Operation
    from comparison.schemas import Inner
    from comparison.shapes import Node


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
    """A parameter of an operation, or a header of an answer.

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
                yield Change("breaking", operation.name, "the operation is gone", (operation.node,))
        for key, operation in self.new.operations.items():
            if key not in self.old.operations:
                yield Change("additive", operation.name, "the operation is new", (), (operation.node,))
        for key, operation in self.new.operations.items():
            if key in self.old.operations:
                yield from self._operation(self.old.operations[key], operation)
        yield from self._servers()
        yield from self._texts_around()
        for pair in self._pairs.values():
            for before, after in pair.renamed.items():
                yield Change("wording", f"schema {before}", f"is called {shown(after)} now")

    # --- operations --------------------------------------------------------------------------------------------------

    def _operation(self, old: Operation, new: Operation) -> Iterable[Change]:
        here = new.name
        for keyword in ("operationId", "summary", "description", "tags", "externalDocs"):
            if old.node.get(keyword) != new.node.get(keyword):
                is_id = keyword == "operationId" and keyword in old.node and keyword in new.node
                named = f"is called {shown(str(new.node[keyword]))} now" if is_id else f"its `{keyword}` differs"
                yield Change("wording", here, named, (old.node,), (new.node,))
        if bool(old.node.get("deprecated")) != bool(new.node.get("deprecated")):
            how = "deprecated now" if new.node.get("deprecated") else "deprecated no longer"
            yield Change("wording", here, f"is {how}", (old.node,), (new.node,))
        if mapping(old.node.get("callbacks")) != mapping(new.node.get("callbacks")):
            yield Change("wording", here, "its callbacks differ; no client answers them", (old.node,), (new.node,))
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
        yield Change("additive" if is_more else "breaking", f"{new.name} security", said, *nodes)

    # --- parameters --------------------------------------------------------------------------------------------------

    def _parameters(self, old: Operation, new: Operation) -> Iterable[Change]:
        before, after = parameters(old), parameters(new)
        for key in dict.fromkeys([*before, *after]):
            location = key[0]
            parameter = after.get(key) or before[key]
            where = f"{new.name} {location} {shown(parameter.name)}"
            if key not in after:
                yield Change("breaking", where, "the parameter is gone", (before[key].node,))
            elif key not in before:
                how = "the parameter is new, and required" if parameter.required else "the parameter is new"
                yield Change("breaking" if parameter.required else "additive", where, how, (), (parameter.node,))
            else:
                yield from self._parameter(where, location, before[key], after[key], self._pair(old, new))
        kept = [key for key in before if key in after]
        if kept != [key for key in after if key in before]:
            yield Change("wording", new.name, "the order of the parameters differs", (old.node,), (new.node,))

    @staticmethod
    def _parameter(
        where: str, location: str, old: Parameter, new: Parameter, pair: SchemaComparison
    ) -> Iterable[Change]:
        nodes = ((old.node,), (new.node,))
        if old.name != new.name:
            yield Change("wording", where, f"is called so now; it was called {shown(old.name)}", *nodes)
        if old.required != new.required:
            severity: Severity = "breaking" if new.required else "additive"
            how = "is required; it was optional" if new.required else "is optional; it was required"
            yield Change(severity, where, how, *nodes)
        for keyword in ("description", "example", "examples"):
            if old.node.get(keyword) != new.node.get(keyword):
                yield Change("wording", where, f"the {keyword} differs", *nodes)
        if bool(old.node.get("deprecated")) != bool(new.node.get("deprecated")):
            how = "deprecated now" if new.node.get("deprecated") else "deprecated no longer"
            yield Change("wording", where, f"is {how}", *nodes)
        if _style(old.node, location) != _style(new.node, location):
            yield Change("breaking", where, "lists and objects are written in another way", *nodes)
        yield from _placed(where, [*pair.default(old.schema, new.schema), *pair.sent(old.schema, new.schema)], nodes)

    # --- bodies and answers ------------------------------------------------------------------------------------------

    def _body(self, old: Operation, new: Operation) -> Iterable[Change]:
        before = resolved(old.document, old.node.get("requestBody"))
        after = resolved(new.document, new.node.get("requestBody"))
        where = f"{new.name} body"
        if not after and not before:
            return
        if not after:
            yield Change("breaking", where, "no body is taken any more", (before,))
        elif not before:
            is_required = after.get("required") is True
            how = "a body must be sent" if is_required else "a body can be sent"
            yield Change("breaking" if is_required else "additive", where, how, (), (after,))
        else:
            nodes = ((before,), (after,))
            required = before.get("required") is True, after.get("required") is True
            if required[0] != required[1]:
                how = "must be sent; it was optional" if required[1] else "is optional; it had to be sent"
                yield Change("breaking" if required[1] else "additive", where, how, *nodes)
            if before.get("description") != after.get("description"):
                yield Change("wording", where, "the description differs", *nodes)
            yield from self._content(where, before, after, self._pair(old, new).sent)

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
                    how = "this answer is gone" if is_success else "this error is no longer described"
                    yield Change("breaking" if is_success else "additive", where, how, (was,))
                else:
                    yield from self._response(where, was, resolved(new.document, after[covering]), old, new)
                    if covering != status:
                        yield Change("additive", where, f"is described by {covering} now", (was,))
            else:
                how = "this answer is new" if status.startswith("2") else "this error is described"
                yield Change("additive", where, how, (), (resolved(new.document, after[status]),))

    def _response(self, where: str, was: Tree, now: Tree, old: Operation, new: Operation) -> Iterable[Change]:
        if was.get("description") != now.get("description"):
            yield Change("wording", where, "the description differs", (was,), (now,))
        if mapping(was.get("links")) != mapping(now.get("links")):
            yield Change("wording", where, "the links differ", (was,), (now,))
        yield from self._content(where, was, now, self._pair(old, new).received)
        before, after = _headers(old.document, was), _headers(new.document, now)
        pair = self._pair(old, new)
        for key in dict.fromkeys([*before, *after]):
            header = after.get(key) or before[key]
            place = f"{where} header {shown(header.name)}"
            if key not in after:
                yield Change("breaking", place, "the header is gone", (before[key].node,))
            elif key not in before:
                yield Change("additive", place, "the header is new", (), (header.node,))
            else:
                nodes = ((before[key].node,), (after[key].node,))
                if before[key].required != after[key].required:
                    always = after[key].required
                    how = "is always there; it could be absent" if always else "can be absent; it was always there"
                    yield Change("additive" if always else "breaking", place, how, *nodes)
                if before[key].node.get("description") != after[key].node.get("description"):
                    yield Change("wording", place, "the description differs", *nodes)
                yield from _placed(place, pair.received(before[key].schema, after[key].schema), nodes)

    @staticmethod
    def _content(where: str, old: Tree, new: Tree, compare: Callable[[Node, Node], list[Inner]]) -> Iterable[Change]:
        before, after = _media_types(old), _media_types(new)
        has_several = len(before) > 1 or len(after) > 1
        for name in dict.fromkeys([*before, *after]):
            place = f"{where} {shown(name)}" if has_several and not _is_json(name) else where
            if name not in after:
                yield Change("breaking", where, f"the content type {shown(name)} is gone", (old,), (new,))
            elif name not in before:
                yield Change("additive", where, f"the content type {shown(name)} is new", (old,), (new,))
            else:
                was, now = before[name], after[name]
                for keyword in ("example", "examples", "encoding"):
                    if was.get(keyword) != now.get(keyword):
                        verb = "differ" if keyword == "examples" else "differs"
                        yield Change("wording", place, f"the {keyword} {verb}", (was,), (now,))
                schemas = [(media["schema"],) if "schema" in media else () for media in (was, now)]
                yield from _placed(place, compare(schemas[0], schemas[1]), ((was,), (now,)), apart=" ")

    # --- around the operations ---------------------------------------------------------------------------------------

    def _servers(self) -> Iterable[Change]:
        moved: dict[tuple[str, str], list[Operation]] = {}
        for key, operation in self.new.operations.items():
            if key in self.old.operations:
                urls = _servers(self.old.operations[key]), _servers(operation)
                if urls[0] != urls[1]:
                    moved.setdefault((" or ".join(urls[0]), " or ".join(urls[1])), []).append(operation)
        kept = sum(key in self.old.operations for key in self.new.operations)
        for (before, after), operations in moved.items():
            what = f"the server is {shown(after)}; it was {shown(before)}. The caller chooses it (base_url)"
            places = (
                ["servers"] if len(operations) == kept else [f"{operation.name} servers" for operation in operations]
            )
            yield from (Change("wording", place, what) for place in places)

    def _texts_around(self) -> Iterable[Change]:
        before, after = self.old.documents, self.new.documents
        if len(before) == len(after) == 1:
            was, now = mapping(before[0].get("info")), mapping(after[0].get("info"))
            for keyword in ("title", "summary", "description", "version", "termsOfService", "contact", "license"):
                if was.get(keyword) != now.get(keyword):
                    yield Change("wording", f"info {keyword}", "differs", (was,), (now,))
            if mapping(before[0].get("webhooks")) != mapping(after[0].get("webhooks")):
                yield Change("wording", "webhooks", "differ; they are no calls of a client", (before[0],), (after[0],))
        kept = [key for key in self.old.operations if key in self.new.operations]
        if kept != [key for key in self.new.operations if key in self.old.operations]:
            yield Change("wording", "paths", "the order of the operations differs")

    def _pair(self, old: Operation, new: Operation) -> SchemaComparison:
        for document in (old.document, new.document):
            self._schemas.setdefault(id(document), Schemas(document))
        key = (id(old.document), id(new.document))
        if key not in self._pairs:
            self._pairs[key] = SchemaComparison(self._schemas[key[0]], self._schemas[key[1]])
        return self._pairs[key]


# --- what an operation has -------------------------------------------------------------------------------------------


def parameters(operation: Operation) -> dict[tuple[str, str], Parameter]:
    """The parameters of an operation, those of its path included, by their location and what they are known by.

    That is the name, without regard to capitals in a header; and of a path, the position, for its names are wording.
    """
    found: dict[tuple[str, str], Parameter] = {}
    names = re.findall(r"\{([^{}]*)\}", operation.path)
    for holder in (operation.item, operation.node):
        for given in listed(holder.get("parameters")):
            node = resolved(operation.document, given)
            name, location = node.get("name"), node.get("in")
            if not isinstance(name, str) or not isinstance(location, str):
                continue
            if location == "header" and name.lower() in {"accept", "content-type", "authorization"}:
                continue  # by the standard, such a parameter is no parameter
            known_by = name.lower() if location == "header" else name
            if location == "path" and name in names:
                known_by = f"#{names.index(name)}"
            found[location, known_by] = _parameter(name, node, is_required=location == "path")
    return found


def _parameter(name: str, node: Tree, *, is_required: bool = False) -> Parameter:
    schema: Node = (node["schema"],) if "schema" in node else ()
    for media in mapping(node.get("content")).values():
        schema = (media["schema"],) if "schema" in mapping(media) else ()
    return Parameter(name, node, schema, is_required or node.get("required") is True)


def _headers(document: Tree, response: Tree) -> dict[str, Parameter]:
    headers = {str(name): resolved(document, node) for name, node in mapping(response.get("headers")).items()}
    return {n.lower(): _parameter(n, node) for n, node in headers.items() if n.lower() != "content-type"}


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


def _servers(operation: Operation) -> list[str]:
    for holder in (operation.node, operation.item, operation.document):
        if servers := [server for server in listed(holder.get("servers")) if isinstance(server, dict)]:
            return [_url(server) for server in servers]
    return ["/"]


def _url(server: Tree) -> str:
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
    where: str, found: Iterable[Inner], nodes: tuple[tuple[Any, ...], tuple[Any, ...]], *, apart: str = ""
) -> Iterable[Change]:
    """Changes inside a schema as changes of the API.

    Args:
        where: The place of the schema.
        found: What differs inside.
        nodes: What is around the schema, in both descriptions.
        apart: What stands between the two places, when the outer one is no name of what the inner one is in.
    """
    for change in found:
        inner = change.path.removeprefix(".") if apart else change.path
        place = f"{where}{apart if inner else ''}{shown(inner)}"
        old, new = (change.old, change.new) if change.old or change.new else nodes
        yield Change(change.severity, place, change.what, old, new)
