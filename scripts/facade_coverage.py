"""Say what the spec has and the facade does not: operations, parameters, fields; and what to add where.

Usage: facade_coverage.py [SPEC]

SPEC is spec/openapi.yaml unless given. Exit status 1, with one line for each gap, when there are any.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from openapi.names import argument_name, field_name
from openapi.references import followed
from openapi.structure import METHODS
from project import ROOT
from ruamel.yaml import YAML

from dify_workflow import AsyncDifyWorkflow, models, results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPEC = ROOT / "spec" / "openapi.yaml"
FACADE = "src/dify_workflow/_async"
RESOURCES = f"{FACADE}/resources"
MENTIONED = re.compile(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)`")

# What a method has no keyword for, although an operation that it calls has it.
LEFT_OUT: Final[dict[str, dict[str, str]]] = {
    "logs.iter": {"page": "the walk chooses the page", "limit": "the walk chooses the size of a page"},
    "logs.changes": {
        "page": "the walk chooses the page",
        "limit": "the walk chooses the size of a page",
        "created_at__before": "it ends with what is there",
        "created_at__after": "`since` is where it begins",
    },
    "logs.ranges": {"page": "the ranges are of all pages", "limit": "the ranges are of all pages"},
    "logs.follow": {
        "page": "the walk chooses the page",
        "limit": "the walk chooses the size of a page",
        "created_at__before": "it has no end",
        "created_at__after": "`since` is where it begins",
    },
    "runs.run": {"response_mode": "it waits: blocking"},
    "runs.stream": {"response_mode": "it streams: streaming"},
    "runs.start": {"response_mode": "it streams: streaming"},
    "runs.batch": {
        "response_mode": "it streams: streaming",
        "inputs": "they are the rows",
        "files": "they are among the inputs",
    },
    "files.upload_all": {"file": "they are among the inputs"},
    "runs.rerun": {
        "response_mode": "it waits: blocking",
        "inputs": "they are those of the earlier run",
        "files": "they are those of the earlier run",
    },
}

# What a method has beside the parameters of its operations; `timeout` is every method's.
OWN: Final[dict[str, set[str]]] = {
    "logs.iter": {"range", "checkpoint", "workers", "details", "patience"},
    "logs.changes": {"checkpoint", "since", "give_up_after", "patience"},
    "logs.ranges": {"parts"},
    "logs.follow": {"checkpoint", "poll", "since", "give_up_after"},
    "files.upload": {"filename", "content_type"},
    "files.upload_all": {"inputs"},
    "runs.run": {"check_inputs"},
    "runs.start": {"check_inputs"},
    "runs.batch": {
        *("rows", "journal", "at_once", "one_user", "retry_failed", "in_order", "check_inputs", "settle", "lost_after"),
    },
    "runs.rerun": {"workflow_run_id"},
    "runs.stream": {"check_inputs", "max_silence"},
    "runs.events": {"max_silence"},
    "app.check_inputs": {"inputs"},
}

# What the facade takes in more forms than the wire has.
TAKEN_AS: Final = {"created_at__before": "Time", "created_at__after": "Time"}

# What a method insists on, although its operation does without.
INSISTED_ON: Final = dict.fromkeys(
    [("files.upload", "user"), ("files.upload_all", "user")],
    "a file without a user belongs to all callers that give none",
)


# What a method sends where the caller says nothing, although the server has another default.
OWN_DEFAULTS: Final = {
    ("runs.events", "include_state_snapshot"): (True, "without it, the stream of a paused run has nothing but pings")
}


class Parameter(NamedTuple):
    """A parameter of an operation, a part of its form, or a field of its JSON body."""

    name: str
    where: str
    required: bool
    schema: dict[str, Any]
    text: str = ""


class Operation(NamedTuple):
    """An operation of the spec; `responses` are the schemas of its successful JSON responses."""

    name: str
    tag: str
    method: str
    path: str
    parameters: list[Parameter]
    responses: list[dict[str, Any]]

    @property
    def key(self) -> str:
        """Method and path, as a docstring has them."""
        return f"{self.method} {self.path}"


class Door(NamedTuple):
    """A method of the facade that calls operations."""

    name: str
    function: Callable[..., Any]
    keys: list[str]

    @property
    def resource(self) -> str:
        """The part before the dot, `logs` of `logs.list`."""
        return self.name.partition(".")[0]


def main(argv: list[str] | None = None) -> int:
    """Print the gaps; the exit status."""
    parser = argparse.ArgumentParser(description="Say what the spec has and the facade does not.")
    parser.add_argument("spec", nargs="?", type=Path, default=SPEC, metavar="SPEC")
    found = gaps(read(parser.parse_args(argv).spec))
    for gap in found:
        print(gap)
    return 1 if found else 0


def read(path: Path) -> dict[str, Any]:
    """The document in a YAML file."""
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(path)
    return document


def gaps(spec: dict[str, Any]) -> list[str]:
    """What is missing, wrong or left over, one sentence each."""
    described = {operation.key: operation for operation in operations(spec)}
    reached = doors()
    found = [_no_door(operation, reached) for operation in unreached(spec, reached)]
    for door in reached:
        called = [described[key] for key in door.keys if key in described]
        found += [
            f"{key} is not in the spec, and {_place(door)} calls it: take it out, or rename it there."
            for key in door.keys
            if key not in described
        ]
        found += [*_parameter_gaps(spec, door, called), *_left_over(door, called), *_result_gaps(spec, door, called)]
    return found


# --- the spec --------------------------------------------------------------------------------------------------------


def operations(spec: dict[str, Any]) -> list[Operation]:
    """The operations, with what a caller can give to each."""
    return [
        Operation(
            name=operation["operationId"],
            tag=operation["tags"][0],
            method=method.upper(),
            path=path,
            parameters=[*_parameters(spec, item), *_parameters(spec, operation), *_body(spec, operation)],
            responses=list(_responses(spec, operation)),
        )
        for path, item in spec["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def _parameters(spec: dict[str, Any], place: dict[str, Any]) -> Iterator[Parameter]:
    for one in place.get("parameters", []):
        parameter = followed(spec, one)
        schema, is_required = parameter["schema"], parameter.get("required", False)
        yield Parameter(parameter["name"], parameter["in"], is_required, schema, _text(parameter, schema))


def _body(spec: dict[str, Any], operation: dict[str, Any]) -> Iterator[Parameter]:
    content = followed(spec, operation.get("requestBody", {})).get("content", {})
    for kind, where in (("application/json", "body"), ("multipart/form-data", "form")):
        schema = followed(spec, content.get(kind, {}).get("schema", {}))
        for name, one in schema.get("properties", {}).items():
            yield Parameter(name, where, name in schema.get("required", ()), one, _text(one))


def _text(*places: dict[str, Any]) -> str:
    return next((str(place["description"]) for place in places if place.get("description")), "")


def _responses(spec: dict[str, Any], operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for status, response in operation["responses"].items():
        media = followed(spec, response).get("content", {}).get("application/json", {})
        if status.startswith("2") and "schema" in media:
            yield media["schema"]


TYPES: Final = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "object": "Mapping[str, Any]",
    "array": "Iterable[Any]",
}


def annotation(spec: dict[str, Any], parameter: Parameter) -> str:
    """The type of the facade's keyword, without the None of one that may be left out."""
    if parameter.name in TAKEN_AS:
        return TAKEN_AS[parameter.name]
    words: list[str] = []
    for one in alternatives(parameter.schema):
        schema = followed(spec, one)
        kinds = schema.get("type", "object")
        if "enum" in schema and "$ref" in one:
            words.append(one["$ref"].rpartition("/")[2])
        elif schema.get("format") == "binary":
            words.append("FileSource")
        else:
            words += [TYPES[kind] for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind != "null"]
    return " | ".join(dict.fromkeys(words))


