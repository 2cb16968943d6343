"""What a vendor's document says otherwise than the spec: only what is new is shown, and what no longer holds."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import drift
import pytest
from diff.drift import Fact, as_groups, read_known
from diff.drift import drift as facts_between
from diff.load import described, read
from openapi.diagnostics import SpecError

ROOT = Path(__file__).parent.parent.parent
TEXT = {"type": "string"}
SCHEMAS = "#/components/schemas/"


def api(*, apart: bool = False, root: str = "Event", **fields: Any) -> dict[str, Any]:
    """One operation with a path parameter and an object, and one that streams; its events are referred to, or not."""
    run = {"type": "object", "properties": {"id": TEXT, "status": TEXT, **fields}, "required": ["id"]}
    name = {"name": "run_id", "in": "path", "required": True, "schema": TEXT}
    end = {"allOf": [{"$ref": SCHEMAS + root}, {"properties": {"data": {"$ref": f"{SCHEMAS}Run"}}}]}
    union = {
        "type": "object",
        "properties": {"event": TEXT},
        "discriminator": {"propertyName": "event", "mapping": {"end": f"{SCHEMAS}{root}End"}},
    }
    streamed = TEXT if apart else {"$ref": SCHEMAS + root}
    return {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {
            "/runs/{run_id}": {"get": {"parameters": [name], "responses": response("application/json", RUN)}},
            "/runs": {"post": {"responses": response("text/event-stream", streamed)}},
        },
        "components": {"schemas": {"Run": run, root: union, f"{root}End": end}},
    }


RUN = {"$ref": SCHEMAS + "Run"}


def response(kind: str, schema: Any) -> dict[str, Any]:
    return {"200": {"description": "", "content": {kind: {"schema": schema}}}}


def found(spec: dict[str, Any], vendor: dict[str, Any]) -> list[tuple[str, str]]:
    facts = facts_between(described([copy.deepcopy(spec)]), described([copy.deepcopy(vendor)]))
    return [(fact.kind, fact.place) for fact in facts]


class TestFacts:
    """What counts as drift."""

    def test_a_field_is_reported_in_responses_and_events(self) -> None:
        expected = [
            ("response-field-added", "GET /runs/{run_id} 200 price"),
            ("event-field-added", "events [event=end] data.price"),
        ]
        for apart in (True, False):  # of an event it makes no difference whether operations refer to it
            for root in ("Event", "Other"):
                assert sorted(found(api(), api(apart=apart, root=root, price=TEXT))) == sorted(expected)

    def test_names_in_paths_and_texts_play_no_part(self) -> None:
        vendor = json.loads(json.dumps(api()).replace("run_id", "id").replace('"T"', '"U"'))
        assert found(api(), vendor) == []

    def test_operations_that_only_the_vendor_has_play_no_part(self) -> None:
        vendor = api()
        vendor["paths"]["/other"] = {"get": {"responses": response("application/json", TEXT)}}
        assert found(api(), vendor) == []

    def test_a_missing_operation_is_drift_in_a_whole_document(self) -> None:
        spec = api()
        for name in ("/a", "/b"):
            spec["paths"][name] = {"get": {"responses": response("application/json", TEXT)}}
        vendor = copy.deepcopy(spec)
        del vendor["paths"]["/b"]
        assert found(spec, vendor) == [("operation-removed", "GET /b")]
        vendor["paths"] = {"/a": vendor["paths"]["/a"]}
        assert found(spec, vendor) == []


class TestCommand:
    """What is printed, and the exit status."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "openapi.yaml").write_text(json.dumps(api()))
        (tmp_path / "vendor.json").write_text(json.dumps(api(price=TEXT, tokens=TEXT), indent=1))
        return tmp_path

    def run(self, folder: Path, *options: str, file: str = "vendor.json") -> int:
        return drift.main([str(folder / file), "--spec", str(folder), *options])

    def test_only_what_is_not_listed_is_shown(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run(folder) == 3
        out = capsys.readouterr().out
        assert "vendor.json:" in out
        assert "GET /runs/{run_id} 200 price: is new [response-field-added]" in out
        assert "4 new, 0 known, 0 listed that no longer hold; 2 of 2 operations compared" in out

        assert self.run(folder, "--entries") == 3
        entries = capsys.readouterr().out.replace("reason: ''", "reason: Because.")
        (folder / "drift.yaml").write_text(f"groups:\n{entries}")
        assert self.run(folder) == 0
        assert capsys.readouterr().out.startswith("0 new, 4 known, 0 listed that no longer hold")

        # A new member of a listed group is shown, and so is another statement about a listed place.
        (folder / "vendor.json").write_text(json.dumps(api(price=TEXT, tokens=TEXT, more=TEXT)))
        assert self.run(folder) == 3
        out = capsys.readouterr().out
        assert "2 new, 4 known" in out
        assert "200 more: is new" in out
        assert "price" not in out

        (folder / "vendor.json").write_text(json.dumps(api(price=TEXT)))
        assert self.run(folder) == 0
        out = capsys.readouterr().out
        assert "drift.yaml:6: no longer so: GET /runs/{run_id} 200 tokens: is new" in out
        assert "0 new, 2 known, 2 listed that no longer hold" in out

    def test_a_page_says_nothing_of_other_operations(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.run(folder, "--entries")
        entries = capsys.readouterr().out.replace("reason: ''", "reason: Because.")
        (folder / "drift.yaml").write_text(f"groups:\n{entries}")
        page = api(price=TEXT, tokens=TEXT)
        del page["paths"]["/runs"]
        (folder / "page.json").write_text(json.dumps(page))
        assert self.run(folder, file="page.json") == 0
        assert "0 listed that no longer hold; 1 of 2" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("groups: 1", "a list `groups`"),
            ("groups:\n  - {reason: '', id: a, says: b, places: {c: d}}", "drift.yaml:2"),
            ("groups:\n  - {reason: r, id: a, says: b, places: {}}", "drift.yaml:2"),
            ("groups:\n  - {reason: r, id: a, says: b, places: {c: 'd; d'}}", "listed twice"),
            ("- a", "a list `groups`"),
            ("a: [", "not YAML"),
        ],
    )
    def test_a_wrong_list_is_broken_input(
        self, folder: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
    ) -> None:
        (folder / "drift.yaml").write_text(text)
        assert self.run(folder) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert said in err

    @pytest.mark.parametrize("text", [None, "", "{", json.dumps({**api(), "paths": {}})])
    def test_a_wrong_document_is_broken_input(
        self, folder: Path, capsys: pytest.CaptureFixture[str], text: str | None
    ) -> None:
        if text is not None:
            (folder / "wrong.json").write_text(text)
        assert self.run(folder, file="wrong.json") == 1
        assert "wrong.json" in capsys.readouterr().err

    def test_no_document_is_a_wrong_command_line(self) -> None:
        with pytest.raises(SystemExit) as end:
            drift.main([""])
        assert end.value.code == 2


