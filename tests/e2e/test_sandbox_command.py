"""The command `python -m dify_workflow.sandbox`, as a person runs it."""

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dify_workflow._http.library import httpx
from dify_workflow.sandbox.__main__ import main
from dify_workflow.testing import Sandbox

COMMAND = [sys.executable, "-X", "dev", "-W", "error", "-m", "dify_workflow.sandbox"]


@contextlib.contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, object], list[str]]]:
    """Run the command; gives the process, its first line, and the lines after it."""
    # In a session of its own, so that the signals below reach nothing else.
    with subprocess.Popen(
        [*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            lines = []
            for line in process.stdout:
                lines.append(line.rstrip("\n"))
                if line.startswith("Ctrl-C"):
                    break
            yield process, first, lines
        finally:
            process.kill()


def logs(place: dict[str, object], **params: object) -> httpx.Response:
    key = {"Authorization": f"Bearer {place['api_key']}"}
    return httpx.get(f"{place['base_url']}/workflows/logs", params=params, headers=key)


def run(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, check=False, timeout=60, env=os.environ | environment
    )


def test_it_prints_where_it_is_and_serves_there() -> None:
    with serving("--rows", "250", "--seed", "9") as (_, place, lines):
        assert logs(place).json()["total"] == 250
        exports = dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))
        assert {name: shlex.split(value) for name, value in exports.items()} == {
            "DIFY_BASE_URL": [place["base_url"]],
            "DIFY_API_KEY": [place["api_key"]],
        }
        assert {"main", "empty", "chat", "disabled"} <= set(place["keys"])
        assert place["keys"]["chat"] in "\n".join(lines)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_cleanly_even_with_a_connection_open(number: int, code: int) -> None:
    with serving("--rows", "10") as (process, place, _), httpx.Client() as http:
        http.get(str(place["base_url"]))
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (code, "", "")


