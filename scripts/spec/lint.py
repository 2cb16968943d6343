"""The checks of a document: the standard's validator, and this project's own rules around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsonschema.exceptions import best_match  # type: ignore[import-untyped]  # it ships no types
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from spec.findings import Finding
from spec.nodes import LinedMap, Tree, line_of, plain, pointer_text
from spec.rules import completeness, consistency, safety
from spec.upgrade import upgraded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spec.nodes import Pointer
    from spec.rules import Rule

WHOLE = "#"
"""The place of what is wrong with a document as a whole."""

SAFETY_RULES: tuple[Rule, ...] = (
    safety.self_contained,
    safety.component_name,
    safety.reference,
    safety.reference_cycle,
)
"""What must hold before the validator, which follows references, may see a document."""

VENDOR_RULES: tuple[Rule, ...] = (
    consistency.unsupported,
    consistency.path_text,
    consistency.operation_id,
    consistency.security_scheme,
    consistency.server_variable,
    consistency.enum_type,
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
    completeness.description,
    completeness.unused_component,
    completeness.english,
)
"""What must hold for the compiled document."""


def vendor_findings(document: Tree) -> list[Finding]:
    """Everything for which a vendor's document (OpenAPI 3.0 or 3.1) is refused."""
    if unsafe := findings(document, SAFETY_RULES):
        return unsafe
    invalid = validator_findings(document)
    if any(finding.where != WHOLE for finding in invalid):
        return invalid
    upgraded_document = upgraded(document)
    invalid = invalid or validator_findings(upgraded_document)
    if any(finding.where != WHOLE for finding in invalid):
        return invalid
    return findings(upgraded_document, VENDOR_RULES) or invalid  # a rule can say where, if the validator can't


def vendor_notes(document: Tree) -> list[Finding]:
    """What is wrong with a vendor's document, upgraded to 3.1, that an overlay can put right."""
    return findings(document, VENDOR_NOTES)


def compiled_findings(document: Tree) -> list[Finding]:
    """Everything that is wrong with a compiled document."""
    return findings(document, SAFETY_RULES) or validator_findings(document) or findings(document, COMPILED_RULES)


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
    validator = (OpenAPIV30SpecValidator if is_old else OpenAPIV31SpecValidator)(plain(document))
    found = set()
    for error in validator.iter_errors():
        deepest = best_match([error]) if error.context else error
        said = str(deepest.message).partition("\n")[0]  # the rest repeats the schema and the value
        found.add(_finding(document, tuple(deepest.absolute_path), f"not valid OpenAPI: {said}", ""))
    return sorted(found)


def _finding(document: Tree, where: Pointer, text: str, rule: str) -> Finding:
    line = line_of(document, where) if isinstance(document, LinedMap) else 0
    return Finding(line, pointer_text(where), text, rule)
