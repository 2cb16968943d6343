"""The run logs as a data source of Apache Spark, `dify_logs`. Needs the extra `spark`; docs/guides/spark.md is a guide.

After `register(spark)`, `spark.read.format("dify_logs").option("partitions", 8).load()` reads what is there, and
`spark.readStream.format("dify_logs").load()` what comes.

The API key is never an option: each process that reads takes it from its own environment or profiles. pyspark is
imported when one of the names is.
"""

TYPE_CHECKING: bool = False  # declared as a bool, for Jedi: see `dify_workflow`
if TYPE_CHECKING:
    from ._source import DifyLogs, register

__all__ = ["DifyLogs", "register"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import _source  # noqa: PLC0415 - needs pyspark, and what plans and reads does not

    return getattr(_source, name)


def __dir__() -> list[str]:
    return sorted(__all__)
