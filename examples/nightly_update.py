"""Bring logs.duckdb up to date: for cron, each night. The first start exports everything."""

import duckdb

from dify_workflow import DifyWorkflow
from dify_workflow.export import export

with DifyWorkflow() as client:
    result = export(client, "logs.duckdb", update=True)
print(f"{result.rows} new or changed logs")
print(f"logs from before {result.complete_until} may be deleted on the server")

with duckdb.connect("logs.duckdb", read_only=True) as database:
    query = "select run_status, count(*) from workflow_logs group by all order by 2 desc"
    for status, count in database.sql(query).fetchall():
        print(f"{status or 'deleted':20}{count:8}")
