"""Names in a document, and in the code that is generated from it.

A name that Python can use stays as the API has it, underscore for underscore. The generator's own names depend on the
interpreter that runs it (which builtins it has) and lose doubled underscores, so they are not used.
"""

from __future__ import annotations

import keyword
import re

# What a model's class has or uses in its own body, where a field of that name would hide it.
_OF_MODELS = frozenset(
    {
        *("self", "from_dict", "to_dict", "additional_properties", "array_fields"),
        *("bool", "datetime", "dict", "float", "int", "list", "str", "tuple"),
        *("attrs", "classmethod", "property"),
    }
)


_OF_CLASSES = frozenset(
    {"ABSENT", "Any", "ClassVar", "IntEnum", "Literal", "Mapping", "Model", "Request", "Self", "StrEnum", "datetime"}
)


def field_name(name: str) -> str:
    """The attribute of a model for a field of the API."""
    result = _identifier(name)
    return f"{result}_" if result in _OF_MODELS else result


def argument_name(name: str) -> str:
    """The keyword argument for a parameter of the API."""
    return _identifier(name)


def member_names(values: list[str]) -> list[str]:
    """The names of an enum's members, distinct and in the order of the values."""
    names: list[str] = []
    for value in values:
        name = _snake(value).upper() or "EMPTY"
        if name[0].isdigit():
            name = f"VALUE_{name}"
        base, number = name, 2
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    return names


def module_name(class_name: str) -> str:
    """The module of a class."""
    name = _snake(class_name)
    return f"{name}_" if keyword.iskeyword(name) else name


def is_class_name(name: str) -> bool:
    """Whether a generated class may have the name."""
    is_name = re.fullmatch("[A-Z][A-Za-z0-9]*", name) is not None and not keyword.iskeyword(name)
    return is_name and name not in _OF_CLASSES


def is_module_name(name: str) -> bool:
    """Whether a tag or an operationId can be a module as it stands."""
    return re.fullmatch("[a-z][a-z0-9_]*", name) is not None and not keyword.iskeyword(name)


def words(name: str) -> list[str]:
    """The words of a name, in lower case."""
    return re.findall(r"[a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()) or [name]


def are_alike(one: str, other: str) -> bool:
    """Whether two names say the same in more, fewer or other capitals and words."""
    some, others = {*words(one)}, {*words(other)}
    return some <= others or others <= some


def _identifier(name: str) -> str:
    result = name if re.fullmatch("[a-z][a-z0-9_]*", name) else _snake(name)
    if not result or result[0].isdigit():
        result = f"field_{result}"
    return f"{result}_" if keyword.iskeyword(result) else result


def _snake(name: str) -> str:
    words = re.sub(r"[^\x00-\x7f]", lambda match: f"_u{ord(match[0]):04x}_", name)
    words = re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3_\2\4", words)
    return re.sub("[^A-Za-z0-9]+", "_", words).strip("_").lower()
