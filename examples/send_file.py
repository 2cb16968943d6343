"""Upload a file, and run a workflow with it: send_file.py PATH."""

import sys

from dify_workflow import DifyWorkflow

USER = "reader"  # the same for the upload and the run: an upload belongs to its user

with DifyWorkflow() as client:
    upload = client.files.upload(sys.argv[1], user=USER)
    print(f"{upload.name}: {upload.size} bytes, {upload.mime_type}")
    result = client.runs.run({"query": "sum up", "document": upload}, user=USER, timeout=300)
    print(result.raise_for_status().outputs)
