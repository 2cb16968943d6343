"""A new parameter or body field as a keyword of a method: in its signature, its docstring and the calls it makes.

How a value goes from the method to the request is read from the code: a parameter of the same operation that the method
passes on under its own name (`created_by_account=created_by_account`) shows the way. Where there is none, the call of
the operation's `build_request` does. What takes no further keyword on that way gets one, too.
"""

from __future__ import annotations

import ast
import contextlib
import re
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

import facade_coverage
from openapi.names import argument_name
from openapi.references import followed

from writing.source import WIDTH, Source, UnwritableError, called_name, calls_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from facade_coverage import Lacking, Operation, Parameter

    from writing.source import Function


class Package:
    """The modules of the SDK, each read when it is first needed.

    Attributes:
        root: The folder of the package `dify_workflow`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sources: dict[Path, Source] = {}
        self._written: set[tuple[Path, str, str]] = set()

    def source(self, path: Path) -> Source:
        """A module by its file."""
        if path not in self.sources:
            self.sources[path] = Source(path)
        return self.sources[path]

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """Makes what is written inside all of it or, after an error, nothing."""
        known = set(self._written)
        marks = {path: source.mark() for path, source in self.sources.items()}
        try:
            yield
        except UnwritableError:
            self._written = known
            for path, source in [*self.sources.items()]:
                if path in marks:
                    source.back_to(*marks[path])
                else:
                    del self.sources[path]
            raise

    def is_first(self, path: Path, function: str, keyword: str) -> bool:
        """Whether a keyword is to be added to a function for the first time: several methods may lead to it."""
        known = (path, function, keyword) in self._written
        self._written.add((path, function, keyword))
        return not known


class Keyword(NamedTuple):
    """A keyword to add.

    Attributes:
        name: Its name.
        annotation: Its type.
        default: Its default, as it is written.
        value: What is passed on at the method's call.
        imports: What has to be imported: module, name, and whether for types alone.
    """

    name: str
    annotation: str
    default: str
    value: str
    imports: tuple[tuple[str, str, bool], ...] = ()

    @property
    def written(self) -> str:
        """The keyword in a signature."""
        return f"{self.name}: {self.annotation} = {self.default}"


def write(package: Package, spec: dict[str, Any], lack: Lacking, method: str, file: str) -> str:
    """Writes a keyword that a method lacks; what was written, in words.

    Args:
        package: The SDK's modules.
        spec: The compiled spec.
        lack: What is lacking.
        method: The method, with its class: `AsyncLogs.list`.
        file: Its module, below the package.

    Raises:
        UnwritableError: It cannot be written so.
    """
    path = package.root / file
    source = package.source(path)
    definitions = source.functions(method)
    if not definitions:
        raise UnwritableError(f"{method} is not in {file}")
    function = definitions[-1]
    way = _way(source, function, lack)
    if lack.parameter.required and len(having(lack)) == len(lack.called):
        raise UnwritableError("it must be given, which no caller does yet")
    keyword = keyword_of(
        spec,
        lack.parameter._replace(required=False),
        facade_coverage.annotation(spec, lack.parameter),
        is_beside=way.is_beside,
        is_shared=len(having(lack)) == len(lack.called),
    )
    anchor = _anchor(function, lack.called)
    for definition in definitions:
        source.add_keyword(definition, keyword.written, anchor)
    source.add_description(function, described(lack.parameter, keyword.name), anchor)
    for line in refusals(lack, keyword.name):
        source.add_statement(function, line)
    for module, name, for_types in keyword.imports:
        source.add_import(module, name, for_types=for_types)
    _pass_on(package, source, way, keyword, lack)
    return f"client.{lack.door.name} takes `{keyword.written}`, the {_WHERE[lack.parameter.where]} of {_keys(lack)}"


_WHERE = {
    "query": "query parameter",
    "body": "field of the body",
    "form": "part of the form",
    "path": "part of the path",
}


def _keys(lack: Lacking) -> str:
    return " and ".join(operation.key for operation in having(lack))


def having(lack: Lacking) -> list[Operation]:
    """The operations among those that a method calls that have the parameter."""
    name = lack.parameter.name
    return [one for one in lack.called if any(parameter.name == name for parameter in one.parameters)]


# --- the keyword -----------------------------------------------------------------------------------------------------


def keyword_of(
    spec: dict[str, Any], parameter: Parameter, annotation: str, *, is_beside: bool = False, is_shared: bool = True
) -> Keyword:
    """A parameter as a keyword.

    Args:
        spec: The compiled spec.
        parameter: The parameter.
        annotation: Its type, without None.
        is_beside: Whether it becomes a filter of a walk, or goes into a body.
        is_shared: Whether all operations that the method calls have it.

    Raises:
        UnwritableError: It cannot be written as one.
    """
    name = argument_name(parameter.name)
    _check(spec, parameter, name)
    default = ""
    if not parameter.required:
        known = parameter.schema.get("default")
        # Where None is not sent, the server's own default holds: checkpoints of earlier versions stay good, and an
        # operation that lacks the parameter is not given it.
        is_written = isinstance(known, str | int | float | bool) and is_shared and not is_beside
        default = repr(known) if is_written else "None"
        annotation += "" if is_written else " | None"
    value = name
    imports: list[tuple[str, str, bool]] = []
    for word in re.findall(r"\w+", annotation):
        imports += [(module, word, True) for module, names in _MODULES.items() if word in names]
        if word in spec["components"]["schemas"]:
            imports.append((".models", word, True))
    if parameter.where == "body":
        if not parameter.name.isidentifier():
            raise UnwritableError(f"`{parameter.name}` is no name for an argument")
        kind, bounds = check_of(spec, parameter)
        value = (
            ", ".join([f'checked_field("{name}"', name, f'"{kind}"', *(f"{k}={v!r}" for k, v in bounds.items())]) + ")"
        )
        imports.append(("._runs.arguments", "checked_field", False))
    return Keyword(name, annotation, default, value, tuple(imports))


_MODULES = {"typing": {"Any"}, "collections.abc": {"Mapping", "Iterable"}}


def _check(spec: dict[str, Any], parameter: Parameter, name: str) -> None:
    if parameter.where not in _WHERE:
        raise UnwritableError(f"a parameter in the {parameter.where} is not supported")
    if not name.isidentifier():
        raise UnwritableError(f"`{parameter.name}` is no name for a keyword")
    kinds = _kinds(spec, parameter)
    if parameter.where == "query" and kinds & {"object", "array"}:
        raise UnwritableError("a list or an object in the query needs a form of its own")
    if parameter.where == "form" and kinds != {"string"}:
        raise UnwritableError("a part of a form that is no text needs a form of its own")


def _kinds(spec: dict[str, Any], parameter: Parameter) -> set[str]:
    return {kind for _, kind in _alternatives(spec, parameter)}


def _alternatives(spec: dict[str, Any], parameter: Parameter) -> list[tuple[dict[str, Any], str]]:
    found = []
    for one in facade_coverage.alternatives(parameter.schema):
        schema = followed(spec, one)
        kinds = schema.get("type", "object")
        found += [(schema, kind) for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind != "null"]
    return found


def check_of(spec: dict[str, Any], parameter: Parameter) -> tuple[str, dict[str, Any]]:
    """How the value of a field of a body is checked: the kind, and its bounds.

    Raises:
        UnwritableError: It may be of several kinds.
    """
    found = _alternatives(spec, parameter)
    kinds = {kind for _, kind in found}
    if len(kinds) != 1:
        raise UnwritableError(f"a field that is one of {', '.join(sorted(kinds))} needs a check of its own")
    schema, kind = found[0] if len(found) == 1 else ({}, found[0][1])
    if kind == "array":
        items = followed(spec, schema.get("items", {})).get("type")
        return "array", {"items": _CHECKS[items]} if isinstance(items, str) and items in _CHECKS else {}
    return _CHECKS[kind], {_BOUNDS[key]: schema[key] for key in _BOUNDS if key in schema}


_CHECKS = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean", "object": "object"}
_BOUNDS = {"minLength": "shortest", "maxLength": "longest", "minimum": "minimum", "maximum": "maximum"}


def described(parameter: Parameter, name: str) -> str:
    """The description of a keyword, as lines of a docstring."""
    text = " ".join("".join(c if c.isprintable() else " " for c in parameter.text).split())
    text = text.replace("\\", "\\\\").replace('"""', "'''") or f"The parameter `{parameter.name}`."
    text = text[0].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text
    bounds = [parameter.schema[key] for key in ("minimum", "maximum") if key in parameter.schema]
    if [bound for bound in bounds if str(bound) not in re.findall(r"\d+", text)]:
        words = {2: "from {} to {}", 1: "at least {}" if "minimum" in parameter.schema else "at most {}"}[len(bounds)]
        text = f"{text.rstrip('.')}; {words.format(*bounds)}."
    default = parameter.schema.get("default")
    if default is not None and f"{default}" not in text:
        said = "".join(c for c in f"{default!r}" if c.isprintable()).replace("\\", "\\\\").replace('"""', "'''")
        text = f"{text.rstrip('.')}; the server's own default is {said}."
    return (
        "\n".join(textwrap.wrap(f"{name}: {text}", WIDTH, initial_indent=" " * 12, subsequent_indent=" " * 16)) + "\n"
    )


