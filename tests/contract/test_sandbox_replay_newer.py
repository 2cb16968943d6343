"""What real Dify 1.14.2 and 1.16.1 servers were asked is asked of the sandbox of the same version, and compared."""

import dataclasses
import functools
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from support import recordings
from support.recordings import (
    compare_all_but,
    compare_bodies,
    compare_responses,
    load_recordings,
    replaced,
    row_of,
    ties_aside,
)

from dify_workflow._http.library import httpx
from dify_workflow.testing import EndUserRow, HumanForm, LogRow, NextNode, RunRow, Sandbox, Wait, new_log

RECORDINGS = {version: load_recordings(f"recordings-{version}") for version in ("1.14.2", "1.16.1")}
REPLAYED = [(version, name) for version, stored in RECORDINGS.items() for name in stored]

# Where the sandbox differs from the recordings, and why: by name, what is not compared.
DIFFERENCES = {
    "run-blocking-partial": "a sandbox's workflow cannot continue after a failed node, so no run is partial-succeeded",
}

# A 404 names the routes that resemble the address, in the order of resemblance, and its token is random: of 20,000
# addresses, 93 resemble this route as well.
_UPLOADS = "/api/form/human_input/<string:form_token>/upload-token"
UNCERTAIN = re.compile(f"{_UPLOADS} or | or {_UPLOADS}")

# Apps of the lab in another state than the rest of their recordings.
APPS = {"auth-archived": "archived", "auth-disabled-api": "disabled"}
HTTP = httpx.Client(timeout=60)


@pytest.mark.parametrize(("version", "name"), REPLAYED)
def test_the_sandbox_responds_as_the_real_server_did(version: str, name: str, lab: "Labs") -> None:
    sandbox = lab.of(version)
    recorded = RECORDINGS[version][name]["response"]
    with prepared(sandbox, version, name) as ids:
        response = send(sandbox, version, name, ids)
    compare_responses(
        response,
        recorded,
        replaced(recorded["body"], ids),
        functools.partial(compare, name, RECORDINGS[version][name]["request"]),
        certain=functools.partial(UNCERTAIN.sub, ""),
    )


def compare(name: str, request: dict[str, Any], response: dict[str, Any], recorded: dict[str, Any]) -> None:
    if name in DIFFERENCES:
        response["data"] = {**response["data"], "status": recorded["data"]["status"]}
    if request["path"].endswith("/workflows/logs"):
        compare_pages(name, response, recorded)
    elif "/end-users/" in request["path"]:
        compare_all_but({"app_id", "tenant_id", "created_at", "updated_at"}, response, recorded)
        assert len(response["created_at"]) == len(recorded["created_at"])
    elif "/form/" in request["path"]:
        compare_all_but({"expiration_time"}, response, recorded)
    else:
        compare_bodies(request, response, recorded)


def compare_pages(name: str, response: dict[str, Any], recorded: dict[str, Any]) -> None:
    assert {**response, "data": []} == {**recorded, "data": []}
    if "limited" in name:  # most of its rows are made up
        assert [list(item) for item in response["data"]] == [list(item) for item in recorded["data"]]
    else:
        assert ties_aside(response["data"]) == ties_aside(recorded["data"])


# The requests ------------------------------------------------------------------------------------------------------


def send(sandbox: Sandbox, version: str, name: str, ids: dict[str, str]) -> httpx.Response:
    request = RECORDINGS[version][name]["request"]
    headers = {key: replaced(value, ids) for key, value in request["headers"].items()}
    query = f"?{request['query']}" if request["query"] else ""
    url = f"http://127.0.0.1:{sandbox.port}{replaced(request['path'], ids)}{query}"
    body = request["body"]
    encoding = "latin-1" if "multipart" in headers.get("Content-Type", "") else "utf-8"
    content = None if body is None else replaced(body, ids).encode(encoding)
    return HTTP.request(request["method"], url, headers=headers, content=content)


def app_of(version: str, name: str) -> str:
    return recordings.app_of(RECORDINGS[version][name]) or "main"


