"""What the compiled document must have, so that a client made of it is complete and readable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from openapi.names import is_class_name, is_module_name
from openapi.references import led_to, references
from openapi.structure import operations, parts
from openapi.tree import is_text, walked

from lint.rules.consistency import security_requirements

if TYPE_CHECKING:
    from openapi.structure import Part
    from openapi.tree import Pointer, Tree

    from lint.rules import Problems


def complete_operation(document: Tree) -> Problems:
    """An operation has an id and one declared tag that can be module names, a summary and its own security."""
    tags = [tag["name"] for tag in document.get("tags", [])]
    for path, method, operation in operations(document):
        where: Pointer = ("paths", path, method)
        given = operation.get("operationId")
        if not is_module_name(str(given)):
            yield where, f"the operationId is {given!r}; it must be a name in lower case with underscores"
        own = operation.get("tags", [])
        if len(own) != 1 or not is_module_name(str(own[0])) or own[0] not in tags:
            yield where, f"the tags are {own!r}; exactly one is needed, declared, in lower case with underscores"
        if "security" not in operation:
            yield where, "`security` is missing; the generator reads only the operation's own"
        if not is_text(operation.get("summary")):
            yield where, "`summary` is missing"


def description(document: Tree) -> Problems:
    """Everything that a user meets is described; a parameter in its schema, where the generator looks."""
    for part in parts(document):
        described = part.node.get("schema", {}) if part.kind == "parameter" else part.node
        if _needs_description(part) and not is_text(described.get("description")):
            in_schema = " in its schema" if part.kind == "parameter" else ""
            yield part.where, f"has no description{in_schema}"


def class_name(document: Tree) -> Problems:
    """A schema's name can be the name of a class."""
    for name in document.get("components", {}).get("schemas", {}):
        if not is_class_name(name):
            text = f"{name!r} must be a capital letter, then letters and digits; an overlay gives names"
            yield ("components", "schemas", name), text


def unused_component(document: Tree) -> Problems:
    """Every component is used."""
    used = {led_to(target)[:3] for part in parts(document) for _, target in references(part)}
    used |= {
        ("components", "securitySchemes", name)
        for _, requirement in security_requirements(document)
        for name in requirement
    }
    for kind, components in document.get("components", {}).items():
        for name in components if not kind.startswith("x-") else ():
            if ("components", kind, name) not in used:
                yield ("components", kind, name), "is used by nothing; remove it in an overlay"


def english(document: Tree) -> Problems:
    """No Chinese, Japanese or Korean text is left."""
    for where, node in walked(document):
        keys = [((*where, key), key) for key in node] if isinstance(node, dict) else []
        for place, text in [(where, node), *keys]:
            if isinstance(text, str) and (found := _EAST_ASIAN.search(text)):
                yield place, f"text that is not English: {text[max(found.start() - 10, 0) : found.end() + 20]!r}"


_EAST_ASIAN = re.compile(
    "[\u1100-\u11ff\u2e80-\u31ff\u3200-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f"
    "\uff00-\uffef\U00020000-\U0003ffff]+"
)
_DESCRIBED = ("parameter", "operation", "response", "header", "security scheme")
_COMPONENT_DEPTH = 3  # components, schemas, NAME


def _needs_description(part: Part) -> bool:
    if part.kind == "schema":  # a component, or a property of anything
        is_component = len(part.where) == _COMPONENT_DEPTH and part.where[0] == "components"
        return is_component or part.where[-2] == "properties"
    return part.kind in _DESCRIBED and "$ref" not in part.node
