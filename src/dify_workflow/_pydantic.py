"""Models as fields of pydantic models, and as responses of FastAPI endpoints; loaded by pydantic only.

A model's values are not validated, as a model keeps whatever a server sends. What it holds is dumped as `to_dict()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import EnumType
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from dify_workflow_api.types import Model, plain
from pydantic_core import PydanticCustomError, core_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import CoreSchema

JSON_TYPES: Final = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


def core_schema_of(cls: type[Any]) -> CoreSchema:
    """The validation of a field: an instance stays as it is, and a mapping is what `from_dict` takes."""

    def validated(value: object) -> Any:  # noqa: ANN401 - an instance of the class
        if isinstance(value, cls):
            return value
        if isinstance(value, Mapping):
            return cls.from_dict(cast("Mapping[str, Any]", value))
        raise PydanticCustomError(
            "dify_workflow_model", "Input should be a {name} or a mapping", {"name": cls.__name__}
        )

    dump = core_schema.plain_serializer_function_ser_schema(plain)
    return core_schema.no_info_plain_validator_function(validated, serialization=dump)


def json_schema_of(cls: type[Any], outer: tuple[type[Any], ...] = ()) -> dict[str, Any]:
    """The JSON schema of a model, which OpenAPI documents show: its fields, none of them required.

    Args:
        cls: the model.
        outer: the models that this one is inside of; one that is inside itself is described once.
    """
    described: dict[str, Any] = {"title": cls.__name__, "type": "object"}
    if cls in outer:
        return described
    hints = get_type_hints(cls)
    names: dict[str, str] = cls._names  # pyright: ignore[reportPrivateUsage] - the generated base class
    fields = {wire: _json_schema(hints[name], (*outer, cls)) for wire, name in names.items()}
    return {**described, "description": (cls.__doc__ or "").partition("\n\n")[0], "properties": fields}


def _json_schema(hint: Any, outer: tuple[type[Any], ...]) -> dict[str, Any]:  # noqa: ANN401 - whatever is a type
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {UnionType, Union}:
        return {"anyOf": _distinct(_json_schema(one, outer) for one in arguments)}
    if origin is list:
        return {"type": "array", "items": _json_schema(arguments[0], outer)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _json_schema(arguments[1], outer)}
    if isinstance(hint, type) and issubclass(hint, Model):
        return json_schema_of(hint, outer)
    if origin is Literal or isinstance(hint, EnumType):
        return {"enum": [plain(value) for value in arguments or cast("Iterable[object]", hint)]}
    return {"type": JSON_TYPES[hint]} if hint in JSON_TYPES else {}


def _distinct(schemas: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for schema in schemas:
        if schema not in found:
            found.append(schema)
    return found