@contextmanager
def prepared(sandbox: Sandbox, version: str, name: str) -> Iterator[dict[str, str]]:
    """Put the sandbox into the state that the server was in; give what has another id or key there."""
    ids = {f"<key:{app}>": key for app, key in sandbox.keys.items()}
    app = app_of(version, name)
    if name in APPS:
        ids[f"<key:{app}>"] = sandbox.keys[APPS[name]]
    ids |= server_ids(sandbox, version)
    for place in ("main", "partial", "limited", "form", "files"):
        sandbox.delete_logs([log["id"] for log in stored_logs(sandbox, place)])
    sandbox.add_logs(rows_of(version, app, name), app=app)
    request = RECORDINGS[version][name]["request"]
    if match := re.search(r"/workflows?/(?:run/)?([0-9a-f-]{36})(?:/events)?$", request["path"]):
        add_run(sandbox, version, name, match[1], ids)
    if name in {"end-users-ok", "end-users-other-app"}:
        user = EndUserRow(request["path"].rpartition("/")[2], "service-api", "u-1")
        sandbox.add_logs([dataclasses.replace(new_log(), creator=user)], app="files")
    if "/form/human_input/" in request["path"]:
        ids |= form_ids(sandbox, version, name)
    if name == "run-file-stream":
        ids |= upload_ids(sandbox, request)
    if not name.startswith("ratelimit-"):
        yield ids
        return
    with ThreadPoolExecutor(1) as pool, httpx.Client(base_url=sandbox.base_url) as http:
        key = {"Authorization": f"Bearer {sandbox.keys['busy']}"}
        ids["<key:partial>"] = sandbox.keys["busy"]
        ids[next(iter(re.findall("[0-9a-f-]{36}", RECORDINGS[version][name]["response"]["body"])))] = sandbox.app(
            "busy"
        ).id
        sandbox.clear_requests()
        running = pool.submit(http.post, "/workflows/run", headers=key, json={"inputs": {}, "user": "u"})
        while not sandbox.started_runs:
            time.sleep(0.01)
        yield ids
        task = f"/workflows/tasks/{sandbox.started_runs[0].task_id}/stop"
        HTTP.post(f"{sandbox.base_url}{task}", headers=key, json={"user": "u"})
        running.result(timeout=60)


def server_ids(sandbox: Sandbox, version: str) -> dict[str, str]:
    """Give the ids of the lab's apps and workflows, which the recorded streams tell, and those of the sandbox."""
    ids: dict[str, str] = {}
    for name, recording in RECORDINGS[version].items():
        app = app_of(version, name)
        for kind in ("app_id", "workflow_id"):
            found = re.search(rf'\\?"sys\.{kind}\\?": ?\\?"([0-9a-f-]{{36}})', recording["response"]["body"] or "")
            if found is not None and app in sandbox.keys:
                row = sandbox.app(app)
                ids[found[1]] = row.id if kind == "app_id" else row.workflow_id
    return ids


def stored_logs(sandbox: Sandbox, app: str) -> list[dict[str, Any]]:
    url = f"{sandbox.base_url}/workflows/logs"
    found: list[dict[str, Any]] = []
    for page in range(1, 20):
        headers = {"Authorization": f"Bearer {sandbox.keys[app]}"}
        items = HTTP.get(url, params={"limit": 100, "page": page}, headers=headers).json()["data"]
        found += items
        if len(items) < 100:
            break
    return found


# What was stored --------------------------------------------------------------------------------------------------


