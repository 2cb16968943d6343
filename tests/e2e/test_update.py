"""Updates with documents made by rule from the stored structure: what is taken, decided, and what changes nothing.

`update.py` ends as it says, whatever happens to it, and the project is whole at every end. The runs share what this
process has read: each costs a third of a run of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import update
from support import vendor_documents as vendor
from updates.workspace import MADE

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent.parent
LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "build", "dist", "__pycache__", "*.pyc", ".*_cache", ".hypothesis")
QUICK = ("tests/contract/test_completeness.py::test_the_facade_has_all_that_the_spec_has",)
"""The contract test that is run after most of these updates."""
WIDER = (
    "tests/contract/test_completeness.py",
    "tests/contract/test_public_api.py::test_the_public_api_is_the_stored_one",
    "tests/contract/test_contract_requests.py::test_the_least_that_is_given_is_all_that_is_sent",
    "tests/contract/test_contract_requests.py::test_a_walk_sends_the_filters_that_a_page_has",
)

LOGS, RUN, SITE = "/workflows/logs", "/workflows/run", "/site"
pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]  # an update reads, compiles and generates everything
Document = dict[str, Any]


# --- changes of a document -------------------------------------------------------------------------------------------


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


def add_arguments(document: Document) -> None:
    """A parameter of the logs, a field of a body, and a parameter of one of the two operations that start a run."""
    schema = {"type": "integer", "minimum": 1, "default": 5}
    document["paths"][LOGS]["get"]["parameters"].append({"name": "min_cost", "in": "query", "schema": schema})
    body = document["paths"][RUN]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body["properties"]["priority"] = {"type": "integer", "maximum": 9}
    trial = {"name": "trial", "in": "query", "schema": {"type": "boolean"}}
    document["paths"][RUN]["post"].setdefault("parameters", []).append(trial)


def add_operations(document: Document) -> None:
    schema = {"type": "object", "required": ["up"], "properties": {"up": {"type": "boolean"}}}
    response = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
    for path in ("/health", "/other"):
        document["paths"][path] = {"get": {"security": [{"http_bearer": []}], "responses": response}}


def agree(document: Document) -> None:
    run = response(document, LOGS)["data"]["items"]["properties"]["workflow_run"]
    run["type"] = ["object", "null"]  # a correction makes it nullable
    parameter(document, "created_at__before")["schema"].pop("format")  # a correction takes it away


def remove_field(document: Document) -> None:
    del response(document, SITE)["title"]


def remove_corrected_parameter(document: Document) -> None:
    document["paths"][LOGS]["get"]["parameters"].remove(parameter(document, "created_at__after"))


def retype(document: Document) -> None:
    response(document, LOGS)["total"]["type"] = "string"


def remove_value(document: Document) -> None:
    parameter(document, "status")["schema"]["enum"].remove("stopped")


def remove_operation(document: Document) -> None:
    del document["paths"]["/meta"]


def retype_under_a_correction(document: Document) -> None:
    response(document, SITE)["description"]["type"] = "integer"  # a correction says string or null


def expect_another_id(document: Document) -> None:
    item = document["paths"].pop("/workflow/{workflow_run_id}/events")
    document["paths"]["/workflow/{task_id}/events"] = item
    next(one for one in item["get"]["parameters"] if one["in"] == "path")["name"] = "task_id"


def several(*changes: Callable[[Document], None]) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        for one in changes:
            one(document)

    return change


# --- projects --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original") / "project"
    shutil.copytree(ROOT, folder, symlinks=True, ignore=LEFT_OUT)
    (folder / "not-tracked.txt").write_text("notes")
    return folder


@pytest.fixture
def project(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(original, tmp_path / "project", symlinks=True)
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    return tmp_path / "project"


def everything(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "build" not in path.relative_to(root).parts and path.suffix != ".pyc"
    }


def given(root: Path, change: Callable[[Document], None], **more: Any) -> Path:
    return vendor.written(root.parent / "inbox", vendor.changed(change, **more))


def run(root: Path, file: Path, *arguments: str, tests: tuple[str, ...] = QUICK) -> tuple[int, dict[str, Any]]:
    code = update.main([str(file), "--project", str(root), *arguments, *(f"--tests={one}" for one in tests)])
    assert list((root.parent / "scratch").iterdir()) == []
    return code, json.loads((root / "build" / "spec-report.json").read_text("utf-8"))


def last_line(capfd: pytest.CaptureFixture[str]) -> str:
    return capfd.readouterr().out.splitlines()[-1]


# --- what is taken ---------------------------------------------------------------------------------------------------

PROGRAM = """
import httpx, os, subprocess, sys, tempfile, uuid
from dify_workflow.export import export
from dify_workflow.testing import Sandbox

def refused(function, *arguments, **keywords):
    try:
        function(*arguments, **keywords)
    except ValueError as error:
        return str(error)

