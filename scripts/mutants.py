"""Measure how strong the tests are: seed faults, and report the share that is noticed.

Usage: mutants.py [contract | NAME ...] [--sample 400] [--seed 1] [--jobs 2]

`contract` puts twenty faults into a copy of the project, each of which the contract tests must notice. Otherwise mutmut
(configured in pyproject.toml) changes the facade's functions, one place at a time, in the folder mutants/, and runs the
tests that call the changed function; NAME limits it to some functions: `dify_workflow._logs.times*`. At least 90 % must
be noticed. After Ctrl-C the same command continues; `mutmut browse` shows what survived. `--sample` tests that many of
the changes, chosen at random by the seed, and prints what was not noticed, and the 95 % interval of the share in all
changes. Exit status 1: less was noticed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from statistics import NormalDist
from typing import Final

import contract_faults
from project import ROOT

MUTMUT: Final = (sys.executable, "-m", "mutmut")
FEW: Final = "dify_workflow._runs.statuses*"
"""A module of few functions: mutmut makes the changes of all modules first."""
ENOUGH: Final = 0.9
NOTICED: Final = ("killed", "timeout", "segfault")


def main(argv: list[str] | None = None) -> int:
    """Measure and report; the exit status."""
    parser = argparse.ArgumentParser(prog="mutants.py", description="Measure how strong the tests are.")
    parser.add_argument("names", nargs="*", metavar="contract | NAME", help="the contract faults, or some functions")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="test N changes chosen at random")
    parser.add_argument("--seed", type=int, default=1, help="what the choice depends on")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="tests at once")
    options = parser.parse_args(argv)
    if options.names == ["contract"]:
        return 0 if contract(options.jobs) else 1
    return 0 if mutated(options.names, options.jobs, options.sample, options.seed) else 1


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


def mutated(names: list[str], jobs: int, sample: int, seed: int) -> bool:
    """Run mutmut; whether enough of all changes judged so far, or of the sample, was noticed."""
    (ROOT / "mutants").mkdir(exist_ok=True)
    run = [*MUTMUT, "run", "--max-children", str(jobs)]
    if not sample:
        return not ended([*run, *names]) and reported(verdicts(), is_sample=False)
    if ended([*run, FEW]):
        return False
    found = verdicts()
    made = [name for name in found if not names or any(fnmatch(name, pattern) for pattern in names)]
    chance = random.Random(seed)  # noqa: S311 - no secret depends on it
    names = chance.sample(sorted(made), min(sample, len(made)))
    left = [name for name in names if found[name] not in NOTICED]  # the same command continues; new tests may notice
    if left and ended([*run, *left]):
        return False
    found = verdicts()
    return reported({name: found[name] for name in names}, is_sample=True)


def ended(command: list[str]) -> int:
    """The exit status of mutmut, which Ctrl-C is left to: it stores its verdicts then."""
    remove_cut_files()
    with subprocess.Popen(command, cwd=ROOT) as process:
        while process.returncode is None:
            with contextlib.suppress(KeyboardInterrupt):
                process.wait()
    remove_cut_files()
    return process.returncode


def remove_cut_files() -> None:
    """Remove verdicts that Ctrl-C has cut, with their changes, which are made again: mutmut reads all or none."""
    for stored in (ROOT / "mutants").rglob("*.meta"):
        try:
            json.loads(stored.read_text("utf-8"))
        except ValueError:
            stored.unlink()
            stored.with_suffix("").unlink()


def verdicts() -> dict[str, str]:
    """The verdict on each change, by its name."""
    printed = subprocess.run(
        [*MUTMUT, "results", "--all", "true"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return dict(line.strip().split(": ") for line in printed.stdout.splitlines())


def reported(found: dict[str, str], *, is_sample: bool) -> bool:
    """Print the share noticed in each package; whether it is enough. What no test calls was not noticed."""
    packages: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, verdict in found.items():
        if verdict != "not checked":
            packages[".".join(name.split(".")[:-1][:2])][verdict] += 1
            packages["total"][verdict] += 1
        if is_sample and verdict not in NOTICED:
            print(f"{verdict}: {name}")
    for package, counts in sorted(packages.items()):
        caught, judged = sum(counts[word] for word in NOTICED), counts.total()
        interval = " (95 % interval: {:.1%} to {:.1%})".format(*interval_of(caught, judged)) if is_sample else ""
        print(f"{package}: {caught} of {judged} changes noticed, {caught / judged:.1%}{interval}: {dict(counts)}")
    return sum(packages["total"][word] for word in NOTICED) >= ENOUGH * packages["total"].total()


def interval_of(caught: int, judged: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    share, z2 = caught / judged, NormalDist().inv_cdf(0.975) ** 2
    middle = share + z2 / (2 * judged)
    half = (z2 * (share * (1 - share) + z2 / (4 * judged)) / judged) ** 0.5
    return (middle - half) / (1 + z2 / judged), (middle + half) / (1 + z2 / judged)


if __name__ == "__main__":
    sys.exit(main())
