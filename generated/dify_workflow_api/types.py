"""What the models and the requests of this package are made of."""

# What JSON holds has no types before it is looked at.
# pyright: standard

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Self, TypeAlias, TypeVar
from urllib.parse import quote

T = TypeVar("T")


class Request(tuple[Any, ...], Generic[T]):
    """A request that is ready to be sent, and the class of its response."""

    # Not a NamedTuple, which takes longer to make than all that a first call does with it.
    __slots__ = ()

    def __new__(
        cls,
        operation: str,
        method: str,
        path: str,
        load_response: Callable[[], type[T]],
        params: tuple[tuple[str, str], ...] = (),
        json: object = None,
        fields: tuple[tuple[str, str], ...] = (),
        files: tuple[tuple[str, object], ...] = (),
    ) -> Self:
        return tuple.__new__(cls, (operation, method, path, load_response, params, json, fields, files))

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    @property
    def operation(self) -> str:
        """The operation's name in the spec."""
        value: str = self[0]
        return value

    @property
    def method(self) -> str:
        """The HTTP method, in upper case."""
        value: str = self[1]
        return value

    @property
    def path(self) -> str:
        """The path below the base URL, percent-encoded."""
        value: str = self[2]
        return value

    @property
    def load_response(self) -> Callable[[], type[T]]:
        """Gives `response`; models are loaded when there is a response to decode, and not to send a request."""
        value: Callable[[], type[T]] = self[3]
        return value

    @property
    def params(self) -> tuple[tuple[str, str], ...]:
        """Names and texts of the query, in order, not yet percent-encoded."""
        value: tuple[tuple[str, str], ...] = self[4]
        return value

    @property
    def json(self) -> object:
        """The JSON body, as JSON values; None when there is none."""
        value: object = self[5]
        return value

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Names and texts of the fields of a multipart body, in order."""
        value: tuple[tuple[str, str], ...] = self[6]
        return value

    @property
    def files(self) -> tuple[tuple[str, object], ...]:
        """Names and contents of the files of a multipart body, in order; each content is what the caller gave."""
        value: tuple[tuple[str, object], ...] = self[7]
        return value

    @property
    def response(self) -> type[T]:
        """The model of a successful response; `str`, `bytes`, `dict` or `object` where it is no model."""
        return self.load_response()

    def __repr__(self) -> str:
        # Without values: they are the caller's, may be secret, and tracebacks may show variables.
        return f"{type(self).__name__}({self.operation!r}, {self.method!r})"


# --- models ----------------------------------------------------------------------------------------------------------


class _Absent:
    __slots__ = ()

    def __repr__(self) -> str:
        return "<absent>"


ABSENT: Any = _Absent()
"""The default of every field of a model: the field is then None, and left out by `to_dict`."""


_Shape: TypeAlias = "tuple[tuple[str, ...], dict[str, None], list[str]]"
"""The keys of an object, the fields of its model that it lacks, and what it has besides."""

new: Final[Callable[[Any], Any]] = object.__new__
"""Makes an instance without calling `__init__`."""

_MOST_SHAPES: Final = 256
"""The shapes that a model remembers, for speed; a server cannot make that grow without end."""


if TYPE_CHECKING:
    import attrs as attrs
else:

    class attrs:
        """What the models need of attrs, which takes longer to load than all models: it is loaded when it is used."""

        field = dict

        @staticmethod
        def define(**options: Any) -> Callable[[type[Any]], type[Any]]:
            """As `attrs.define`, but attrs makes its part of the class when that is first used: see `_OfAttrs`."""
            return lambda cls: _slotted(cls, options)


def _slotted(cls: Any, options: dict[str, Any]) -> Any:
    """A class with slots in place of the defaults of its fields."""
    defaults = {name: cls.__dict__[name] for name in (*cls._names.values(), "_extra")}
    left_out = {*defaults, "__dict__", "__weakref__"}
    body = {name: value for name, value in cls.__dict__.items() if name not in left_out}
    body["__slots__"] = tuple(cls._names.values())
    for name in ("__attrs_attrs__", "__init__"):
        body[name] = _OfAttrs(name, defaults, options)
    return type(cls)(cls.__name__, cls.__bases__, body)


class _OfAttrs:
    """An attribute of a model that attrs makes; the first use of one lets attrs replace them all.

    Two threads may do so at once: what they make is the same.
    """

    __slots__ = ("_defaults", "_name", "_options", "_owner")

    def __init__(self, name: str, defaults: dict[str, Any], options: dict[str, Any]) -> None:
        self._name = name
        self._defaults = defaults
        self._options = options

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self._owner = owner

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        import attrs

        fields: dict[str, Any] = {}
        for name, default in self._defaults.items():
            fields[name] = attrs.field(**default) if isinstance(default, dict) else attrs.field(default=default)
        # Without `slots`, which the class has: attrs would make another class.
        attrs.define(self._owner, these=fields, init=True, slots=False, **self._options)
        made = self._owner.__dict__[self._name]
        return made.__get__(instance, owner) if hasattr(made, "__get__") else made


class Model:
    """An object of the API, as it was received.

    A field that was absent or null is None. A value of another type than the field's is kept as it came, and so is
    what the spec does not name, in `additional_properties`. `to_dict` gives all of it back.

    A model made by hand, `Class(field=value)`, holds what it is given: a field that is left out is absent.
    """

    __module__ = "dify_workflow.types"
    __slots__ = ("__weakref__", "_extra", "_keys")

    array_fields: ClassVar[tuple[str, ...]] = ()
    """The fields that are always an array, by their names in JSON."""

    _constants: ClassVar[dict[str, object]] = {}
    _shapes: ClassVar[dict[tuple[str, ...], _Shape]] = {}
    _names: ClassVar[dict[str, str]] = {}  # JSON names, in the order in which the API sends them, and attributes
    _keys: tuple[str, ...]  # what was received, in order; not set when that was each field and nothing else
    _extra: dict[str, Any] | None

    def __init_subclass__(cls) -> None:
        cls._shapes = {}

    @classmethod
    def from_dict(cls, src: Mapping[str, Any]) -> Self:
        """The model of a JSON object.

        Never fails over what an object holds. What it does not decode it takes over without copying.
        """
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """The JSON object: what was received, with the changes made since, down to the last null and absence.

        All of it is new: to change it changes no model. Members of enums are their plain values.
        """
        names, extra = self._names, self._extra or {}
        result: dict[str, Any] = {}
        for key in getattr(self, "_keys", names):
            if key in names:
                result[key] = plain(getattr(self, names[key]))
            elif key in extra:
                result[key] = plain(extra[key])
        for key, name in names.items():
            if key not in result and (value := getattr(self, name)) is not None:
                result[key] = plain(value)
        for key, value in extra.items():
            if key not in result:
                result[key] = plain(value)
        return result

    def to_json(self) -> str:
        """`to_dict()` as JSON, without spaces; characters outside ASCII stand as they are.

        A string that UTF-8 cannot encode (it has a lone surrogate) is escaped, as is then every other one.
        """
        import json

        value = self.to_dict()
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        try:
            text.encode()
        except UnicodeEncodeError:
            return json.dumps(value, separators=(",", ":"))
        return text

    @property
    def additional_properties(self) -> dict[str, Any]:
        """The fields that the spec does not name, by their names in JSON; change it to change them."""
        return self._own_extra()

    def __attrs_post_init__(self) -> None:
        given: list[str] = []
        for key, name in self._names.items():
            if getattr(self, name) is ABSENT:
                setattr(self, name, None)
            else:
                given.append(key)
        if self._extra is not None:
            self._extra = dict(self._extra)
        self._keys = tuple(given)

    def __eq__(self, other: object) -> bool:
        """Whether both read the same: absent and null are one."""
        if not isinstance(other, Model) or other.__class__ is not self.__class__:
            return NotImplemented
        return self._read() == other._read()

    @recursive_repr()
    def __repr__(self) -> str:
        """The fields that are not None; long values shortened."""
        shown = [(name, value) for name in self._names.values() if (value := getattr(self, name)) is not None]
        if self._extra:
            shown.append(("additional_properties", self._extra))
        return f"{type(self).__name__}({', '.join(f'{name}={_brief(value)}' for name, value in shown)})"

    def __copy__(self) -> Self:
        new = self.__class__.__new__(self.__class__)
        for name in (*self._names.values(), "_extra"):
            setattr(new, name, getattr(self, name))
        if self._extra is not None:
            new._extra = dict(self._extra)
        if hasattr(self, "_keys"):
            new._keys = self._keys
        return new

    def __replace__(self, /, **changes: Any) -> Self:
        import attrs

        model: Any = self
        replaced: Self = attrs.evolve(model, **changes)
        return replaced

    def __reduce__(self) -> tuple[Callable[[Mapping[str, Any]], Self], tuple[dict[str, Any]]]:
        # As what was received: a pickle then outlives a change of the fields.
        return type(self).from_dict, (self.to_dict(),)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> Any:
        from dify_workflow._pydantic import core_schema_of  # the SDK that this package belongs to, and loads

        return core_schema_of(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: object, handler: object) -> dict[str, Any]:
        from dify_workflow._pydantic import json_schema_of

        return json_schema_of(cls)

    def _read(self) -> tuple[list[Any], dict[str, Any]]:
        return [getattr(self, name) for name in self._names.values()], self._extra or {}

    def _own_extra(self) -> dict[str, Any]:
        extra = self._extra
        if extra is None:
            extra = self._extra = {}
        return extra

    @classmethod
    def _of_part(cls, src: Mapping[str, Any]) -> Self:
        """The model of an object that has as many keys as there are fields, but others."""
        keys, missing, _ = shape_of(cls, tuple(src))
        self = cls.from_dict({**src, **missing})
        self._keys = keys
        return self

    @classmethod
    def _new_shape(cls, keys: tuple[str, ...]) -> _Shape:
        missing = dict.fromkeys(name for name in cls._names if name not in keys)
        shape = keys, missing, [key for key in keys if key not in cls._names]
        if len(cls._shapes) < _MOST_SHAPES:
            cls._shapes[keys] = shape
        return shape


def shape_of(model: type[Model], keys: tuple[str, ...]) -> _Shape:
    """The shape of an object with these keys."""
    return model._shapes.get(keys) or model._new_shape(keys)


def plain(value: object) -> Any:
    """The JSON value of a value: models as dicts, members of enums as their values, all containers new."""
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        mapping: dict[Any, Any] = {}
        for key, item in value.items():  # loops, as comprehensions would take two frames for a level of nesting
            mapping[key] = plain(item)
        return mapping
    if isinstance(value, (list, tuple)):
        items: list[Any] = []
        for item in value:
            items.append(plain(item))
        return items
    return value


def choose(value: dict[str, Any], *models: type[Model]) -> Any:
    """The model, of several, that an object is: the one that knows most of its fields; the object itself if none."""
    best, most = None, 0
    for model in models:
        if all(value.get(name, constant) == constant for name, constant in model._constants.items()):
            known = len(model._names.keys() & value.keys())
            if known > most:
                best, most = model, known
    return best.from_dict(value) if best else value


def html_table(page: Model, items: object) -> str:
    """The items of a page as an HTML table, for notebooks: a column for each field that one of them has."""
    from html import escape

    rows = [_cells(item) for item in items] if isinstance(items, list) else []
    columns = dict.fromkeys(name for row in rows for name in row)
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(row.get(name, ''))}</td>" for name in columns) + "</tr>" for row in rows
    )
    others = {name: value for name in page._names.values() if (value := getattr(page, name)) is not items}
    caption = ", ".join(f"{name} {_brief(value)}" for name, value in others.items() if value is not None)
    return (
        f"<table><caption>{escape(type(page).__name__)}: {escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _cells(item: object, prefix: str = "") -> dict[str, str]:
    """The texts of an item by column: those of a model inside it have columns of their own."""
    if not isinstance(item, Model):
        return {prefix: _brief(item)}
    cells: dict[str, str] = {}
    for name in item._names.values():
        value = getattr(item, name)
        if isinstance(value, Model):
            cells |= _cells(value, f"{prefix}{name}.")
        elif value is not None:
            time = getattr(item, f"{name}_utc", None)
            plain_value = value.value if isinstance(value, Enum) else value
            text = plain_value if isinstance(plain_value, str) else _brief(plain_value)
            cells[prefix + name] = f"{time:%Y-%m-%d %H:%M:%S}" if isinstance(time, datetime) else _cut(text)
    return cells


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def utc(value: object) -> datetime | None:
    """Epoch seconds as an aware datetime; None for anything else, and for times that a datetime cannot be."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    try:
        return _EPOCH + timedelta(seconds=value)
    except OverflowError:
        return None