def test_a_signal_ends_it_while_responses_are_held_back() -> None:
    with serving("--rows", "10", "--latency", "3000") as (process, place, _):
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(str(place["base_url"]), timeout=0.2)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def test_a_taken_port_is_reported_in_one_line() -> None:
    with Sandbox(rows=0) as sandbox:
        port = sandbox.port
        result = run("--port", str(port), "--rows", "0")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert f"port {port} is in use: choose another one" in result.stderr


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--port", "65536"], "--port: must be an integer from 0 to 65535, got '65536'"),
        (["--port", "http"], "--port: must be an integer from 0 to 65535, got 'http'"),
        (["--rows", "-1"], "--rows: must be an integer from 0 to 1000000, got '-1'"),
        (["--rows", "1.5"], "--rows: must be an integer from 0 to 1000000, got '1.5'"),
        (["--seed", "x"], "--seed: must be an integer of at least 0, got 'x'"),
        (["--latency", "nan"], "--latency: must be a number from 0 to 3600, got 'nan'"),
        (["--days", "inf"], "--days: must be a number from 0 to 3650, got 'inf'"),
        (["--api-key", "two words"], "--api-key: must be printable ASCII without blanks"),
        (["--host", "example.com"], "unrecognized arguments: --host example.com"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_by_name(options: list[str], complaint: str) -> None:
    result = run(*options)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith(f"error: {complaint}\n".replace("error: --", "error: argument --"))
    assert "two words" not in result.stderr


def test_a_server_that_it_cannot_be_is_refused() -> None:
    result = run("--server-version", "2")
    assert (result.returncode, result.stdout) == (2, "")
    assert "--server-version: invalid choice: '2'" in result.stderr  # the rest differs among Pythons


# An application's own workflow and inputs ------------------------------------------------------------------------

FLOW = """
import helper

def shout(inputs):
    return {"text": helper.louder(inputs["topic"]), "n": len(inputs)}

def think(inputs):
    yield "one "
    yield "two"
    return {"text": "one two"}

def fail(inputs):
    raise LookupError("nothing found")

NUMBER = 7
"""
PARAMETERS = {
    "user_input_form": [
        {"text-input": {"variable": "topic", "label": "Topic", "required": True, "max_length": 20}},
        {"select": {"variable": "style", "label": "Style", "required": False, "options": ["short", "long"]}},
    ]
}


@pytest.fixture
def flow(tmp_path: Path) -> str:
    (tmp_path / "flow.py").write_text(FLOW)
    (tmp_path / "helper.py").write_text("louder = str.upper\n")
    (tmp_path / "parameters.json").write_text(json.dumps(PARAMETERS))
    (tmp_path / "form.json").write_text(json.dumps(PARAMETERS["user_input_form"]))
    return str(tmp_path / "flow.py")


def start(place: dict[str, object], mode: str = "blocking", **inputs: object) -> httpx.Response:
    key = {"Authorization": f"Bearer {place['api_key']}"}
    body = {"inputs": inputs, "user": "u", "response_mode": mode}
    return httpx.post(f"{place['base_url']}/workflows/run", headers=key, json=body)


@pytest.mark.parametrize("form", ["parameters.json", "form.json"])
def test_a_function_of_a_file_is_the_workflow(flow: str, form: str) -> None:
    options = ["--workflow", f"{flow}:shout", "--form", str(Path(flow).parent / form), "--version", "1.16"]
    with serving("--rows", "0", *options) as (_, place, lines):
        response = start(place, topic="hi", style="short")
        assert response.json()["data"]["outputs"] == {"text": "HI", "n": 2}
        assert response.headers["X-Version"] == "1.16.1"
        assert any("1.16.1" in line for line in lines)
        texts = [
            json.loads(line[6:])
            for line in start(place, "streaming", topic="hi").text.split("\n\n")
            if '"text_chunk"' in line
        ]
        assert [event["data"]["text"] for event in texts] == ["HI", "\n", "2"]
        assert start(place, topic="hi", style="medium").json()["code"] == "invalid_param"
        assert start(place).json()["message"] == "topic is required in input form"


def test_a_generator_and_a_failing_function_are_workflows_too(flow: str) -> None:
    for name, status in (("think", "succeeded"), ("fail", "failed")):
        with serving("--rows", "0", "--workflow", f"{flow}:{name}") as (_, place, _):
            outcome = start(place, anything=[1]).json()["data"]
            assert outcome["status"] == status
            assert outcome["error"] == (None if status == "succeeded" else "nothing found")


def test_any_inputs_are_taken_and_returned() -> None:
    with serving("--rows", "0", "--any-inputs") as (_, place, _):
        assert start(place, topic="hi", n=[1]).json()["data"]["outputs"] == {
            "answer": '{"topic": "hi", "n": [1]}',
            "topic": "hi",
            "n": [1],
        }
        assert start(place, query="hello").json()["data"]["outputs"]["answer"] == "hello"


def test_a_form_alone_makes_an_app_that_returns_its_inputs(flow: str) -> None:
    with serving("--rows", "0", "--form", str(Path(flow).parent / "parameters.json")) as (_, place, _):
        outputs = start(place, topic="hi", other=1).json()["data"]["outputs"]
    assert outputs == {"answer": '{"topic": "hi", "style": null}', "topic": "hi", "style": None}


def test_traps_can_be_set_for_the_whole_time() -> None:
    options = ["--traps", "largest_page=2,displayed_time_shift=-3600", "--traps", "log_order=oldest_first"]
    with serving("--rows", "5", "--crowd", "0", *options) as (_, place, _):
        items = logs(place, limit=5).json()["data"]
    assert len(items) == 2
    assert items[0]["created_at"] <= items[1]["created_at"]
    assert {(item["created_at"] - item["workflow_run"]["created_at"]) // 60 for item in items} <= {-60, -59}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--workflow", "flow.py"], "--workflow takes FILE.py:FUNCTION, such as flow.py:answer, got 'flow.py'"),
        (["--workflow", "no-such.py:f"], "--workflow: there is no file no-such.py"),
        (["--workflow", "<flow>:f"], "--workflow: <flow> has no function f; it has fail, shout, think"),
        (["--workflow", "<flow>:NUMBER"], "--workflow: NUMBER in <flow> is not a function but int"),
        (["--workflow", "<broken>:f"], "<broken> cannot be imported: NameError: name 'nonsense' is not defined"),
        (["--form", "no-such.json"], "--form: cannot read no-such.json: No such file or directory"),
        (["--form", "<flow>"], "--form: <flow> is not JSON: Expecting value: line 2 column 1 (char 1)"),
        (["--form", "<empty>"], "--form: <empty> has no user_input_form; save there what GET /parameters"),
        (["--form", "<odd>"], "--form: item 1 of <odd> is not a field; one looks like"),
        (["--traps", "latencey=1"], "--traps: there is no trap 'latencey'; there are latency, stable_ties, log_order"),
        (["--traps", "latency"], "--traps: latency needs a value, such as latency=0.5"),
        (["--traps", "latency=soon"], "--traps: latency must be number, got 'soon'"),
        (["--traps", "stable_ties=2"], "--traps: stable_ties must be true or false, got '2'"),
        (["--traps", "log_order=up"], "--traps: log_order must be newest first or oldest first or unsorted, got 'up'"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_the_reason(
    options: list[str], complaint: str, flow: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(flow).parent
    odd = '[{"number": {"variable": "n"}}, {"file": {}}]'
    contents = {"broken.py": "nonsense\n", "empty.json": "{}", "odd.json": odd}
    for name, content in contents.items():
        (folder / name).write_text(content)
    for name in ("flow.py", *contents):
        placeholder = f"<{name.partition('.')[0]}>"
        options = [option.replace(placeholder, str(folder / name)) for option in options]
        complaint = complaint.replace(placeholder, str(folder / name))
    assert main(options) == 2  # in this process, as nothing is started
    output, errors = capsys.readouterr()
    assert output == ""
    assert complaint in errors
    assert errors.count("\n") == 1


def test_a_form_and_any_inputs_exclude_each_other() -> None:
    result = run("--form", "x.json", "--any-inputs")
    assert result.returncode == 2
    assert "not allowed with argument" in result.stderr


def test_a_file_that_is_no_database_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes" * 1000)
    result = run("--database", str(tmp_path / "notes.txt"))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert "notes.txt: file is not a database" in result.stderr


def test_a_file_is_served_again_with_the_same_rows(tmp_path: Path) -> None:
    file = str(tmp_path / "sandbox.db")
    ids = []
    for rows in ("30", "500"):
        with serving("--database", file, "--rows", rows) as (process, place, _):
            ids.append(sorted(item["id"] for item in logs(place, limit=100).json()["data"]))
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
    assert len(ids[0]) == 30
    assert ids[0] == ids[1]


def test_verbose_shows_each_request_but_neither_query_nor_key() -> None:
    with serving("--rows", "3", "--verbose", "--api-key", "app-distinctive-51c2") as (process, place, _):
        assert logs(place, keyword="private").status_code == 200
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert "GET /v1/workflows/logs: 200 in " in errors
    assert "private" not in errors
    assert "51c2" not in errors


@pytest.mark.parametrize(("options", "version"), [([], "1.11.2"), (["--server-version", "1.14"], "1.14.2")])
def test_it_serves_runs_as_the_server_that_is_asked_for(options: list[str], version: str) -> None:
    with serving("--rows", "0", *options) as (process, place, lines):
        assert f"A stand-in for a Dify {version} workflow app." in "\n".join(lines)
        response = httpx.post(
            f"{place['base_url']}/workflows/run",
            headers={"Authorization": f"Bearer {place['api_key']}"},
            json={"inputs": {"query": "hello"}, "user": "u-1"},
        )
        assert response.headers["X-Version"] == version
        assert response.json()["data"]["outputs"]["answer"] == "hello"
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def test_a_signal_ends_it_while_a_run_is_streamed() -> None:
    with serving("--rows", "0") as (process, place, _), httpx.Client() as http:
        body = {"inputs": {"query": "x", "seconds": 3000}, "user": "u", "response_mode": "streaming"}
        key = {"Authorization": f"Bearer {place['api_key']}"}
        with http.stream("POST", f"{place['base_url']}/workflows/run", headers=key, json=body) as response:
            pieces = response.iter_text()
            assert next(pieces).startswith('data: {"event":"workflow_started"')
            process.send_signal(signal.SIGTERM)
            assert "workflow_finished" not in "".join(pieces)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_without_the_extra_it_says_how_to_install_it(missing: str) -> None:
    program = (
        f"import runpy, sys; sys.modules[{missing!r}] = None\n"
        "runpy.run_module('dify_workflow.sandbox', run_name='__main__')"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "python -m dify_workflow.sandbox: the sandbox needs starlette and uvicorn:"
        " python -m pip install 'dify-workflow-sdk[sandbox]'\n"
    )


def test_help_names_every_option() -> None:
    result = run("--help")
    assert result.returncode == 0
    for option in (
        "--port",
        "--rows",
        "--seed",
        "--days",
        "--crowd",
        "--latency",
        "--api-key",
        "--database",
        "--version",
        "--server-version",
        "--workflow",
        "--form",
        "--any-inputs",
        "--traps",
        "--verbose",
    ):
        assert option in result.stdout
