"""The lint rules: each a function from a document to what is wrong with it.

`safety` must hold before any other tool may see a document, `consistency` for everything that goes into the compiled
document, `completeness` for the compiled document itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from openapi.tree import Pointer, Tree

Problems: TypeAlias = Iterator[tuple[Pointer, str]]
"""What a rule yields: where in the document something is wrong, and what."""

Rule: TypeAlias = Callable[[Tree], Problems]
