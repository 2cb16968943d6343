"""The checks of a document: the standard's validator, and this project's own rules around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from openapi.diagnostics import Finding
from openapi.tree import LinedMap, Tree, line_of, pointer_text
from openapi.upgrade import upgraded
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from lint.patterns import without_patterns
from lint.rules import completeness, consistency, safety, shape
from lint.rules.shape import innermost

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openapi.tree import Pointer

    from lint.rules import Rule

WHOLE = "#"
"""The place of what is wrong with a document as a whole."""

SAFETY_RULES: tuple[Rule, ...] = (
    safety.self_contained,
    safety.component_name,
    safety.reference,
    safety.reference_cycle,
)
"""What must hold before the validator, which follows references, may see a document."""

SHAPE_RULES: tuple[Rule, ...] = (shape.json_schema,)
"""What the standard's own schema leaves open, and every other rule relies on."""

VENDOR_RULES: tuple[Rule, ...] = (
    consistency.unsupported,
    consistency.path_text,
    consistency.operation_id,
    consistency.security_scheme,
    consistency.server_variable,
    consistency.enum_type,
    consistency.default,
)
"""For what else a vendor's document is refused."""

VENDOR_NOTES: tuple[Rule, ...] = (
    consistency.required_property,
    consistency.example,
    consistency.name_collision,
)
"""What is only pointed out in a vendor's document: it stays untouched, and an overlay can put it right."""

COMPILED_RULES: tuple[Rule, ...] = (
    *VENDOR_RULES,
    *VENDOR_NOTES,
    completeness.class_name,
    completeness.complete_operation,
    completeness.unused_component,
)
"""What must hold for the compiled document."""


def vendor_findings(document: Tree) -> list[Finding]:
    """Everything for which a vendor's document (OpenAPI 3.0 or 3.1) is refused."""
    if unsafe := findings(document, SAFETY_RULES):
        return unsafe
    upgraded_document = upgraded(document)
    if malformed := findings(upgraded_document, SHAPE_RULES):
        return malformed
    # A document is judged by the version that it states; the newer version is more exact about what is wrong.
    own = validator_findings(document)
    is_new = str(document.get("openapi")).startswith("3.1")  # upgrading it changed nothing, which is not judged twice
    later = own if is_new else validator_findings(upgraded_document)
    invalid = (later or own) if own else later
    if any(finding.where != WHOLE for finding in invalid):
        return invalid
    return findings(upgraded_document, VENDOR_RULES) or invalid  # a rule can say where, if the validator can't


def vendor_notes(document: Tree) -> list[Finding]:
    """What is wrong with a vendor's document, upgraded to 3.1, that an overlay can put right."""
    return findings(document, VENDOR_NOTES)


def compiled_findings(document: Tree) -> list[Finding]:
    """Everything that is wrong with a compiled document."""
    return (
        findings(document, SAFETY_RULES)
        or findings(document, SHAPE_RULES)
        or validator_findings(document)
        or findings(document, COMPILED_RULES)
    )


def findings(document: Tree, rules: Iterable[Rule]) -> list[Finding]:
    """What rules find in a document, sorted by line and place."""
    found = {
        _finding(document, where, text, rule.__name__.replace("_", "-"))
        for rule in rules
        for where, text in rule(document)
    }
    return sorted(found)


def validator_findings(document: Tree) -> list[Finding]:
    """What openapi-spec-validator says about a document, by the version that the document states."""
    is_old = str(document.get("openapi")).startswith("3.0")
    data = without_patterns(document)
    found: set[Finding] = set()
    try:
        for error in (OpenAPIV30SpecValidator if is_old else OpenAPIV31SpecValidator)(data).iter_errors():
            deepest = innermost(error)
            said = str(deepest.message).partition("\n")[0]  # the rest repeats the schema and the value
            where = _place(data, deepest.absolute_path, said)
            found.add(_finding(document, where, f"not valid OpenAPI: {said}", ""))
    except Exception as error:  # noqa: BLE001  # its later checks trip, in many ways, over what its first found invalid
        found = found or {_finding(document, (), f"the validator cannot follow this document: {error!r}", "")}
    placed = {finding for finding in found if finding.where != WHOLE}
    return sorted(placed or found)  # what it can't place often follows from what it can


_ONE_TOO_MANY = re.compile(r"unexpected\)$|match any of the regexes")


def _place(data: Tree, path: Iterable[str | int], said: str) -> Pointer:
    """Where the validator means: of a key that is one too many, the key, not the mapping that it is in."""
    node: Any = data
    where: list[str | int] = []
    for step in path:
        step = str(step) if isinstance(node, dict) else step  # noqa: PLW2901  # "200" comes as a number
        node = node[step]
        where.append(step)
    if isinstance(node, dict) and _ONE_TOO_MANY.search(said):
        where += [key for key in node if repr(key) in said][:1]
    return tuple(where)


def _finding(document: Tree, where: Pointer, text: str, rule: str) -> Finding:
    line = line_of(document, where) if isinstance(document, LinedMap) else 0
    return Finding(line, pointer_text(where), text, rule)