def rows_of(version: str, app: str, name: str) -> list[LogRow]:
    """Give the logs of an app as they were when this was recorded."""
    if not RECORDINGS[version][name]["request"]["path"].endswith("/workflows/logs"):
        return []
    now = parsedate_to_datetime(RECORDINGS[version][name]["response"]["headers"]["Date"]).timestamp()
    known: dict[str, dict[str, Any]] = {}
    for other in sorted(RECORDINGS[version], key=lambda other: other == name):  # its own rows have the last word
        if app_of(version, other) == app:
            known |= {item["id"]: item for item in items_of(version, other) if item["created_at"] <= now}
    rows = [row_of(item, inputs=inputs_of(item)) for item in known.values()]
    body = RECORDINGS[version][name]["response"]["body"]
    total = json.loads(body).get("total", 0) if name in {"logs-limited-page-2", "logs-default"} else 0
    newest = max((row.created_at for row in rows), default=0)
    newer = 20 if name == "logs-limited-page-2" else 0
    return rows + [
        new_log(created_at=newest + 100 if number < newer else 1_790_000_000 + number, inputs={"query": "hi"})
        for number in range(total - len(rows))
    ]


def items_of(version: str, name: str) -> list[dict[str, Any]]:
    recording = RECORDINGS[version][name]
    if not recording["request"]["path"].endswith("/workflows/logs") or recording["response"]["status"] != 200:
        return []
    return json.loads(recording["response"]["body"])["data"]


def inputs_of(item: dict[str, Any]) -> str:
    query = "boom" if item["workflow_run"]["status"] == "failed" else "hi"
    return json.dumps({"query": query, "sys.user_id": "u"})


def add_run(sandbox: Sandbox, version: str, name: str, run_id: str, ids: dict[str, str]) -> None:
    """Store a run as its recorded detail or last event shows it."""
    app, response = app_of(version, name), RECORDINGS[version][name]["response"]
    log = new_log(run_id=run_id, session_id="u-1")
    assert log.run is not None
    if response["status"] == 200:
        body = replaced(response["body"], ids)
        detail = json.loads(body.partition("data: ")[2])["data"] if body.startswith("data: ") else json.loads(body)
        creator = detail.pop("created_by", {"id": log.id, "user": "u-1"})
        fields = {key: value for key, value in detail.items() if key in RunRow.__dataclass_fields__}
        run = dataclasses.replace(log.run, **{**fields, "outputs": json.dumps(fields["outputs"])})
        log = dataclasses.replace(log, run=run, creator=EndUserRow(creator["id"], "service-api", creator["user"]))
    elif "unknown" in name:
        return
    else:
        app = "main"  # a run of another app, user or kind of app
    sandbox.add_logs([log], app=app)


def form_ids(sandbox: Sandbox, version: str, name: str) -> dict[str, str]:
    """Pause a run for a form, in the state that it had; give its ids by the recorded ones."""
    recording = RECORDINGS[version][name]
    recorded_token = recording["request"]["path"].rpartition("/")[2]
    if "unknown" in name:
        return {}
    key = {"Authorization": f"Bearer {sandbox.keys['form']}"}
    code = json.loads(recording["response"]["body"]).get("code")
    workflow = budget_workflow if code != "human_input_form_expired" else hasty_workflow
    sandbox.set_workflow(workflow, app="form", form=FORM)
    body = {"inputs": {"query": "budget"}, "user": "u-1", "response_mode": "blocking"}
    reason = HTTP.post(f"{sandbox.base_url}/workflows/run", headers=key, json=body).json()["data"]["reasons"][0]
    if code == "human_input_form_submitted":
        submission = {"inputs": {"comment": 5}, "action": "ok", "user": "u-1"}
        url = f"{sandbox.base_url}/form/human_input/{reason['form_token']}"
        assert HTTP.post(url, headers=key, json=submission).json() == {}
    elif code == "human_input_form_expired":
        time.sleep(0.2)
    if name == "form-get-by-form-id":
        return {recorded_token: reason["form_id"]}
    ids = {recorded_token: reason["form_token"]}
    if found := re.search("form_id=([0-9a-f-]{36})", recording["response"]["body"]):
        ids[found[1]] = reason["form_id"]
    return ids


def upload_ids(sandbox: Sandbox, request: dict[str, Any]) -> dict[str, str]:
    recorded = json.loads(request["body"])["inputs"]["doc"]["upload_file_id"]
    key = {"Authorization": f"Bearer {sandbox.keys['files']}"}
    files = {"file": ("a.txt", b"hello file", "text/plain")}
    response = HTTP.post(f"{sandbox.base_url}/files/upload", headers=key, files=files, data={"user": "u-1"})
    return {recorded: response.json()["id"]}


