"""Measure how strong the tests are: seed faults, and report the share that is noticed.

Usage: mutants.py [contract | NAME ...] [--jobs 2]

`contract` puts twenty faults into a copy of the project, each of which the contract tests must notice. Otherwise mutmut
(configured in pyproject.toml) changes the facade's functions, one place at a time, in the folder mutants/, and runs the
tests that call the changed function; NAME limits it to some functions: `dify_workflow._logs.times*`. At least 90 % must
be noticed. mutmut continues where it was stopped, and `mutmut browse` shows what survived. Exit status 1: less was
noticed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import contract_faults
from project import ROOT

FOLDER: Final = ROOT / "mutants"
ENOUGH: Final = 0.9


def main(argv: list[str] | None = None) -> int:
    """Measure and report; the exit status."""
    parser = argparse.ArgumentParser(prog="mutants.py", description="Measure how strong the tests are.")
    parser.add_argument("names", nargs="*", metavar="contract | NAME", help="the contract faults, or some functions")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="tests at once")
    options = parser.parse_args(argv)
    if options.names == ["contract"]:
        return 0 if contract(options.jobs) else 1
    return 0 if mutated(options.names, options.jobs) else 1


def contract(jobs: int) -> bool:
    """Judge the twenty faults; whether all were noticed."""
    with tempfile.TemporaryDirectory() as folder:
        places = [contract_faults.copied(Path(folder) / str(number)) for number in range(jobs)]
        sound = contract_faults.judged(places[0], None)
        if sound.is_caught:
            print(f"the contract tests fail without any fault: {sound.text}")
            return False

        def judge(fault: contract_faults.Fault) -> contract_faults.Verdict:
            place = places.pop()
            try:
                return contract_faults.judged(place, fault)
            finally:
                places.append(place)

        caught = 0
        with ThreadPoolExecutor(jobs) as pool:
            for fault, verdict in zip(contract_faults.FAULTS, pool.map(judge, contract_faults.FAULTS), strict=True):
                caught += verdict.is_caught
                word = "caught" if verdict.is_caught else "MISSED"
                print(f"{word}  {fault.name}: {verdict.text}", flush=True)
    print(f"contract faults: {caught} of {len(contract_faults.FAULTS)} caught")
    return caught == len(contract_faults.FAULTS)


def mutated(names: list[str], jobs: int) -> bool:
    """Run mutmut; whether enough of all changes judged so far were noticed."""
    FOLDER.mkdir(exist_ok=True)
    mutmut = [sys.executable, "-m", "mutmut"]
    if subprocess.run([*mutmut, "run", "--max-children", str(jobs), *names], cwd=ROOT, check=False).returncode:
        return False
    subprocess.run([*mutmut, "export-cicd-stats"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    found = json.loads((FOLDER / "mutmut-cicd-stats.json").read_text("utf-8"))
    return told(found)


def told(found: dict[str, int]) -> bool:
    """Print mutmut's counts; whether enough was noticed. What no test calls was not noticed."""
    caught = found["killed"] + found["timeout"] + found.get("segfault", 0)
    judged = caught + found["survived"] + found["no_tests"] + found["suspicious"]
    print(f"{caught} of {judged} changes noticed, {caught / max(judged, 1):.1%}: {found}")
    return caught >= ENOUGH * judged


if __name__ == "__main__":
    sys.exit(main())
