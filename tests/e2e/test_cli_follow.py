"""`dify-workflow logs follow`: what it prints, what it runs, and from where it continues."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.command_line import run, variables

from dify_workflow.cli.state import StateFile
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAST = "this is the last one"
END_AT_LAST = ("--exec", f"! grep -q '{LAST}'", "--exec-stop", "--poll", "0.02")
"""Ends with exit code 1 at the log that has this error."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=0) as sandbox:
        yield sandbox


@pytest.fixture
def env(sandbox: Sandbox) -> dict[str, str]:
    return variables(sandbox)


def added(sandbox: Sandbox, *errors: str, **fields) -> list[str]:
    """The ids of the runs of new logs that failed with these errors, a second apart."""
    first = fields.pop("created_at", 1_760_000_000)
    logs = [sandbox.add_log(status="failed", error=e, created_at=first + n, **fields) for n, e in enumerate(errors)]
    return [log.run.id for log in logs]


def test_logs_are_printed_oldest_first(sandbox, env):
    ids = added(sandbox, "a", "b", "c", LAST)
    ran = run("logs", "follow", "--since", "20y", "-o", "id", *END_AT_LAST, **env)
    assert ran.out.split() == ids
    assert ran.code == 1
    assert "exit status 1 for the log" in ran.err


@pytest.mark.parametrize("output", ["json", "jsonl"])
def test_json_is_an_object_a_line(sandbox, env, output):
    ids = added(sandbox, "a", LAST)
    ran = run("logs", "follow", "--since", "20y", "-o", output, *END_AT_LAST, **env)
    assert [json.loads(line)["workflow_run"]["id"] for line in ran.out.splitlines()] == ids
    if output == "json":
        assert "exit status 1" in ran.error["message"]


def test_a_command_gets_each_log_and_a_failure_is_a_line(sandbox, env, tmp_path):
    added(sandbox, "a", "é\n\"'$(x)", LAST)
    command = f"cat >> {tmp_path}/all; grep -q '{LAST}' {tmp_path}/all && kill -INT $PPID; exit 5"
    program = [sys.executable, "-m", "dify_workflow", "logs", "follow", "--since", "20y", "--exec", command]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=60, env=os.environ | env)
    assert (done.returncode, done.stdout) == (130, "")
    lines = [json.loads(line) for line in (tmp_path / "all").read_text().splitlines()]
    assert [line["workflow_run"]["error"] for line in lines] == ["a", "é\n\"'$(x)", LAST]
    assert done.stderr.count("exit status 5 for the log") >= 2


