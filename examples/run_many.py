"""Run a workflow for each row of inputs.csv, eight at once; results go to results.jsonl.

The columns of the CSV file are the inputs of the workflow. A second start goes on where the first one ended.
"""

import csv
import json
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from dify_workflow import DifyError, DifyWorkflow

source = Path(sys.argv[1] if len(sys.argv) > 1 else "inputs.csv")
target = source.with_name("results.jsonl")
with source.open(newline="", encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
done = {json.loads(line)["row"] for line in target.read_text("utf-8").splitlines()} if target.exists() else set[int]()


def run(client: DifyWorkflow, number: int) -> dict[str, object]:
    """Run the workflow for one row; what became of it."""
    result = client.runs.start(rows[number], user=f"batch-{number}").wait()
    return {"row": number, "run": result.workflow_run_id, "status": result.status, "outputs": result.outputs}


with DifyWorkflow() as client, ThreadPoolExecutor(8) as pool, target.open("a", encoding="utf-8") as results:
    jobs = {pool.submit(run, client, number): number for number in range(len(rows)) if number not in done}
    for job in as_completed(jobs):
        try:
            results.write(json.dumps(job.result()) + "\n")
            results.flush()
        except DifyError as error:  # this row is run again by the next start
            print(f"row {jobs[job]}: {error}", file=sys.stderr)
print(f"{len(target.read_text('utf-8').splitlines())} of {len(rows)} rows have a result")
