"""What the stored spec says, and values that obey it: read on its own, without the code that makes anything from it."""

from __future__ import annotations

import itertools
import json
import keyword
import math
import re
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dify_workflow_api.types import Model
from ruamel.yaml import YAML

from dify_workflow import models

if TYPE_CHECKING:
    from collections.abc import Iterator

SPEC = YAML(typ="safe", pure=True).load(Path(__file__).parents[2] / "spec" / "openapi.yaml")
SCHEMAS: dict[str, Any] = SPEC["components"]["schemas"]
OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, item in SPEC["paths"].items()
    for method, operation in item.items()
    if method in {"get", "post", "put", "patch", "delete"}
}
OBJECTS = [name for name, schema in SCHEMAS.items() if "properties" in schema]
ENUMS = [name for name, schema in SCHEMAS.items() if "enum" in schema]
EVENTS: dict[str, str] = {
    name: reference.rpartition("/")[2]
    for name, reference in SCHEMAS["WorkflowStreamEvent"]["discriminator"]["mapping"].items()
}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    return schema


def alternatives(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas without anyOf, oneOf and lists of types that a value may obey, references kept."""
    schema_ = resolved(schema)
    members = [*schema_.get("anyOf", []), *schema_.get("oneOf", [])]
    if members:
        return [found for member in members for found in alternatives(member)]
    if isinstance(schema_.get("type"), list):
        return [{**schema_, "type": kind} for kind in schema_["type"]]
    return [schema]


def is_null(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "null"


# --- operations ------------------------------------------------------------------------------------------------------


UUID = "0b6ad0fc-7a3e-4e1c-8d5f-2f1b9c3d4e5a"


def content(name: str) -> dict[str, Any]:
    """The content of an operation's body, by its type."""
    found: dict[str, Any] = OPERATIONS[name][2].get("requestBody", {}).get("content", {})
    return found


def parameters(name: str) -> list[dict[str, Any]]:
    """The parameters of an operation, and the parts of its form."""
    form = content(name).get("multipart/form-data", {}).get("schema", {})
    parts = [
        {
            "name": part,
            "in": "file" if schema.get("format") == "binary" else "field",
            "required": part in form["required"],
            "schema": schema,
        }
        for part, schema in form.get("properties", {}).items()
    ]
    return [*OPERATIONS[name][2].get("parameters", []), *parts]


def json_body(name: str) -> dict[str, Any] | None:
    """The schema of an operation's JSON body."""
    found: dict[str, Any] | None = content(name).get("application/json", {}).get("schema")
    return found


def response_of(name: str) -> dict[str, Any]:
    """The content of the one successful response that an operation has."""
    responses = OPERATIONS[name][2]["responses"]
    [status] = [status for status in responses if status.startswith("2")]
    found: dict[str, Any] = responses[status].get("content", {})
    return found


class Sample(NamedTuple):
    value: Any
    wire: str


def samples(parameter: dict[str, Any], number: int) -> Iterator[Sample]:
    """Values that a parameter takes, with their text on the wire: each enum member, each end of each range, others."""
    for one in alternatives(parameter["schema"]):
        plain = resolved(one)
        if "enum" in plain:
            yield from (Sample(value, str(value)) for value in plain["enum"] if value is not None)
        elif plain.get("format") == "uuid" and parameter["in"] == "path":
            spellings = (f"{number:032x}", UUID, UUID.upper(), UUID.replace("-", ""))
            yield from (Sample(value, value) for value in spellings)
        elif plain["type"] == "string":
            yield Sample(f"text {number} & é=中%/?#+", f"text {number} & é=中%/?#+")
            if parameter["in"] != "path" and not plain.get("minLength"):
                yield Sample("", "")
        elif plain["type"] == "integer":
            low, high = plain.get("minimum", 0), plain.get("maximum", 10**6)
            yield from (Sample(value, str(value)) for value in (low + number, low, low + 1, high - 1, high))
        elif plain["type"] == "number":
            low, high = float(plain.get("minimum", 0)), float(plain.get("maximum", 10**6))
            yield from (Sample(value, repr(value)) for value in (low + number / 64, low, high))
        elif plain["type"] == "boolean":
            yield from (Sample(True, "true"), Sample(False, "false"))
        elif plain["type"] != "null":  # None is a keyword that is left out
            raise AssertionError(f"the walk does not know {plain}")


def refused(parameter: dict[str, Any]) -> Iterator[Any]:
    schema = parameter["schema"]
    kinds = [resolved(one)["type"] for one in alternatives(schema)]
    yield from ([], {}, 0.5, object(), math.nan, b"bytes")
    if "string" not in kinds:
        yield from ("", "1", "abc")
    if "string" in kinds:
        yield "\ud800"
    if "integer" not in kinds:
        yield from (1, 0)
    if "boolean" not in kinds:
        yield from (True, False)
    if parameter["in"] == "path":
        yield from ("", ".", "..")
    for one in map(resolved, alternatives(schema)):
        if "minimum" in one:
            yield one["minimum"] - 1
        if "maximum" in one:
            yield one["maximum"] + 1
            yield 10**30
        if one.get("format") == "uuid" and parameter["in"] == "path":
            yield from (
                "not-a-uuid",
                UUID[:-1],
                f"{UUID}0",
                UUID.replace("-", "", 1),
                f"{{{UUID}}}",
                f"{UUID}\n",
                "x" * 32,
            )


def argument(name: str) -> str:
    """The argument, or the attribute, of a parameter or a field."""
    name = re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
    return f"{name}_" if keyword.iskeyword(name) else name


# --- values and models -----------------------------------------------------------------------------------------------


class Samples:
    """Values that obey schemas, no two of them alike."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)

    def of(self, schema: dict[str, Any]) -> Any:
        """A value; of alternatives, the first that is not null."""
        one = resolved(next((one for one in alternatives(schema) if not is_null(one)), schema))
        number = next(self.numbers)
        if "const" in one:
            return one["const"]
        if "enum" in one:
            return one["enum"][number % len(one["enum"])]
        kind = one.get("type")
        if isinstance(one.get("additionalProperties"), dict):
            return {
                f"key {index}": self.of(item) for index, item in enumerate(alternatives(one["additionalProperties"]))
            }
        if kind == "object" or "properties" in one:
            return {name: self.of(value) for name, value in one.get("properties", {}).items()}
        if kind == "array":
            return [self.of(one["items"]), self.of(one["items"])]
        values = {"string": f"text {number}", "integer": 10**9 + number, "number": number + 0.5, "boolean": True}
        return values.get(str(kind), {"anything": [number]})


class Variant(NamedTuple):
    """A value that obeys its schema, and where it differs from the one that has everything."""

    place: str
    value: Any
    is_new: bool = False  # it has a field that the spec does not name


def variants(schema: dict[str, Any], full: Any, place: str = "") -> Iterator[Variant]:
    """Values of a schema, each unlike `full` at one place: nulls, absences, zeros, each enum value, unknown ones."""
    for one in alternatives(schema):
        yield from (Variant(f"{place}={value!r}", value) for value in plain_values(resolved(one)))
    options = [resolved(one) for one in alternatives(schema)]
    if isinstance(full, dict):
        described = next((one for one in options if "properties" in one or "additionalProperties" in one), {})
        properties = described.get("properties", {})
        for key, value in full.items():
            if isinstance(inner := properties.get(key, described.get("additionalProperties")), dict):
                for one in variants(inner, value, f"{place}.{key}"):
                    yield one._replace(value={**full, key: one.value})
            if key in properties and key not in described.get("required", ()):
                yield Variant(f"{place}.{key} absent", {name: one for name, one in full.items() if name != key})
        if properties:
            yield Variant(f"{place} with a new field", {"a new field": {"deep": [1]}, **full}, is_new=True)
    if isinstance(full, list) and full:
        items = next(one["items"] for one in options if "items" in one)
        yield Variant(f"{place} with one item", full[:1])
        for one in variants(items, full[0], f"{place}[0]"):
            yield one._replace(value=[one.value, *full[1:]])


def plain_values(one: dict[str, Any]) -> list[Any]:
    """What a schema without alternatives may have, as far as it can be derived without guessing."""
    if "const" in one:
        return [one["const"]]
    if "enum" in one:
        return list(one["enum"])
    low, high = one.get("minimum", 0), one.get("maximum", 2**53)
    values = {
        "null": [None],
        "string": [text for text in ("", "never heard of") if len(text) >= one.get("minLength", 0)],
        "integer": [low, high],
        "number": [0, 0.0, -1.5, 1e300],
        "boolean": [True, False],
        "array": [[]],
        "object": [] if "properties" in one else [{}],
    }
    found: list[Any] = values.get(str(one.get("type")), [])
    return found


def check(schema: dict[str, Any], source: Any, found: Any) -> None:
    """Checks a decoded value against what it was decoded from."""
    options = alternatives(schema)
    if isinstance(source, dict):
        classes = [one["$ref"].rpartition("/")[2] for one in options if "properties" in resolved(one) and "$ref" in one]
        values = [one["additionalProperties"] for one in map(resolved, options) if "additionalProperties" in one]
        if classes:
            check_model(classes[0], source, found)
            return
        assert type(found) is dict
        assert list(found) == list(source)
        for key in source if values else ():
            check(values[0], source[key], found[key])
    items = [resolved(one)["items"] for one in options if "items" in resolved(one)]
    if isinstance(source, list) and items:
        assert len(found) == len(source)
        for one, two in zip(source, found, strict=True):
            check(items[0], one, two)
    elif isinstance(source, str) and any(source in resolved(one).get("enum", ()) for one in options):
        assert isinstance(found, Enum)
        assert found.value == source
    elif not isinstance(source, dict):
        assert (type(found), found) == (type(source), source)


def check_model(name: str, source: dict[str, Any], found: Any, cls: type[Any] | None = None) -> None:
    """Checks a model against the object that it was decoded from; `cls` is a class that the facade derives."""
    assert type(found) is (cls or getattr(models, name))
    assert isinstance(found, Model)
    properties = SCHEMAS[name]["properties"]
    assert found.additional_properties == {key: source[key] for key in source if key not in properties}
    assert json.dumps(found.to_dict()) == json.dumps(source)
    for key, schema in properties.items():
        check(schema, source.get(key), getattr(found, argument(key)))


def unknown_fields(found: Any) -> list[str]:
    """The fields that models have beside those of the spec, at any depth."""
    if isinstance(found, Model):
        values = [getattr(found, name) for name in found._names.values()]
        return [*found.additional_properties, *(name for value in values for name in unknown_fields(value))]
    items = found if isinstance(found, list) else found.values() if isinstance(found, dict) else ()
    return [name for item in items for name in unknown_fields(item)]
