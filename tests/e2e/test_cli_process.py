"""The command line as processes: pipes, shells, imports, and what is missing."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from support.command_line import run, variables

from dify_workflow.cli import main
from dify_workflow.cli.program import program
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE = f"{sys.executable} -m dify_workflow"


@pytest.fixture(scope="module")
def env() -> Iterator[dict[str, str]]:
    with Sandbox(rows=600) as sandbox:
        yield os.environ | variables(sandbox)


def shell(script: str, env: dict[str, str], *, name: str = "bash") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [name, "-c", script], capture_output=True, text=True, check=False, timeout=60, env=env, stdin=subprocess.DEVNULL
    )


def commands(group: click.Group = program, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command, by its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        yield (*path, name)
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))


def test_help_of_every_command_loads_neither_httpx_nor_rich():
    source = f"""
import sys
from dify_workflow.cli.main import main
for words in {list(commands())}:
    assert main([*words, "--help"]) == 0, words
loaded = sorted(name.partition(".")[0] for name in sys.modules)
assert not {{"httpx", "rich", "attr", "dateutil", "subprocess", "tomllib", "csv", "json"}} & set(loaded), loaded
print(len(sys.modules), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Usage: dify-workflow") >= 20
    assert int(done.stderr) < 260  # of which click and what it imports are 200


@pytest.mark.parametrize("output", ["jsonl", "json", "csv", "table"])
def test_a_reader_that_leaves_is_no_failure(env, output):
    done = shell(f"set -o pipefail; {MODULE} logs list --all -o {output} | head -2", env)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize(
    "listing",
    [
        *("logs list", "logs list -o table", "logs list --all -o id", "logs follow --since 9d -o json"),
        *("logs stats -o table", "logs stats -o prometheus", "logs stats --by user -o csv"),
        *("app parameters", "config list", "help -o json", "--help", "logs --help"),
    ],
)
def test_a_reader_that_is_gone_at_once_is_no_failure(env, listing):
    done = shell(f"set -o pipefail; {MODULE} {listing} | true", env)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_disk_is_exit_code_1_and_a_closed_stdout_is_not(env):
    for command in ("logs list", "logs list --limit 150", "app info"):  # fewer and more than a buffer holds
        done = shell(f"{MODULE} {command} > /dev/full", env)
        assert done.returncode == 1
        assert done.stderr == "dify-workflow: No space left on device\n"
    assert shell(f"{MODULE} logs list >&-", env).returncode == 0


@pytest.mark.parametrize("kind", ["jsonl", "sqlite", "parquet"])
def test_an_export_without_space_is_exit_code_1_and_goes_on(env, tmp_path, kind):
    target = tmp_path / f"logs.{kind}"
    command = f"{MODULE} logs export {target}"
    done = shell(f"ulimit -f 20; {command}", env)  # KB
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert not target.exists() or kind == "sqlite"
    done = shell(command, env)
    assert (done.returncode, json.loads(done.stdout)["rows"]) == (0, 600)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_a_completion_script_completes_commands(env, name, tmp_path):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    (tmp_path / "dify-workflow").write_text(f'#!/bin/sh\nexec {MODULE} "$@"\n')
    (tmp_path / "dify-workflow").chmod(0o755)
    path = {"PATH": f"{tmp_path}:{env['PATH']}"}
    script = {
        "bash": """eval "$(dify-workflow completion bash)"; COMP_WORDS=(dify-workflow logs l) COMP_CWORD=2
            _dify_workflow_completion dify-workflow; echo "${COMPREPLY[@]}" """,
        "zsh": """autoload -U compinit; compinit -D; eval "$(dify-workflow completion zsh)"
            print "${_comps[dify-workflow]}"; words=(dify-workflow logs l); CURRENT=3
            _describe() { print -l "${(P)3}" }; $_comps[dify-workflow]""",
    }[name]
    done = shell(script, env | path, name=name)
    assert done.returncode == 0, done.stderr
    assert "list" in done.stdout


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        ("logs l", ["list"]),
        ("logs list --status fa", ["failed"]),
        ("logs list -p ma", ["main"]),
        ("logs list -p other,", ["other,main", "other,other"]),
        ("config set --api", ["--api-key-command"]),
    ],
)
def test_words_are_completed(words, completions, tmp_path):
    for name in ("main", "other"):
        run("config", "set", name, stdin="app-any", XDG_CONFIG_HOME=str(tmp_path))
    words = f"dify-workflow {words}"
    ask = {"_DIFY_WORKFLOW_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    ran = run(XDG_CONFIG_HOME=str(tmp_path), **ask)
    assert [line.partition(",")[2] for line in ran.out.splitlines() if line] == completions


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_there_is_a_completion_script_for_each_shell(name):
    ran = run("completion", name)
    assert ran.code == 0
    assert "_DIFY_WORKFLOW_COMPLETE" in ran.out


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_a_missing_extra_is_named(missing, env, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.partition(".")[0] == missing or "dify_workflow.cli." in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    for name in ("DIFY_API_KEY", "DIFY_BASE_URL"):
        monkeypatch.setenv(name, env[name])
    monkeypatch.setattr(sys, "argv", ["dify-workflow", "logs", "list", "-o", "table"])
    assert main.main() == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "pip install 'dify-workflow-sdk[cli]'" in captured.err


class TestColour:
    """Colours, for terminals and where they are requested."""

    def table(self, env, **environment: str) -> str:
        own = {name: env[name] for name in ("DIFY_API_KEY", "DIFY_BASE_URL")}
        return run("logs", "list", "-o", "table", **own, **environment).out

    def test_a_pipe_gets_none(self, env):
        assert "\x1b" not in self.table(env)

    def test_they_can_be_asked_for_and_refused(self, env):
        assert re.search(r"\x1b\[\d*;?\d*m", self.table(env, FORCE_COLOR="1", TERM="xterm"))
        assert "\x1b[3" not in self.table(env, FORCE_COLOR="1", NO_COLOR="1", TERM="xterm")

    def test_a_terminal_gets_a_table(self, env):
        output: list[bytes] = []

        def read(descriptor: int) -> bytes:
            output.append(os.read(descriptor, 1 << 16))
            return output[-1]

        with pytest.MonkeyPatch.context() as patch:
            for name, value in (env | {"TERM": "dumb", "COLUMNS": "80"}).items():
                patch.setenv(name, value)
            status = pty.spawn([sys.executable, "-m", "dify_workflow", "logs", "list", "--limit", "3"], read)
        assert status == 0
        lines = b"".join(output).decode().splitlines()
        assert lines[0].split()[:2] == ["created", "status"]
        assert len(lines) == 4
        assert not any("\x1b" in line or len(line) > 80 for line in lines)


def test_python_m_is_the_same_program():
    done = subprocess.run([*MODULE.split(), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == run("--version").out
    assert Path(main.__file__).name == "main.py"


def test_the_sandbox_is_served_under_the_programs_name(capfd):
    assert run("sandbox", "--rows", "nonsense").code == 2
    ran = run("sandbox", "--help")
    assert ran.code == 0
    assert "usage: dify-workflow sandbox" in ran.out
