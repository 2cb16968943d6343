"""Failures of the command line: their exit codes, their messages, nothing on stdout, and the API key nowhere."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from support.command_line import Ran, run
from support.fault_server import (
    KEY,
    FaultServer,
    error_response,
    event_stream,
    json_response,
    log_page_bytes,
    raw,
    refusing_origin,
    respond,
    sse,
)
from support.fault_table import FAULTS, Fault

from dify_workflow import AuthenticationError, PermissionDeniedError, RateLimitError
from dify_workflow.cli import errors

RUN = ("runs", "run", "-i", "query=hi")
LIST = ("logs", "list")
OF_ANOTHER_CALL = {"another API's object", "no content"}
OF_A_POST = [
    fault for fault in FAULTS if fault.posts == 1 and "data" not in fault.name and fault.name not in OF_ANOTHER_CALL
]
"""What a POST meets once: it isn't repeated, so that these tests wait for nothing."""


def failed(*arguments: str, server: FaultServer | None = None, **environment: str) -> Ran:
    """A command that fails with nothing on stdout, and the key nowhere."""
    variables = {"DIFY_API_KEY": KEY, "DIFY_BASE_URL": server.origin if server else "http://127.0.0.1:9"} | environment
    ran = run(*arguments, **variables)
    assert ran.code != 0
    assert ran.out == ""
    shown = ran.err.lower()
    for spelling in (KEY, json.dumps(KEY)[1:-1], KEY.encode().hex(), "".join(f"%{ord(c):02x}" for c in KEY)):
        assert spelling.lower() not in shown
    assert "Traceback" not in ran.err
    return ran


@pytest.mark.parametrize("fault", OF_A_POST, ids=str)
def test_a_fault_of_server_or_network_has_its_exit_code(fault: Fault):
    timeout = ("--timeout", "0.3") if fault.options else ()
    with FaultServer(fault.behaviour()) as server:
        ran = failed(*RUN, *timeout, "-o", "json", server=server)
    expected = 1
    if issubclass(fault.error, AuthenticationError | PermissionDeniedError):
        expected = 4
    elif issubclass(fault.error, RateLimitError):
        expected = 7
    assert ran.code == expected
    assert ran.error["http_status"] == fault.carries.get("status_code")
    assert ran.error["method"] == "POST"
    assert ran.error["url"].endswith("/v1/workflows/run")
    assert ran.error["code"]


def test_enough_kinds_of_faults_are_tried():
    assert len(OF_A_POST) >= 40


ECHOES = {
    "as it is": KEY,
    "quoted": f'"{KEY}"',
    "in a header": f"Authorization: Bearer {KEY}",
    "as hexadecimal digits": KEY.encode().hex(),
    "as a URL has it": "".join(f"%{ord(character):02x}" for character in KEY),
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=list(ECHOES))
@pytest.mark.parametrize("output", ["table", "json"])
def test_a_key_that_the_server_echoes_is_not_printed(echo: str, output: str):
    for arguments in (RUN, LIST, ("logs", "list", "--all")):
        with FaultServer(error_response(401, "unauthorized", f"the token {echo} is unknown")) as server:
            assert failed(*arguments, "-o", output, server=server).code == 4


@pytest.mark.parametrize(
    "behaviour",
    [
        lambda: respond(500, f"<h1>{KEY}</h1>"),
        lambda: raw(f"HTTP/1.1 418 {KEY}\r\nX-Key: {KEY}\r\nContent-Length: 0\r\n\r\n".encode()),
        lambda: raw(f"HTTP/1.1 200 OK\r\n{KEY}\r\n\r\n".encode()),
        lambda: respond(200, f'{{"data": "{KEY}'),
        lambda: respond(302, "", headers=(("Location", f"http://elsewhere.invalid/{KEY}"),)),
        lambda: json_response(200, [KEY]),
    ],
    ids=["HTML", "reason phrase", "broken header", "broken JSON", "redirect", "list"],
)
def test_a_key_in_a_broken_response_is_not_printed(behaviour):
    with FaultServer(behaviour()) as server:
        assert failed(*RUN, server=server).code == 1


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (LIST, {"DIFY_API_KEY": ""}, "DIFY_API_KEY"),
        (LIST, {"DIFY_API_KEY": "  "}, "DIFY_API_KEY"),
        (LIST, {"DIFY_API_KEY": f"Bearer {KEY}"}, "without 'Bearer '"),
        (LIST, {"DIFY_API_KEY": f"{KEY}é"}, "ASCII"),
        (LIST, {"DIFY_BASE_URL": f"http://user:{KEY}@h"}, "base_url"),
        (LIST, {"DIFY_BASE_URL": f"http://h/v1?key={KEY}"}, "base_url"),
        (LIST, {"HTTPS_PROXY": f"nonsense://{KEY}", "DIFY_BASE_URL": "https://h.invalid"}, "HTTPS_PROXY"),
        ((*LIST, KEY), {}, "unexpected extra argument"),
        ((*LIST, "--api-key", KEY), {}, "--api-key"),
        ((*LIST, f"--api-key={KEY}"), {}, "--api-key"),
        ((*LIST, "--profile", KEY), {}, "profile"),
        ((*LIST, "--status", KEY), {}, "status"),
        ((*LIST, "--since", KEY), {}, "ISO 8601"),
        ((KEY,), {}, "No such command"),
        (("runs", "get", KEY), {}, "UUID"),
        ((*RUN, "-i", KEY), {}, "NAME=VALUE"),
        ((*RUN, "--inputs", KEY), {}, "No such file"),
        (("files", "upload", KEY), {}, "no file"),
        (("help", KEY), {}, "no command"),
    ],
)
def test_a_key_in_wrong_arguments_is_not_printed(arguments, environment, says, tmp_path):
    ran = failed(*arguments, XDG_CONFIG_HOME=str(tmp_path), **environment)
    assert ran.code == 2
    assert says in ran.err


