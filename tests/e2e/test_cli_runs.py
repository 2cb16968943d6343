"""`dify-workflow runs`, `files`, `forms`, `end-users` and `app`: what they send, print, and exit with."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest
from support.command_line import run, variables

from dify_workflow.testing import HumanForm, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


def returned(inputs: dict) -> dict:
    return inputs


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0, version="1.16") as sandbox:
        sandbox.set_workflow(returned)
        yield sandbox


@pytest.fixture(scope="module")
def env(sandbox: Sandbox) -> dict[str, str]:
    return variables(sandbox)


@pytest.fixture(scope="module")
def sample() -> Iterator[dict[str, str]]:
    """The environment of the sandbox's own workflow, of which inputs say what it does."""
    with Sandbox(rows=0) as sandbox:
        yield variables(sandbox)


class TestRun:
    """`runs run`."""

    def test_inputs_are_text_json_and_lists(self, env, tmp_path):
        file = tmp_path / "inputs.json"
        file.write_text('{"from_file": 1, "text": "replaced"}')
        arguments = ["-i", "text=a=b", "-i", "n:=5", "-i", "many[]=x", "-i", "many[]:=2", "-i", 'at:="@me"']
        ran = run("runs", "run", "--inputs", str(file), *arguments, **env)
        [result] = ran.objects
        expected = {"from_file": 1, "text": "a=b", "n": 5, "many": ["x", 2], "at": "@me"}
        assert result["data"]["outputs"] == expected
        ran = run("runs", "run", "--inputs", "-", "-o", "json", stdin='{"é": [null]}', **env)
        assert json.loads(ran.out)["data"]["outputs"] == {"é": [None]}

    def test_a_file_is_uploaded_for_the_user_of_the_run(self, sandbox, env, tmp_path):
        file = tmp_path / "report.txt"
        file.write_text("hello")
        before = len(sandbox.uploads)
        ran = run("runs", "run", "-i", f"doc=@{file}", "-i", f"docs[]=@{file}", "--user", "u-7", **env)
        [result] = ran.objects
        first, second = sandbox.uploads[before:]
        assert (first.name, first.size) == ("report.txt", 5)
        sent = [result["data"]["outputs"]["doc"], *result["data"]["outputs"]["docs"]]
        assert {one.get("upload_file_id") or one.get("related_id") for one in sent} == {first.id, second.id}

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["-i", "query"], "NAME=VALUE"),
            (["-i", "=x"], "NAME=VALUE"),
            (["-i", "a=1", "-i", "a=2"], "twice"),
            (["-i", "a=1", "-i", "a[]=2"], "list"),
            (["-i", "a:={"], "not valid JSON"),
            (["-i", "a=@nowhere.pdf"], "nowhere.pdf"),
            (["--file", "nowhere.pdf"], "nowhere.pdf"),
            (["--inputs", "nowhere.json"], "nowhere.json"),
            (["--inputs", "-"], "not valid JSON"),
            (["-i", "a=1", "--user", ""], "user"),
            (["-i", "a=1", "--workflow-id", "x"], "workflow_id"),
            (["-i", "a=1", "-p", "x,y"], "one profile"),
        ],
    )
    def test_what_cannot_be_sent_is_exit_code_2(self, sandbox, env, arguments, says):
        before = len(sandbox.requests)
        ran = run("runs", "run", *arguments, **env)
        assert (ran.code, ran.out) == (2, "")
        assert says in ran.err
        assert len(sandbox.requests) == before

    @pytest.mark.parametrize("options", [[], ["--stream"], ["-o", "id"], ["--stream", "-o", "id"]])
    def test_a_failed_run_is_exit_code_3_with_its_result(self, sample, options):
        ran = run("runs", "run", "-i", "query=hi", "-i", "fail=the reason", *options, **sample)
        assert ran.code == 3
        assert "failed: the reason" in ran.err
        if "id" in options:
            assert str(uuid.UUID(ran.out.strip())) in ran.err
        else:
            last = json.loads(ran.out.splitlines()[-1])
            assert (last["data"]["status"], last["data"]["error"]) == ("failed", "the reason")

    def test_a_stream_prints_each_event(self, sample):
        events = [event["event"] for event in run("runs", "run", "-i", "query=hi", "--stream", **sample).objects]
        assert events[0] == "workflow_started"
        assert events[-1] == "workflow_finished"
        ran = run("runs", "run", "-i", "query=hi", "--stream", "-o", "table", **sample)
        assert ran.out == "hi\n"
        assert ran.err.endswith(": succeeded\n")
        assert "node Start (start): succeeded, 0.0 s\n" in ran.err

    def test_an_error_event_is_exit_code_1(self, sample):
        ran = run("runs", "run", "-i", "query=hi", "-i", "error_event=broken", "--stream", "-o", "json", **sample)
        assert ran.code == 1
        assert "broken" in ran.error["message"]

    def test_refused_inputs_are_exit_code_1(self):
        with Sandbox(rows=0, version="1.16") as sandbox:
            for options in ([], ["--stream"]):
                ran = run("runs", "run", "-i", "wrong=1", *options, **variables(sandbox))
                assert ran.code == 1
                assert "query" in ran.err

    def test_a_timeout_says_that_the_run_may_go_on(self, sample):
        ran = run("runs", "run", "-i", "query=hi", "-i", "seconds:=3", "--timeout", "0.3", "-o", "json", **sample)
        assert (ran.code, ran.out) == (1, "")
        assert ran.error["code"] == "timeout"
        assert "may" in ran.error["message"]
        assert (ran.error["method"], ran.error["url"]) == ("POST", sample["DIFY_BASE_URL"] + "/workflows/run")


