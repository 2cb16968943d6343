"""Run a workflow for each row of inputs.csv, eight at once; results go to results.jsonl.

The columns of the CSV file are the inputs of the workflow. A second start continues a batch that was interrupted, and
starts no row twice: inputs.journal has what is known of each.
"""

import csv
import json
import sys
from collections import Counter
from pathlib import Path

from dify_workflow import DifyWorkflow

source = Path(sys.argv[1] if len(sys.argv) > 1 else "inputs.csv")
counts = Counter[str]()

with (
    source.open(newline="", encoding="utf-8") as table,
    source.with_name("results.jsonl").open("w", encoding="utf-8") as results,
    DifyWorkflow() as client,
):
    rows = csv.DictReader(table)  # read as they are needed
    for item in client.runs.batch(rows, user="run-many", journal=source.with_suffix(".journal"), at_once=8):
        counts[item.status] += 1
        record = {"row": item.index, "run": item.run_id, "status": item.status, "outputs": item.outputs}
        results.write(json.dumps(record | {"error": item.error}) + "\n")
print(", ".join(f"{count} {status}" for status, count in counts.most_common()))
