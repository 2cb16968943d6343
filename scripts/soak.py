"""Walk thousands of random histories of a table of logs, and compare with the truth.

Usage: soak.py [COUNT] [--seed FIRST] [--kind KIND] [--processes N]

The kinds are faithful servers ("honest", read by one worker, by several: "workers", with unusual logs: "odd"), faulty
ones (`faulty`), and those whose filters contradict what they display ("session", "process", "exclusive", "lagging";
tests/support/zoned_histories.py says what they are). "changes" and "ranges" are jobs that use `logs.changes` and
`logs.ranges` (tests/support/job_histories.py). "follow-zones" follows logs over a change of a zone's offset
(tests/support/zoned_follows.py). "export-csv" and so on are exports to one target of 25,000 logs by one worker, by
four, and by either in turn, each killed 50 times (tests/support/killed_exports.py): 1 at most, as it takes minutes;
"exports" are those of every target. "batch" is a batch of 2,000 rows that is killed 200 times
(tests/support/killed_batches.py): 3 at most. For servers of other clocks it prints the requests beyond those of a
faithful server.

Each history follows from its kind and its seed. Those that fail are printed with the command that repeats them; the
exit status is then 1.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import random
import statistics
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Final, NamedTuple

from project import ROOT

TARGETS: Final = ("jsonl", "csv", "sqlite", "parquet", "folder", "duckdb", "postgresql")
KINDS: Final = {
    "honest": ("log_histories", "random_history", "check"),
    "workers": ("log_histories", "random_history_with_workers", "check"),
    "odd": ("log_histories", "random_history_with_odd_rows", "check"),
    "faulty": ("log_histories", "random_faulty_history", "check_faulty"),
    **dict.fromkeys(
        ("session", "process", "exclusive", "lagging"), ("zoned_histories", "random_zoned_history", "check")
    ),
    "closing": ("closing_histories", "random_closing_history", "check"),
    **dict.fromkeys(
        ("follow-shifted", "follow-exclusive", "follow-lagging", "follow-jumping"),
        ("follow_histories", "random_follow_history", "check"),
    ),
    "follow-zones": ("zoned_follows", "random_zoned_follow", "check"),
    "changes": ("job_histories", "random_job", "check_changes"),
    "ranges": ("job_histories", "random_ranges", "check_ranges"),
    **dict.fromkeys([f"export-{target}" for target in TARGETS], ("killed_exports", "random_export", "check_export")),
    "batch": ("killed_batches", "random_batch", "check_batch"),
}
"""The module of each kind's histories, and its functions that make and check one."""
OF_SEVERAL_KINDS: Final = {"zoned_histories", "follow_histories", "killed_exports"}
"""Modules whose histories are of several kinds, which a history is made for."""
BLOCK: Final = 50
FEW: Final = {**{f"export-{target}": 1 for target in TARGETS}, "batch": 3}
"""So many histories at most of kinds that take long."""


class Block(NamedTuple):
    """What came of some histories.

    Attributes:
        requests: how many they took.
        beyond: how many each took beyond those of a faithful server, where that is known.
        incomplete: histories that ended in an `IncompleteWalkError`, as they may.
        failures: what went wrong, by seed.
    """

    requests: int
    beyond: list[int]
    incomplete: int
    failures: dict[int, str]


def try_block(kind: str, first: int, count: int) -> Block:
    """Try the histories of a block."""
    sys.path.insert(0, str(ROOT / "tests"))
    logging.getLogger("dify_workflow").setLevel(logging.CRITICAL)  # a shift is a warning
    module, *names = KINDS[kind]
    histories = importlib.import_module(f"support.{module}")  # it belongs to the tests, which are no package
    make, check = (getattr(histories, name) for name in names)
    if module in OF_SEVERAL_KINDS:
        make = partial(make, kind=kind.rpartition("-")[2])
    requests, incomplete = 0, 0
    beyond: list[int] = []
    failures: dict[int, str] = {}
    for seed in range(first, first + count):
        try:
            history = make(random.Random(seed))  # noqa: S311 - repeatable, no secrets
            outcome = check(history)
            requests += len(outcome.table.requests)
            incomplete += outcome.error is not None
            if module == "zoned_histories" and history.is_still and history.workers == 1 and not history.cuts:
                beyond.append(histories.extra_requests(history))
        except Exception as error:  # noqa: BLE001 - whatever went wrong is what is looked for
            failures[seed] = f"{type(error).__name__}: {error}".splitlines()[0]
    return Block(requests, beyond, incomplete, failures)


def main(argv: list[str] | None = None) -> int:
    """Try the histories; the exit status."""
    parser = argparse.ArgumentParser(description="Walk random histories, and compare with the truth.")
    parser.add_argument("count", type=int, nargs="?", default=3000, help="histories of all kinds together (3000)")
    parser.add_argument("--seed", type=int, help="the first seed; by chance unless given")
    parser.add_argument("--kind", choices=[*KINDS, "exports"], help="all kinds unless given")
    parser.add_argument("--processes", type=int, help="as many as there are processors unless given")
    options = parser.parse_args(argv)
    first = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    kinds = [kind for kind in KINDS if options.kind in (None, kind, f"{kind.partition('-')[0]}s")]
    each = -(-options.count // len(kinds))
    count_of = {kind: min(each, FEW.get(kind, each)) for kind in kinds}
    whole = sum(count_of.values())
    print(f"{each} histories of each kind ({', '.join(kinds)}) from seed {first} on", flush=True)
    begun = time.monotonic()
    done, requests, failed = 0, 0, 0
    beyond: dict[str, list[int]] = defaultdict(list)
    incomplete: dict[str, int] = defaultdict(int)
    with ProcessPoolExecutor(options.processes or os.cpu_count()) as pool:
        blocks = [
            (kind, size := min(BLOCK, first + count_of[kind] - seed), pool.submit(try_block, kind, seed, size))
            for seed in range(first, first + each, BLOCK)
            for kind in kinds
            if seed < first + count_of[kind]
        ]
        for kind, size, block in blocks:
            result = block.result()
            done += size
            requests += result.requests
            failed += len(result.failures)
            beyond[kind] += result.beyond
            incomplete[kind] += result.incomplete
            for seed, what in result.failures.items():
                print(f"FAILED  soak.py 1 --kind {kind} --seed {seed}   {what}", flush=True)
            print(f"{done} of {whole} histories, {failed} failed", flush=True)
    for kind in kinds:
        if beyond[kind]:
            middle, most = statistics.median(beyond[kind]), max(beyond[kind])
            print(f"{kind}: {middle:g} requests beyond a faithful server's (median), {most} at most")
        if incomplete[kind]:
            print(f"{kind}: {incomplete[kind]} of {each} ended in an IncompleteWalkError")
    seconds = time.monotonic() - begun
    print(f"{whole} histories, {requests} requests, {failed} failed, {seconds:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
