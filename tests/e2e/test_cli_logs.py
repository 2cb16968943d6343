"""`dify-workflow logs list`: what it prints, in which format, of which apps."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from support.command_line import run, variables

from dify_workflow import _profiles as profiles
from dify_workflow.cli.connection import Connection
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

ROWS = 150


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=ROWS) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def logs(sandbox: Sandbox) -> list[dict]:
    with sandbox.client() as client:
        return [log.to_dict() for log in client.logs.iter()]


@pytest.fixture(scope="module")
def env(sandbox: Sandbox) -> dict[str, str]:
    return variables(sandbox)


def ordered(logs: Iterable[dict]) -> list[dict]:
    """The logs in an order of their own: within a second, the server's changes from page to page."""
    return sorted(logs, key=lambda log: (-log["created_at"], log["id"]))


def test_a_pipe_gets_each_log_as_it_was_received(env, logs):
    assert ordered(run("logs", "list", "--all", **env).objects) == ordered(logs)


def test_the_newest_twenty_come_by_default(env, logs):
    seconds = [log["created_at"] for log in logs]
    assert [log["created_at"] for log in run("logs", "list", **env).objects] == seconds[:20]
    assert [log["created_at"] for log in run("logs", "list", "--limit", "120", **env).objects] == seconds[:120]


def test_a_limit_of_a_page_is_one_request(sandbox, env):
    before = len(sandbox.requests)
    assert len(run("logs", "list", "--limit", "100", **env).objects) == 100
    assert len(sandbox.requests) == before + 1


def test_json_is_one_array(env, logs):
    assert ordered(json.loads(run("logs", "list", "--all", "-o", "json", **env).out)) == ordered(logs)
    assert json.loads(run("logs", "list", "--since", "0s", "-o", "json", **env).out) == []


def test_ids_are_those_of_runs(env, logs):
    ids = [log["workflow_run"]["id"] for log in logs if log["workflow_run"]]
    assert sorted(run("logs", "list", "--all", "-o", "id", **env).out.split()) == sorted(ids)
    assert len(ids) < len(logs)


def test_csv_has_a_row_for_each_log(env, logs):
    rows = list(csv.DictReader(io.StringIO(run("logs", "list", "--all", "-o", "csv", **env).out)))
    errors = {log["id"]: (log["workflow_run"] or {}).get("error") or "" for log in logs}
    assert {row["id"]: row["run_error"] for row in rows} == errors
    assert len(rows) == len(logs)
    assert run("logs", "list", "--since", "0s", "-o", "csv", **env).out.startswith("id,created_at,")


def test_a_table_shows_numbers_in_full_on_any_width(env, logs):
    wide = run("logs", "list", "--all", "-o", "table", COLUMNS="300", **env).out.splitlines()
    assert wide[0].split() == ["created", "status", "seconds", "tokens", "run", "user", "error"]
    assert len(wide) == 1 + len(logs)
    narrow = run("logs", "list", "--all", "-o", "table", COLUMNS="80", **env).out.splitlines()
    assert max(map(len, narrow)) <= 80
    shown = [line.split()[-1 if line.split()[-1].isdigit() else 4] for line in narrow[1:] if "no run" not in line]
    assert shown == [str(log["workflow_run"]["total_tokens"]) for log in logs if log["workflow_run"]]


@pytest.mark.parametrize(
    ("options", "matches"),
    [
        (["--status", "failed"], lambda log: (log["workflow_run"] or {}).get("status") == "failed"),
        (["--status", "running"], lambda log: (log["workflow_run"] or {}).get("status") == "running"),
        (["--user", "user-0003"], lambda log: (log["created_by_end_user"] or {}).get("session_id") == "user-0003"),
        (
            ["--account", "mina.okafor@example.com"],
            lambda log: (log["created_by_account"] or {}).get("email") == "mina.okafor@example.com",
        ),
    ],
)
def test_filters_choose_the_logs(env, logs, options, matches):
    expected = [log for log in logs if matches(log)]
    assert expected
    assert ordered(run("logs", "list", "--limit", "100", *options, **env).objects) == ordered(expected)


