"""The generated package against the stored spec: every parameter and every field, one after the other.

The spec is read here on its own, without the code that generated the package.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import json
import keyword
import math
import re
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import dify_workflow_api
import pytest
from dify_workflow_api.types import Model, Request
from ruamel.yaml import YAML

from dify_workflow import models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


def builder(name: str) -> Callable[..., Request[Any]]:
    _, _, operation = OPERATIONS[name]
    module = importlib.import_module(f"dify_workflow_api.api.{operation['tags'][0]}.{name}")
    build: Callable[..., Request[Any]] = module.build_request
    return build


def parameters(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = OPERATIONS[name][2].get("parameters", [])
    return found


class Sample(NamedTuple):
    value: Any
    wire: str


def samples(schema: dict[str, Any], number: int) -> Iterator[Sample]:
    """Values that a parameter takes, with their text on the wire: each enum member, each end of each range, others."""
    for one in alternatives(schema):
        plain = resolved(one)
        if "enum" in plain:
            yield from (Sample(value, str(value)) for value in plain["enum"] if value is not None)
        elif plain["type"] == "string":
            yield Sample(f"text {number} & é=中%", f"text {number} & é=中%")
            yield Sample("", "")
        elif plain["type"] == "integer":
            low, high = plain.get("minimum", 0), plain.get("maximum", 10**6)
            yield from (Sample(value, str(value)) for value in (low + number, low, low + 1, high - 1, high))
        elif plain["type"] == "boolean":
            yield from (Sample(True, "true"), Sample(False, "false"))
        else:
            raise AssertionError(f"the walk does not know {plain}")


def refused(schema: dict[str, Any]) -> Iterator[Any]:
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
    for one in map(resolved, alternatives(schema)):
        if "minimum" in one:
            yield one["minimum"] - 1
        if "maximum" in one:
            yield one["maximum"] + 1
            yield 10**30


def argument(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def test_every_operation_has_a_module_and_no_other_module_is_there():
    folder = Path(dify_workflow_api.__file__).parent / "api"
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py") if path.name != "__init__.py"}
    assert found == {f"{operation['tags'][0]}/{name}.py" for name, (_, _, operation) in OPERATIONS.items()}
    assert "list_workflow_logs" in OPERATIONS


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_arguments_are_the_parameters_by_name_in_order_and_optional_ones_may_be_left_out(name: str):
    signature = inspect.signature(builder(name))
    assert list(signature.parameters) == [argument(parameter["name"]) for parameter in parameters(name)]
    for parameter, found in zip(parameters(name), signature.parameters.values(), strict=True):
        assert found.kind is inspect.Parameter.KEYWORD_ONLY
        assert found.default is (inspect.Parameter.empty if parameter.get("required") else None)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_request_is_to_the_operations_method_and_path_and_has_nothing_that_was_not_asked_for(name: str):
    method, path, operation = OPERATIONS[name]
    for request in (builder(name)(), builder(name)(**{argument(p["name"]): None for p in parameters(name)})):
        assert (request.operation, request.method, request.path) == (name, method.upper(), path)
        assert request.params == ()
        assert request.json is None
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert request.response is getattr(models, schema["$ref"].rpartition("/")[2])


@pytest.mark.parametrize(
    ("name", "index"), [(name, index) for name in OPERATIONS for index in range(len(parameters(name)))]
)
def test_each_value_of_each_parameter_has_its_exact_text_on_the_wire(name: str, index: int):
    parameter = parameters(name)[index]
    build = builder(name)
    for sample in samples(parameter["schema"], index + 2):
        request = build(**{argument(parameter["name"]): sample.value})
        assert request.params == ((parameter["name"], sample.wire),)
        assert {type(text) for pair in request.params for text in pair} == {str}
    for one in alternatives(parameter["schema"]):
        if "$ref" in one and "enum" in resolved(one):
            for member in getattr(models, one["$ref"].rpartition("/")[2]):
                assert build(**{argument(parameter["name"]): member}).params == ((parameter["name"], member.value),)
                assert type(build(**{argument(parameter["name"]): member}).params[0][1]) is str


@pytest.mark.parametrize(
    ("name", "index"), [(name, index) for name in OPERATIONS for index in range(len(parameters(name)))]
)
def test_a_value_that_the_spec_does_not_allow_is_refused_by_name(name: str, index: int):
    parameter = parameters(name)[index]
    for value in refused(parameter["schema"]):
        with pytest.raises(ValueError, match=rf"^{argument(parameter['name'])} must be "):
            builder(name)(**{argument(parameter["name"]): value})


@pytest.mark.parametrize("name", OPERATIONS)
def test_all_parameters_together_keep_their_values_apart(name: str):
    given = {p["name"]: next(samples(p["schema"], number)) for number, p in enumerate(parameters(name), start=2)}
    assert len({sample.wire for sample in given.values()}) == len(given)
    request = builder(name)(**{argument(key): sample.value for key, sample in given.items()})
    assert request.params == tuple((key, sample.wire) for key, sample in given.items())


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_operation_and_each_parameter_are_documented(name: str):
    method, path, _ = OPERATIONS[name]
    doc = inspect.getdoc(builder(name)) or ""
    words = " ".join(doc.split())
    assert f"{method.upper()} {path}" in words
    for parameter in parameters(name):
        text = " ".join(resolved(parameter["schema"])["description"].split())
        assert f"{argument(parameter['name'])}: {text}" in words
        if "default" in parameter["schema"]:
            assert f"The server's own default is {parameter['schema']['default']}." in words


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"limit": 0}, "limit must be an integer from 1 to 100, got 0"),
        ({"limit": 101}, "limit must be an integer from 1 to 100, got 101"),
        ({"limit": True}, "limit must be an integer from 1 to 100, got True"),
        ({"page": "1"}, "page must be an integer from 1 to 99999, got '1'"),
        ({"keyword": 5}, "keyword must be text, got 5"),
    ],
)
def test_an_argument_that_is_refused_is_named_with_what_it_may_be(given: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        builder("list_workflow_logs")(**given)


def test_a_request_cannot_be_changed_and_is_equal_to_its_like():
    one, two = builder("list_workflow_logs")(page=2), builder("list_workflow_logs")(page=2)
    assert one == two != builder("list_workflow_logs")(page=3)
    with pytest.raises(AttributeError):
        one.path = "/other"  # type: ignore[misc]
    assert not hasattr(one, "__dict__")


# --- models ----------------------------------------------------------------------------------------------------------


class Samples:
    """Values that obey schemas, no two of them alike."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)

    def of(self, schema: dict[str, Any]) -> Any:
        """A value; of alternatives, the first that is not null."""
        one = resolved(next((one for one in alternatives(schema) if not is_null(one)), schema))
        number = next(self.numbers)
        if "enum" in one:
            return one["enum"][number % len(one["enum"])]
        kind = one.get("type")
        if kind == "object" or "properties" in one:
            return {name: self.of(value) for name, value in one.get("properties", {}).items()}
        if kind == "array":
            return [self.of(one["items"]), self.of(one["items"])]
        values = {"string": f"text {number}", "integer": 10**9 + number, "number": number + 0.5, "boolean": True}
        return values.get(str(kind), {"anything": [number]})


