"""Start a run that takes long, and read its result in another process.

long_run.py start QUESTION prints the id of a run; long_run.py wait ID prints its result.
"""

import sys

from dify_workflow import APITimeoutError, DifyWorkflow

USER = "long-run"

match sys.argv[1:]:
    case ["start", question]:
        with DifyWorkflow() as client:
            run = client.runs.start({"query": question}, user=USER)
            print(run.id)
    case ["wait", run_id]:
        with DifyWorkflow() as client:
            try:
                result = client.runs.attach(run_id, user=USER).wait(timeout=600)
            except APITimeoutError:
                sys.exit("it still runs")
            print(result.raise_for_status().outputs)
    case _:
        sys.exit(__doc__)