# The lab's workflows -----------------------------------------------------------------------------------------------

TRACEBACK = (
    'Traceback (most recent call last):\n  File "<string>", line 17, in <module>\n'
    '  File "<string>", line 5, in main\nValueError: boom: as asked\n'
)


def main_workflow(inputs: dict[str, Any]) -> Iterator[Any]:
    if inputs["seconds"]:
        yield Wait(0.2)
    if inputs["query"] == "boom":
        raise ValueError(TRACEBACK)
    yield NextNode("say", "template-transform")
    count = len(inputs["query"])
    return {"text": f"said {inputs['query']}! ({count})", "n": count}


def spare_workflow(inputs: dict[str, Any]) -> Iterator[Any]:
    yield NextNode("say", "template-transform")
    return {"text": "said spare (0)", "n": 0}


def files_workflow(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"text": "hello file", "doc": inputs["doc"], "docs": inputs["docs"]}


BUDGET = HumanForm(
    "Approve budget?\n\n{{#$output.comment#}}",
    inputs=[
        {
            "output_variable_name": "comment",
            "type": "paragraph",
            "default": {"type": "constant", "selector": [], "value": "fine"},
        }
    ],
    actions={"ok": "OK", "no": "No"},
)


def budget_workflow(inputs: dict[str, Any]) -> Iterator[Any]:
    submission = yield BUDGET
    return {"comment": submission.inputs["comment"], "action": submission.action}


def hasty_workflow(inputs: dict[str, Any]) -> Iterator[Any]:
    yield dataclasses.replace(BUDGET, expires_in=0.05)


def endless_workflow(inputs: dict[str, Any]) -> Iterator[Any]:
    yield Wait(3600)


FORM = json.loads(RECORDINGS["1.16.1"]["app-parameters-form"]["response"]["body"])["user_input_form"]


class Labs:
    """One sandbox for each version, started when it is first used."""

    def __init__(self) -> None:
        self._sandboxes: dict[str, Sandbox] = {}

    def of(self, version: Any) -> Sandbox:
        if version not in self._sandboxes:
            self._sandboxes[version] = furnished(Sandbox(rows=0, version=version).start(), version)
        sandbox = self._sandboxes[version]
        sandbox.set_workflow(budget_workflow, app="form", form=FORM)
        return sandbox

    def close(self) -> None:
        for sandbox in self._sandboxes.values():
            sandbox.stop()


def furnished(sandbox: Sandbox, version: str) -> Sandbox:
    descriptions = {
        name.rpartition("-")[2]: json.loads(recording["response"]["body"])["description"]
        for name, recording in RECORDINGS[version].items()
        if name.startswith("app-info-")
    }
    for app in ("main", "files", "form", "partial", "limited"):
        sandbox.add_app(app, description=descriptions.get(app, ""))
    sandbox.add_app("unpublished", published=False, description=descriptions.get("unpublished", ""))
    sandbox.add_app("busy", max_active_requests=1)
    sandbox.add_log(account="owner@lab.example", app="empty")
    for app, workflow in {"main": main_workflow, "files": files_workflow, "partial": spare_workflow}.items():
        parameters = RECORDINGS[version].get(f"app-parameters-{app}") or RECORDINGS[version].get("app-parameters")
        form = None if parameters is None else json.loads(parameters["response"]["body"])["user_input_form"]
        sandbox.set_workflow(workflow, app=app, form=form)
    sandbox.set_workflow(endless_workflow, app="busy")
    sandbox.traps.ping_seconds = 0.05
    return sandbox


@pytest.fixture(scope="module")
def lab() -> Iterator[Labs]:
    labs = Labs()
    yield labs
    labs.close()
    HTTP.close()


def test_every_recorded_difference_belongs_to_a_recording() -> None:
    assert DIFFERENCES.keys() <= {name for _, name in REPLAYED}
    assert len(REPLAYED) == 181