def test_times_take_ages_and_iso_8601(env, logs):
    second = logs[50]["created_at"]
    moment = datetime.fromtimestamp(second, UTC).isoformat()
    found = run("logs", "list", "--all", "--since", moment, "--until", moment, **env).objects
    assert ordered(found) == ordered(log for log in logs if log["created_at"] == second)
    assert ordered(run("logs", "list", "--all", "--since", "5y", **env).objects) == ordered(logs)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--status", "fail"], "--status must be one of"),
        (["--status", "fail"], "exactly, or left out; got 'fail', which may mean 'failed'"),
        (["--since", "yesterday"], "--since must be ISO 8601"),
        (["--since", "1h", "--until", "2h"], "--since must be no later than --until;"),
        (["--user", ""], "--user must be left out to mean no filter"),
        (["--user", "a", "--keyword", "\N{SNOWMAN}" * 99], "--keyword must be shorter"),
        (["--all", "--limit", "3"], "exclude"),
        (["--limit", "0"], "--limit"),
        (["--colour"], "--colour"),
        (["--profile", "a", "--all-profiles"], "exclude"),
        (["--profile", "a,,b"], "''"),
        (["--profile", "nowhere"], "nowhere"),
    ],
)
def test_wrong_arguments_are_exit_code_2(env, arguments, says, tmp_path: Path):
    ran = run("logs", "list", *arguments, XDG_CONFIG_HOME=str(tmp_path), **env)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
    error = run("logs", "list", *arguments, "--output", "json", XDG_CONFIG_HOME=str(tmp_path), **env).error
    assert (error["code"], error["http_status"]) == ("usage", None)
    assert says in error["message"]