def test_what_looks_like_a_key_is_not_printed():
    other = "app-" + "kT9zQ1bVw3Lr8Xy2" + "Ncd5Fg7H"
    ran = failed(*LIST, other)
    assert other not in ran.err


@pytest.mark.parametrize("lines", ["api_key = '{}'\nother = 1", "api_key = '{}", "api_key = ['{}']", "'{}' = 1"])
def test_a_key_in_a_broken_configuration_is_not_printed(lines, tmp_path):
    file = tmp_path / "dify-workflow" / "config.toml"
    file.parent.mkdir()
    file.write_text(f"[profiles.a]\n{lines.format(KEY)}\n")
    for mode in (0o600, 0o644):
        file.chmod(mode)
        assert failed(*LIST, "-p", "a", XDG_CONFIG_HOME=str(tmp_path)).code == 2
    file.chmod(0o600)


def test_a_key_of_a_profile_that_is_echoed_is_not_printed(tmp_path):
    with FaultServer(error_response(403, "forbidden", f"no: {KEY}")) as server:
        arguments = ("config", "set", "a", "--base-url", server.origin)
        assert run(*arguments, stdin=KEY, XDG_CONFIG_HOME=str(tmp_path)).code == 0
        environment = {"DIFY_API_KEY": "app-of-the-environment", "XDG_CONFIG_HOME": str(tmp_path)}
        assert failed(*RUN, "-p", "a", server=server, **environment).code == 4


class TestNetwork:
    """Servers that can't be reached, or that break off."""

    def test_a_refused_connection_is_exit_code_1(self):
        with refusing_origin() as origin:
            ran = failed("runs", "stop", str(uuid.uuid4()), "-o", "json", DIFY_BASE_URL=origin)
        assert (ran.code, ran.error["code"], ran.error["http_status"]) == (1, "connection", None)

    def test_a_broken_stream_is_exit_code_1(self):
        started = sse({"event": "workflow_started", "task_id": "t", "workflow_run_id": "r", "data": {}})
        with FaultServer(event_stream(started, then="cut")) as server:
            ran = run(*RUN, "--stream", DIFY_API_KEY=KEY, DIFY_BASE_URL=server.origin)
        assert ran.code == 1
        assert json.loads(ran.out)["event"] == "workflow_started"  # what came is printed
        assert KEY not in ran.err

    def test_logs_that_may_be_missing_are_exit_code_5(self):
        page = json.loads(log_page_bytes())
        page |= {"total": 5_000, "has_more": True}
        with FaultServer(json_response(200, page)) as server:
            ran = run("logs", "list", "--all", DIFY_API_KEY=KEY, DIFY_BASE_URL=server.origin)
        assert ran.code == 5
        assert "again" in ran.err


def test_a_fault_of_this_program_is_shown_without_the_key(capsys):
    errors.hide(KEY)
    assert errors.report(TypeError(f"with {KEY}"), as_json=False) == 1
    shown = capsys.readouterr().err
    assert "TypeError" in shown
    assert KEY not in shown


def test_messages_have_no_control_characters():
    with FaultServer(error_response(400, "invalid_param", "\x1b]0;title\x07\x9b31m red")) as server:
        ran = failed(*RUN, server=server)
    assert "title" in ran.err
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", ran.err)
