"""Write the logs of the last seven days to week.parquet. Start it again when it was interrupted: it continues."""

from dify_workflow import DifyWorkflow
from dify_workflow.export import ExportProgress, export


def show(progress: ExportProgress) -> None:
    """Print how far the export is."""
    print(f"{progress.rows} of {progress.total or '?'} logs")


with DifyWorkflow() as client:
    result = export(client, "week.parquet", created_at__after="7d", workers=4, progress=show)
print(f"{result.rows} logs in {result.target}, complete until {result.complete_until}")