with Sandbox(rows=5, version="1.16") as sandbox, sandbox.client() as client:
    price = client.logs.list(min_cost=2).data[0].workflow_run.price
    assert price is None and "min_cost=2" in sandbox.requests[-1].query
    assert len([*client.logs.iter(min_cost=3)]) == 5
    assert any("min_cost=3" in request.query for request in sandbox.requests)
    assert refused(client.logs.list, min_cost=0).startswith("min_cost must be")
    assert refused(client.logs.iter, min_cost="2").startswith("min_cost must be")
    result = client.runs.run({"query": "hi"}, user="u", priority=1)
    assert result.status == "succeeded"
    assert refused(client.runs.run, {"query": "hi"}, user="u", priority=10).startswith("priority must be")
    assert client.runs.run({"query": "hi"}, user="u", trial=True).status == "succeeded"
    other = dict(user="u", trial=True, workflow_id=str(uuid.uuid4()))
    assert "must be given without workflow_id" in refused(client.runs.run, {"query": "hi"}, **other)
    run = client.runs.start({"query": "hi"}, user="u", priority=2).wait()
    assert client.runs.rerun(run.workflow_run_id, user="u", priority=3).status == "succeeded"
    with tempfile.TemporaryDirectory() as folder:
        [item] = client.runs.batch([{"query": "hi"}], user="u", journal=f"{folder}/journal", priority=4)
    assert item.status == "succeeded"
    assert refused(client.runs.start, {"query": "hi"}, user="u", priority=10).startswith("priority must be")
    assert refused(client.runs.rerun, run.workflow_run_id, user="u", priority=10).startswith("priority must be")
    assert [*client.logs.changes(min_cost=4)] == []
    parts = client.logs.ranges(2, min_cost=5)
    assert sum(len([*client.logs.iter(range=part)]) for part in parts) == client.logs.list().total
    with tempfile.TemporaryDirectory() as folder:
        export(client, f"{folder}/logs.jsonl", min_cost=6)
    command_line = [sys.executable, "-m", "dify_workflow", "logs", "list", "--min-cost=7"]
    addresses = {"DIFY_API_KEY": sandbox.api_key, "DIFY_BASE_URL": sandbox.base_url}
    assert subprocess.run(command_line, env=os.environ | addresses, stdout=subprocess.DEVNULL).returncode == 0
    for cost in (4, 5, 6, 7):
        assert any(f"min_cost={cost}" in request.query for request in sandbox.requests), cost
    assert client.health.get().up is False
    key = {"Authorization": f"Bearer {sandbox.api_key}"}
    assert httpx.get(f"{sandbox.base_url}/workflows/logs?min_cost=0", headers=key).status_code == 400
