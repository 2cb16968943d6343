"""Run the benchmarks beside the clients that people would use instead, in an environment made for it.

Usage: bench.py [arguments of benchmarks/run.py]

The environment, under build/bench, gets what requirements/bench.txt pins, the wheel built from this tree, and what
openapi-python-client makes of spec/openapi.yaml without any of the project's templates, as the package `dify_stock`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from environments import StepError, built, clean_variables, environment, step
from project import ROOT

FOLDER = ROOT / "build" / "bench"


def main(argv: list[str] | None = None) -> int:
    """Make the environment and run; the exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    print("Making the environment with the clients that are compared ...", flush=True)
    try:
        python = prepared()
    except StepError as error:
        print(error, file=sys.stderr)
        return 1
    command = [str(python), str(ROOT / "benchmarks" / "run.py"), *arguments]
    return subprocess.run(command, env=clean_variables(), check=False).returncode


def prepared() -> Path:
    """The interpreter of a new environment that has everything.

    Raises:
        StepError: something cannot be had or made.
    """
    shutil.rmtree(FOLDER, ignore_errors=True)
    wheel = built("wheel", FOLDER / "wheel")
    python = environment(FOLDER / "environment", requirements="bench.txt", wheel=wheel)
    packages = Path(step([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip())
    tools = Path(sys.executable).parent  # the generator formats what it made with the ruff that it finds
    step(
        [
            str(tools / "openapi-python-client"),
            *("generate", "--path", "spec/openapi.yaml", "--meta", "none"),
            *("--output-path", str(packages / "dify_stock")),
        ],
        variables={"PATH": os.pathsep.join([str(tools), os.environ.get("PATH", "")])},
    )
    return python


if __name__ == "__main__":
    sys.exit(main())
