"""The options of the command line follow the spec, and its documentation follows the options."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from dify_workflow_api.parameters import PARAMETERS
from support.command_line import run

from dify_workflow import DifyWorkflow
from dify_workflow.cli import options
from dify_workflow.cli.logs import command as logs
from dify_workflow.cli.logs_follow import command as follow
from dify_workflow.cli.logs_list import command as logs_list

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent.parent
LOGS = DifyWorkflow(api_key="app-any").logs
OF_WALKS = {"checkpoint", "range", "workers", "details", "patience", "timeout", "poll", "since", "give_up_after"}


def filters_of(method: Callable[..., Any]) -> set[str]:
    return {name for name in inspect.signature(method).parameters if name not in OF_WALKS}


def options_of(command: click.Command) -> dict[str, click.Option]:
    """The filters of a command, by the names of the spec's parameters."""
    found = {(one.name or "").partition(options.PREFIX)[2]: one for one in command.params}
    return {name: one for name, one in found.items() if name and isinstance(one, click.Option)}


def test_each_filter_of_the_facade_is_an_option():
    of_spec = {name for name, _, _ in PARAMETERS["list_workflow_logs"]} - {"page", "limit"}
    assert filters_of(LOGS.iter) == of_spec
    assert options_of(logs_list).keys() == of_spec
    assert filters_of(LOGS.follow) == options_of(follow).keys() == of_spec - options.BOUNDS


def test_the_options_have_the_names_that_are_promised():
    flags = [one.opts[0] for one in options_of(logs_list).values()]
    assert flags[:6] == ["--status", "--since", "--until", "--keyword", "--user", "--account"]


def test_help_texts_are_the_specs_first_sentences():
    for name, _, text in PARAMETERS["list_workflow_logs"]:
        if name not in {"page", "limit"}:
            assert options_of(logs_list)[name].help.startswith(text.replace("`", ""))


def test_a_new_parameter_takes_no_option_of_the_commands():
    context = click.Context(logs)
    commands = [logs.get_command(context, name) for name in logs.list_commands(context)]
    own = {
        flag.lstrip("-")
        for command in commands
        if command
        for one in command.params
        for flag in one.opts
        if not one.name.startswith(options.PREFIX)
    }
    assert {name for name in own if len(name) > 1} <= options.OWN | {"target"}  # and an argument
    assert options.option_of("output") == "--filter-output"


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("string", ["--made-up-here", "a"], "a"),
        ("integer", ["--made-up-here", "5"], 5),
        ("boolean", ["--made-up-here", "false"], False),
        ("number", ["--made-up-here", "0.5"], 0.5),
        ("array of string", ["--made-up-here", "a", "--made-up-here", "b"], ["a", "b"]),
        ("array of string", [], None),
    ],
)
def test_a_new_parameter_of_the_spec_is_a_new_option(monkeypatch, kind, given, value):
    name = "made__up_here"
    new = (*PARAMETERS["list_workflow_logs"], (name, kind, "Only logs of runs that cost `more`."))
    monkeypatch.setitem(PARAMETERS, "list_workflow_logs", new)
    got: dict[str, Any] = {}

    @click.command()
    @options.filters()
    def command(given: dict[str, Any]) -> None:
        got.update(given)

    command.main(given, standalone_mode=False)
    assert got == ({} if value is None else {name: value})
    assert [one.opts[0] for one in command.params][-1] == "--made-up-here"
    assert command.params[-1].help == "Only logs of runs that cost more."


class TestDocumentation:
    """docs/command-line.md."""

    DESCRIBED = run("help", "-o", "json")

    @pytest.fixture
    def text(self) -> str:
        return (ROOT / "docs" / "command-line.md").read_text("utf-8")

    def commands(self) -> list[dict[str, Any]]:
        return json.loads(self.DESCRIBED.out)["commands"]

    def test_each_command_is_documented_with_its_options(self, text):
        known = options.NAMES.keys()  # `make update` adds others, which have no text of ours
        of_updates = {one.opts[0].lstrip("-") for name, one in options_of(logs_list).items() if name not in known}
        for command in self.commands():
            [section] = re.findall(rf"^### `{command['name']}[^`]*`\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
            for option in command["options"]:
                if option["name"] in of_updates:
                    continue
                long = max(option["flags"], key=len)
                general = text.partition("\n### ")[0]
                assert f"`{long}" in section or f"`{long}" in general, (command["name"], long)
        assert len(self.commands()) == len(re.findall(r"^### `", text, re.MULTILINE))

    def test_each_exit_code_is_documented(self, text):
        for code in json.loads(self.DESCRIBED.out)["exit_codes"]:
            assert re.search(rf"^\| {code} \|", text, re.MULTILINE)

    def test_commands_say_whether_they_write(self):
        writing = {one["name"] for one in self.commands() if one["effect"] == "write"}
        assert writing == {
            "runs run",
            "runs batch",
            "runs rerun",
            "runs stop",
            "files upload",
            "forms submit",
            "config set",
        }
