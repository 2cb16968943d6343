"""What the spec states of a parameter's values, as the check that the generated code makes of an argument."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from openapi.references import followed

from generator import text
from generator.problems import GenerationError

if TYPE_CHECKING:
    from generator.document import Parameter

_CHECKS = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean", "array": "several"}


class Rule(NamedTuple):
    """How an argument is checked.

    Attributes:
        check: The function of the generated package's `types` that does it.
        options: Its further arguments, as Python.
    """

    check: str
    options: list[str]


class _Limits(NamedTuple):
    """What the spec states, before it is Python."""

    kind: str
    bounds: dict[str, str]
    allowed: tuple[str | int, ...]  # none for any
    items: _Limits | None = None


def rule_of(parameter: Parameter, schemas: dict[str, Any]) -> Rule:
    """The rule for a parameter.

    Raises:
        GenerationError: It is of several types, or bounded in a way that no check knows.
    """
    reading = _Reading(parameter.place, schemas, in_path=parameter.location == "path")
    limits = reading.limits(parameter.schema)
    if parameter.location == "path":
        if limits.items:
            raise GenerationError(
                f"{parameter.place}: an array in a path is not supported: make it a string in an overlay"
            )
        check = "segment" if limits.kind == "string" else _CHECKS[limits.kind]
    else:
        check = _CHECKS[limits.kind]
    first = [f"_types.{_CHECKS[limits.items.kind]}"] if limits.items else []
    required = ["required=True"] if parameter.required else []
    separator = [f"separator={text.literal(parameter.separator)}"] if limits.items and parameter.separator else []
    return Rule(check, [*first, *required, *separator, *_options(limits.items or limits)])


def kind_of(parameter: Parameter, schemas: dict[str, Any]) -> str:
    """The type of a parameter's values: `string`, `integer`, `number`, `boolean`, or `array of ` and one of them.

    Raises:
        GenerationError: It is of several types.
    """
    limits = _Reading(parameter.place, schemas).limits(parameter.schema)
    return f"array of {limits.items.kind}" if limits.items else limits.kind


def default_of(parameter: Parameter, schemas: dict[str, Any]) -> str | None:
    """What the server takes when a parameter is left out, as text; None when the spec does not say."""
    default = _Reading(parameter.place, schemas).resolved(parameter.schema).get("default")
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) if isinstance(default, (str, int, float)) else None


def _options(limits: _Limits) -> list[str]:
    options = [f"{name}={value}" for name, value in limits.bounds.items()]
    if limits.allowed:
        options.append(f"allowed={text.literals(limits.allowed)}")
    return options


class _Reading:
    """Reads the schema of one parameter."""

    def __init__(self, place: str, schemas: dict[str, Any], *, in_path: bool = False) -> None:
        self.place = place
        self.schemas = schemas
        self.in_path = in_path

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A schema, or the one that it refers to."""
        return followed({"components": {"schemas": self.schemas}}, schema)

    def limits(self, schema: dict[str, Any]) -> _Limits:
        """What a schema states of a value that is not null."""
        schema = self.resolved(schema)
        members = [self.resolved(m) for key in ("anyOf", "oneOf", "allOf") for m in schema.get(key) or []]
        found = [self.limits(member) for member in members if member.get("type") != "null"]
        if not found:
            return self._simple(schema)
        first = found[0]
        if any(limits.kind != first.kind for limits in found):
            raise self._error("a parameter of several types is not supported")
        if all(limits == first for limits in found):
            return first
        if schema.get("allOf") or any(limits.bounds or limits.items for limits in found):
            raise self._error("alternatives with bounds of their own are not supported")
        if any(not limits.allowed for limits in found):
            return _Limits(first.kind, {}, ())
        return _Limits(first.kind, {}, tuple(dict.fromkeys(value for limits in found for value in limits.allowed)))

    def _simple(self, schema: dict[str, Any]) -> _Limits:
        enum = [value for value in schema.get("enum") or [] if value is not None]
        if schema.get("const") is not None:
            enum = [schema["const"]]
        kind = self._kind(schema, enum)
        if kind == "array":
            if schema.get("minItems") or schema.get("maxItems"):
                raise self._error(
                    "minItems and maxItems are not supported: take them out in an overlay; the server checks them"
                )
            items = self.limits(schema.get("items") or {})
            if items.items:
                raise self._error("an array of arrays is not supported")
            return _Limits(kind, {}, (), items)
        bounds = {"string": self._lengths, "integer": self._range, "number": self._range}.get(kind)
        return _Limits(kind, bounds(schema) if bounds else {}, tuple(enum) if kind != "boolean" else ())

    def _kind(self, schema: dict[str, Any], enum: list[object]) -> str:
        types = schema.get("type")
        kinds = [kind for kind in ([types] if isinstance(types, str) else types or []) if kind != "null"]
        if not kinds and enum:
            kinds = ["string" if isinstance(enum[0], str) else "integer"]
        if len(kinds) != 1 or kinds[0] not in _CHECKS:
            raise self._error(
                "a parameter must be of one type, and not an object: describe in an overlay what is sent as text"
            )
        if (kinds[0] == "number" and enum) or not all(isinstance(value, (str, int)) for value in enum):
            raise self._error("its enum is not supported")
        return str(kinds[0])

    def _lengths(self, schema: dict[str, Any]) -> dict[str, str]:
        options = {
            option: repr(int(schema[key]))
            for key, option in (("minLength", "shortest"), ("maxLength", "longest"))
            if schema.get(key)
        }
        if "pattern" in schema:
            try:
                re.compile(str(schema["pattern"]))
            except re.error as error:
                raise self._error(f"Python does not read its pattern: {error}") from None
            options["pattern"] = text.literal(str(schema["pattern"]))
        if schema.get("format") == "uuid" and self.in_path:  # elsewhere, specs say it of ids that servers do not parse
            options["uuid"] = "True"
        return options

    def _range(self, schema: dict[str, Any]) -> dict[str, str]:
        if schema.get("multipleOf") is not None:
            raise self._error("multipleOf is not supported")
        limits = [
            self._limit(schema, "minimum", "exclusiveMinimum"),
            self._limit(schema, "maximum", "exclusiveMaximum"),
        ]
        low, high = limits
        if low is not None and high is not None and low > high:
            raise self._error("its minimum is above its maximum")
        return {
            name: repr(value) for name, value in zip(("minimum", "maximum"), limits, strict=True) if value is not None
        }

    def _limit(self, schema: dict[str, Any], name: str, exclusive: str) -> float | None:
        """The limit that is itself allowed; of integers, a whole one."""
        limit, beyond = schema.get(name), schema.get(exclusive)
        is_open = beyond is not None and beyond is not False  # a limit of its own in OpenAPI 3.1, true or false in 3.0
        if is_open and beyond is not True:
            limit = beyond
        if limit is None:
            return None
        if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not math.isfinite(limit):
            raise self._error(f"its {name} is not a number")
        if schema.get("type") == "number":
            if is_open:
                raise self._error(f"{exclusive} of a number is not supported")
            return limit
        if name == "minimum":
            return math.floor(limit) + 1 if is_open else math.ceil(limit)
        return math.ceil(limit) - 1 if is_open else math.floor(limit)

    def _error(self, text: str) -> GenerationError:
        return GenerationError(f"{self.place}: {text}")
