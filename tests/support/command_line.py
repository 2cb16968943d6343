"""The command `dify-workflow` in this process: its exit code and what it printed."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from click.testing import CliRunner

from dify_workflow.cli.program import program

if TYPE_CHECKING:
    from dify_workflow.testing import Sandbox

# click 8.1 mixes the two channels by default; later versions do not have the option.
SEPARATE: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}


class Ran(NamedTuple):
    """What became of a command."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The lines of JSON on stdout of a command that succeeded."""
        assert self.code == 0, self.err
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> dict[str, Any]:
        """The error on stderr, which is one line of JSON."""
        [line] = self.err.splitlines()
        return json.loads(line)["error"]


def run(*arguments: str, stdin: str | bytes = "", **environment: str | None) -> Ran:
    """Run the command with exactly these variables of Dify's in the environment."""
    variables: dict[str, str | None] = {"DIFY_API_KEY": None, "DIFY_BASE_URL": None, **environment}
    result = CliRunner(**SEPARATE).invoke(program, list(arguments), input=stdin, env=variables)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def variables(sandbox: Sandbox) -> dict[str, str]:
    """The environment of an app in a sandbox."""
    return {"DIFY_API_KEY": sandbox.api_key, "DIFY_BASE_URL": sandbox.base_url}
