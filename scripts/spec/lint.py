"""What the validator does not see."""

from __future__ import annotations

from spec.findings import Finding
from spec.nodes import Tree


def vendor_findings(document: Tree) -> list[Finding]:
    return []


def compiled_findings(document: Tree) -> list[Finding]:
    return []