def test_entries_are_read_as_they_were_written(tmp_path: Path) -> None:
    facts = [
        Fact("a-b", 'it\'s "new": `x`', "GET /a/{b} 200", inner)
        for inner in (".", "data[].id", "x{}.y", *(f"field_number_{i}" for i in range(40)))
    ]
    path = tmp_path / "drift.yaml"
    path.write_text(f"groups:\n{as_groups(facts, 'A reason that is long enough to be wrapped. ' * 9)}\n")
    assert [one.fact for one in read_known(path)] == facts
    assert max(map(len, path.read_text().splitlines())) <= 120
    path.write_text(f"groups:\n{as_groups(facts)}\n")
    with pytest.raises(SpecError):  # a reason is for a person to write
        read_known(path)


class TestStored:
    """The project's own list."""

    def test_it_lists_facts_with_reasons(self) -> None:
        known = read_known(ROOT / "spec" / "drift.yaml")
        assert len(known) > 500
        assert all(len(one.reason) > 30 for one in known)

    def test_each_fact_is_about_an_operation_or_an_event_of_the_spec(self) -> None:
        spec = read(ROOT / "spec" / "openapi.yaml")
        names = [operation.name for operation in spec.operations.values()]
        assert all(one.fact.is_of([*names, "events"]) for one in read_known(ROOT / "spec" / "drift.yaml"))

    def test_the_spec_itself_has_no_drift(self) -> None:
        spec = read(ROOT / "spec" / "openapi.yaml")
        assert facts_between(spec, spec) == {}

    def test_the_stored_structure_has_exactly_the_known_drift(self) -> None:
        (path,) = (ROOT / "spec" / "upstream").glob("*.structure.yaml")
        found = facts_between(read(ROOT / "spec" / "openapi.yaml"), read(path))
        assert set(found) == {one.fact for one in read_known(ROOT / "spec" / "drift.yaml")}


def test_the_command_can_be_started_by_its_path() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/drift.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "3 new drift" in done.stdout
