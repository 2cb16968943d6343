"""A PostgreSQL server of a test's own, on loopback, which ends with the process that starts it.

    with postgresql() as address:
        psycopg.connect(address)

It takes the server that is installed: in the path, or Debian's package. Where there is none, `NoServerError` is raised.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 30.0
PR_SET_PDEATHSIG = 1


class NoServerError(Exception):
    """PostgreSQL is not installed."""


def folder_of_programs() -> Path:
    """The folder with `initdb` and `postgres`."""
    for found in sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True):
        return found.parent
    path = shutil.which("postgres")
    if path is None:
        raise NoServerError("PostgreSQL is not installed: apt-get install postgresql")
    return Path(path).resolve().parent


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """A server, and the address of its database."""
    programs = folder_of_programs()
    options = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}  # it refuses root
    folder = Path(tempfile.mkdtemp(prefix="dify-workflow-postgresql-"))
    try:
        if options:
            shutil.chown(folder, "nobody", "nogroup")
        data = folder / "data"
        make = [programs / "initdb", "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **options)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        serve = [programs / "postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1", "-c", "fsync=off"]
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(
                serve,
                stdout=log,
                stderr=log,
                cwd=folder,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one call, which takes no lock
                **options,
            ) as server,
        ):
            try:
                address = f"postgresql://tests@127.0.0.1:{port}/postgres"
                _wait_for(address, server)
                yield address
            finally:
                server.send_signal(signal.SIGINT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