class TestState:
    """The checkpoint in a file."""

    def test_a_follow_goes_on_where_the_last_one_ended(self, sandbox, env, tmp_path):
        state = tmp_path / "state.json"
        arguments = ("logs", "follow", "--since", "20y", "--state", str(state), "-o", "id", *END_AT_LAST)
        ids = added(sandbox, "a", "b", LAST)
        assert run(*arguments, **env).out.split() == ids
        # The command failed for the last log, so that it comes again.
        assert run(*arguments, **env).out.split() == ids[-1:]
        with sandbox.client() as client, client.logs.follow(checkpoint=json.loads(state.read_text())) as follow:
            assert next(follow).workflow_run.id == ids[-1]
        assert list(tmp_path.iterdir()) == [state]

    def test_a_new_state_begins_at_its_first_start(self, sandbox, env, tmp_path):
        added(sandbox, "an old one")
        state = str(tmp_path / "state")
        arguments = [sys.executable, "-m", "dify_workflow", "logs", "follow", "--state", state]
        with subprocess.Popen(arguments, env=os.environ | env, stdout=subprocess.DEVNULL) as process:
            while not (tmp_path / "state").exists() or not (tmp_path / "state").read_text():
                time.sleep(0.01)
            process.kill()
        later = added(sandbox, LAST, created_at=1_760_000_100)  # nobody follows while it comes
        assert run("logs", "follow", "--state", state, "-o", "id", *END_AT_LAST, **env).out.split() == later

    def test_a_second_process_on_a_file_is_refused(self, env, tmp_path):
        name = str(tmp_path / "state")
        with StateFile(name) as state:
            for text in ({"a": 1}, {"a": 2}):
                ran = run("logs", "follow", "--state", name, **env)
                assert (ran.code, ran.out) == (2, "")
                assert "another process" in ran.err
                state.write(text)
        with StateFile(name) as state:
            assert state.read() == {"a": 2}

    @pytest.mark.parametrize("text", ["[1]", "{", '{"walk": "logs.iter"}', '{"profiles": {}}'])
    def test_what_is_no_checkpoint_is_refused_and_kept(self, env, tmp_path, text):
        state = tmp_path / "state"
        state.write_text(text)
        ran = run("logs", "follow", "--state", str(state), **env)
        assert (ran.code, ran.out) == (2, "")
        assert state.read_text() == text

    def test_a_checkpoint_of_other_filters_is_refused(self, sandbox, env, tmp_path):
        added(sandbox, "a", LAST)
        arguments = ("logs", "follow", "--since", "20y", "--state", str(tmp_path / "state"), *END_AT_LAST)
        assert run(*arguments, **env).code == 1
        ran = run(*arguments, "--status", "failed", **env)
        assert ran.code == 2
        assert "filters" in ran.err

    def test_a_failed_write_leaves_the_file_as_it_was(self, tmp_path):
        file = tmp_path / "state"
        with StateFile(str(file)) as state:
            state.write({"a": 1})
            with pytest.raises(TypeError):
                state.write({"a": object()})
            assert state.read() == {"a": 1}
        assert list(tmp_path.iterdir()) == [file]

    def test_a_file_in_no_folder_is_exit_code_1(self, env, tmp_path):
        ran = run("logs", "follow", "--state", str(tmp_path / "no" / "state"), **env)
        assert (ran.code, ran.out) == (1, "")
        assert f"{tmp_path / 'no'}: there is no folder of this name" in ran.err

    def test_an_interrupted_follow_keeps_its_place(self, sandbox, env, tmp_path):
        state = tmp_path / "state"
        ids = added(sandbox, "a", "b")
        command = [sys.executable, "-m", "dify_workflow", "logs", "follow", "-o", "id", "--poll", "0.05"]
        arguments = ["--since", "20y", "--state", str(state)]
        with subprocess.Popen(
            [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | env
        ) as process:
            assert [process.stdout.readline().strip() for _ in ids] == ids
            while not state.exists() or ids_in(state) < len(ids):
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            assert process.wait() == 130
            assert process.stderr.read() == ""
        later = added(sandbox, "c", LAST)
        assert (
            run("logs", "follow", "--state", str(state), "-o", "id", *END_AT_LAST, **env).out.split()[-1] == later[-1]
        )


def ids_in(state: Path) -> int:
    text = state.read_text()
    return len(json.loads(text)["recent"]) if text else 0


def test_several_profiles_are_followed_at_once(sandbox, tmp_path):
    home, state = {"XDG_CONFIG_HOME": str(tmp_path)}, str(tmp_path / "state")
    for name in ("main", "empty"):
        run("config", "set", name, "--base-url", sandbox.base_url, stdin=sandbox.keys[name], **home)
    ids = {*added(sandbox, "a", "b", app="main"), *added(sandbox, "c", app="empty")}
    arguments = ("logs", "follow", "--since", "20y", "--all-profiles", "--state", state, "--poll", "0.02")
    command = f"tee -a {tmp_path}/all >/dev/null; test $(wc -l < {tmp_path}/all) -lt 3"
    ran = run(*arguments, "--exec", command, "--exec-stop", **home)
    assert ran.code == 1
    logs = [json.loads(line) for line in (tmp_path / "all").read_text().splitlines()]
    assert {log["workflow_run"]["id"] for log in logs} == ids
    assert sorted(log["app"] for log in logs) == ["empty", "main", "main"]
    ran = run(*arguments, "-o", "id", "--exec", "false", "--exec-stop", **home)
    assert ran.out.split() == [logs[-1]["workflow_run"]["id"]]
    assert run("logs", "follow", "-p", "main", "--state", state, **home).code == 2


def test_a_stop_without_a_command_is_refused(env):
    assert run("logs", "follow", "--exec-stop", **env).code == 2
