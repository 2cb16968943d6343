"""The structure of a vendor's document: facts only, whatever the vendor's names, texts, order and form are."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import import_document
import pytest
from importer import reduction
from importer.documents import read_document
from importer.selection import FILE, read_selection
from importer.storage import take_structure
from openapi.diagnostics import SpecError
from openapi.tree import plain
from support import vendor_documents as vendor

ROOT = Path(__file__).parent.parent.parent
SELECTION = read_selection(ROOT / "spec" / FILE)
STORED = vendor.stored_structure()
LOGS = ("get", "/workflows/logs")


def structure_of(document: dict[str, Any] | str, stored: dict[str, Any] | None = STORED) -> dict[str, Any]:
    assert SELECTION is not None
    data = document if isinstance(document, str) else json.dumps(document)
    found: dict[str, Any] = plain(reduction.newer(read_document("x", data.encode()), SELECTION, stored))
    return found


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(vendor.published(), id="names and texts"),
        pytest.param(vendor.published(prefix="Other", text="別の文"), id="another language"),
        pytest.param(vendor.shuffled(vendor.published()), id="another order"),
        pytest.param(vendor.page(vendor.published(), *LOGS), id="one page"),
    ],
)
def test_what_says_the_same_is_stored_the_same(document: dict[str, Any] | str) -> None:
    assert reduction.text_of(structure_of(document)) == reduction.text_of(STORED)


def test_no_text_and_no_name_of_the_vendor_is_kept() -> None:
    text = reduction.text_of(structure_of(vendor.published(prefix="Zyx", text="Qwertz"), None))
    assert "Zyx" not in text.title()
    assert "Qwertz" not in text
    assert "operationId" not in text


def test_another_name_in_a_path_is_kept_beside_the_selected_one() -> None:
    document = vendor.published()
    item = document["paths"].pop("/workflow/{workflow_run_id}/events")
    document["paths"]["/workflow/{task_id}/events"] = item
    item["get"]["parameters"][0]["name"] = "task_id"
    found = structure_of(document)["paths"]["/workflow/{workflow_run_id}/events"]["get"]["parameters"][0]
    assert (found["name"], found["x-our-vendor-name"]) == ("workflow_run_id", "task_id")


def test_unselected_operations_are_left_out_and_listed() -> None:
    document = vendor.published()
    document["paths"]["/more"] = copy.deepcopy({"get": document["paths"]["/info"]["get"] | {"operationId": "more"}})
    assert structure_of(document) == STORED
    assert SELECTION is not None
    assert reduction.others([document], SELECTION) == ["GET /more"]


def test_a_whole_description_without_an_operation_has_lost_it() -> None:
    document = vendor.published()
    del document["paths"]["/meta"]
    assert "/meta" not in structure_of(document)["paths"]


def test_our_names_of_path_parameters_are_kept() -> None:
    document = vendor.published()
    item = document["paths"].pop("/workflows/tasks/{task_id}/stop")
    item["post"]["parameters"][0]["name"] = "id"
    document["paths"]["/workflows/tasks/{id}/stop"] = item
    assert structure_of(document) == STORED


def test_new_facts_follow_what_is_stored() -> None:
    def add(document: dict[str, Any]) -> None:
        operation = document["paths"]["/workflows/logs"]["get"]
        operation["parameters"].insert(0, {"name": "b", "in": "query", "schema": {"type": "string"}})

    found = structure_of(vendor.changed(add))
    names = [parameter["name"] for parameter in found["paths"]["/workflows/logs"]["get"]["parameters"]]
    before = [parameter["name"] for parameter in STORED["paths"]["/workflows/logs"]["get"]["parameters"]]
    assert names == [*before, "b"]


def test_a_schema_that_contains_itself_stays_a_component() -> None:
    document = vendor.published()
    tree = {"type": "object", "properties": {"more": {"type": "array", "items": {"$ref": "#/components/schemas/T"}}}}
    document["components"]["schemas"]["T"] = tree
    media = document["paths"]["/meta"]["get"]["responses"]["200"]["content"]["application/json"]
    media["schema"] = {"$ref": "#/components/schemas/T"}
    found = structure_of(document)
    reference = found["paths"]["/meta"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    name = reference.rpartition("/")[2]
    assert name.startswith("recursive_")
    assert found["components"]["schemas"][name]["properties"]["more"]["items"] == {"$ref": reference}


def test_null_is_one_of_several_types_in_every_spelling() -> None:
    spellings: list[dict[str, Any]] = [
        {"type": ["string", "null"]},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"oneOf": [{"type": "null"}, {"type": "string", "description": "a text"}]},
        {"allOf": [{"type": ["string", "null"], "title": "T"}]},
    ]
    found = []
    for spelling in spellings:
        document = vendor.published(vendor.stored_structure())
        schema = document["paths"]["/workflows/tasks/{task_id}/stop"]["post"]["requestBody"]["content"]
        schema["application/json"]["schema"]["properties"]["why"] = spelling
        reduced = structure_of(document)["paths"]["/workflows/tasks/{task_id}/stop"]["post"]["requestBody"]["content"]
        found.append(reduced["application/json"]["schema"]["properties"]["why"])
    assert found == [{"type": ["string", "null"]}] * len(spellings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "spec", tmp_path / "spec")
    return tmp_path / "spec" / "upstream"


def test_an_import_replaces_the_stored_structure(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def add(document: dict[str, Any]) -> None:
        document["paths"]["/meta"]["get"]["responses"]["404"] = {"description": ""}

    file = vendor.written(tmp_path / "inbox", vendor.changed(add))
    names = sorted(path.name for path in folder.iterdir())
    assert import_document.main(["--structure", str(file), "--upstream", str(folder)]) == 0
    assert "is stored:\n  GET /workflows/logs" in capsys.readouterr().out
    assert sorted(path.name for path in folder.iterdir()) == names
    assert "404" in vendor.stored_structure(tmp_path)["paths"]["/meta"]["get"]["responses"]
    assert import_document.main(["--structure", str(file), "--upstream", str(folder)]) == 0
    assert "was stored already" in capsys.readouterr().out


def test_the_first_structure_has_the_name_of_its_document(folder: Path, tmp_path: Path) -> None:
    [stored] = folder.glob("*.structure.yaml")
    before = stored.read_bytes()
    stored.unlink()
    taken = take_structure(vendor.written(tmp_path / "inbox", vendor.published(), "service.v2.json"), folder)
    assert taken.target.name == "service.structure.yaml"
    assert len(taken.target.read_bytes()) == len(before)


def test_a_document_with_nothing_that_is_selected_is_refused(folder: Path, tmp_path: Path) -> None:
    document = vendor.published()
    document["paths"] = {"/more": document["paths"]["/info"]}
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SpecError, match=r"none of its operations is in selection\.yaml"):
        take_structure(vendor.written(tmp_path / "inbox", document), folder)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("operations: 5\n", 1, "the list `operations`"),
        ("operations:\n  - {method: GET, path: /a}\n", 2, "in lower case"),
        ("operations:\n  - {method: get, path: a}\n", 2, "a `path`"),
        ("operations:\n  - {method: get, path: /a}\n  - {method: get, path: /a}\n", 3, "listed twice"),
        ("operations: []\nstreams:\n  - {property: 5}\n", 3, "a `property`"),
    ],
)
def test_a_wrong_selection_is_refused_on_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = tmp_path / FILE
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        read_selection(path)
    assert any(finding.line == line and said in finding.text for finding in caught.value.findings)
