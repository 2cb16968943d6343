"""The parts of an update: whose place a document takes, what overlays became of, what the public API lost or gained."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import release
from diff.acknowledged import Acknowledged, read_acknowledged
from diff.changes import Change
from diff.load import described
from diff.operations import compared
from importer.selection import Selected, Selection
from importer.storage import succession
from openapi.diagnostics import SpecError
from openapi.parse import read_yaml
from openapi.tree import copied
from updates import decisions, reports
from updates.agreements import without
from updates.contract_run import Verification, verified
from updates.groups import grouped
from updates.impact import ReportedChange, meaning, methods, positions
from updates.interface import interface_changes
from updates.overlay_status import Correction, Fact, Judgement, corrected, orphans, repeated
from updates.reports import Report
from updates.workspace import WorkspaceError, contents, workspace

ROOT = Path(__file__).parent.parent.parent


def document(*operations: str, title: str = "T") -> dict[str, Any]:
    """An OpenAPI document with operations such as `GET /a/{id}`."""
    paths: dict[str, Any] = {}
    for operation in operations:
        method, path = operation.split(" ")
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        parameters = [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names]
        paths.setdefault(path, {})[method.lower()] = {
            "parameters": parameters,
            "responses": {"200": {"description": "Yes."}},
        }
    return {"openapi": "3.1.0", "info": {"title": title, "version": "1"}, "paths": paths}


SPEC = read_yaml((ROOT / "spec" / "openapi.yaml").read_text("utf-8"))


def test_a_document_without_selected_operations_is_refused(tmp_path: Path) -> None:
    selection = Selection([Selected("get", "/a")], [])
    for tree, said in (
        (document(), "describes no operation"),
        (document("GET /b"), "none of its operations is in selection"),
        ({**document("GET /a"), "paths": {"/a": {"get": {"responses": 5}}}}, "not valid OpenAPI"),
    ):
        (tmp_path / "new.json").write_text(json.dumps(tree))
        with pytest.raises(SpecError, match=said):
            succession(tmp_path / "new.json", [], selection)


TREE: dict[str, Any] = {
    "paths": {"/a": {"get": {"parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}]}}},
    "components": {
        "schemas": {"T": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "minLength": 1}}}}
    },
}
GET = "$.paths['/a'].get"


def judged(tmp_path: Path, *actions: dict[str, Any]) -> list[tuple[int, str]]:
    overlay = {"overlay": "1.0.0", "info": {"title": "T", "version": "1"}, "actions": []}
    overlay["actions"] = [{"description": "It has a reason.", **action} for action in actions]  # type: ignore[assignment]
    path = tmp_path / "10-x.yaml"
    path.write_text(json.dumps(overlay))
    before = copied(TREE)
    found = corrected(TREE, [path])
    assert before == TREE
    return [(judgement.correction.number, judgement.finding) for judgement in found.judgements]


class TestCorrections:
    """What becomes of overlay actions on another document."""

    def test_unmatched_actions_are_reported_and_others_applied(self, tmp_path: Path) -> None:
        gone = {"target": "$.paths['/gone'].get", "update": {"summary": "S"}}
        assert judged(tmp_path, gone, {"target": GET, "update": {"summary": "S"}}, gone) == [
            (1, "matches nothing"),
            (3, "matches nothing"),
        ]

    def test_an_action_that_does_not_fit_is_told(self, tmp_path: Path) -> None:
        assert judged(tmp_path, {"target": "$.components.schemas.T.type", "update": {"a": 1}}) == [(1, "does not fit")]

    def test_an_action_that_changes_nothing_is_told(self, tmp_path: Path) -> None:
        said = {"target": "$.components.schemas.T.properties.a", "update": {"minLength": 1}}
        new = {"target": "$.components.schemas.T.properties.a", "update": {"minLength": 1, "maxLength": 9}}
        assert judged(tmp_path, said, new) == [(1, "says what the vendor says")]

    @pytest.mark.parametrize(
        ("target", "update"),
        [
            (f"{GET}.parameters", {"name": "q", "in": "query", "schema": {"type": "integer"}}),
            ("$.components.schemas.T", {"required": ["b", "a"]}),
        ],
    )
    def test_what_a_list_has_already_is_not_added_again(
        self, tmp_path: Path, target: str, update: dict[str, Any]
    ) -> None:
        assert judged(tmp_path, {"target": target, "update": update}) == []

    def test_a_further_parameter_is_no_repetition(self, tmp_path: Path) -> None:
        assert judged(tmp_path, {"target": f"{GET}.parameters", "update": {"name": "q", "in": "header"}}) == []

    def test_a_mark_that_cannot_apply_is_a_problem_among_others(self, tmp_path: Path) -> None:
        path = tmp_path / "10-x.yaml"
        actions = [
            {"target": "$.components.schemas.T", "description": "A reason.", "update": {"x-our-property-order": "z"}},
            {"target": "$.components.schemas.T", "description": "A reason.", "update": {"x-our-name": "U"}},
        ]
        overlay = {"overlay": "1.0.0", "info": {"title": "T", "version": "1"}, "actions": actions}
        path.write_text(json.dumps(overlay))
        found = corrected(TREE, [path])
        assert ["must list names" in problem for problem in found.problems] == [True]
        assert list(found.tree["components"]["schemas"]) == ["U"]
        assert all(where[:3] == ("components", "schemas", "U") for where, _ in found.touched)


class TestAgreements:
    """Facts that the vendor states now itself."""

    TEXT = """\
