"""`dify_workflow.__spec__`: which stored spec the package was made from, and still what importlib needs."""

from __future__ import annotations

import copy
import hashlib
import importlib
import importlib.util
import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.resources import files
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import dify_workflow

SPEC = Path(__file__).resolve().parents[2] / "spec" / "openapi.yaml"


def test_it_tells_title_version_and_digest_of_the_stored_spec():
    info = YAML(typ="safe", pure=True).load(SPEC)["info"]
    spec = dify_workflow.__spec__
    assert (spec.title, spec.version) == (info["title"], info["version"])
    assert spec.sha256 == hashlib.sha256(SPEC.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["title", "version", "sha256"])
def test_it_cannot_be_changed_by_mistake(name: str):
    with pytest.raises(AttributeError):
        setattr(dify_workflow.__spec__, name, "other")


def test_it_is_still_the_modules_own_spec():
    spec = dify_workflow.__spec__
    assert isinstance(spec, ModuleSpec)
    assert isinstance(spec, dify_workflow.PackageSpec)
    assert (spec.name, spec.parent) == ("dify_workflow", "dify_workflow")
    assert spec.origin == dify_workflow.__file__
    assert importlib.util.find_spec("dify_workflow") is spec
    assert files("dify_workflow").joinpath("py.typed").is_file()
    again = copy.copy(spec)
    assert (again.name, again.sha256) == (spec.name, spec.sha256)


def in_a_fresh_interpreter(*lines: str) -> str:
    command = [sys.executable, "-W", "error", "-c", "\n".join(lines)]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def test_a_reload_keeps_it():
    said = in_a_fresh_interpreter(
        "import dify_workflow, importlib",
        "first = dify_workflow.__spec__",
        "importlib.reload(dify_workflow)",
        "print(dify_workflow.__spec__ is not first, dify_workflow.__spec__.sha256 == first.sha256)",
    )
    assert said == "True True\n"


def test_nothing_is_loaded_before_it_is_asked():
    said = in_a_fresh_interpreter(
        "import dify_workflow, sys",
        "before = 'dify_workflow_api' in sys.modules",
        "dify_workflow.__spec__.version",
        "after = [name in sys.modules for name in ('dify_workflow_api.specification', 'httpx', 'attrs')]",
        "print(before, *after)",
    )
    assert said == "False True False False\n"


def test_import_star_leaves_the_importing_modules_own_spec_alone():
    assert "__spec__" not in dify_workflow.__all__
    namespace = {"__spec__": "own"}
    exec("from dify_workflow import *", namespace)  # noqa: S102 - the import of everything is only allowed at the top
    assert namespace["__spec__"] == "own"
    assert namespace["DifyWorkflow"] is dify_workflow.DifyWorkflow
