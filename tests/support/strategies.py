"""Strategies of hypothesis for whatever the stored spec allows.

hypothesis-jsonschema, which would make them, fails on objects.
"""

from __future__ import annotations

import functools
import json
from typing import Any

from hypothesis import strategies as st

from support.spec import alternatives, resolved

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALAR = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
ANYTHING = SCALAR | TEXT | st.lists(SCALAR, max_size=2) | st.dictionaries(TEXT, SCALAR, max_size=2)


@functools.cache
def any_object(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any object of a schema, by its name; made once, as making it costs more than drawing from it."""
    return any_value({"$ref": f"#/{name}"})


def any_value(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Any value that a schema allows, in the order of its properties, and without fields that it does not name."""
    options = [resolved(one) for one in alternatives(schema)]
    return st.one_of([_any_of_one(one) for one in options])


def _any_of_one(one: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "const" in one or "enum" in one:
        return st.sampled_from([one["const"]] if "const" in one else one["enum"])
    if "properties" in one:
        fields = {name: any_value(value) for name, value in one["properties"].items()}
        required = {name: fields.pop(name) for name in one.get("required", ())}
        return st.fixed_dictionaries(required, optional=fields).map(
            lambda found: {name: found[name] for name in one["properties"] if name in found}
        )
    if isinstance(one.get("additionalProperties"), dict):
        return st.dictionaries(TEXT, any_value(one["additionalProperties"]), max_size=2)
    least, most = one.get("minLength", 0), one.get("maxLength")
    return {
        "string": st.text(st.characters(exclude_categories=["Cs"]), min_size=least, max_size=min(most or 20, 20)),
        "integer": st.integers(one.get("minimum", -(2**63)), one.get("maximum", 2**63 - 1)),  # as int64 says
        "number": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
        "boolean": st.booleans(),
        "null": st.none(),
        "object": st.dictionaries(TEXT, ANYTHING, max_size=3),
        "array": st.lists(any_value(one["items"]) if "items" in one else ANYTHING, max_size=2),
    }.get(str(one.get("type")), ANYTHING)


def is_json(text: object) -> bool:
    """Whether it is text that stands for a JSON value."""
    if not isinstance(text, str):
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
