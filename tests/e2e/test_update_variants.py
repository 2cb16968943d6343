"""Updates with documents made by rule from the stored structure: what is taken, decided, and what changes nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import update
import vendor_documents as vendor
from updates.workplace import MADE

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent.parent
LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "build", "dist", "__pycache__", "*.pyc", ".*_cache", ".hypothesis")
GATE = ("tests/contract/test_completeness.py", "-k", "facade_has_all or methods_of_its_name")
"""The part of the contract tests that is run after these updates."""

LOGS = "/workflows/logs"
pytestmark = pytest.mark.timeout(600)  # an update reads, compiles and generates everything
Document = dict[str, Any]


def response(document: Document, path: str, method: str = "get", status: str = "200") -> Document:
    media = document["paths"][path][method]["responses"][status]["content"]["application/json"]
    found: Document = media["schema"]["properties"]
    return found


def parameter(document: Document, name: str) -> Document:
    found: Document = next(one for one in document["paths"][LOGS]["get"]["parameters"] if one["name"] == name)
    return found


def add_field(document: Document) -> None:
    run = response(document, LOGS)["data"]["items"]["properties"]["workflow_run"]["properties"]
    run["price"] = {"type": ["number", "null"]}
    response(document, "/info")["limits"] = {"type": "object", "properties": {"runs_a_day": {"type": "integer"}}}


def add_event(document: Document) -> None:
    schemas = document["components"]["schemas"]
    data = {"type": "object", "properties": {"note": {"type": "string"}}}
    schemas["event_agent_note"] = {
        "required": ["event"],
        "properties": {"event": {"const": "agent_note"}, "data": data},
    }
    reference = "#/components/schemas/event_agent_note"
    schemas["stream_event"]["oneOf"].append({"$ref": reference})
    schemas["stream_event"]["discriminator"]["mapping"]["agent_note"] = reference


def add_values(document: Document) -> None:
    parameter(document, "status")["schema"]["enum"].append("queued")
    document["paths"]["/meta"]["get"]["responses"]["404"] = {"description": ""}


def agree(document: Document) -> None:
    run = response(document, LOGS)["data"]["items"]["properties"]["workflow_run"]
    run["type"] = ["object", "null"]  # a correction makes it nullable
    parameter(document, "created_at__before")["schema"].pop("format")  # a correction takes it away


def add_operation(document: Document) -> None:
    document["paths"]["/health"] = {
        "get": {"security": [{"http_bearer": []}], "responses": {"200": {"description": ""}}}
    }


def remove_field(document: Document) -> None:
    del response(document, "/site")["title"]


def remove_corrected_parameter(document: Document) -> None:
    document["paths"][LOGS]["get"]["parameters"].remove(parameter(document, "created_at__after"))


def retype(document: Document) -> None:
    response(document, LOGS)["total"]["type"] = "string"


def remove_value(document: Document) -> None:
    parameter(document, "status")["schema"]["enum"].remove("stopped")


def remove_operation(document: Document) -> None:
    del document["paths"]["/meta"]


def retype_under_a_correction(document: Document) -> None:
    response(document, "/site")["description"]["type"] = "integer"  # a correction says string or null


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original") / "project"
    shutil.copytree(ROOT, folder, symlinks=True, ignore=LEFT_OUT)
    return folder


@pytest.fixture
def project(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path / "project", symlinks=True)
    return tmp_path / "project"


def everything(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "build" not in path.relative_to(root).parts and path.suffix != ".pyc"
    }


def run(root: Path, file: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    code = update.main([str(file), "--project", str(root), *arguments, *(f"--tests={one}" for one in GATE)])
    return code, json.loads((root / "build" / "spec-report.json").read_text("utf-8"))


def last_line(capfd: pytest.CaptureFixture[str]) -> str:
    return capfd.readouterr().out.splitlines()[-1]


def several(*changes: Callable[[Document], None]) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        for one in changes:
            one(document)

    return change


BROKEN = {
    "GET /site 200 title: is no longer sent. It concerns client.app.site": remove_field,
    "20-corrections-1.11.2.yaml": remove_corrected_parameter,
    "GET /workflows/logs 200 total: ": retype,
    'GET /workflows/logs query status: the value "stopped"': remove_value,
    "GET /meta: the operation is gone. It concerns client.app.meta": remove_operation,
    "GET /site 200 description: ": retype_under_a_correction,
}
"""What the report says of each break: the place, the method or the correction that lost its object."""


@pytest.mark.slow
def test_what_is_added_is_taken(project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = everything(project)
    document = vendor.changed(several(add_field, add_event, add_values, add_operation), text="別の文")
    code, report = run(project, vendor.written(tmp_path / "inbox", document))
    assert (code, report["outcome"], report["verdict"], report["step"]) == (0, "taken", "additive", "minor")
    assert last_line(capfd).startswith("taken; verdict: additive; version step: minor")
    after = everything(project)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert all(name.startswith(MADE) for name in changed)
    assert not [name for name in changed if name.startswith("spec/overlays")]
    public = after["tests/contract/public_api.txt"].decode()
    for line in ("price: float | None", "class AppInfoLimits", "class AgentNoteEvent", "class AgentNoteData"):
        assert line in public
    assert any("runs_a_day needs a text" in todo for todo in report["todos"])
    assert report["vendor"]["not_selected"] == ["GET /health"]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(
            vendor.shuffled(vendor.changed(add_operation, prefix="Other", text="別の文")), id="names, texts and order"
        ),
        pytest.param(vendor.page(vendor.published(), "get", LOGS), id="one page"),
    ],
)
def test_what_says_the_same_changes_nothing(
    document: Document | str, project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = everything(project)
    code, report = run(project, vendor.written(tmp_path / "inbox", document))
    assert (code, report["outcome"], report["verdict"], report["step"]) == (0, "taken", "none", "none")
    assert last_line(capfd).startswith("taken; verdict: none")
    assert everything(project) == before


@pytest.mark.slow
def test_breaks_are_decisions_and_are_reported_at_once(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = everything(project)
    file = vendor.written(tmp_path / "inbox", vendor.changed(several(*BROKEN.values())))
    code, report = run(project, file)
    assert (code, report["outcome"], report["verdict"], report["step"]) == (3, "decisions", "breaking", "major")
    for said in BROKEN:
        assert any(said in problem for problem in report["problems"]), said
    assert last_line(capfd).startswith("decisions; nothing in the project has changed; verdict: breaking")
    assert everything(project) == before


def test_what_the_vendor_says_now_is_taken_out_of_overlays(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = everything(project)
    code, report = run(project, vendor.written(tmp_path / "inbox", vendor.changed(agree)))
    assert (code, report["outcome"], report["verdict"], report["step"]) == (0, "taken", "none", "none")
    taken_out = report["taken_out_of_overlays"]
    assert any("created_at__before" in line and "the whole action is taken out" in line for line in taken_out)
    assert any("WorkflowLog)" in line and "properties.workflow_run is taken out" in line for line in taken_out)
    after = everything(project)
    assert {name for name in before | after if before.get(name) != after.get(name)} == {
        "spec/overlays/20-corrections-1.11.2.yaml",
        "spec/upstream/dify-service.structure.yaml",
    }
    assert last_line(capfd).startswith("taken; verdict: none")


@pytest.mark.slow
def test_a_break_that_is_acknowledged_is_taken(project: Path, tmp_path: Path) -> None:
    file = vendor.written(tmp_path / "inbox", vendor.changed(remove_field))
    code, report = run(project, file, "--keep")
    assert (code, report["outcome"]) == (3, "decisions")
    assert "title" not in response(vendor.stored_structure(project), "/site")  # what was made is kept
    shutil.copytree(ROOT / "spec", project / "spec", dirs_exist_ok=True)
    (project / "spec" / "acknowledged.yaml").write_text(
        "breaks:\n"
        + "".join(
            f"  - id: {kind}\n    place: GET /site 200 title\n    reason: Nobody reads it.\n"
            for kind in ("response-field-removed", "response-type")
        )
    )
    before = everything(project)
    code, report = run(project, file, "--report-only")
    assert (code, report["outcome"], report["verdict"], report["step"]) == (0, "taken", "breaking", "minor")
    assert everything(project) == before
