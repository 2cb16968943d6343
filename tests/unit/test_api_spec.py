"""`dify_workflow.API_SPEC`: the stored spec that the package was generated from."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import dify_workflow

SPEC = Path(__file__).resolve().parents[2] / "spec" / "openapi.yaml"


def test_it_has_title_version_and_digest_of_the_stored_spec():
    info = YAML(typ="safe", pure=True).load(SPEC)["info"]
    spec = dify_workflow.API_SPEC
    assert (spec.title, spec.version) == (info["title"], info["version"])
    assert spec.sha256 == hashlib.sha256(SPEC.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["title", "version", "sha256"])
def test_it_cannot_be_changed(name: str):
    with pytest.raises(AttributeError):
        setattr(dify_workflow.API_SPEC, name, "other")


def test_the_spec_of_the_module_is_pythons_own():
    assert type(dify_workflow.__spec__) is ModuleSpec
    assert not {"title", "version", "sha256"} & set(dir(dify_workflow.__spec__))


def test_nothing_is_loaded_before_it_is_used():
    program = (
        "import dify_workflow, sys\n"
        "before = 'dify_workflow_api' in sys.modules\n"
        "dify_workflow.API_SPEC.version\n"
        "print(before, *(name in sys.modules for name in ('dify_workflow_api.specification', 'httpx', 'attrs')))\n"
    )
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert done.stdout == "False True False False\n"
