"""Measure how strong the tests are: seed faults, and report the share that is noticed.

Usage: mutants.py [contract | facade] [--module NAME ...] [--jobs 2]

`contract` puts twenty faults by hand into a copy of the project, each of which the contract tests must notice.
`facade` changes the facade's code in memory, one place at a time, and runs the tests that come by that place; at least
95 % of the changes must be noticed. Without an argument, both. No file of the project is touched. Exit status 1: less
was noticed than that.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from mutation import contract_faults
from mutation.facade import measured

if TYPE_CHECKING:
    from mutation.contract_faults import Fault, Verdict


def main(argv: list[str] | None = None) -> int:
    """Measure and report; the exit status."""
    parser = argparse.ArgumentParser(prog="mutants.py", description="Measure how strong the tests are.")
    parser.add_argument("what", nargs="?", choices=("contract", "facade"), help="only this; both unless given")
    parser.add_argument("--module", action="append", help="only this module of the facade, such as _retries")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="tests at once")
    options = parser.parse_args(argv)
    enough = True
    if options.what != "facade":
        enough &= contract(options.jobs)
    if options.what != "contract":
        enough &= facade(options.module, options.jobs)
    return 0 if enough else 1


def contract(jobs: int) -> bool:
    """Judge the twenty faults; whether all were noticed."""
    with tempfile.TemporaryDirectory() as folder:
        places = [contract_faults.copied(Path(folder) / str(number)) for number in range(jobs)]
        sound = contract_faults.judged(places[0], None)
        if sound.is_caught:
            print(f"the contract tests fail without any fault: {sound.text}")
            return False

        def judge(fault: Fault) -> Verdict:
            place = places.pop()
            try:
                return contract_faults.judged(place, fault)
            finally:
                places.append(place)

        with ThreadPoolExecutor(jobs) as pool:
            verdicts = list(pool.map(judge, contract_faults.FAULTS))
    for verdict in verdicts:
        name = verdict.fault.name if verdict.fault else ""
        print(f"{'caught' if verdict.is_caught else 'MISSED'}  {name}: {verdict.text}")
    caught = sum(verdict.is_caught for verdict in verdicts)
    print(f"contract faults: {caught} of {len(verdicts)} caught")
    return caught == len(verdicts)


ENOUGH = 0.95


def facade(modules: list[str] | None, jobs: int) -> bool:
    """Judge the changes of the facade; whether enough were noticed."""
    begun = time.monotonic()
    verdicts = measured(modules, jobs, lambda text: print(text, file=sys.stderr, flush=True))
    viable = [verdict for verdict in verdicts if verdict.outcome != "not viable"]
    for verdict in viable:
        if verdict.outcome == "survived":
            place = f"{verdict.module}:{verdict.mutant.line} {verdict.mutant.function}".rstrip()
            print(f"SURVIVED  {place}: {verdict.mutant.what} ({verdict.asked} tests come by)")
    for module in dict.fromkeys(verdict.module for verdict in viable):
        own = [verdict for verdict in viable if verdict.module == module]
        print(f"{module}: {sum(verdict.outcome == 'caught' for verdict in own)} of {len(own)} caught")
    caught = sum(verdict.outcome == "caught" for verdict in viable)
    share = caught / len(viable) if viable else 0.0
    beside = f"{len(verdicts) - len(viable)} were not viable; {time.monotonic() - begun:.0f} s"
    print(f"facade: {caught} of {len(viable)} viable changes caught, {share:.1%}; {beside}")
    return share >= ENOUGH


if __name__ == "__main__":
    sys.exit(main())
