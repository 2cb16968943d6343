"""The compiled spec is what its sources give; what it says of logs, schema by schema."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import compile_spec
import pytest
import yaml
from jsonschema import Draft202012Validator
from lint import checks
from openapi.diagnostics import SpecError
from openapi.parse import read_yaml
from openapi.tree import plain
from overlays.compilation import compiled

ROOT = Path(__file__).parent.parent.parent
SPEC = ROOT / "spec"
UPSTREAM = sorted((SPEC / "upstream").iterdir())
[STRUCTURE] = [path.name for path in UPSTREAM if path.name.endswith(".structure.yaml")]
TEXT = (SPEC / "openapi.yaml").read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = plain(read_yaml(TEXT))
OPERATION: dict[str, Any] = DOCUMENT["paths"]["/workflows/logs"]["get"]
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
REF = "#/components/schemas/"
OPEN_STATUS = [{"$ref": REF + "WorkflowRunStatus"}, {"type": "string"}]


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    shutil.copytree(SPEC, tmp_path / "spec")
    return tmp_path / "spec"


def command(folder: Path, *arguments: str) -> int:
    return compile_spec.main(
        [
            *arguments,
            *("--upstream", str(folder / "upstream"), "--overlays", str(folder / "overlays")),
            *("--target", str(folder / "openapi.yaml")),
        ]
    )


def test_the_seed_is_untouched() -> None:
    seed = (ROOT / "tests" / "documents" / "get-workflows-logs.zh.md").read_bytes()  # an update may replace the stored
    assert hashlib.sha256(seed).hexdigest() == "f4a72f7a7d0b201b526cb3ca924f9c724a512a3a8581e813b67fb823aeb1e480"


def without_todos(err: str) -> str:
    """What a command says besides what is left to do, which grows with each update."""
    return "".join(line for line in err.splitlines(keepends=True) if not line.startswith("to do: "))


@pytest.mark.tools
def test_the_bytes_depend_on_no_hash_seed_locale_or_folder(folders: Path) -> None:
    (folders / "openapi.yaml").unlink()
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "scripts" / "compile_spec.py")),
            *("--upstream", str(folders / "upstream"), "--overlays", str(folders / "overlays")),
            *("--target", str(folders / "openapi.yaml")),
        ],
        env={"PYTHONHASHSEED": "4242", "LC_ALL": "C", "TZ": "Asia/Tokyo"},
        cwd=folders,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert without_todos(done.stderr) == ""
    assert (folders / "openapi.yaml").read_bytes() == (SPEC / "openapi.yaml").read_bytes()


def files_of(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def test_the_stored_spec_compiles_without_a_change(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files_of(folders)
    assert command(folders, "--check") == 0
    out, err = capsys.readouterr()
    assert (out, without_todos(err)) == ("", "")
    assert command(folders) == 0
    assert files_of(folders) == before


@pytest.mark.tools
def test_check_shows_what_differs_and_compiling_writes_it(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = sorted(path.name for path in folders.iterdir())
    for change, line in (("spec", "+      summary: List workflow logs"), ("overlay", "+      summary: List the logs")):
        changed = folders / ("overlays/30-english.yaml" if change == "overlay" else "openapi.yaml")
        changed.write_text(changed.read_text().replace("List workflow logs", "List the logs"))
        if change == "overlay":
            (folders / "openapi.yaml").write_text(TEXT)
        before = files_of(folders)
        assert command(folders, "--check") == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.endswith("openapi.yaml is not what its sources give. If that is meant: `make spec`.\n")
        assert line in err.splitlines()
        assert files_of(folders) == before
    (folders / "openapi.yaml").unlink()
    assert command(folders) == 0
    assert capsys.readouterr().out == "compiled openapi.yaml\n"
    assert "summary: List the logs\n" in (folders / "openapi.yaml").read_text()
    assert sorted(path.name for path in folders.iterdir()) == names


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("overlays/10-names.yaml", "properties.data.items", "properties.rows.items", "rows.items): matches nothing"),
        ("overlays/30-english.yaml", "    description: The title and", "    descriptio: The title and", "state the"),
        (f"upstream/{STRUCTURE}", "default: 1\n", "default: 0\n", "0 is less than the minimum of 1"),
        ("overlays/20-corrections-1.11.2.yaml", "schemas/WorkflowRunSummary'", "schemas/Gone'", "leads to nothing"),
        (f"upstream/{STRUCTURE}", "type: http\n", "type: htp\n", f"{STRUCTURE}:"),
        ("selection.yaml", "method: get\n", "method: fetch\n", "selection.yaml:"),
    ],
)
@pytest.mark.tools
def test_sources_that_are_wrong_are_named_and_nothing_is_written(
    folders: Path, capsys: pytest.CaptureFixture[str], file: str, old: str, new: str, said: str
) -> None:
    path = folders / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    assert command(folders) == 1
    assert said in capsys.readouterr().err
    assert (folders / "openapi.yaml").read_text() == TEXT


@pytest.mark.tools
def test_text_that_is_missing_is_made_and_pointed_out(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folders / "overlays" / "30-english.yaml"
    overlay = path.read_text()
    for old, new in (("summary: List workflow logs", "summary: 列出"), ("summary: Get", "summary: 得る")):
        overlay = overlay.replace(old, new, 1)
    path.write_text(overlay.replace("          description: The run's id.\n", "          title: no text\n", 1))
    assert command(folders) == 0
    err = capsys.readouterr().err
    assert "to do: GET /workflows/logs needs a text" in err
    text = (folders / "openapi.yaml").read_text()
    assert "summary: GET /workflows/logs\n" in text
    assert not re.search("[\u3000-\u9fff]", text)


@pytest.mark.tools
def test_an_overlay_under_another_suffix_is_not_passed_over(folders: Path) -> None:
    (folders / "overlays" / "40-more.yml").write_text("overlay: 1.0.0\n")
    with pytest.raises(SpecError, match=r"40-more\.yml:1: .*must end in \.yaml"):
        compiled(folders / "upstream", folders / "overlays")


@pytest.mark.tools
def test_two_documents_that_contradict_each_other_are_refused(folders: Path) -> None:
    (folders / "upstream" / "copy.yaml").write_bytes((folders / "upstream" / STRUCTURE).read_bytes())
    with pytest.raises(SpecError, match=r"dify-.*:\d+: .* already described by copy\.yaml"):
        compiled(folders / "upstream", folders / "overlays")


def test_the_spec_passes_every_check() -> None:
    assert checks.compiled_findings(DOCUMENT) == []


def test_readers_of_yaml_1_1_read_the_same() -> None:
    assert yaml.safe_load(TEXT) == DOCUMENT


def test_the_file_reads_well() -> None:
    lines = TEXT.splitlines()
    assert lines[0].startswith("# Compiled by `make spec`. Do not edit")
    assert [f"#   from spec/upstream/{path.name}" for path in UPSTREAM] == lines[2 : 2 + len(UPSTREAM)]
    assert [line for line in lines if len(line) > 140 or line != line.rstrip()] == []
    assert not re.search(r"[{\[]\w+: |&id|\\u", TEXT)


def test_every_action_states_its_reason_and_has_no_wildcard() -> None:
    for path in sorted((SPEC / "overlays").iterdir()):
        for action in read_yaml(path.read_text())["actions"]:
            assert len(action["description"].split()) >= 2, (path.name, action["target"])
            assert "*" not in action["target"], (path.name, action["target"])
            assert ".." not in action["target"], (path.name, action["target"])


def test_the_document_has_one_server_and_no_security_of_its_own() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert "security" not in DOCUMENT
    [server] = DOCUMENT["servers"]
    [(name, variable)] = server["variables"].items()
    assert (server["url"], variable["default"]) == (f"{{{name}}}", "https://api.dify.ai/v1")


def test_every_status_of_the_seed_can_be_asked_for() -> None:
    schema = {**OPERATION["parameters"][1]["schema"], "components": DOCUMENT["components"]}
    seeds = {"succeeded", "failed", "stopped", "running"}
    assert seeds <= set(SCHEMAS["WorkflowRunStatus"]["enum"])
    assert all(Draft202012Validator(schema).is_valid(status) for status in seeds)


def without_text(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in ("description", "examples")}


TEXT_TYPE = {"type": "string"}
COUNT = {"type": "integer"}
COUNT_OR_NULL = {"type": ["integer", "null"]}
SECONDS = {"type": "integer", "format": "int64"}


def or_null(name: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": REF + name}, {"type": "null"}]}


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        (
            "WorkflowLogPage",
            {
                "page": COUNT,
                "limit": COUNT,
                "total": COUNT,
                "has_more": {"type": "boolean"},
                "data": {"type": "array", "items": {"$ref": REF + "WorkflowLog"}},
            },
        ),
        (
            "WorkflowLog",
            {
                "id": TEXT_TYPE,
                "workflow_run": or_null("WorkflowRunSummary"),
                "details": {},
                "created_from": TEXT_TYPE,
                "created_by_role": TEXT_TYPE,
                "created_by_account": or_null("Account"),
                "created_by_end_user": or_null("EndUser"),
                "created_at": SECONDS,
            },
        ),
        (
            "WorkflowRunSummary",
            {
                "id": TEXT_TYPE,
                "version": TEXT_TYPE,
                "status": {"anyOf": OPEN_STATUS},
                "triggered_from": TEXT_TYPE,
                "error": {"type": ["string", "null"]},
                "elapsed_time": {"type": "number", "format": "float"},
                "total_tokens": SECONDS,
                "total_steps": COUNT_OR_NULL,
                "created_at": SECONDS,
                "finished_at": {"type": ["integer", "null"], "format": "int64"},
                "exceptions_count": COUNT_OR_NULL,
            },
        ),
        ("Account", dict.fromkeys(("id", "name", "email"), TEXT_TYPE)),
        (
            "EndUser",
            {"id": TEXT_TYPE, "type": TEXT_TYPE, "is_anonymous": {"type": "boolean"}, "session_id": TEXT_TYPE},
        ),
        ("ErrorResponse", {"code": TEXT_TYPE, "message": TEXT_TYPE, "status": COUNT}),
    ],
)
def test_a_schema_is_what_the_server_sends(name: str, properties: dict[str, Any]) -> None:
    schema = SCHEMAS[name]
    measured = {key: without_text(value) for key, value in schema["properties"].items() if key in properties}
    assert measured == properties  # a newer server may send more than was measured
    assert list(measured) == list(properties) == [key for key in schema["required"] if key in properties]
    assert "additionalProperties" not in schema


def test_the_statuses_are_those_of_the_server() -> None:
    schema = without_text(SCHEMAS["WorkflowRunStatus"])
    known = ["scheduled", "running", "succeeded", "failed", "stopped", "partial-succeeded", "paused"]
    assert [status for status in schema.pop("enum") if status in known] == known  # a newer server may know more
    assert schema == {"type": "string"}


def test_no_chinese_is_left_but_the_seed_still_has_its_own() -> None:
    assert not re.search("[\u3000-\u9fff\uff00-\uffef]", TEXT)
    assert "倒序返回" in (ROOT / "tests" / "documents" / "get-workflows-logs.zh.md").read_text()


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("keyword", ["30 characters", "`%`", "`_`", r"`\"`", "ASCII", "500"]),
        ("status", ["`succeeded`, `failed` and `stopped`", "400", "`running`"]),
        ("page", ["1 to 99999", "empty"]),
        ("limit", ["1 to 100", "400"]),
        ("created_at__before", ["ISO 8601", "`<=`", "UTC", "two underscores", "`+`"]),
        ("created_at__after", ["ISO 8601", "`>=`", "UTC", "two underscores", "`+`"]),
        ("created_by_end_user_session_id", ["session id", "500"]),
        ("created_by_account", ["e-mail", "not the account's id", "400"]),
    ],
)
def test_the_traps_of_a_parameter_are_written_down(where: str, words: list[str]) -> None:
    [text] = [p["schema"]["description"] for p in OPERATION["parameters"] if p["name"] == where]
    assert [word for word in words if word not in text] == []


def test_the_loss_of_logs_on_a_walk_is_written_down() -> None:
    assert "nothing decides the order inside one second" in OPERATION["description"]
    assert "602 logs" in OPERATION["description"]
