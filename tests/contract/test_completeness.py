"""The facade against the spec: nothing of the one is missing in the other, and what will be missing is named."""

from __future__ import annotations

import copy
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import facade_coverage
import pytest
from ruamel.yaml import YAML
from support.spec import SPEC

# Written out, so that a docstring that names another operation is noticed.
METHODS_OF = {
    "get_app_info": ["app.info"],
    "get_app_meta": ["app.meta"],
    "get_app_parameters": ["app.check_inputs", "app.parameters"],
    "get_app_site": ["app.site"],
    "get_end_user": ["end_users.get"],
    "get_form": ["forms.get"],
    "get_workflow_run": ["runs.get"],
    "list_workflow_logs": ["logs.changes", "logs.follow", "logs.iter", "logs.list", "logs.ranges"],
    "run_workflow": ["runs.batch", "runs.rerun", "runs.run", "runs.start", "runs.stream"],
    "run_workflow_version": ["runs.batch", "runs.rerun", "runs.run", "runs.start", "runs.stream"],
    "stop_workflow_run": ["runs.stop"],
    "stream_workflow_run_events": ["runs.events"],
    "submit_form": ["forms.submit"],
    "upload_file": ["files.upload", "files.upload_all"],
}
LOGS = SPEC["paths"]["/workflows/logs"]["get"]


def test_the_facade_has_all_that_the_spec_has():
    assert facade_coverage.gaps(SPEC) == []


def test_each_operation_is_reached_by_the_methods_of_its_name():
    names = {operation.key: operation.name for operation in facade_coverage.operations(SPEC)}
    assert set(names.values()) == set(METHODS_OF)
    found: dict[str, list[str]] = {}
    for door in facade_coverage.doors():
        for key in door.keys:
            found.setdefault(names[key], []).append(door.name)
    assert {name: sorted(methods) for name, methods in found.items()} == METHODS_OF


def test_methods_name_what_is_left_out_or_their_own():
    doors = {door.name: door for door in facade_coverage.doors()}
    assert {*facade_coverage.LEFT_OUT, *facade_coverage.OWN, *(name for name, _ in facade_coverage.INSISTED_ON)} <= set(
        doors
    )
    for name, own in facade_coverage.OWN.items():
        assert own <= inspect.signature(doors[name].function).parameters.keys()


# --- what a changed spec makes missing -------------------------------------------------------------------------------


def changed(*path: str | int, value: Any = None, without: bool = False) -> list[str]:
    """The gaps after one change of a copy of the spec, at a path of keys; `-` appends to a list."""
    spec = copy.deepcopy(SPEC)
    node: Any = spec
    for key in path[:-1]:
        node = node[key]
    if without:
        del node[path[-1]]
    elif path[-1] == "-":
        node.append(value)
    else:
        node[path[-1]] = value
    return facade_coverage.gaps(spec)


PARAMETERS = ("paths", "/workflows/logs", "get", "parameters")
SCHEMAS = ("components", "schemas")


def index_of(name: str) -> int:
    return [parameter["name"] for parameter in LOGS["parameters"]].index(name)


def test_a_new_operation_is_reported_with_its_missing_method():
    [gap] = changed("paths", "/workflows/logs/{log_id}", value={"get": {**LOGS, "operationId": "get_log"}})
    assert gap == (
        "GET /workflows/logs/{log_id} (get_log): no method of client.logs calls it. Add a method to AsyncLogs in "
        "src/dify_workflow/_async/resources/logs.py whose docstring names `GET /workflows/logs/{log_id}` in its first "
        "sentence, and which sends what dify_workflow_api.api.logs.get_log.build_request gives; then "
        "`make generate reference`."
    )


def test_a_new_resource_is_reported_with_its_class_and_property():
    operation = {**LOGS, "operationId": "list_rate_limits", "tags": ["rate_limits"]}
    [gap] = changed("paths", "/limits", value={"get": operation})
    assert "GET /limits (list_rate_limits): no method of client.rate_limits calls it." in gap
    assert "the property `rate_limits` to src/dify_workflow/_async/client.py, and the class AsyncRateLimits" in gap
    assert "src/dify_workflow/_async/resources/rate_limits.py" in gap


def test_a_new_parameter_is_reported_for_each_method():
    new = {"name": "newLimit", "in": "query", "schema": {"type": "integer", "minimum": 1, "default": 5}}
    gaps = changed(*PARAMETERS, "-", value=new)
    assert sorted(gap.split()[0].removeprefix("client.") for gap in gaps) == METHODS_OF["list_workflow_logs"]
    for gap in gaps:
        assert "has no keyword for `newLimit` (query) of GET /workflows/logs. Add `new_limit: int = 5`" in gap
        assert " in src/dify_workflow/_async/resources/logs.py, and give it to list_workflow_logs.build_request" in gap
        assert "LEFT_OUT of scripts/facade_coverage.py" in gap