print("used")
"""


def test_additions_are_taken_with_the_facade_changed(project: Path) -> None:
    """The whole of it, as a command: what is left is what the sources give, and can be used."""
    before = everything(project)
    file = given(project, several(add_field, add_event, add_values, add_arguments, add_operations), text="別の文")
    done = command(project, "update.py", str(file), "--select=GET /health", *(f"--tests={one}" for one in WIDER))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("taken; verdict: additive; version step: minor")
    report = json.loads((project / "build" / "spec-report.json").read_text("utf-8"))
    assert (report["verdict"], report["step"], report["contract"]["failed"]) == ("additive", "minor", 0)
    assert report["vendor"]["not_selected"] == ["GET /other"]
    assert "client.health.get is new: it calls GET /health" in report["written"]
    assert {change["severity"] for change in report["api"]} == {"additive"}
    after = everything(project)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert all(name.startswith(MADE) for name in changed)
    assert not [name for name in changed if name.startswith("spec/overlays")]
    public = after["tests/contract/public_api.txt"].decode()
    for line in ("price: float | None", "class AppInfoLimits", "class AgentNoteEvent", "class AgentNoteData"):
        assert line in public
    assert any("runs_a_day needs a text" in todo for todo in report["todos"])
    for script in ("compile_spec.py", "generate.py", "unasync.py", "reference.py", "public_api.py"):
        done = command(project, script, "--check")
        assert (done.returncode, done.stdout) == (0, ""), (script, done.stderr)
    used = command(project, "-c", PROGRAM)
    assert (used.returncode, used.stdout) == (0, "used\n"), used.stderr


def command(root: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A script of a project, run by itself; `-c` and a program run that."""
    paths = os.pathsep.join(str(root / name) for name in ("src", "generated", "scripts"))
    return subprocess.run(
        [sys.executable, script if script == "-c" else str(root / "scripts" / script), *arguments],
        cwd=root,
        env=os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(
            lambda: vendor.shuffled(vendor.changed(add_operations, prefix="Other", text="別の文")),
            id="names, texts and order",
        ),
        pytest.param(lambda: vendor.page(vendor.published(), "get", LOGS), id="one page"),
    ],
)
def test_what_says_the_same_changes_nothing(
    document: Callable[[], Document | str], project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = everything(project)
    code, report = run(project, vendor.written(project.parent / "inbox", document()))
    assert (code, report["outcome"], report["verdict"], report["step"]) == (0, "taken", "none", "none")
    assert last_line(capfd).startswith("taken; verdict: none")
    assert everything(project) == before


def test_what_the_vendor_says_now_is_taken_out_of_overlays(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = everything(project)
    code, report = run(project, given(project, agree))
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


# --- what has to be decided ------------------------------------------------------------------------------------------

BROKEN = {
    "GET /site 200 title: is no longer sent. It concerns client.app.site": remove_field,
    "20-corrections-1.11.2.yaml": remove_corrected_parameter,
    "GET /workflows/logs 200 total: ": retype,
    'GET /workflows/logs query status: the value "stopped"': remove_value,
    "GET /meta: the operation is gone. It concerns client.app.meta": remove_operation,
    "GET /site 200 description: ": retype_under_a_correction,
    "GET /workflow/{workflow_run_id}/events path task_id: another id is expected here": expect_another_id,
}
"""What the report says of each break: the place, the method or the correction that lost its object."""


def test_breaks_are_decisions_and_are_reported_at_once(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = everything(project)
    code, report = run(project, given(project, several(*BROKEN.values())))
    assert (code, report["outcome"], report["verdict"], report["step"]) == (3, "decisions", "breaking", "major")
    for said in BROKEN:
        assert any(said in problem for problem in report["problems"]), said
    assert last_line(capfd).startswith("decisions; nothing in the project has changed; verdict: breaking")
    assert everything(project) == before


def test_a_break_that_is_acknowledged_is_taken(project: Path) -> None:
    file = given(project, remove_field)
    code, report = run(project, file, "--keep")
    assert (code, report["outcome"]) == (3, "decisions")
    assert "title" not in response(vendor.stored_structure(project), SITE)  # what was made is kept
    shutil.copytree(ROOT / "spec", project / "spec", dirs_exist_ok=True)
    (project / "spec" / "acknowledged.yaml").write_text(
        "breaks:\n  - id: response-field-removed\n    place: GET /site 200 title\n    reason: Nobody reads it.\n"
    )
    before = everything(project)
    code, report = run(project, file, "--report-only")
    assert (code, report["outcome"], report["verdict"], report["step"]) == (0, "taken", "breaking", "minor")
    assert everything(project) == before


def test_contract_tests_that_fail_are_named_and_change_nothing(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    test = project / "tests" / "contract" / "test_ours.py"
    test.write_text('def test_of_ours():\n    assert 1 == 2, "one is not two"\n')
    before = everything(project)
    code, report = run(project, given(project, add_field), tests=("tests/contract/test_ours.py",))
    out, err = capfd.readouterr()
    assert (code, report["outcome"]) == (3, "decisions")
    assert "0 passed, 1 failed" in out
    assert "tests.contract.test_ours.test_of_ours: AssertionError: one is not two" in err
    assert everything(project) == before
    assert "one is not two" in (project / "build" / "spec-report.md").read_text("utf-8")


# --- how it ends -----------------------------------------------------------------------------------------------------


def test_an_update_that_is_ended_leaves_everything_as_it_was(project: Path) -> None:
    test = project / "tests" / "contract" / "test_ours.py"
    test.write_text(
        "import os, signal, subprocess, sys, time\ndef test_of_ours():\n"
        "    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "    os.kill(os.getppid(), signal.SIGTERM)\n    time.sleep(600)\n"
    )
    before = everything(project)
    with pytest.raises(SystemExit) as ended:
        run(project, given(project, add_field), tests=("tests/contract/test_ours.py",))
    assert ended.value.code == 143
    assert everything(project) == before
    assert not (project / "build").exists()
    assert list((project.parent / "scratch").iterdir()) == []


def test_a_document_that_will_not_do_is_refused_on_its_line(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = everything(project)
    inbox = project.parent / "inbox"
    wrong = vendor.published()
    wrong["paths"]["/meta"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "nothing"}
    right = vendor.written(inbox, vendor.published(), "right.json")
    for arguments, said in (
        ([str(vendor.written(inbox, wrong, "wrong.json"))], "wrong.json:"),
        ([str(inbox)], "not a regular file"),
        ([str(right), "--select=GET /nowhere"], "does not describe GET /nowhere"),
        ([str(right), "--select=nowhere"], "is written as 'GET /x', not as nowhere"),
    ):
        code = update.main([*arguments, "--project", str(project)])
        out, err = capfd.readouterr()
        assert code == 1
        assert said in err
        assert out.endswith("broken; nothing in the project has changed\n")
        data = json.loads((project / "build" / "spec-report.json").read_text("utf-8"))
        assert (data["outcome"], data["verdict"]) == ("broken", None)
    assert everything(project) == before


@pytest.mark.parametrize("arguments", [[], [""], ["gone.md"], ["a", "b"]])
def test_a_wrong_command_line_ends_with_2(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        update.main(arguments)
    out, err = capfd.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert "usage: update.py" in err