_LONGEST: Final = 80
_MOST: Final = 3


def _cut(text: str) -> str:
    return f"{text[: _LONGEST - 3]}..." if len(text) > _LONGEST else text


def _brief(value: object) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        value = _cut(value)
    if isinstance(value, (list, dict)) and len(value) > _MOST:
        return f"<{type(value).__name__} of {len(value)}>"
    if isinstance(value, list):
        return f"[{', '.join(map(_brief, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_brief(item)}' for key, item in value.items())}}}"
    return repr(value)


# --- arguments -------------------------------------------------------------------------------------------------------
# Each check gives an argument's text on the wire, None for one that is left out, and raises ValueError for one that
# the API would not take.


def pairs(*params: tuple[str, str | Iterable[str] | None]) -> tuple[tuple[str, str], ...]:
    """The query of a request, or the fields of its form, without what is left out."""
    found: list[tuple[str, str]] = []
    for name, texts in params:
        if isinstance(texts, str):
            found.append((name, texts))
        elif texts is not None:
            found += [(name, text) for text in texts]
    return tuple(found)


def parts(*files: tuple[str, object]) -> tuple[tuple[str, object], ...]:
    """The files of a request, without what is left out."""
    return tuple((name, content) for name, content in files if content is not None)


def text(
    name: str,
    value: object,
    *,
    required: bool = False,
    shortest: int = 0,
    longest: float = math.inf,
    pattern: str = "",
    uuid: bool = False,
    allowed: Sequence[str] = (),
) -> str | None:
    """Text, or a member of an enum of texts."""
    if value is None:
        return _left_out(name, required)
    found = value.value if isinstance(value, Enum) else value
    if not isinstance(found, str):
        raise _refused(name, "a string", value)
    found = str(found)
    if allowed and found not in allowed:
        raise _refused(name, f"one of {', '.join(map(repr, allowed))}", value)
    if not shortest <= len(found) <= longest:
        raise _refused(name, f"a string with a length {_range(shortest, longest)}", value)
    if pattern and not re.search(pattern, found):
        raise _refused(name, f"a string that matches {pattern!r}", value)
    if uuid and not re.fullmatch(_UUID, found):
        raise _refused(name, "a UUID, 32 hexadecimal digits with or without dashes", value)
    try:
        found.encode()
    except UnicodeEncodeError:
        raise _refused(name, "a string without lone surrogates", value) from None
    return found