@pytest.mark.parametrize(
    ("schema", "required", "written"),
    [
        ({"type": "string"}, True, "`new: str`"),
        ({"type": "boolean"}, False, "`new: bool | None = None`"),
        ({"type": "number", "default": 0.5}, False, "`new: float = 0.5`"),
        ({"type": ["string", "null"]}, False, "`new: str | None = None`"),
        (
            {"anyOf": [{"$ref": "#/components/schemas/NodeStatus"}, {"type": "string"}]},
            False,
            "`new: NodeStatus | str | None = None`",
        ),
    ],
)
def test_a_new_keyword_has_the_type_and_the_default_of_the_spec(schema: dict[str, Any], required: bool, written: str):
    new = {"name": "new", "in": "query", "required": required, "schema": schema}
    there = SPEC["paths"]["/info"]["get"].get("parameters", [])
    [gap] = changed("paths", "/info", "get", "parameters", value=[*there, new])
    assert f"Add {written} and its description to AsyncApp.info" in gap


def test_a_new_body_field_and_form_part_are_reported():
    gaps = changed(*SCHEMAS, "FormSubmission", "properties", "note", value={"type": "string"})
    assert any("client.forms.submit has no keyword for `note` (body) of POST /form/human_input" in gap for gap in gaps)
    form = ("paths", "/files/upload", "post", "requestBody", "content", "multipart/form-data", "schema", "properties")
    gaps = changed(*form, "folder", value={"type": "string"})
    for gap, method in zip(gaps, ("upload", "upload_all"), strict=True):
        assert f"client.files.{method} has no keyword for `folder` (form) of POST /files/upload" in gap


@pytest.mark.parametrize(
    ("name", "key", "value", "said"),
    [
        ("limit", "default", 50, "as `limit: int = 20`, not as `limit: int = 50`"),
        ("limit", "type", "string", "as `limit: int = 20`, not as `limit: str = 20`"),
        ("keyword", "type", "array", "not as `keyword: Iterable[Any] | None = None`"),
        ("limit", "maximum", 200, "does not say that `limit` (query) of GET /workflows/logs goes from 1 to 200"),
        ("page", "minimum", 0, "does not say that `page` (query) of GET /workflows/logs goes from 0 to 99999"),
    ],
)
def test_another_type_default_or_bound_is_named(name: str, key: str, value: Any, said: str):
    gaps = changed(*PARAMETERS, index_of(name), "schema", key, value=value)
    assert any(said in gap and gap.startswith("client.logs.list ") for gap in gaps), gaps


def test_a_parameter_that_becomes_required_is_named():
    gaps = changed(*PARAMETERS, index_of("keyword"), "required", value=True)
    assert len(gaps) == 5
    assert "as `keyword: str | None = None`, not as `keyword: str`: change AsyncLogs.list" in gaps[0]


def test_a_parameter_or_an_operation_that_is_gone_is_named():
    gaps = changed(*PARAMETERS, index_of("keyword"), without=True)
    assert len(gaps) == 5
    assert "client.logs.list takes `keyword`, which no operation that it calls has" in gaps[0]
    gaps = changed(*PARAMETERS, index_of("page"), without=True)
    assert any("client.logs.list takes `page`" in gap for gap in gaps)
    assert any("LEFT_OUT of scripts/facade_coverage.py says why logs.iter has no `page`" in gap for gap in gaps)
    [gap] = changed("paths", "/info", without=True)
    assert gap == (
        "GET /info is not in the spec, and AsyncApp.info in src/dify_workflow/_async/resources/app.py calls it: "
        "take it out, or rename it there."
    )


def test_a_new_response_field_is_named_with_its_fix():
    gaps = changed(*SCHEMAS, "UploadedFile", "properties", "checkSum", value={"type": "string"})
    assert "`checkSum` of UploadedFile, which POST /files/upload responds with, is no attribute of Upload" in gaps[0]
    assert gaps[1:] == []


def test_another_response_is_reported():
    response = ("paths", "/info", "get", "responses", "200", "content", "application/json", "schema")
    gaps = changed(*response, value={"$ref": "#/components/schemas/Account"})
    assert "GET /info responds with Account, and client.app.info gives AppInfo: change AsyncApp.info" in gaps[0]


def test_fields_are_looked_for_under_their_generated_names():
    spec = copy.deepcopy(SPEC)
    fields = spec["components"]["schemas"]["AppSite"]["properties"]
    fields["ICONType"] = fields.pop("icon_type")
    assert facade_coverage.gaps(spec) == []


@pytest.mark.tools
def test_the_command_prints_the_gaps_of_a_file_and_fails(tmp_path: Path):
    script = Path(facade_coverage.__file__)
    done = subprocess.run([sys.executable, script], capture_output=True, check=False, encoding="utf-8")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    spec = copy.deepcopy(SPEC)
    spec["paths"]["/new"] = {"get": {**LOGS, "operationId": "get_new"}}
    YAML(typ="safe", pure=True).dump(spec, tmp_path / "spec.yaml")
    command = [sys.executable, script, tmp_path / "spec.yaml"]
    done = subprocess.run(command, capture_output=True, check=False, encoding="utf-8")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("GET /new (get_new): no method of client.logs calls it.")
