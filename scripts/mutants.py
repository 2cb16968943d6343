"""Measure how strong the tests are: seed faults, and report the share that is noticed.

Usage: mutants.py [contract | facade | generated] [--module NAME ...] [--tests PATH ...] [--jobs 2]

`contract` puts twenty faults by hand into a copy of the project, each of which the contract tests must notice.
`facade` changes the facade's code in memory, one place at a time, and runs the tests that come by that place; at least
95 % of the changes must be noticed. `generated` does the same to a sample of places of the generated package, where
the share is only told: it holds helpers that this spec has no use for.
Without an argument, all three, which takes about half an hour on two processors that have nothing else to do: what is
slow is asked less, so that a busy machine finds less. No file of the project is touched; none should be changed
meanwhile. Exit status 1: less was noticed than that, or a test fails that has nothing to notice.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mutation import contract_faults, subjects
from mutation.judgement import NoMeasureError, judged
from rich.console import Console
from rich.progress import Progress

if TYPE_CHECKING:
    from mutation.contract_faults import Fault
    from mutation.contract_faults import Verdict as FaultVerdict
    from mutation.judgement import Verdict
    from mutation.subjects import Change

ENOUGH: Final = 0.95
PROCESSES: Final = (os.cpu_count() or 1) + 1  # some of what is run waits

console = Console(file=sys.stdout, highlight=False, soft_wrap=True, markup=False)


def main(argv: list[str] | None = None) -> int:
    """Measure and report; the exit status."""
    parser = argparse.ArgumentParser(prog="mutants.py", description="Measure how strong the tests are.")
    parser.add_argument("what", nargs="?", choices=("contract", "facade", "generated"), help="only this")
    parser.add_argument("--module", action="append", help="only this module, such as _retries or _async.logs")
    parser.add_argument("--tests", action="append", help="only these tests are asked, such as tests/unit/test_times.py")
    parser.add_argument("--jobs", type=int, default=PROCESSES, help=f"tests at once, {PROCESSES} unless given")
    options = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # on the way out the children are ended
    enough = True
    if options.what in {None, "contract"}:
        enough &= contract(options.jobs)
    if options.what != "contract":
        try:
            tests = options.tests or list(subjects.SUITE)
            enough &= mechanical(options.what, options.module or [], tests, options.jobs)
        except (NoMeasureError, LookupError) as error:
            print(error, file=sys.stderr)
            return 1
    return 0 if enough else 1


def contract(jobs: int) -> bool:
    """Judge the twenty faults; whether all were noticed."""
    with tempfile.TemporaryDirectory() as folder:
        places = [contract_faults.copied(Path(folder) / str(number)) for number in range(jobs)]
        sound = contract_faults.judged(places[0], None)
        if sound.is_caught:
            console.print(f"the contract tests fail without any fault: {sound.text}")
            return False

        def judge(fault: Fault) -> FaultVerdict:
            place = places.pop()
            try:
                return contract_faults.judged(place, fault)
            finally:
                places.append(place)

        with ThreadPoolExecutor(jobs) as pool:
            verdicts = list(pool.map(judge, contract_faults.FAULTS))
    for verdict in verdicts:
        name = verdict.fault.name if verdict.fault else ""
        console.print(f"{'caught' if verdict.is_caught else 'MISSED'}  {name}: {verdict.text}")
    caught = sum(verdict.is_caught for verdict in verdicts)
    console.print(f"contract faults: {caught} of {len(verdicts)} caught")
    return caught == len(verdicts)


def mechanical(what: str | None, named: list[str], tests: list[str], jobs: int) -> bool:
    """Judge the changes of the facade, of the generated package, or of both; whether enough were noticed."""
    parts = {"facade": subjects.facade(), "generated": subjects.generated()}
    parts = {part: _named(modules, named) for part, modules in parts.items() if what in {None, part}}
    modules = {name: file for part in parts.values() for name, file in part.items()}
    if named and not modules:
        raise LookupError(f"no such module: {', '.join(named)}")
    queue: list[Change] = []
    for part, its_modules in parts.items():
        changes = list(subjects.changes(its_modules))
        queue += subjects.sample(changes) if part == "generated" and not named else changes
    begun = time.monotonic()
    verdicts = _verdicts(queue, modules, tests, jobs)
    enough = True
    for part, its_modules in parts.items():
        own = [verdict for verdict in verdicts if verdict.change.module in its_modules]
        enough &= _reported(part, own)
    console.print(f"{len(queue)} changes judged in {time.monotonic() - begun:.0f} s")
    return enough


def _named(modules: dict[str, Path], named: list[str]) -> dict[str, Path]:
    wanted = tuple(f".{name}" for name in named)
    return {name: file for name, file in modules.items() if not named or name.endswith(wanted)}


def _verdicts(queue: list[Change], modules: dict[str, Path], tests: list[str], jobs: int) -> list[Verdict]:
    """Judge changes, with a bar on a terminal, and with every survivor as soon as it is known."""
    verdicts: list[Verdict] = []
    # Without a thread of its own: this process forks.
    with Progress(console=console, auto_refresh=False, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=len(queue))

        def say(text: str) -> None:
            progress.console.print(text)
            progress.refresh()

        def seen(verdict: Verdict) -> None:
            verdicts.append(verdict)
            change, mutant = verdict.change, verdict.change.mutant
            if mutant is None and verdict.outcome != "survived":
                say(f"UNSOUND  {change.module} as it is, loaded anew, does not pass: {verdict.by}")
            elif mutant is not None and verdict.outcome == "survived":
                place = f"{change.module}:{mutant.line} {mutant.function}".rstrip()
                say(f"SURVIVED  {place}: {mutant.what} ({verdict.asked} tests asked)")
            progress.update(bar, advance=1, refresh=True)

        judged(queue, modules, tests, jobs=jobs, say=say, seen=seen)
    return verdicts


def _reported(part: str, verdicts: list[Verdict]) -> bool:
    """Print the shares; whether the whole one is enough, and what is not changed passes."""
    is_sound = all(verdict.outcome == "survived" for verdict in verdicts if verdict.change.mutant is None)
    changed = [verdict for verdict in verdicts if verdict.change.mutant is not None]
    viable = [verdict for verdict in changed if verdict.outcome != "not viable"]
    depth = 2 if part == "generated" else 3  # a sample has little of each of its many modules
    groups: dict[str, list[Verdict]] = {}
    for verdict in viable:
        groups.setdefault(".".join(verdict.change.module.split(".")[:depth]), []).append(verdict)
    for group, own in groups.items():
        console.print(f"{group}: {_share(own)}")
    if not viable:
        return is_sound
    console.print(f"{part}: {_share(viable)}; {len(changed) - len(viable)} more were not viable")
    return is_sound and (part == "generated" or _caught(viable) >= ENOUGH * len(viable))


def _caught(verdicts: list[Verdict]) -> int:
    return sum(verdict.outcome == "caught" for verdict in verdicts)


def _share(verdicts: list[Verdict]) -> str:
    return f"{_caught(verdicts)} of {len(verdicts)} caught, {_caught(verdicts) / len(verdicts):.1%}"


if __name__ == "__main__":
    sys.exit(main())