def segment(name: str, value: object, *, required: bool = True, **bounds: Any) -> str:
    """Text as one segment of a path, percent-encoded."""
    found = text(name, value, required=required, **bounds) or ""
    if found in {"", ".", ".."}:  # these would make it another path
        raise _refused(name, "a string that can be a part of a path", value)
    return quote(found, safe="")


def integer(
    name: str,
    value: object,
    *,
    required: bool = False,
    minimum: float = -math.inf,
    maximum: float = math.inf,
    allowed: Sequence[int] = (),
) -> str | None:
    """A whole number in decimal digits."""
    if value is None:
        return _left_out(name, required)
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        raise _refused(name, f"an integer {_range(minimum, maximum)}".rstrip(), value)
    if allowed and value not in allowed:
        raise _refused(name, f"one of {', '.join(map(repr, allowed))}", value)
    return f"{int(value)}"


def number(
    name: str,
    value: object,
    *,
    required: bool = False,
    minimum: float = -math.inf,
    maximum: float = math.inf,
) -> str | None:
    """A finite number."""
    if value is None:
        return _left_out(name, required)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise _refused(name, "a finite number", value)
    if not minimum <= value <= maximum:
        raise _refused(name, f"a number {_range(minimum, maximum)}", value)
    return repr(value)