def refusals(lack: Lacking, name: str) -> list[str]:
    """The statements that refuse a keyword together with an argument that selects an operation without it.

    Raises:
        UnwritableError: No argument says which operation it is.
    """
    able = having(lack)
    found = []
    for other in [one for one in lack.called if one not in able]:
        own, selecting = (_in_path(able[0]), _in_path(other))
        if argument := next((one for one in selecting if one not in own), None):
            condition, said = f"{argument} is not None", f"without {argument}"
        elif argument := next((one for one in own if one not in selecting), None):
            condition, said = f"{argument} is None", f"together with {argument}"
        else:
            raise UnwritableError(f"{other.key} does not have it, and no argument says when that is called")
        found.append(
            f"        if {name} is not None and {condition}:\n"
            f'            raise ValueError(f"{name} must be given {said}, got {{{name}!r}}: "\n'
            f'"{other.key} does not take it")\n'
        )
    return found


def _in_path(operation: Operation) -> list[str]:
    return [argument_name(one.name) for one in operation.parameters if one.where == "path"]


def _anchor(function: Function, called: Iterable[Operation]) -> str | None:
    """The last keyword of a method that is a parameter of its operations: the new one follows it."""
    known = {argument_name(one.name) for operation in called for one in operation.parameters}
    names = [one.arg for one in function.args.kwonlyargs if one.arg in known]
    return names[-1] if names else None


