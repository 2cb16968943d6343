"""Report each failed run once: for cron, every few minutes. The place to continue from is kept in alerts.json."""

import json
from pathlib import Path

from dify_workflow import DifyWorkflow

STATE = Path("alerts.json")


def alert(text: str) -> None:
    """Send a message: replace this by your chat, pager or mail."""
    print("ALERT:", text)


saved = json.loads(STATE.read_text()) if STATE.exists() else None
with DifyWorkflow() as client:
    changes = client.logs.changes(status="failed", checkpoint=saved, since="1d")
    try:
        for log in changes:
            if run := log.workflow_run:
                alert(f"run {run.id} failed at {log.created_at_utc}: {run.error}")
    finally:  # also after an error: what was reported is not reported again
        STATE.write_text(json.dumps(changes.checkpoint))
