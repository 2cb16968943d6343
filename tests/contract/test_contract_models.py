"""Every model of the spec holds each field that the spec names, under its name, and gives back what it received."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from dify_workflow_api.types import Model
from support.spec import EVENTS, OBJECTS, SCHEMAS, argument

from dify_workflow import models

EACH_MODEL = pytest.mark.parametrize("schema", OBJECTS)


def example(schema: str) -> dict[str, Any]:
    """An object with a text of its own in each field: a model keeps what it does not expect."""
    return {name: f"the {name} of {schema}" for name in SCHEMAS[schema]["properties"]}


def model_of(schema: str) -> type[Any]:
    found: type[Any] = getattr(models, schema)
    return found


def is_time(name: str, schema: dict[str, Any]) -> bool:
    return name.endswith("_at") and schema.get("format") == "int64"


def attributes(value: Any, names: Any) -> dict[str, Any]:
    return {name: getattr(value, argument(name)) for name in names}


@EACH_MODEL
def test_a_whole_object_is_read_field_by_field_and_comes_back(schema: str):
    source = example(schema)
    read = model_of(schema).from_dict(source)
    assert type(read) is model_of(schema)
    assert attributes(read, source) == source == read.to_dict()
    assert list(read.to_dict()) == list(source)
    assert read.additional_properties == {}
    assert not hasattr(read, "_keys")  # nothing has to be remembered of what is as the spec says


@EACH_MODEL
def test_unknown_fields_are_kept_and_written_back(schema: str):
    source = {"a first one": 1, **example(schema), "a last one": [2]}
    read = model_of(schema).from_dict(source)
    assert attributes(read, example(schema)) == example(schema)
    assert read.additional_properties == {"a first one": 1, "a last one": [2]}
    assert list(read.to_dict().items()) == list(source.items())


@EACH_MODEL
def test_missing_fields_read_as_none_and_stay_missing(schema: str):
    whole = example(schema)
    for lost in whole:
        source = {name: value for name, value in whole.items() if name != lost} | {"extra": lost}
        read = model_of(schema).from_dict(source)
        assert attributes(read, whole) == whole | {lost: None}
        assert read.to_dict() == source
    assert model_of(schema).from_dict({}).to_dict() == {}


@EACH_MODEL
def test_a_model_made_by_hand_keeps_the_order_of_the_spec(schema: str):
    fields = example(schema)
    given = {argument(name): value for name, value in reversed(fields.items())}
    made = model_of(schema)(**given, additional_properties={"extra": 1})
    assert list(made.to_dict().items()) == [*fields.items(), ("extra", 1)]
    assert model_of(schema)().to_dict() == {}


@EACH_MODEL
def test_an_object_inside_is_the_model_that_the_spec_says(schema: str):
    for name, inner in SCHEMAS[schema]["properties"].items():
        reference = inner.get("$ref", "").rpartition("/")[2]
        if reference in OBJECTS:
            source = example(schema) | {name: example(reference)}
            read = model_of(schema).from_dict(source)
            assert type(getattr(read, argument(name))) is model_of(reference)
            assert read.to_dict() == source


@EACH_MODEL
def test_a_copy_is_equal_has_the_same_keys_and_is_mutable(schema: str):
    for source in (example(schema), example(schema) | {"extra": 1}, dict(list(example(schema).items())[1:])):
        read = model_of(schema).from_dict(source)
        copied = copy.copy(read)
        assert copied == read
        assert list(copied.to_dict().items()) == list(source.items())
        copied.additional_properties["more"] = 2
        assert read.to_dict() == source


@EACH_MODEL
def test_every_time_in_epoch_seconds_is_a_moment_too(schema: str):
    times = [name for name, inner in SCHEMAS[schema]["properties"].items() if is_time(name, inner)]
    read = model_of(schema).from_dict(example(schema) | dict.fromkeys(times, 1_790_000_000))
    for name in times:
        assert getattr(read, f"{argument(name)}_utc") == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
        assert getattr(model_of(schema).from_dict({}), f"{argument(name)}_utc") is None


def test_there_are_times():
    assert sum(is_time(name, inner) for schema in OBJECTS for name, inner in SCHEMAS[schema]["properties"].items()) > 20


def test_every_event_is_read_by_its_own_model():
    from dify_workflow_api.api.runs import (  # noqa: PLC0415 - what is imported here is what is looked at
        run_workflow,
        run_workflow_version,
        stream_workflow_run_events,
    )

    for operation in (run_workflow, run_workflow_version, stream_workflow_run_events):
        for name, schema in EVENTS.items():
            assert operation.load_event(name) is model_of(schema)
        assert operation.load_event("of a newer server") is models.WorkflowEvent
        assert issubclass(operation.load_event(""), Model)