def alternatives(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives of a schema, at any depth; itself where it has none."""
    members = [*schema.get("anyOf", []), *schema.get("oneOf", [])]
    return [found for member in members for found in alternatives(member)] if members else [schema]


# --- the facade ------------------------------------------------------------------------------------------------------


def doors() -> list[Door]:
    """The methods of the facade that call operations, by the first paragraphs of their docstrings."""
    client = AsyncDifyWorkflow(api_key="app-for-reading-the-names")
    found = []
    for resource, _ in inspect.getmembers(AsyncDifyWorkflow, lambda member: isinstance(member, property)):
        for name, function in vars(type(getattr(client, resource))).items():
            is_method = inspect.isfunction(function) and name.isascii()  # mutmut adds functions, whose names are not
            first = (inspect.getdoc(function) or "").partition("\n\n")[0] if is_method else ""
            if keys := list(dict.fromkeys(MENTIONED.findall(first))):
                found.append(Door(f"{resource}.{name}", function, keys))
    return found


def _place(door: Door) -> str:
    return f"{door.function.__qualname__} in {RESOURCES}/{Path(inspect.getfile(door.function)).name}"


def _no_door(operation: Operation, reached: list[Door]) -> str:
    present = {door.resource: door for door in reached}
    file = f"{RESOURCES}/{operation.tag}.py"
    if operation.tag in present:
        cls = present[operation.tag].function.__qualname__.partition(".")[0]
        where = f"a method to {cls} in {file}"
    else:
        cls = "Async" + "".join(word.capitalize() for word in operation.tag.split("_"))
        where = f"the property `{operation.tag}` to {FACADE}/client.py, and the class {cls} with a method to {file},"
    return (
        f"{operation.key} ({operation.name}): no method of client.{operation.tag} calls it. Add {where} whose "
        f"docstring names `{operation.key}` in its first sentence, and which sends what "
        f"dify_workflow_api.api.{operation.tag}.{operation.name}.build_request gives; then `make generate reference`."
    )


# --- parameters ------------------------------------------------------------------------------------------------------


class Lacking(NamedTuple):
    """A keyword that a method does not have, although an operation that it calls has the parameter.

    Attributes:
        door: The method.
        parameter: The parameter.
        operation: The first operation that has it.
        called: All operations that the method calls.
        written: The keyword as it is to be written, such as `limit: int = 20`.
    """

    door: Door
    parameter: Parameter
    operation: Operation
    called: list[Operation]
    written: str


def lacking(spec: dict[str, Any], door: Door, called: list[Operation]) -> Iterator[Lacking]:
    """The keywords that a method lacks."""
    present = inspect.signature(door.function).parameters
    for parameter, operation in _parameters_of(called).values():
        if parameter.name not in LEFT_OUT.get(door.name, {}) and argument_name(parameter.name) not in present:
            yield Lacking(door, parameter, operation, called, _written(spec, door, parameter, called)[0])


def unreached(spec: dict[str, Any], reached: list[Door]) -> list[Operation]:
    """The operations that no method of their resource calls."""
    return [
        operation
        for operation in operations(spec)
        if not any(operation.key in door.keys and door.resource == operation.tag for door in reached)
    ]


def _parameter_gaps(spec: dict[str, Any], door: Door, called: list[Operation]) -> Iterator[str]:
    present = inspect.signature(door.function).parameters
    absent = {one.parameter.name: one for one in lacking(spec, door, called)}
    for parameter, operation in _parameters_of(called).values():
        name, what = argument_name(parameter.name), f"`{parameter.name}` ({parameter.where}) of {operation.key}"
        if parameter.name in LEFT_OUT.get(door.name, {}):
            continue
        if parameter.name in absent:
            yield (
                f"client.{door.name} has no keyword for {what}. Add `{absent[parameter.name].written}` and its "
                f"description to {_place(door)}, and give it to {operation.name}.build_request; then "
                "`make generate reference`. "
                "Where the method can do without it, say why in LEFT_OUT of scripts/facade_coverage.py."
            )
            continue
        wanted = _written(spec, door, parameter, called)
        found = present[name]
        text = f"{name}: {found.annotation}" + ("" if found.default is found.empty else f" = {found.default!r}")
        if text not in wanted:
            yield f"client.{door.name} takes {what} as `{text}`, not as `{wanted[0]}`: change {_place(door)}."
        yield from _bound_gaps(door, parameter, what)


def _left_over(door: Door, called: list[Operation]) -> Iterator[str]:
    if not called:
        return
    known = _parameters_of(called)
    for name in inspect.signature(door.function).parameters:
        if name not in {"self", "timeout", *map(argument_name, known), *OWN.get(door.name, ())}:
            yield (
                f"client.{door.name} takes `{name}`, which no operation that it calls has: take it out of "
                f"{_place(door)}, or, when it is the facade's own, put it into OWN of scripts/facade_coverage.py."
            )
    for name in LEFT_OUT.get(door.name, {}):
        if name not in known:
            yield (
                f"LEFT_OUT of scripts/facade_coverage.py says why {door.name} has no `{name}`, which is not in the "
                "spec."
            )


def _parameters_of(called: list[Operation]) -> dict[str, tuple[Parameter, Operation]]:
    """The parameters of some operations by name, each as the first of them has it."""
    found: dict[str, tuple[Parameter, Operation]] = {}
    for operation in called:
        for parameter in operation.parameters:
            found.setdefault(parameter.name, (parameter, operation))
    return found


def _written(spec: dict[str, Any], door: Door, parameter: Parameter, called: list[Operation]) -> list[str]:
    """How the keyword may be written; the first is what to write where it is missing."""
    text = f"{argument_name(parameter.name)}: {annotation(spec, parameter)}"
    always = all(any(p.name == parameter.name and p.required for p in one.parameters) for one in called)
    if always or (door.name, parameter.name) in INSISTED_ON:
        return [text]
    if (door.name, parameter.name) in OWN_DEFAULTS:
        return [f"{text} | None = {OWN_DEFAULTS[door.name, parameter.name][0]!r}"]
    absent = f"{text} | None = None"  # it is not sent then, and the server's own default holds
    default = parameter.schema.get("default")
    return [absent] if default is None else [f"{text} = {default!r}", absent]


def _bound_gaps(door: Door, parameter: Parameter, what: str) -> Iterator[str]:
    """Ranges of numbers are written in the docstring: a user must not have to try."""
    bounds = [parameter.schema[bound] for bound in ("minimum", "maximum") if bound in parameter.schema]
    doc = inspect.getdoc(door.function) or ""
    found = re.search(rf"^    {argument_name(parameter.name)}: (.*(?:\n        .*)*)", doc, re.MULTILINE)
    numbers = re.findall(r"\d+", found[1]) if found else []
    if [bound for bound in bounds if str(bound) not in numbers]:
        yield (
            f"client.{door.name} does not say that {what} goes from {' to '.join(map(str, bounds))}: "
            f"correct the docstring of {_place(door)}."
        )


# --- responses -------------------------------------------------------------------------------------------------------


def _result_gaps(spec: dict[str, Any], door: Door, called: list[Operation]) -> Iterator[str]:
    returned = inspect.signature(door.function).return_annotation
    given = getattr(results, returned, None) or getattr(models, returned, None)
    for operation in called:
        for schema in operation.responses:
            name = schema.get("$ref", "").rpartition("/")[2]
            if given is None or not name:
                continue  # a stream, a walk, or a response without fields
            if not issubclass(given, getattr(models, name, ())):
                yield (
                    f"{operation.key} responds with {name}, and client.{door.name} gives {returned}: change "
                    f"{_place(door)}."
                )
            for field in followed(spec, schema).get("properties", {}):
                if not hasattr(given, field_name(field)):
                    yield (
                        f"`{field}` of {name}, which {operation.key} responds with, is no attribute of {returned}, "
                        f"which client.{door.name} gives: `make generate` adds it."
                    )


if __name__ == "__main__":
    sys.exit(main())