# --- the way to the request ------------------------------------------------------------------------------------------


class Way(NamedTuple):
    """How a method gives a keyword to its request.

    Attributes:
        calls: The calls that get it, each with the argument behind which it is put.
        is_beside: Whether it goes beside another parameter to a function of the SDK: as a filter of a walk, or into
            a body.
    """

    calls: list[tuple[ast.Call, ast.keyword | None]]
    is_beside: bool = False


_BUILD = ".build_request"


def _way(source: Source, function: Function, lack: Lacking) -> Way:
    operations = having(lack)
    where = lack.parameter.where
    direct = [call for call in calls_in(function) if called_name(call) in {one.name + _BUILD for one in operations}]
    if direct and where != "body":
        return Way([(call, None) for call in direct])
    derived_clients = [
        argument_name(one.name)
        for operation in operations
        for one in operation.parameters
        if one.where == where and one.name != lack.parameter.name
    ]
    for derived in reversed(derived_clients):
        found = [(call, given) for call in calls_in(function) if (given := _passed(call, derived)) is not None]
        if found:
            return Way([*found], is_beside=not all(called_name(call).endswith(_BUILD) for call, _ in found))
    if where != "body":
        helpers = [call for call in calls_in(function) if _leads_to(source, called_name(call), operations)]
        if helpers:
            return Way([(call, None) for call in helpers])
    others = {f"self.{name.partition('.')[2]}" for name in _doors_of(lack)} - {f"self.{function.name}"}
    if through := [(call, None) for call in calls_in(function) if called_name(call) in others]:
        return Way([*through])  # by another method of the API
    raise UnwritableError(f"{function.name} does not show how it gives its arguments to {operations[0].name}{_BUILD}")