def check(schema: dict[str, Any], source: Any, found: Any) -> None:
    """Checks a decoded value against what it was decoded from."""
    fitting = [one for one in alternatives(schema) if isinstance(source, dict) == ("properties" in resolved(one))]
    reference = next((one["$ref"].rpartition("/")[2] for one in fitting if "$ref" in one), "")
    if isinstance(source, dict) and reference:
        check_model(reference, source, found)
    elif isinstance(source, list) and isinstance(found, list) and "items" in resolved(fitting[0]):
        assert len(found) == len(source)
        for one, two in zip(source, found, strict=True):
            check(resolved(fitting[0])["items"], one, two)
    elif isinstance(source, str) and any(source in resolved(one).get("enum", ()) for one in fitting):
        assert isinstance(found, Enum)
        assert found.value == source
    else:
        assert (type(found), found) == (type(source), source)


def check_model(name: str, source: dict[str, Any], found: Any) -> None:
    assert type(found) is getattr(models, name)
    assert isinstance(found, Model)
    properties = SCHEMAS[name]["properties"]
    assert found.additional_properties == {key: source[key] for key in source if key not in properties}
    assert json.dumps(found.to_dict()) == json.dumps(source)
    for key, schema in properties.items():
        check(schema, source.get(key), getattr(found, argument(key)))


