"""The run logs as a source of dlt. Needs the extra `dlt`; docs/guides/dlt.md is a guide.

`pipeline.run(source(created_at__after="30d"))` loads all logs of a month; later calls load what is new or has ended.
"""

from ._source import source

__all__ = ["source"]