def _passed(call: ast.Call, name: str) -> ast.keyword | None:
    """The argument by which a call is given a name under this name."""
    return next(
        (one for one in call.keywords if one.arg == name and isinstance(one.value, ast.Name) and one.value.id == name),
        None,
    )


def _leads_to(source: Source, name: str, operations: list[Operation]) -> bool:
    wanted = {one.name + _BUILD for one in operations}
    return any(called_name(call) in wanted for one in source.functions(name) for call in calls_in(one))


def _pass_on(package: Package, source: Source, way: Way, keyword: Keyword, lack: Lacking) -> None:
    for call, after in way.calls:
        name = called_name(call)
        # The fields of a body go by their own names, and so they do on the wire.
        name_there = lack.parameter.name if lack.parameter.where == "body" else keyword.name
        source.add_argument(call, f"{name_there}={keyword.value}", after)
        if name.endswith(_BUILD):
            continue
        _accept(package, source, name, keyword, lack, after.arg if after else None)


def _accept(package: Package, source: Source, name: str, keyword: Keyword, lack: Lacking, derived: str | None) -> None:
    """Sees to it that what is called takes the keyword and passes it on."""
    if "." in name:
        if name.rpartition(".")[2] in {one.partition(".")[2] for one in _doors_of(lack)}:
            return  # it gets the keyword for itself
        raise UnwritableError(f"it is passed on by {name}, which is no method of the API")
    target, functions = _defined(package, source, name)
    if not functions:
        raise UnwritableError(f"it is passed on by {name}, which is not found")
    function = functions[-1]
    if function.args.kwarg is not None or not package.is_first(target.path, name, keyword.name):
        return
    if derived is not None and not any(one.arg == derived for one in function.args.kwonlyargs):
        raise UnwritableError(f"it is passed on by {name}, which takes no further keyword")
    optional = keyword.annotation if keyword.annotation.endswith("None") else f"{keyword.annotation} | None"
    if function.args.kwonlyargs:
        target.add_keyword(function, f"{keyword.name}: {optional} = None", derived)
    else:
        last = function.args.args[-1]
        target.insert_after(last, f", *, {keyword.name}: {optional} = None")
    for module, word, for_types in keyword.imports:
        if for_types:
            target.add_import(module, word, for_types=True)
    own = keyword._replace(value=keyword.name)
    _pass_on(package, target, _way(target, function, lack), own, lack)


def _doors_of(lack: Lacking) -> set[str]:
    keys = {operation.key for operation in having(lack)}
    return {door.name for door in facade_coverage.doors() if keys & {*door.keys}}


def _defined(package: Package, source: Source, name: str) -> tuple[Source, list[Function]]:
    """Where a function is defined: in the module, or in one that it imports it from."""
    if own := source.functions(name):
        return source, own
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.ImportFrom)
            and node.level
            and any((one.asname or one.name) == name for one in node.names)
        ):
            folder = source.path.parents[node.level - 1]
            path = folder.joinpath(*(node.module or "").split(".")).with_suffix(".py")
            if path.is_file():
                target = package.source(path)
                return target, target.functions(name)
    return source, []
