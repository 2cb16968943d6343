"""What the command line takes to begin: CPU time of a whole process.

Usage: command_line.py [--quick]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from figures import Figure
from loopback import KEY, server
from measure import programs_in_turn
from report import command

if TYPE_CHECKING:
    from collections.abc import Callable

BARE: Final = "an interpreter that does nothing"
HTTPX: Final = "httpx, one page"
PROMISED: Final = 6.0
"""CPU time of `--help`, as a multiple of a bare interpreter's."""
COMMANDS: Final = ("--help", "logs --help", "logs export --help", "runs run --help")
RUN: Final = """
import os, sys
from dify_workflow.cli.main import main
os.environ.update(DIFY_API_KEY={key!r}, DIFY_BASE_URL={address!r})
sys.stdout = open(os.devnull, "w")
sys.exit(main({words!r}))
"""
GET: Final = """
import httpx
with httpx.Client(headers={{"Authorization": "Bearer {key}"}}) as client:
    client.get("{address}/workflows/logs").json()
"""


def figures(progress: Callable[[str], None], quick: bool = False) -> list[Figure]:
    """Measure `--help` of some commands, and a call."""
    rounds = 5 if quick else 15
    progress("the command line")
    helps = {BARE: "pass"} | {f"dify-workflow {words}": program(words) for words in COMMANDS}
    found = measured("help of a command, whole process", helps, rounds, BARE, PROMISED)
    with server("page_server.py") as address:
        calls = {HTTPX: GET.format(key=KEY, address=address)}
        calls |= {f"dify-workflow {words}": program(words, address) for words in ("logs list --limit 1",)}
        found += measured("a call by the command line, whole process", calls, rounds, HTTPX, None)
    return found


def program(words: str, address: str = "") -> str:
    """What runs a command."""
    return RUN.format(key=KEY, address=address, words=words.split())


def measured(section: str, programs: dict[str, str], rounds: int, base: str, promise: float | None) -> list[Figure]:
    """Measure each program; all but the base are promised the same."""
    return [
        Figure(section, name, values, "cpu s", base, None if name == base else promise)
        for name, values in programs_in_turn(programs, rounds=rounds).items()
    ]


if __name__ == "__main__":
    command(figures, "Measure what the command line takes to begin.")
