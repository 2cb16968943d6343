"""Packages that are generated from a spec of a test's own, and imported by it."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.folder import update
from generator.package import generated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

SPECS = Path(__file__).parents[1] / "specs"
_numbers = itertools.count()


def document(
    *, schemas: dict[str, Any] | None = None, paths: dict[str, Any] | None = None, **components: Any
) -> dict[str, Any]:
    """A spec with the given parts."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Test", "version": "1"},
        "paths": paths or {},
        "components": {"schemas": schemas or {}, **components},
    }


def operation(**parts: Any) -> dict[str, Any]:
    """An operation that lacks nothing."""
    return {"operationId": "read_it", "tags": ["things"], "responses": {"200": {"description": ""}}, **parts}


def write_spec(spec: dict[str, Any], folder: Path) -> Path:
    """A spec as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "openapi.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path


def files_of(spec: dict[str, Any], folder: Path) -> dict[str, str]:
    """The files of the package for a spec, as text."""
    return {name: data.decode() for name, data in generated(write_spec(spec, folder)).items()}


@contextmanager
def imported(spec: dict[str, Any] | Path, folder: Path) -> Iterator[ModuleType]:
    """The package for a spec, imported, with every one of its modules."""
    path = spec if isinstance(spec, Path) else write_spec(spec, folder)
    package = folder / f"generated_{next(_numbers)}"
    update(package, generated(path))
    name = package.name
    found = importlib.util.spec_from_file_location(
        name, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    assert found
    assert found.loader
    module = sys.modules[name] = importlib.util.module_from_spec(found)
    try:
        found.loader.exec_module(module)
        for file in sorted(package.rglob("*.py")):
            parts = file.relative_to(package).with_suffix("").parts
            importlib.import_module(".".join([name, *(part for part in parts if part != "__init__")]))
        yield module
    finally:
        for loaded in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
            del sys.modules[loaded]
