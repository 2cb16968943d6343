"""Load the logs by dlt, and end without any clean-up after a step.

Usage: loading_program.py FOLDER DESTINATION BASE_URL STEP

STEP is extract, normalize, or load; DESTINATION is a file of DuckDB or an address of PostgreSQL. The key is in
DIFY_API_KEY. `pipeline_of` is what the test itself uses.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import dlt

from dify_workflow.dlt import source


def pipeline_of(folder: str, target: str) -> Any:
    """A pipeline with its working directory in a folder."""
    kind = dlt.destinations.postgres if target.startswith("postgresql:") else dlt.destinations.duckdb
    return dlt.pipeline("dify", destination=kind(target), dataset_name="runs", pipelines_dir=folder)


def main(folder: str, target: str, base_url: str, step: str) -> None:
    pipeline = pipeline_of(folder, target)
    pipeline.sync_destination()
    pipeline.extract(source(base_url=base_url, workers=2))
    if step != "extract":
        pipeline.normalize()
    if step == "load":
        pipeline.load()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
