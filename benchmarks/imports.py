"""What it costs to import each client, to make one, and to make its first call: CPU time of a whole interpreter.

Usage: imports.py [--quick]
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from figures import Figure
from loopback import KEY, server
from measure import programs_in_turn
from report import command
from rivals import CALLS, CLIENTS, DIFY_OAPI2, DIFY_PYTHON_SDK, HTTPX, IMPORTS, OURS, OURS_FAST, STOCK

if TYPE_CHECKING:
    from collections.abc import Callable

# Where click happens to be installed, as it is here for the sandbox and the progress bar, httpx loads its command line,
# and click, rich and pygments with it, which takes as long as all the rest of it. A program's own environment has none.
ALONE: Final = "import sys\nsys.modules['click'] = None\n"
NOTES: Final = {HTTPX: "without its command line, which it loads too where click, rich and pygments are installed"}
BARE: Final = "an interpreter that does nothing"
ONLY_IMPORTS: Final = {
    BARE: "pass",
    OURS: "import dify_workflow",
    HTTPX: "import httpx",
    DIFY_PYTHON_SDK: "import dify_client",
    DIFY_OAPI2: "import dify_oapi.client",
    STOCK: "import dify_stock",
}


def figures(progress: Callable[[str], None], quick: bool = False) -> list[Figure]:
    """Measure programs that go further and further."""
    rounds = 5 if quick else 15
    progress("import")
    found = measured("import, whole process", ONLY_IMPORTS, rounds, BARE, {OURS: 1.3})
    with server("page_server.py") as address:
        made = clients_made(address)
        progress("a client made")
        found += measured("import and make a client, whole process", made, rounds, HTTPX, {})
        progress("a first call")
        section = "import, make a client, first call, whole process"
        found += measured(section, with_a_call(made, address), rounds, HTTPX, {OURS: 1.10, OURS_FAST: 1.10})
    with tempfile.TemporaryDirectory() as folder:
        trusted = Path(folder, "trusted.pem")
        with server("page_server.py", trusted) as address:
            progress("a first call over TLS")
            section = "import, make a client, first call over TLS, whole process"
            begin = f"import os\nos.environ['SSL_CERT_FILE'] = {str(trusted)!r}\n"
            called = with_a_call(clients_made(address), address)
            found += measured(section, {name: begin + text for name, text in called.items()}, rounds, HTTPX, {})
    return found


def clients_made(address: str) -> dict[str, str]:
    """For each client the program that imports it and makes one."""
    return {name: f"{IMPORTS[name]}\n{client.format(**values(address))}" for name, client in CLIENTS.items()}


def with_a_call(programs: dict[str, str], address: str) -> dict[str, str]:
    """The programs with a first call at their ends."""
    return {name: f"{program}\n{CALLS[name].format(**values(address))}" for name, program in programs.items()}


def values(address: str) -> dict[str, str]:
    """What stands in the programs; dify-oapi2, the only one that takes a domain, can read the plain page only."""
    return {"key": KEY, "address": address, "domain": address.replace("/v1", "/plain")}


def measured(
    section: str, programs: dict[str, str], rounds: int, base: str, promises: dict[str, float]
) -> list[Figure]:
    """Measure each program."""
    return [
        Figure(section, name, values, "cpu s", base, promises.get(name), NOTES.get(name, ""))
        for name, values in programs_in_turn(
            {name: ALONE + program for name, program in programs.items()}, rounds=rounds
        ).items()
    ]


if __name__ == "__main__":
    command(figures, "Measure what it costs to begin.")