def boolean(name: str, value: object, *, required: bool = False) -> str | None:
    """True or False, as `true` or `false`."""
    if value is None:
        return _left_out(name, required)
    if not isinstance(value, bool):
        raise _refused(name, "True or False", value)
    return "true" if value else "false"


def several(
    name: str,
    value: object,
    check: Callable[..., str | None],
    *,
    required: bool = False,
    separator: str = "",
    **bounds: Any,
) -> list[str] | None:
    """A list or tuple, each item of which is a parameter of its own; with a separator, all of them are one parameter."""
    if value is None:
        _left_out(name, required)
        return None
    if not isinstance(value, (list, tuple)):
        raise _refused(name, "a list", value)
    items = [check(f"{name}[{i}]", item, required=True, **bounds) or "" for i, item in enumerate(value)]
    if not separator:
        return items
    for i, item in enumerate(items):
        if separator in item:
            raise ValueError(f"{name}[{i}] must not contain {separator!r}, which separates the items in the request")
    return [separator.join(items)] if items else None


def path(*segments: str | None) -> str:
    """A path of its segments."""
    return "".join(segment or "" for segment in segments)


def file(name: str, value: object, *, required: bool) -> object:
    """A file, as it is."""
    return _left_out(name, required) if value is None else value


def body(value: object, *, required: bool, is_object: bool) -> Any:
    """A JSON body; a model is sent as what its `to_dict` gives."""
    if value is None:
        return _left_out("body", required)
    if is_object and not isinstance(value, (Model, dict)):
        raise _refused("body", "a model or a dict", value)
    return plain(value)


_UUID: Final = r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}(\1[0-9a-fA-F]{4}){2}\1[0-9a-fA-F]{12}"


def _left_out(name: str, required: bool) -> str | None:
    if required:
        raise ValueError(f"{name} must be given")
    return None


def _range(low: float, high: float) -> str:
    if high == math.inf:
        return "" if low == -math.inf else f"of at least {low}"
    return f"of at most {high}" if low == -math.inf else f"from {low} to {high}"


def _refused(name: str, expected: str, value: object) -> ValueError:
    return ValueError(f"{name} must be {expected}, got {_brief(value)}")
