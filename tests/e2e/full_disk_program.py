"""Exports to a disk of its own, which is full at first, and then is made larger.

Usage: unshare --user --map-root-user --mount full_disk_program.py URL KEY KIND FOLDER

The disk is a file system in memory, mounted on FOLDER in a namespace that ends with the program. Prints as JSON the
error of the first export, whether what was there before is unchanged, what the second export reported, and the ids that
the target has then.
"""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
from support.killed_exports import ids_of

from dify_workflow import DifyWorkflow
from dify_workflow.export import export

KILOBYTES = {"parquet": 100, "folder": 100}
"""What the disk holds at first, where that is not 700 KB: too little for 3,000 logs, and enough to begin with."""
BEFORE = b"from before"


def mount(folder: str, options: str) -> None:
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)


def main(url: str, key: str, kind: str, folder: str) -> None:
    mount(folder, f"size={KILOBYTES.get(kind, 700)}k")
    is_file = kind in ("jsonl", "csv", "parquet")
    target = f"{folder}/logs.parquet/" if kind == "folder" else f"{folder}/logs.{kind}"
    if is_file:
        Path(target).write_bytes(BEFORE)
    said, is_full = "", False
    with DifyWorkflow(api_key=key, base_url=url) as client:
        try:
            export(client, target)
        except (OSError, duckdb.Error) as error:
            said = str(error)
            is_full = getattr(error, "errno", None) == errno.ENOSPC or os.strerror(errno.ENOSPC) in said
        except Exception as error:  # noqa: BLE001 - sqlite3 has a message of its own
            said = str(error)
            is_full = "full" in said
        is_unchanged = Path(target).read_bytes() == BEFORE if is_file else True
        mount(folder, "remount,size=64m")
        done = export(client, target)
    left = sorted(path.name for path in Path(folder).iterdir())
    outcome = {"said": said, "is_full": is_full, "is_unchanged": is_unchanged, "left": left}
    print(json.dumps({**outcome, "was_resumed": done.was_resumed, "rows": done.rows, "ids": ids_of(target)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