def test_a_paused_run_goes_on_when_its_form_is_submitted():
    def workflow(inputs):
        response = yield HumanForm("Go on?", actions={"yes": "Yes", "no": "No"})
        return {"action": response.action, **inputs}

    with Sandbox(rows=0, version="1.16") as sandbox:
        sandbox.set_workflow(workflow)
        env = variables(sandbox)
        events = run("runs", "run", "-i", "a=1", "--stream", **env).objects  # a pause is no failure: exit code 0
        assert events[-1]["event"] == "workflow_paused"
        [token] = [one["data"]["form_token"] for one in events if one["event"] == "human_input_required"]
        [form] = run("forms", "get", token, **env).objects
        assert "Go on?" in json.dumps(form)
        assert run("forms", "submit", token, **env).code == 2  # no --action
        done = run("forms", "submit", token, "--action", "yes", **env)
        assert (done.code, done.out) == (0, "")
        later = run("runs", "events", events[0]["workflow_run_id"], **env).objects
        assert later[-1]["data"]["outputs"] == {"action": "yes", "a": "1"}
        assert run("forms", "get", token, **env).code == 1


def test_a_run_is_looked_up_by_the_id_that_was_printed(env):
    identity = run("runs", "run", "-i", "a=1", "-o", "id", **env).out.strip()
    [found] = run("runs", "get", identity, **env).objects
    assert found["id"] == identity
    assert run("logs", "list", "--keyword", identity, "-o", "id", **env).out.strip() == identity
    assert f"id: {identity}" in run("runs", "get", identity, "-o", "table", **env).out
    missing = run("runs", "get", str(uuid.uuid4()), "-o", "json", **env)
    assert (missing.code, missing.out, missing.error["code"]) == (1, "", "not_found")
    assert run("runs", "get", "no-uuid", **env).code == 2


def test_a_task_is_stopped(env):
    assert run("runs", "stop", str(uuid.uuid4()), **env).objects == [{"result": "success"}]


def test_an_upload_prints_its_id(sandbox, env, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("abc")
    identity = run("files", "upload", str(file), "-o", "id", **env).out.strip()
    assert identity == sandbox.uploads[-1].id
    [piped] = run("files", "upload", "-", "--filename", "b.txt", stdin=b"\xff\x00", **env).objects
    assert (piped["name"], piped["size"]) == ("b.txt", 2)
    assert run("files", "upload", "-", **env).code == 2
    assert run("files", "upload", "nowhere.txt", **env).code == 2


def test_an_end_user_is_looked_up(env):
    run("runs", "run", "-i", "a=1", "--user", "u-9", **env)
    [log] = run("logs", "list", "--user", "u-9", **env).objects
    user = log["created_by_end_user"]
    assert run("end-users", "get", user["id"], **env).objects[0]["session_id"] == "u-9"


def test_the_app_describes_itself(env):
    [info] = run("app", "info", **env).objects
    assert info["mode"] == "workflow"
    assert "user_input_form" in run("app", "parameters", **env).objects[0]
    assert "mode: workflow" in run("app", "info", "-o", "table", **env).out


def test_several_apps_describe_themselves(sandbox, tmp_path):
    home = {"XDG_CONFIG_HOME": str(tmp_path)}
    for name in ("main", "chat"):
        run("config", "set", name, "--base-url", sandbox.base_url, stdin=sandbox.keys[name], **home)
    found = run("app", "info", "--profile", "chat,main", **home).objects
    assert [(one["app"], one["mode"]) for one in found] == [("chat", "chat"), ("main", "workflow")]
    assert len(json.loads(run("app", "info", "--all-profiles", "-o", "json", **home).out)) == 2
