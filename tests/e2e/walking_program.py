"""What a user's program does that is stopped with Ctrl-C in the middle of a walk.

Usage: walking_program.py sync|async with|bare BASE_URL KEY

It says when it is under way; interrupted, it says what is left of the walk.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from typing import Any

from dify_workflow import AsyncDifyWorkflow, DifyWorkflow


def walk_in_with(client: Any) -> None:
    walk = client.logs.iter(workers=8)
    try:
        with walk:
            for _ in walk:
                if walk.seen == 250:
                    print("under way", flush=True)
    except KeyboardInterrupt:
        threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
        print(json.dumps({"threads": threads, "checkpoint": walk.checkpoint}), flush=True)


def walk_bare(client: Any) -> None:
    for number, _ in enumerate(client.logs.iter(workers=8)):
        if number == 250:
            print("under way", flush=True)


async def walk_async(base_url: str, key: str, how: str) -> None:
    async with AsyncDifyWorkflow(api_key=key, base_url=base_url) as client:
        walk = client.logs.iter(workers=8)
        try:
            if how == "with":
                async with walk:
                    await consume(walk)
            else:
                await consume(walk)
        except asyncio.CancelledError:
            others = [str(task) for task in asyncio.all_tasks() - {asyncio.current_task()} if how == "with"]
            print(json.dumps({"threads": others, "checkpoint": walk.checkpoint}), flush=True)
            raise


async def consume(walk: Any) -> None:
    async for _ in walk:
        if walk.seen == 250:
            print("under way", flush=True)


def main() -> None:
    kind, how, base_url, key = sys.argv[1:]
    if kind == "async":
        try:
            asyncio.run(walk_async(base_url, key, how))
        except KeyboardInterrupt:
            sys.exit(7)
    with DifyWorkflow(api_key=key, base_url=base_url) as client:
        if how == "with":
            walk_in_with(client)
        else:
            walk_bare(client)
    sys.exit(7)


if __name__ == "__main__":
    main()
