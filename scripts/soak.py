"""Walk thousands of random histories of a table of logs, and compare with the truth.

Usage: soak.py [COUNT] [--seed FIRST] [--kind honest|workers|odd|lies]

Each history follows from its kind and its seed. Those that fail are printed with the command that repeats them.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
KINDS: Final = {
    "honest": ("random_history", "check"),
    "workers": ("random_history_with_workers", "check"),
    "odd": ("random_history_with_odd_rows", "check"),
    "lies": ("random_lies", "check_lies"),
}
BLOCK: Final = 50


def try_block(kind: str, first: int, count: int) -> tuple[int, dict[int, str]]:
    """Requests that the histories of a block took, and what went wrong, by seed."""
    sys.path.insert(0, str(ROOT / "tests"))
    histories = importlib.import_module("log_histories")  # it belongs to the tests, which are no package
    make, check = (getattr(histories, name) for name in KINDS[kind])
    requests, failures = 0, {}
    for seed in range(first, first + count):
        try:
            requests += len(check(make(random.Random(seed))).table.requests)  # noqa: S311 - repeatable, no secrets
        except Exception as error:  # noqa: BLE001 - whatever went wrong is what is looked for
            failures[seed] = f"{type(error).__name__}: {error}".splitlines()[0]
    return requests, failures


def main(argv: list[str] | None = None) -> int:
    """Try the histories; the exit status."""
    parser = argparse.ArgumentParser(description="Walk random histories, and compare with the truth.")
    parser.add_argument("count", type=int, nargs="?", default=4000, help="histories of all kinds together")
    parser.add_argument("--seed", type=int, help="the first seed; by chance unless given")
    parser.add_argument("--kind", choices=KINDS, help="all kinds unless given")
    options = parser.parse_args(argv)
    first = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    kinds = [options.kind] if options.kind else list(KINDS)
    each = -(-options.count // len(kinds))
    print(f"{each} histories of each kind ({', '.join(kinds)}) from seed {first} on")
    begun = time.monotonic()
    requests, failed = 0, 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        blocks = [
            (kind, pool.submit(try_block, kind, seed, min(BLOCK, first + each - seed)))
            for seed in range(first, first + each, BLOCK)
            for kind in kinds
        ]
        for kind, block in blocks:
            taken, failures = block.result()
            requests += taken
            failed += len(failures)
            for seed, what in failures.items():
                print(f"FAILED  soak.py 1 --kind {kind} --seed {seed}   {what}", flush=True)
    seconds = time.monotonic() - begun
    print(f"{each * len(kinds)} histories, {requests} requests, {failed} failed, {seconds:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