overlay: 1.0.0
info:
  title: T
  version: '1'
actions:
  # About T.
  - target: $.components.schemas.T
    description: Measured.
    update:
      required: [a]
      properties:
        a:
          type: [string, 'null']
          x-our-without: [minLength]
        b:
          type: integer
  - target: $.components.schemas.T.properties.a
    description: Measured too.
    update:
      minLength: 1

  # Others.
  - target: $.paths['/a'].get.parameters[0]
    description: It is not there.
    remove: true
"""

    def test_only_what_the_vendor_says_is_taken_out(self, tmp_path: Path) -> None:
        path = tmp_path / "20-x.yaml"
        path.write_text(self.TEXT)
        facts = [
            Fact("20-x.yaml", 1, ("properties", "a", "type")),
            Fact("20-x.yaml", 1, ("properties", "a", "x-our-without")),
            Fact("20-x.yaml", 2, ("minLength",)),
            Fact("20-x.yaml", 3, ()),
        ]
        edited = without(facts, [path])
        text = edited.files["20-x.yaml"].decode()
        expected = self.TEXT
        for gone in (
            "        a:\n          type: [string, 'null']\n          x-our-without: [minLength]\n",
            self.TEXT[self.TEXT.index("  - target: $.components.schemas.T.p") : self.TEXT.index("\n  # Others")],
            self.TEXT[self.TEXT.index("  - target: $.paths") :],
        ):
            assert gone in expected
            expected = expected.replace(gone, "")
        assert text == expected
        assert [line.partition(": ")[2].split(" ")[0] for line in edited.said] == ["properties.a", "the", "the"]
        assert edited.said[0].startswith("spec/overlays/20-x.yaml:7 ($.components.schemas.T)")

    @pytest.mark.parametrize("form", ["[a, gone]", "\n        - a\n        - gone"])
    def test_required_fields_that_are_gone_are_taken_out(self, tmp_path: Path, form: str) -> None:
        path = tmp_path / "20-x.yaml"
        path.write_text(self.TEXT.replace("required: [a]", f"required: {form}").replace("        b:\n", "        c:\n"))
        result = corrected(TREE, [path])
        lost = orphans(result, [path])
        assert [(one.leaf, one.name) for one in lost] == [(("required",), "gone")]
        assert "gone" not in result.tree["components"]["schemas"]["T"]["required"]
        edited = without([], [path], lost)
        text = edited.files["20-x.yaml"].decode()
        assert "gone" not in text
        assert read_yaml(text)["actions"][0]["update"]["required"] == ["a"]
        assert "gone is taken out of required; the vendor no longer has it" in edited.said[0]

    def test_facts_are_known_by_whether_they_change_anything(self, tmp_path: Path) -> None:
        path = tmp_path / "20-x.yaml"
        path.write_text(self.TEXT)
        facts = {fact.leaf or fact.number: reported for fact, reported in corrected(TREE, [path]).facts.items()}
        assert facts == {
            ("required",): False,
            ("properties", "a", "type"): True,
            ("properties", "a", "x-our-without"): True,
            ("properties", "b", "type"): True,
            ("minLength",): True,
            3: True,
        }

    def test_a_fact_is_repeated_when_it_has_come_to_change_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "20-x.yaml"
        path.write_text(self.TEXT)
        newer = copied(TREE)
        newer["components"]["schemas"]["T"]["properties"]["b"] = {"type": "integer"}
        del newer["paths"]["/a"]["get"]["parameters"][0]
        found = repeated(corrected(TREE, [path]), corrected(newer, [path]))
        assert [(fact.number, fact.leaf) for fact in found] == [(1, ("properties", "b", "type")), (3, ())]


class TestDecisions:
    """What a person has to decide."""

    BREAK = Change("breaking", "GET /site 200 title", "is no longer sent", kind="response-field-removed")

    def needed(self, *acknowledged: Acknowledged) -> list[str]:
        return decisions.needed([self.BREAK], [], [], acknowledged, {"GET /site": ["client.app.site"]}, "new.json")

    def test_a_break_is_one_with_its_method_and_what_decides_it(self) -> None:
        [said] = self.needed()
        assert said.startswith("GET /site 200 title: is no longer sent. It concerns client.app.site; the corrections")
        assert "{id: response-field-removed, place: 'GET /site 200 title', reason: ...}" in said

    def test_a_break_that_is_acknowledged_is_none(self) -> None:
        assert self.needed(Acknowledged("response-field-removed", "GET /site 200 title", "So be it.", 1)) == []

    def test_what_came_to_say_what_we_say_is_none(self) -> None:
        other = Change("breaking", "GET /info 200 name", "may be null now")
        assert decisions.agreed([self.BREAK, other], [other], []) == [other]
        assert decisions.agreed([self.BREAK, other], [other], [other]) == []
        kept = other._replace(what="may be absent")
        assert decisions.agreed([other], [other, kept], [kept]) == [other]
        assert decisions.agreed([other], [other], [kept]) == []


INTERFACE = """\
## dify_workflow

