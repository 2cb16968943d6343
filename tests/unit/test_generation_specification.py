"""The generated module that says which spec the package was made from."""

from __future__ import annotations

import ast
import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from generator.package import generated
from support.generated_packages import document, files_of, imported, write_spec

if TYPE_CHECKING:
    from pathlib import Path


ONE: dict[str, Any] = {"One": {"type": "object", "properties": {"id": {"type": "string"}}}}
YAML_SPEC = """\
openapi: 3.1.0
info: {title: Test, version: 1.5}
paths: {}
components: {schemas: {One: {type: object, properties: {id: {type: string}}}}}
"""


def constants(spec: dict[str, Any], folder: Path) -> dict[str, object]:
    """What the module sets, read as data."""
    tree = ast.parse(files_of(spec, folder)["specification.py"])
    _, *statements = tree.body
    assert all(isinstance(statement, ast.Assign) for statement in statements)
    return {statement.targets[0].id: ast.literal_eval(statement.value) for statement in statements}  # type: ignore[attr-defined]  # asserted above


def test_the_digest_is_that_of_the_files_bytes(tmp_path: Path):
    spec = document(schemas=ONE)
    digest = hashlib.sha256(write_spec(spec, tmp_path).read_bytes()).hexdigest()
    assert constants(spec, tmp_path) == {"TITLE": "Test", "VERSION": "1", "SHA256": digest}


def test_a_wording_that_changes_nothing_else_changes_the_digest(tmp_path: Path):
    plain, worded = tmp_path / "plain.yaml", tmp_path / "worded.yaml"
    plain.write_text(YAML_SPEC, "utf-8")
    worded.write_text(YAML_SPEC + "# a remark\n", "utf-8")
    one, other = generated(plain), generated(worded)
    assert one.pop("specification.py") != other.pop("specification.py")
    assert one == other


@pytest.mark.parametrize(
    "title", ['"""', "\\", "'\n", 'x"; import os; "', "\u202eabc", "{{ marker }}", "工作流", "", "a" * 500]
)
def test_a_title_is_text_and_never_code(title: str, tmp_path: Path):
    spec = {**document(schemas=ONE), "info": {"title": title, "version": title}}
    found = constants(spec, tmp_path)
    assert found["TITLE"] == title
    assert found["VERSION"] == title
    with imported(spec, tmp_path / "package") as package:
        assert found == {"TITLE": title, "VERSION": title, "SHA256": package.specification.SHA256}
        assert title == package.specification.TITLE


def test_a_version_that_yaml_reads_as_a_number_is_text(tmp_path: Path):
    path = tmp_path / "spec.yaml"
    path.write_text(YAML_SPEC, "utf-8")
    assert b'VERSION = "1.5"' in generated(path)["specification.py"]