def decoded(name: str, source: dict[str, Any]) -> Any:
    return getattr(models, name).from_dict(source)


def test_every_schema_has_a_class_and_no_other_class_is_there():
    assert set(models.__all__) == {*OBJECTS, *ENUMS}


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_with_every_field_is_read_field_by_field(name: str):
    source = Samples().of({"$ref": f"#/{name}"})
    check_model(name, source, decoded(name, source))


@pytest.mark.parametrize("name", OBJECTS)
def test_each_field_may_be_absent_or_null_or_zero_or_false_or_empty(name: str):
    full = Samples().of({"$ref": f"#/{name}"})
    for key in full:
        absent = {other: value for other, value in full.items() if other != key}
        check_model(name, absent, decoded(name, absent))
        for odd in (None, 0, False, "", 0.0, [], {}, "text", -1, [None], [[]]):
            source = {**full, key: odd}
            found = decoded(name, source)
            assert json.dumps(found.to_dict()) == json.dumps(source)
            assert found.additional_properties == {}
            if not isinstance(odd, (dict, list)):
                check_model(name, source, found)


@pytest.mark.parametrize("name", OBJECTS)
def test_only_one_field_may_be_there(name: str):
    full = Samples().of({"$ref": f"#/{name}"})
    for key, value in full.items():
        check_model(name, {key: value}, decoded(name, {key: value}))


@pytest.mark.parametrize("name", OBJECTS)
def test_an_unknown_field_is_kept_beside_the_others(name: str):
    source = {"a new field": {"deep": [1]}, **Samples().of({"$ref": f"#/{name}"}), "another": None}
    check_model(name, source, decoded(name, source))


@pytest.mark.parametrize("name", OBJECTS)
def test_each_member_of_an_enum_and_each_unknown_value_is_read(name: str):
    full = Samples().of({"$ref": f"#/{name}"})
    for key, schema in SCHEMAS[name]["properties"].items():
        for one in map(resolved, alternatives(schema)):
            for value in [*one.get("enum", ()), "never heard of"] if "enum" in one else ():
                check_model(name, {**full, key: value}, decoded(name, {**full, key: value}))


@pytest.mark.parametrize("name", OBJECTS)
def test_each_time_has_a_companion_and_nothing_else_has(name: str):
    properties = SCHEMAS[name]["properties"]
    times = {
        key
        for key, schema in properties.items()
        if key.endswith("_at") and {resolved(one).get("type") for one in alternatives(schema)} - {"null"} == {"integer"}
    }
    cls = getattr(models, name)
    assert {key for key in dir(cls) if key.endswith("_utc")} == {f"{key}_utc" for key in times}


@pytest.mark.parametrize("name", OBJECTS)
def test_the_arrays_that_are_always_there_are_named(name: str):
    required = SCHEMAS[name].get("required", [])
    arrays = [key for key, one in SCHEMAS[name]["properties"].items() if resolved(one).get("type") == "array"]
    assert getattr(models, name).array_fields == tuple(key for key in arrays if key in required)


@pytest.mark.parametrize("name", ENUMS)
def test_an_enum_has_exactly_the_values_of_the_spec(name: str):
    assert [member.value for member in getattr(models, name)] == SCHEMAS[name]["enum"]