class TestProfiles:
    """Where the address and the key come from."""

    @pytest.fixture
    def home(self, tmp_path: Path, sandbox: Sandbox) -> str:
        for name in ("main", "other"):
            options = ("--base-url", sandbox.base_url)
            ran = run("config", "set", name, *options, stdin=sandbox.api_key, XDG_CONFIG_HOME=str(tmp_path))
            assert ran.code == 0, ran.err
        return str(tmp_path)

    def test_a_profile_is_used_and_the_environment_is_not(self, home, logs):
        environment = {"DIFY_API_KEY": "app-wrong", "DIFY_BASE_URL": "http://nowhere.invalid"}
        ran = run("logs", "list", "--all", "-p", "main", XDG_CONFIG_HOME=home, **environment)
        assert ordered(ran.objects) == ordered(logs)

    def test_without_a_profile_both_come_from_the_environment(self, home, env):
        ran = run("logs", "list", XDG_CONFIG_HOME=home, DIFY_BASE_URL=env["DIFY_BASE_URL"])
        assert (ran.code, ran.out) == (2, "")
        assert "DIFY_API_KEY" in ran.err

    def test_a_profile_without_an_address_is_the_cloud(self, tmp_path, env):
        file = tmp_path / "dify-workflow" / "config.toml"
        file.parent.mkdir()
        file.write_text('[profiles.cloud]\napi_key = "app-of-the-cloud"\n')
        file.chmod(0o600)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CONFIG_HOME", str(tmp_path))
            patch.setenv("DIFY_BASE_URL", env["DIFY_BASE_URL"])
            assert profiles.read()["cloud"].base_url is None
            connection = Connection("cloud", all_profiles=False, timeout=None, several=False)
            with connection.client() as client:
                assert client.base_url == "https://api.dify.ai/v1"

    @pytest.mark.parametrize("options", [["--profile", "main,other"], ["--all-profiles"]])
    def test_several_profiles_are_merged_newest_first(self, home, sandbox, options):
        found = run("logs", "list", "--all", *options, XDG_CONFIG_HOME=home).objects
        assert sorted(log["app"] for log in found) == ["main"] * ROWS + ["other"] * ROWS
        assert all(next(iter(log)) == "app" for log in found)
        seconds = [log["created_at"] for log in found]
        assert seconds == sorted(seconds, reverse=True)
        limited = run("logs", "list", "--limit", "30", *options, XDG_CONFIG_HOME=home).objects
        assert [log["created_at"] for log in limited] == seconds[:30]
        header = run("logs", "list", "-o", "csv", *options, XDG_CONFIG_HOME=home).out.splitlines()[0]
        assert header.startswith("app,id,")

    def test_an_error_names_the_profile_of_several(self, home):
        run("config", "set", "other", stdin="app-unknown", XDG_CONFIG_HOME=home)
        ran = run("logs", "list", "--profile", "main,other", XDG_CONFIG_HOME=home)
        assert (ran.code, ran.out) == (4, "")
        assert "(profile other)" in ran.err

    def test_the_list_shows_the_ends_of_keys(self, home, sandbox):
        ran = run("config", "list", XDG_CONFIG_HOME=home)
        assert sandbox.api_key not in ran.out
        assert ran.objects[0] == {"profile": "main", "base_url": sandbox.base_url, "api_key": "app-…in"}

    def test_a_key_may_come_from_a_command(self, home, sandbox, logs):
        command = f"printf '%s\\nlogin: x\\n' {sandbox.api_key}"
        run("config", "set", "main", "--api-key-command", command, XDG_CONFIG_HOME=home)
        assert len(run("logs", "list", "-p", "main", XDG_CONFIG_HOME=home).objects) == 20
        for broken, says in (("exit 3", "exit status 3"), ("true", "no API key")):
            run("config", "set", "main", "--api-key-command", broken, XDG_CONFIG_HOME=home)
            ran = run("logs", "list", "-p", "main", XDG_CONFIG_HOME=home)
            assert (ran.code, ran.out) == (2, "")
            assert says in ran.err

    def test_a_file_that_others_can_read_is_refused(self, home, tmp_path):
        (tmp_path / "dify-workflow" / "config.toml").chmod(0o640)
        ran = run("logs", "list", "-p", "main", XDG_CONFIG_HOME=home)
        assert (ran.code, ran.out) == (2, "")
        assert "chmod 600" in ran.err

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("[profiles.a]\napi_key =", "TOML"),
            ("[profiles.a]\napikey = 'x'", "apikey"),
            ("[profiles.a]\napi_key = 3", "api_key"),
            ("[profiles.a]\napi_key = 'x'\napi_key_command = 'y'", "both"),
            ("[profiles.'a b']\napi_key = 'x'", "a b"),
            ("[other]\na = 1", "nothing else"),
            ("[profiles.a]\nbase_url = 'http://x'", "no API key"),
        ],
    )
    def test_a_broken_configuration_is_exit_code_2(self, home, tmp_path, text, says):
        (tmp_path / "dify-workflow" / "config.toml").write_text(text)
        ran = run("logs", "list", "-p", "a", XDG_CONFIG_HOME=home)
        assert (ran.code, ran.out) == (2, "")
        assert says in ran.err

    def test_storing_a_profile_leaves_the_rest_as_it_was(self, home, tmp_path):
        file = tmp_path / "dify-workflow" / "config.toml"
        before = (
            "# mine\n[profiles.first]  # the first\napi_key = 'app-first'\n# end\n\n[profiles.last]\napi_key='app-z'\n"
        )
        file.write_text(before)
        ran = run("config", "set", "first", "--base-url", 'http://h/"\\', stdin="app-new", XDG_CONFIG_HOME=home)
        assert ran.code == 2  # no address, and nothing is stored
        assert file.read_text() == before
        run("config", "set", "first", "--base-url", "http://h", stdin="app-new\n", XDG_CONFIG_HOME=home)
        run("config", "set", "third", stdin="app-third", XDG_CONFIG_HOME=home)
        text = file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600
        for part in (
            "# mine\n",
            "# the first",
            "# end\n",
            "[profiles.last]\napi_key='app-z'\n",
            'base_url = "http://h"',
        ):
            assert part in text
        assert "app-first" not in text
        assert [one["profile"] for one in run("config", "list", XDG_CONFIG_HOME=home).objects] == [
            *("first", "last", "third")
        ]

    def test_a_profile_in_another_form_is_not_overwritten(self, home, tmp_path):
        file = tmp_path / "dify-workflow" / "config.toml"
        file.write_text("profiles.a.api_key = 'app-in-another-form'\n")
        ran = run("config", "set", "a", stdin="app-new", XDG_CONFIG_HOME=home)
        assert ran.code == 2
        assert file.read_text() == "profiles.a.api_key = 'app-in-another-form'\n"

    def test_an_empty_key_is_refused(self, home):
        ran = run("config", "set", "new", stdin="\n", XDG_CONFIG_HOME=home)
        assert (ran.code, ran.out) == (2, "")
