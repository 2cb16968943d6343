"""The Python that the templates put together: types, decoders, the checks of arguments.

Everything here is made of names that `names` has approved, of literals from `text`, and of fixed words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from openapi import names
from openapi_python_client.parser.properties import AnyProperty, EnumProperty, ModelProperty
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.float import FloatProperty
from openapi_python_client.parser.properties.int import IntProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.string import StringProperty
from openapi_python_client.parser.properties.union import UnionProperty

from generator import text
from generator.document import DOCS
from generator.problems import GenerationError
from generator.rules import default_of, rule_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openapi_python_client.parser.openapi import Endpoint
    from openapi_python_client.parser.properties.protocol import PropertyProtocol

    from generator.document import Document, Operation, Parameter


class Field(NamedTuple):
    """A field of a model.

    Attributes:
        name: The attribute.
        wire: The field's name in JSON.
        annotation: Its type.
        value: The expression that decodes it, out of `src`.
        doc: Its documentation.
        is_time: Whether it is a time in epoch seconds.
        is_late: Whether its type is known only when the class and the late imports are there.
    """

    name: str
    wire: str
    annotation: str
    value: str
    doc: str
    is_time: bool
    is_late: bool


class Inlined(NamedTuple):
    """A field in the decoder of a list, which decodes small objects on the spot: that saves a call for each.

    Attributes:
        name: The attribute.
        value: The expression that decodes it, out of `src`; with a model, the one that gives the object.
        model: The class of the object that is decoded on the spot; empty when there is none.
        fields: The attributes of that class, each with the expression that decodes it, out of `_part`.
    """

    name: str
    value: str
    model: str
    fields: list[tuple[str, str]]


class Model(NamedTuple):
    """A model's class.

    Attributes:
        name: The class.
        doc: Its documentation.
        fields: Its fields, in the order in which the API sends them.
        item: The type of its items, when it is one page of a list: it has an array `data`, and `has_more`.
        item_is_late: Whether that type is known only when the class and the late imports are there.
        arrays: The JSON names of the fields that are always an array.
        constants: The fields that have one value only: what distinguishes the alternatives of a union.
        value_annotation: The type of a field that the spec does not name.
        value_is_late: Whether that type is known only when the class and the late imports are there.
        value: The expression that decodes such a field, out of `_item`; empty when it stays as it came.
        each: Its fields as the decoder of a list has them; empty unless there are pages of it.
        decoders: The classes whose `decode` or `decode_each` it calls.
        enums: The enums whose members it looks up.
        early: The generated classes to import at the top of its module.
        late: Those to import at the end, as they need this module themselves.
    """

    name: str
    doc: str
    fields: list[Field]
    item: str
    item_is_late: bool
    arrays: list[str]
    constants: dict[str, str | int]
    value_annotation: str
    value_is_late: bool
    value: str
    each: list[Inlined]
    decoders: list[str]
    enums: list[str]
    early: list[str]
    late: list[str]


class Argument(NamedTuple):
    """An argument of `build_request`: a parameter of the operation.

    Attributes:
        name: The keyword.
        annotation: Its type and, when it may be left out, its default.
        check: The expression that checks it and gives its text on the wire.
        doc: Its documentation.
    """

    name: str
    annotation: str
    check: str
    doc: str


class Call(NamedTuple):
    """An operation's module.

    Attributes:
        operation: The operation, as the spec has it.
        arguments: Its arguments in the spec's order; a JSON body comes last.
        path: The expression for its path.
        query: Names and checks of the query parameters.
        fields: Names and checks of a multipart body's fields.
        files: The same of its files.
        body: The expression for its JSON body; empty when it has none.
        response: The class of a successful response.
        response_type: The same as a type.
        classes: The generated classes that the module imports.
        events: The class of each event that it streams, by the event's name.
        other_event: The class of an event of another name; empty when it streams none.
    """

    operation: Operation
    arguments: list[Argument]
    path: str
    query: list[tuple[str, str]]
    fields: list[tuple[str, str]]
    files: list[tuple[str, str]]
    body: str
    response: str
    response_type: str
    classes: list[str]
    events: dict[str, str]
    other_event: str


class Code:
    """The Python for one document's models and operations."""

    def __init__(self, document: Document, models: dict[str, ModelProperty], components: dict[str, str]) -> None:
        """Takes what it looks things up in.

        Args:
            document: The spec.
            models: Every object that the generator made a class for, by the class.
            components: The component schemas, by their classes.
        """
        self.document = document
        self.models = models
        self.components = components
        self.listed = {name for model in models.values() if (name := self._listed(model))}

    # --- models --------------------------------------------------------------------------------------------------

    def is_map(self, model: ModelProperty) -> bool:
        """Whether an object has no fields of its own and no name: a plain dict then."""
        return model.class_info.name not in self.components and not self._properties(model)

    def model(self, prop: ModelProperty) -> Model:
        """The view of a model that its template needs."""
        name = str(prop.class_info.name)
        properties = self._properties(prop)
        extra = prop.additional_properties
        decoders = sorted({c for p in [*properties, extra] if p for c in self._decoders(p)})
        late = [other for other in decoders if other != name and name in self._reached(other)]
        unknown = {name, *late}
        each = [self._inlined(p, unknown) for p in properties] if name in self.listed else []
        parts = [p for one in each if one.model for p in self._properties(self.models[one.model])]
        enums = sorted({e for p in [*properties, extra, *parts] if p for e in self._enums(p)})
        others = sorted({*decoders, *enums} - {name})
        by_name = {wire_name(p): p for p in properties}
        return Model(
            name=name,
            doc=prop.description.get_untrusted_value() if prop.description else "",
            fields=[self._field(p, self._docs(prop), unknown) for p in properties],
            item=self._annotation_of_item(by_name),
            item_is_late="data" in by_name and not unknown.isdisjoint(self._decoders(by_name["data"])),
            arrays=[wire_name(p) for p in properties if p.required and isinstance(p, ListProperty)],
            constants={wire_name(p): value for p in properties if (value := self._constant(p)) is not None},
            value_annotation=self.annotation([extra]) if extra else "Any",
            value_is_late=bool(extra and unknown.intersection(self._decoders(extra))),
            value=(extra and self._decoder([extra], "_item")) or "",
            each=each,
            decoders=decoders,
            enums=enums,
            early=[other for other in others if other not in late],
            late=late,
        )

    def members(self, enum: EnumProperty) -> dict[str, str | int]:
        """The members of an enum and their values, as the spec has them."""
        return {
            str(key): self.document.values[value] if isinstance(value, str) else value
            for key, value in enum.values.items()
        }

    def _properties(self, model: ModelProperty) -> list[PropertyProtocol]:
        model = self.models[model.class_info.name]
        found = {wire_name(p): p for p in [*(model.required_properties or []), *(model.optional_properties or [])]}
        return [found[name] for name in self._docs(model)]

    def _docs(self, model: ModelProperty) -> dict[str, str]:
        docs: dict[str, str] = (self.models[model.class_info.name].data.model_extra or {}).get(DOCS, {})
        return docs

    def _field(self, prop: PropertyProtocol, docs: dict[str, str], unknown: set[str]) -> Field:
        wire = wire_name(prop)
        name = names.field_name(wire)
        kinds = {type(one) for one in _alternatives([prop])} - {NoneProperty}
        renamed = f"`{wire}` in JSON." if name != wire else ""
        return Field(
            name=name,
            wire=wire,
            annotation=self.annotation([prop], optional=not prop.required),
            value=self._value(prop, "src"),
            doc="\n\n".join(filter(None, (docs[wire], renamed))),
            is_time=name.endswith("_at") and kinds == {IntProperty},
            is_late=not unknown.isdisjoint(self._decoders(prop)),
        )

    def _value(self, prop: PropertyProtocol, source: str) -> str:
        """The expression that decodes a property, out of the object in a variable."""
        value = f"{source}[{text.literal(wire_name(prop))}]"
        return self._decoder([prop], "_value", f"_value := {value}") or value

    def _inlined(self, prop: PropertyProtocol, unknown: set[str]) -> Inlined:
        name = names.field_name(wire_name(prop))
        model = self._only_model([prop])
        properties = self._properties(self.models[model]) if model and model not in unknown else []
        if not properties or any(self._decoders(p) for p in properties):
            return Inlined(name, self._value(prop, "src"), "", [])
        fields = [(names.field_name(wire_name(p)), self._value(p, "_part")) for p in properties]
        return Inlined(name, f"src[{text.literal(wire_name(prop))}]", model, fields)

    def _only_model(self, props: list[PropertyProtocol]) -> str:
        """The class of what is decoded of a value, when that is nothing but objects of one class; else empty."""
        found = [p for p in _alternatives(props) if any(self._parts(p))]
        if len(found) == 1 and isinstance(found[0], ModelProperty) and not self.is_map(found[0]):
            return str(found[0].class_info.name)
        return ""

    def _listed(self, model: ModelProperty) -> str:
        """The class of the items, when a model is a page of objects of one class; else empty."""
        properties = {wire_name(p): p for p in self._properties(model)}
        data = properties.get("data")
        if not isinstance(data, ListProperty) or not self._annotation_of_item(properties):
            return ""
        return self._only_model([data.inner_property])

    def _annotation_of_item(self, properties: dict[str, PropertyProtocol]) -> str:
        """The type of a page's items; empty for what is no page."""
        data = properties.get("data")
        if "has_more" not in properties or not isinstance(data, ListProperty):
            return ""
        return self.annotation([data.inner_property])

    def _constant(self, prop: PropertyProtocol) -> str | int | None:
        if isinstance(prop, ConstProperty):
            value: str | int = prop.value.raw_value
            return value
        if isinstance(prop, EnumProperty) and len(prop.values) == 1:
            return next(iter(self.members(prop).values()))
        return None

    def _reached(self, name: str) -> set[str]:
        """The models that a model's module imports, those of their modules included."""
        reached: set[str] = set()
        ahead = [name]
        while ahead:
            model = self.models[ahead.pop()]
            extra = [model.additional_properties] if model.additional_properties else []
            for prop in [*self._properties(model), *extra]:
                new = set(self._decoders(prop)) - reached
                reached |= new
                ahead += new
        return reached

    # --- types and decoders ----------------------------------------------------------------------------------------

    def annotation(self, props: list[PropertyProtocol], *, optional: bool = False) -> str:
        """The type of what is one of the properties."""
        parts = {part: None for prop in _alternatives(props) for part in self._annotations(prop)}
        if "Any" in parts:
            return "Any"
        if optional:
            parts["None"] = None
        if "None" in parts:
            del parts["None"]
            parts["None"] = None  # last
        return " | ".join(parts)

    def _annotations(self, prop: PropertyProtocol) -> Iterator[str]:
        if isinstance(prop, ModelProperty):
            extra = self.models[prop.class_info.name].additional_properties
            yield (
                f"dict[str, {self.annotation([extra]) if extra else 'Any'}]"
                if self.is_map(prop)
                else str(prop.class_info.name)
            )
        elif isinstance(prop, ListProperty):
            yield f"list[{self.annotation([prop.inner_property])}]"
        elif isinstance(prop, EnumProperty):
            yield str(prop.class_info.name)
            yield prop.value_type.__name__
        elif isinstance(prop, ConstProperty):
            yield f"Literal[{text.literal(prop.value.raw_value)}]"
        else:
            yield _SIMPLE[type(prop)]

    def _decoder(self, props: list[PropertyProtocol], value: str, first: str = "") -> str:
        """The expression that decodes a value of one of the properties; empty when it stays as it came.

        A value of a type that none of them has stays as it came as well.

        Args:
            props: What the value may be.
            value: The variable that holds it.
            first: What stands for it where it is evaluated first.
        """
        if not props:
            return ""
        found = list(_alternatives(props))
        steps: list[tuple[str, str]] = []
        models = [p for p in found if isinstance(p, ModelProperty)]
        classes = [str(p.class_info.name) for p in models if not self.is_map(p)]
        inner = [self.models[p.class_info.name].additional_properties for p in models if self.is_map(p)]
        of_map = self._decoder([p for p in inner if p], "_item")
        if len(classes) > 1:
            steps.append((f"choose({value}, {', '.join(classes)})", "isinstance({}, dict)"))
        elif classes:
            steps.append((f"{decoder_name(classes[0])}({value})", "isinstance({}, dict)"))
        elif of_map:
            steps.append((f"{{_key: {of_map} for _key, _item in {value}.items()}}", "isinstance({}, dict)"))
        if of_list := self._list_decoder([p.inner_property for p in found if isinstance(p, ListProperty)], value):
            steps.append((of_list, "isinstance({}, list)"))
        # Integers are recognized by their exact type, as True and 1.0 are equal to 1.
        for kind, test in ((str, "isinstance({}, str)"), (int, "type({}) is int")):
            member = value
            for enum in found:
                if isinstance(enum, EnumProperty) and enum.value_type is kind:
                    member = f"{member_getter_name(enum.class_info.name)}({value}, {member})"
            if member != value:
                steps.append((member, test))
        tests = [test.format(value if i else first or value) for i, (_, test) in enumerate(steps)]
        parts = [f"{result} if {test} else " for (result, _), test in zip(steps, tests, strict=True)]
        return "".join(parts) + value if parts else ""

    def _list_decoder(self, items: list[PropertyProtocol], value: str) -> str:
        """The expression that decodes a list of the properties; empty when it stays as it came."""
        if (listed := self._only_model(items)) in self.listed:
            return f"{list_decoder_name(listed)}({value})"
        item = self._decoder(items, "_item")
        return item and f"[{item} for _item in {value}]"

    def _parts(self, prop: PropertyProtocol) -> Iterator[ModelProperty | EnumProperty]:
        """The classes that a property is made of: its own, those of its items and those of a plain dict's values."""
        for one in _alternatives([prop]):
            if isinstance(one, ListProperty):
                yield from self._parts(one.inner_property)
            elif isinstance(one, ModelProperty) and self.is_map(one):
                if extra := self.models[one.class_info.name].additional_properties:
                    yield from self._parts(extra)
            elif isinstance(one, (ModelProperty, EnumProperty)):
                yield one

    def _decoders(self, prop: PropertyProtocol) -> list[str]:
        return [str(part.class_info.name) for part in self._parts(prop) if isinstance(part, ModelProperty)]

    def _enums(self, prop: PropertyProtocol) -> list[str]:
        return [str(part.class_info.name) for part in self._parts(prop) if isinstance(part, EnumProperty)]

    # --- operations ------------------------------------------------------------------------------------------------

    def call(self, endpoint: Endpoint) -> Call:
        """The view of an operation that its template needs."""
        operation = self.document.operations[str(endpoint.name)]
        props = {wire_name(p): p for p in [*endpoint.path_parameters, *endpoint.query_parameters]}
        arguments = {p.name: self._argument(p, props.get(p.name)) for p in operation.parameters}
        checks = [(p.location, p.name, arguments[p.name].check) for p in operation.parameters]
        body = ""
        classes = {c for p in props.values() for c in self._classes(p)}
        for one in endpoint.bodies:  # JSON, and only one
            annotation = self.annotation([one.prop])
            is_object = all(isinstance(p, ModelProperty) for p in _alternatives([one.prop]))
            if is_object and not annotation.startswith("dict["):
                annotation += " | dict[str, Any]"
            required = operation.body_required
            doc = operation.body or "The JSON body."
            arguments["body"] = Argument("body", annotation if required else f"{annotation} | None = None", "", doc)
            classes.update(self._classes(one.prop))
            body = f"_types.body(body, required={required}, is_object={is_object})"
        response, response_type = self._response(endpoint, operation)
        if response in self.models:
            classes.add(response)
        return Call(
            operation=operation,
            arguments=list(arguments.values()),
            path=self._path(operation, arguments),
            query=[(name, check) for location, name, check in checks if location == "query"],
            fields=[(name, check) for location, name, check in checks if location == "field"],
            files=[(name, check) for location, name, check in checks if location == "file"],
            body=body,
            response=response,
            response_type=response_type,
            classes=sorted(classes),
            events={}
            if not operation.events
            else {name: self._event(schema, operation) for name, schema in operation.events.schemas.items()},
            other_event=self._event(operation.events.other, operation) if operation.events else "",
        )

    def _event(self, schema: str, operation: Operation) -> str:
        """The class of an event's schema."""
        for name, component in self.components.items():
            if component == schema and name in self.models:
                return name
        raise GenerationError(f"{operation.place}: the event schema {schema!r} is not an object")

    def _classes(self, prop: PropertyProtocol) -> list[str]:
        return [*self._decoders(prop), *self._enums(prop)]

    def _argument(self, parameter: Parameter, prop: PropertyProtocol | None) -> Argument:
        name = names.argument_name(parameter.name)
        doc = parameter.description or f"The API's `{parameter.name}`."
        if prop is None:  # a file, which is whatever the one who sends it takes for one
            annotation = "object" if parameter.required else "object = None"
            check = f"_types.file({text.literal(parameter.name)}, {name}, required={parameter.required})"
            return Argument(name, annotation, check, doc)
        rule = rule_of(parameter, self.document.schemas)
        annotation = self.annotation([prop], optional=not parameter.required)
        if (default := default_of(parameter, self.document.schemas)) is not None:
            doc += f"\n\nThe server's own default is {default}."
        return Argument(
            name=name,
            annotation=annotation if parameter.required else f"{annotation} = None",
            check=f"_types.{rule.check}({', '.join([text.literal(name), name, *rule.options])})",
            doc=doc,
        )

    def _path(self, operation: Operation, arguments: dict[str, Argument]) -> str:
        parts: list[str] = []
        for i, part in enumerate(re.split(r"\{([^{}]*)\}", operation.path)):
            if i % 2:
                parts.append(arguments[part].check)
            elif part:
                parts.append(text.literal(quote(part, safe="/:@!$&'()*+,;=~")))
        return parts[0] if len(parts) == 1 else f"_types.path({', '.join(parts)})"

    def _response(self, endpoint: Endpoint, operation: Operation) -> tuple[str, str]:
        """The class of a successful response, and its type."""
        found: dict[tuple[str, str], None] = {}
        for response in endpoint.responses.patterns:
            if response.status_code.pattern.startswith("2"):
                attribute = response.source["attribute"]
                prop = response.prop
                if attribute == "response.content":
                    found["bytes", "bytes"] = None
                elif attribute == "response.text":
                    found["str", "str"] = None
                elif isinstance(prop, ModelProperty):
                    annotation = self.annotation([prop])
                    found["dict" if self.is_map(prop) else annotation, annotation] = None
                elif isinstance(prop, AnyProperty):
                    found["object", "object"] = None
                else:
                    raise GenerationError(
                        f"{operation.place}: a response that is not an object is not supported ("
                        f"{response.status_code.pattern}): leave the operation out, or describe in an overlay what it "
                        "sends as any value (`{}`), which is then returned as it comes"
                    )
        if len(found) > 1:
            raise GenerationError(
                f"{operation.place}: its successful responses are of different types "
                f"({', '.join(name for _, name in found)}), and a method returns one: leave one of the responses out "
                "in an overlay, or give both the same content"
            )
        return next(iter(found), ("object", "object"))


_SIMPLE: dict[type, str] = {
    AnyProperty: "Any",
    BooleanProperty: "bool",
    FloatProperty: "float",
    IntProperty: "int",
    NoneProperty: "None",
    StringProperty: "str",
}


def wire_name(prop: PropertyProtocol) -> str:
    """The name of a property in JSON."""
    return prop.name.get_untrusted_value()


def decoder_name(class_name: str) -> str:
    """The name under which a module holds a model's `decode`."""
    return f"_decode_{names.module_name(class_name)}"


def list_decoder_name(class_name: str) -> str:
    """The name under which a module holds a model's `decode_each`."""
    return f"_decode_each_{names.module_name(class_name)}"


def members_name(class_name: str) -> str:
    """The name of the table of an enum's members."""
    return f"{names.module_name(class_name).upper()}_MEMBERS"


def member_getter_name(class_name: str) -> str:
    """The name under which a module holds the `get` of that table: Python calls an imported name's methods slowly."""
    return f"_{names.module_name(class_name)}"


def _alternatives(props: list[PropertyProtocol]) -> Iterator[PropertyProtocol]:
    for prop in props:
        if isinstance(prop, UnionProperty):
            yield from _alternatives(prop.inner_properties)
        else:
            yield prop