class Logs
    def list(
        self,
        *,
        keyword: str | None = None,
        limit: int = 20,
    ) -> Page
    def get(self, id: str, *, timeout: float = 1) -> Log
class Status(StrEnum)
    FAILED = 'failed'
class Page(Model)
    note: str | None = ABSENT
    total: int = ABSENT
"""


class TestInterface:
    """What differs between two texts of the public API."""

    @pytest.mark.parametrize(
        ("old", "new", "severity"),
        [
            ("        limit: int = 20,\n", "        limit: int = 20,\n        page: int = 1,\n", "additive"),
            ("        limit: int = 20,\n", "        limit: int = 50,\n", "breaking"),
            ("        limit: int = 20,\n", "", "breaking"),
            ("        limit: int = 20,\n", "        limit: int = 20,\n        page: int,\n", "breaking"),
            ("keyword: str | None = None", "keyword: str", "breaking"),
            (") -> Page", ") -> Page | None", "breaking"),
            ("id: str, *, timeout", "id: str, other: str = '', *, timeout", "breaking"),
            ("timeout: float = 1)", "timeout: float = 1, more: bool = False)", "additive"),
            ("    FAILED = 'failed'\n", "    FAILED = 'failed'\n    PAUSED = 'paused'\n", "additive"),
            ("    FAILED = 'failed'\n", "", "breaking"),
            ("FAILED = 'failed'", "FAILED = 'fail'", "breaking"),
            ("total: int", "total: int | None", "breaking"),
            ("note: str | None", "note: str", "additive"),
            ("    total: int = ABSENT\n", "    price: float = ABSENT\n    total: int = ABSENT\n", "additive"),
            ("    total: int = ABSENT\n", "", "breaking"),
            ("class Page(Model)", "class Page(Other)", "breaking"),
            ("class Status", "class Else\nclass Status", "additive"),
        ],
    )
    def test_a_difference_is_weighed_by_whether_a_program_can_fail(self, old: str, new: str, severity: str) -> None:
        assert INTERFACE.count(old) == 1
        [change] = interface_changes(INTERFACE, INTERFACE.replace(old, new))
        assert change.severity == severity
        assert change.what

    def test_nothing_differs_from_itself_in_any_class_order(self) -> None:
        head, first, *others = INTERFACE.replace("\nclass ", "\0class ").split("\0")
        assert interface_changes(INTERFACE, INTERFACE) == []
        assert interface_changes(INTERFACE, "\n".join([head, *others, first])) == []

    def test_the_stored_text_has_nothing_that_is_not_understood(self) -> None:
        stored = (ROOT / "tests" / "contract" / "public_api.txt").read_text("utf-8")
        assert interface_changes(stored, stored) == []
        gone = interface_changes(stored, "")
        assert len(gone) > 500
        assert {change.severity for change in gone} == {"breaking"}


class TestMeanings:
    """What a change means to a user."""

    KNOWN = methods((ROOT / "docs" / "api.md").read_text("utf-8"))

    def test_the_methods_of_an_operation_are_those_of_the_reference(self) -> None:
        assert self.KNOWN["GET /workflows/logs"][:2] == ["client.logs.list", "client.logs.iter"]
        assert self.KNOWN["GET /info"] == ["client.app.info"]

    def reported(self, target: str, change: Any) -> list[str]:
        """What is reported when one thing of the stored spec differs."""
        old = SPEC
        new = copied(old)
        node: Any = new
        *steps, last = target.split(" ")
        for step in steps:
            node = node[int(step) if isinstance(node, list) else step]
        if change is None:
            del node[int(last) if isinstance(node, list) else last]
        else:
            node[int(last) if isinstance(node, list) else last] = change
        owners = positions(old) | positions(new)
        return [meaning(change, self.KNOWN, owners) for change in compared(described([old]), described([new]))]

    @pytest.mark.parametrize(
        ("target", "change", "expected"),
        [
            ("paths /info get", None, ["`GET /info` is gone from `client.app.info`"]),
            ("paths /workflows/logs get parameters 0", None, ["`keyword` is gone from `client.logs.list`"]),
            (
                "paths /workflows/logs get parameters 3 schema default",
                50,
                ["client.logs.iter", "may fail over `limit`"],
            ),
            ("paths /workflows/logs get parameters 0 required", True, ["may fail over `keyword`"]),
            (
                "components schemas WorkflowLog properties created_from",
                None,
                ["`WorkflowLog.created_from`", "is None from now on"],
            ),
            (
                "components schemas WorkflowLog properties note",
                {"type": "string"},
                ["`WorkflowLog.note`", "callers need nothing"],
            ),
            (
                "components schemas WorkflowLog properties created_at",
                {"type": "string"},
                ["Code that reads `client.logs.list`", "`WorkflowLog.created_at`"],
            ),
            ("components securitySchemes ApiKeyAuth scheme", "basic", ["may fail over `security`"]),
            (
                "components schemas ErrorResponse properties message",
                {"type": "integer"},
                ["Only `body` of the exception"],
            ),
            ("paths /info get deprecated", True, ["It still works"]),
            ("paths /workflows/logs get summary", "Other", ["Nothing changes but texts"]),
            (
                "components schemas WorkflowStreamEvent discriminator mapping later",
                "#/components/schemas/ErrorEvent",
                [],
            ),
        ],
    )
    def test_a_change_is_told_by_what_a_user_calls_and_reads(
        self, target: str, change: Any, expected: list[str]
    ) -> None:
        reported = self.reported(target, change)
        assert reported
        for words in expected:
            assert words in reported[0]


RARE = "response-field-optional"


def report(**more: Any) -> Report:
    change = Change("breaking", "GET /a query `q`<b>", "is\ngone")
    given: dict[str, Any] = {
        "file": "new.md",
        "kind": "1 page",
        "stored_as": "spec/upstream/one.md",
        "replaces": ["one.md"],
        "outcome": "taken",
        "is_made": True,
        "reported": [ReportedChange(change, "It means <something>.", ["spec/overlays/x.yaml:3"])],
        "vendors": [],
        "interface": [],
        "judgements": [],
        "gaps": [],
        "verification": Verification(3, [], ""),
        "problems": [],
    }
    return Report(**(given | more))


class TestReports:
    """What is written of an update."""

    def test_a_release_reads_what_was_written(self, tmp_path: Path) -> None:
        reports.write(report(), tmp_path)
        found = release.read_report(tmp_path / "spec-report.json")
        assert found is not None
        assert (found.step, [change[:3] for change in found.changes]) == (
            "major",
            [("breaking", "GET /a query `q`<b>", "is\ngone")],
        )

    def test_updates_add_up_until_a_release_takes_the_report_away(self, tmp_path: Path) -> None:
        path = tmp_path / "spec-report.json"
        addition = ReportedChange(Change("additive", "GET /b", "the operation is new"), "A method can be added.", [])
        reports.write(report(), tmp_path)
        reports.write(report(reported=[addition]), tmp_path)
        assert json.loads(path.read_text())["step"] == "minor"
        assert release.read_report(path) == release.Report(
            "major",
            [
                Change("breaking", "GET /a query `q`<b>", "is\ngone"),
                Change("additive", "GET /b", "the operation is new"),
            ],
        )
        path.unlink()
        reports.write(report(reported=[addition]), tmp_path)
        assert release.read_report(path) == release.Report(
            "minor", [Change("additive", "GET /b", "the operation is new")]
        )

    def test_an_update_that_was_not_made_is_nothing_to_release(self, tmp_path: Path) -> None:
        reports.write(report(outcome="decisions", is_made=False, problems=["no"]), tmp_path)
        assert release.read_report(tmp_path / "spec-report.json") == release.Report(None, [])
        data = json.loads((tmp_path / "spec-report.json").read_text())
        assert (data["outcome"], data["verdict"], data["step"]) == ("decisions", "breaking", "major")

    def test_the_python_side_raises_the_step(self) -> None:
        gone = interface_changes(INTERFACE, INTERFACE.replace("    FAILED = 'failed'\n", ""))
        assert (report(reported=[]).step, report(reported=[], interface=gone).step) == ("none", "major")

    def test_what_a_vendor_wrote_stays_text(self) -> None:
        page = reports.as_markdown(report(problems=["a\n# b"], outcome="decisions", is_made=False))
        assert "`GET /a query 'q'<b>`: is gone" in page
        assert "It means \\<something>." in page
        assert "\n# b" not in page

    def test_equal_changes_are_grouped_by_class(self) -> None:
        optional = [
            ReportedChange(
                Change("breaking", f"GET {path} 200 {name}", "can be absent; it was always there", kind=RARE),
                "M.",
                [],
                f"EndUserDetail.{name}",
            )
            for path in ("/a", "/b")
            for name in ("id", "name", "type")
        ]
        other = ReportedChange(
            Change("breaking", "GET /a 200 note", "can be absent; it was always there", kind=RARE), "M.", []
        )
        assert [(group.title, len(group.reported)) for group in grouped([*optional, other])] == [
            ("3 fields of `EndUserDetail` may be absent", 6),
            ("`GET /a 200 note`: can be absent; it was always there", 1),
        ]
        page = reports.as_markdown(report(reported=[*optional, other]))
        assert page.count("may be absent") == 2  # in the summary and below
        assert all(f"`{one.change.where}`" in page for one in optional)

    def test_the_summary_comes_first_and_has_at_most_40_lines(self) -> None:
        kinds = [f"k{i}" for i in range(30)]
        reported = [
            ReportedChange(
                Change(severity, f"GET /{kind} 200 a", "x" * 999, kind=kind), "M.", [], "", (f"client.{kind}",)
            )
            for severity in ("breaking", "additive", "wording")
            for kind in kinds
        ]
        wrong = Judgement(Correction("10-x.yaml", 1, 3, "$.paths", "Why."), "matches nothing", "matches nothing")
        problems = [f"problem {kind}\nmore" for kind in kinds]
        one = report(
            reported=reported,
            outcome="decisions",
            is_made=False,
            problems=problems,
            todos=problems,
            judgements=[wrong],
            file="new.json",
        )
        lines = reports.summary(one)
        assert len(lines) <= reports.MOST_SUMMARY
        assert all(len(line) < 700 for line in lines)
        assert reports.as_markdown(one).startswith("\n".join(lines))
        text = "\n".join(lines)
        for words in ("Verdict: breaking. Version step: major", "provisional", "client.k0", "problem k0", "`k0`"):
            assert words in text
        assert "provisional" not in "\n".join(reports.summary(report()))
        assert reports.as_json(one)["provisional"] is True

    def test_deprecation_is_a_notice_and_no_change_of_the_contract(self) -> None:
        reported = [
            ReportedChange(Change("wording", "GET /a", "is deprecated now", kind="deprecated"), "It still works.", [])
        ]
        page = reports.as_markdown(report(reported=reported))
        assert "Verdict: none. Version step: patch" in page
        assert "## Notices\n\n- `GET /a`: is deprecated now" in page
        assert "## Wording" not in page

    def test_an_acknowledged_break_lowers_the_step_only(self, tmp_path: Path) -> None:
        path = tmp_path / "acknowledged.yaml"
        path.write_text("breaks:\n  - id: some-id\n    place: GET /a 200 b\n    reason: Nobody <has> it.\n")
        acknowledged = read_acknowledged(path)
        broken = ReportedChange(Change("breaking", "GET /a 200 b", "is no longer sent", kind="some-id"), "M.", [])
        one = report(reported=[broken], acknowledged=acknowledged)
        assert (reports.as_json(one)["verdict"], one.step) == ("breaking", "minor")
        assert "Nobody \\<has> it." in reports.as_markdown(one)
        reports.write(one, tmp_path)
        found = release.read_report(tmp_path / "spec-report.json")
        assert found is not None
        assert found.step == "minor"
        assert "acknowledged" in found.changes[0].what
        # Another place, or another kind of change there, is not what was acknowledged.
        for change in (broken.change._replace(where="GET /a 200 c"), broken.change._replace(kind="other")):
            other = report(reported=[broken._replace(change=change)], acknowledged=acknowledged)
            assert (other.step, len(other.unused)) == ("major", 1)
            assert "acknowledged.yaml:2" in reports.as_markdown(other)

    @pytest.mark.parametrize(
        "text", ["breaks: 1", "[]", "breaks:\n  - id: a", "breaks:\n  - {id: a, place: b, reason: ''}"]
    )
    def test_a_wrong_file_of_acknowledged_breaks_is_refused(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "acknowledged.yaml"
        assert read_acknowledged(path) == []
        path.write_text(text)
        with pytest.raises(SpecError, match=r"acknowledged\.yaml:\d"):
            read_acknowledged(path)

    def test_the_projects_own_file_can_be_read(self) -> None:
        assert all(one.reason for one in read_acknowledged(ROOT / "spec" / "acknowledged.yaml"))


class TestWorkspace:
    """The copy, and the way back."""

    @pytest.fixture
    def small(self, tmp_path: Path) -> Path:
        for name in ("spec/upstream/a.md", "spec/openapi.yaml", "generated/p/x/m.py", "docs/api.md", "src/other.py"):
            path = tmp_path / "small" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        return tmp_path / "small"

    def test_all_of_it_comes_back_and_empty_folders_go(self, small: Path) -> None:
        with workspace(small) as place:
            (place.root / "generated/p/x/m.py").unlink()
            (place.root / "spec/openapi.yaml").write_text("new")
            (place.root / "generated/p/y").mkdir()
            (place.root / "generated/p/y/n.py").write_text("n")
            (place.root / "src/other.py").write_text("not among what is made")
            assert contents(small)["spec/openapi.yaml"] == b"spec/openapi.yaml"
            changed = place.bring_back()
            root = place.root
        assert changed == ["generated/p/x/m.py", "generated/p/y/n.py", "spec/openapi.yaml"]
        assert sorted(contents(small)) == [
            "docs/api.md",
            "generated/p/y/n.py",
            "spec/openapi.yaml",
            "spec/upstream/a.md",
        ]
        assert not (small / "generated/p/x").exists()
        assert (small / "src/other.py").read_text() == "src/other.py"
        assert not root.exists()

    def test_what_somebody_changed_meanwhile_is_not_overwritten(self, small: Path) -> None:
        with workspace(small) as place:
            (place.root / "docs/api.md").write_text("made")
            (small / "spec/upstream/b.md").write_text("theirs")
            with pytest.raises(WorkspaceError, match=r"spec/upstream/b\.md was changed while the update was made"):
                place.bring_back()
        assert (small / "docs/api.md").read_text() == "docs/api.md"

    def test_an_error_in_the_middle_leaves_nothing_of_it(self, small: Path) -> None:
        before = contents(small)
        with workspace(small) as place:
            (place.root / "docs/api.md").write_text("made")
            (place.root / "generated/new").mkdir()
            (place.root / "generated/new/a.py").write_text("a")
            (place.root / "spec/openapi.yaml").write_text("made")
            # The last file to be written has a folder in its way.
            (place.root / "spec/upstream/z").write_text("made")
            (small / "spec/upstream/z").mkdir()
            (small / "spec/upstream/z/__pycache__").mkdir()
            with pytest.raises(WorkspaceError, match="Is a directory"):
                place.bring_back()
        assert contents(small) == before
        assert not (small / "generated/new").exists()

    def test_a_command_in_the_copy_sees_the_copys_code(self, small: Path) -> None:
        (small / "src/only_here.py").write_text("print('from the copy')")
        with workspace(small) as place:
            assert place.run("-c", "import only_here") == (0, "from the copy\n")
            assert place.run("-c", "raise SystemExit(3)").status == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_an_update_started_ends_with_it(tmp_path: Path, number: signal.Signals) -> None:
    project = tmp_path / "project"
    project.mkdir()
    program = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'child')!r}, 'w').write(str(child.pid))\n"
        f"os.kill(os.getppid(), {int(number)})\ntime.sleep(600)\n"
    )
    folders: list[Path] = []
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            interrupted(project, program, folders)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not folders[0].exists()
    child = int((tmp_path / "child").read_text())
    state = Path(f"/proc/{child}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def interrupted(project: Path, program: str, folders: list[Path]) -> None:
    with workspace(project) as place:
        folders.append(place.root.parent)
        place.run("-c", program)


@pytest.mark.parametrize("tests", ["tests/nothing.py", "-knothing"])
def test_contract_tests_that_cannot_be_run_are_no_success(tmp_path: Path, tests: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("def test_a(): pass\n")
    with workspace(tmp_path) as place:
        found = verified(place, ("tests/test_a.py", tests))
        assert verified(place, ("tests/test_a.py",)).is_right
    assert not found.is_right
    assert "pytest ended with" in found.problem
