"""The classes that Spark calls. They keep plain values only, as Spark pickles them."""

# pyspark may be missing where types are checked.
# pyright: standard

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .. import records
from .._errors import ConfigurationError
from .._extras import imported
from . import _reading
from ._filters import Pushed, pushed_from
from ._options import Options, checked_columns, options_from, stream_options_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

imported("pyspark", "spark")  # an error then has this name
_datasource: Any = imported("pyspark.sql.datasource", "spark")
_types: Any = imported("pyspark.sql.types", "spark")
HAS_LIMITS: Final = hasattr(_datasource.DataSourceStreamReader, "getDefaultReadLimit")
"""Whether this Spark, from 4.2 on, asks a stream for limited batches and for an end of `Trigger.AvailableNow`."""
_StreamBases: tuple[Any, ...] = (_datasource.DataSourceStreamReader,)
if HAS_LIMITS:
    _streams: Any = imported("pyspark.sql.streaming.datasource", "spark")
    _StreamBases = (_datasource.DataSourceStreamReader, _streams.SupportsTriggerAvailableNow)
PUSHDOWN: Final = "spark.sql.python.filterPushdown.enabled"


def register(spark: Any) -> None:  # noqa: ANN401 - a SparkSession
    """Register the data source `dify_logs` in a Spark session, and switch filter pushdown on in it.

    Spark refuses a source with pushdown in sessions that have `spark.sql.python.filterPushdown.enabled` off, which is
    the default.

    Args:
        spark: the `SparkSession`.
    """
    spark.conf.set(PUSHDOWN, "true")
    spark.dataSource.register(DifyLogs)


class DifyLogs(_datasource.DataSource):  # type: ignore[misc]  # pyspark is not there where types are checked
    """The data source `dify_logs`: the run logs of workflow apps, by batch and by stream.

    Its columns are those of `dify_workflow.records`, with `app` first where the option `apps` is given. The option
    names' case has no meaning:

    - `baseUrl`: address of the API, for the key in `DIFY_API_KEY`; else that of `DIFY_BASE_URL`.
    - `profile`: a profile of the command line's configuration, in place of the environment.
    - `apps`: profiles, separated by commas, all of which are read; the column `app` has the name.
    - `partitions`: ranges of time for each app, 1 to 1000, 8 unless given; each is a task.
    - `workers`: requests at once within a task, 1 to 64, 1 unless given.
    - `details`: 1 to 64: inputs and outputs of the runs too; at most so many runs are read at once in a task.
    - `keyword`, `status`, `created_at__after`, `created_at__before`, `created_by_end_user_session_id`,
      `created_by_account`: as for `logs.iter`.
    - `lag`: for a stream: age at which logs are read, 30 seconds at least, 120 unless given.
    - `maxRows`: for a stream, from Spark 4.2 on: about how many logs a batch has at most.

    Raises:
        ConfigurationError: an option that cannot be meant.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__(options)
        options_from(options)

    @classmethod
    def name(cls) -> str:
        """The name of the format."""
        return "dify_logs"

    def schema(self) -> Any:  # noqa: ANN401 - a StructType
        """The columns, unless the reader names some of them."""
        columns = columns_of(options_from(self.options))
        fields = [
            _types.StructField(column.name, type_of(column), True, {"comment": column.description})
            for column in columns
        ]
        return _types.StructType(fields)

    def reader(self, schema: Any) -> Any:  # noqa: ANN401 - a StructType; a DataSourceReader
        """What reads a batch."""
        options = options_from(self.options)
        return LogReader(options, checked(schema, options))

    def streamReader(self, schema: Any) -> Any:  # noqa: ANN401, N802 - Spark's name; a DataSourceStreamReader
        """What reads a stream."""
        options = stream_options_from(self.options, has_limit=HAS_LIMITS)
        return LogStreamReader(options, checked(schema, options))


class LogReader(_datasource.DataSourceReader):  # type: ignore[misc]  # as above
    """Reads logs that are there."""

    def __init__(self, options: Options, columns: list[_reading.Column]) -> None:
        self._options = options
        self._columns = columns
        self._pushed = Pushed()

    def pushFilters(self, filters: list[Any]) -> list[Any]:  # noqa: N802 - Spark's name
        """Take filters; all of them are returned, for Spark to apply: what is pushed only spares requests."""
        self._pushed = pushed_from(filters)
        return filters

    def partitions(self) -> list[Any]:
        """The ranges of all apps."""
        return [_datasource.InputPartition(part) for part in _reading.parts_of(self._options, self._pushed)]

    def read(self, partition: Any) -> Iterator[Any]:  # noqa: ANN401 - an InputPartition
        """The logs of a range, as Arrow batches."""
        return _reading.batches_of(self._options, partition.value, self._columns)


class LogStreamReader(*_StreamBases):  # type: ignore[misc]  # as above
    """Reads logs as they reach the age `lag`. An offset is a second of the server's clock for each app."""

    def __init__(self, options: Options, columns: list[_reading.Column]) -> None:
        self._options = options
        self._columns = columns
        self._known: dict[str, int] = {}  # the last offset; Spark 4.1 does not say it
        self._target: dict[str, int] | None = None

    def initialOffset(self) -> dict[str, Any]:  # noqa: N802 - Spark's name
        """The second before the first log."""
        return self._offset(self._beginning())

    def latestOffset(self, start: Any = None, limit: Any = None) -> dict[str, Any]:  # noqa: ANN401, N802 - Spark's
        """The end of the next batch: `start` itself where nothing is to be read."""
        begin = self._seconds(start) if start is not None else self._known or self._beginning()
        most = getattr(limit, "max_rows", None)
        each = None if most is None else max(most // len(self._options.apps), 1)
        ends: dict[str, int] = {}
        for app in self._options.apps:
            name = app or ""
            with _reading.client_of(self._options, app) as client:
                end = _reading.settled_second(client, self._options.lag, after=begin[name])
                if end is not None and self._target is not None:
                    end = min(end, self._target[name])
                last = begin[name]
                if end is not None and end > last:
                    last = _reading.end_of_batch(client, self._options, last, end, each)
                ends[name] = last
        return self._offset(ends)

    def getDefaultReadLimit(self) -> Any:  # noqa: ANN401, N802 - Spark's
        """The limit of a batch, from the option `maxRows`."""
        most = self._options.most_rows
        return _streams.ReadAllAvailable() if most is None else _streams.ReadMaxRows(most)

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802 - Spark's name
        """Note up to where logs are there now, which is where the query ends."""
        self._target = {}
        for app in self._options.apps:
            with _reading.client_of(self._options, app) as client:
                self._target[app or ""] = _reading.settled_second(client, self._options.lag, after=-1) or 0

    def partitions(self, start: Any, end: Any) -> list[Any]:  # noqa: ANN401 - offsets
        """The ranges of a batch: the same logs whenever they are planned, as long as none is deleted."""
        begin, last = self._seconds(start), self._seconds(end)
        self._known = last
        parts = _reading.parts_between(self._options, {name: (begin[name], last[name]) for name in last})
        return [_datasource.InputPartition(part) for part in parts]

    def read(self, partition: Any) -> Iterator[Any]:  # noqa: ANN401 - an InputPartition
        """The logs of a range, as Arrow batches."""
        return _reading.batches_of(self._options, partition.value, self._columns)

    def commit(self, end: Any) -> None:  # noqa: ANN401 - an offset
        """Note what is done, which needs nothing: an offset says it all."""

    def _beginning(self) -> dict[str, int]:
        return dict.fromkeys((app or "" for app in self._options.apps), _reading.beginning(self._options))

    def _offset(self, seconds: Mapping[str, int]) -> dict[str, Any]:
        if self._options.has_app:
            return {"seconds": dict(sorted(seconds.items()))}
        (second,) = seconds.values()
        return {"second": second}

    def _seconds(self, offset: Mapping[str, Any]) -> dict[str, int]:
        """The seconds of an offset, for each app; an app that was added since begins with its first log."""
        beginning = self._beginning()
        if self._options.has_app == ("second" in offset):
            raise ConfigurationError(
                "the stream's checkpoint was made with apps and is continued without, or the reverse: give the same "
                "options, or another checkpointLocation"
            )
        found: Any = offset["seconds"] if self._options.has_app else dict.fromkeys(beginning, offset["second"])
        return {name: found.get(name, first) for name, first in beginning.items()}


def columns_of(options: Options) -> tuple[records.Column, ...]:
    """The columns that a data source has."""
    return records.columns_of(details=options.details is not None, app=options.has_app)


def type_of(column: records.Column) -> Any:  # noqa: ANN401 - a DataType
    """Spark's type of a column."""
    name = {"integer": "Long", "number": "Double", "boolean": "Boolean", "timestamp": "Timestamp"}.get(
        column.type, "String"
    )
    return getattr(_types, f"{name}Type")()


def checked(schema: Any, options: Options) -> list[_reading.Column]:  # noqa: ANN401 - a StructType
    """The columns of a schema, which a reader may have given.

    Raises:
        ConfigurationError: it has others than the data source.
    """
    checked_columns(schema, {column.name: type_of(column) for column in columns_of(options)})
    return [_reading.Column(field.name, field.nullable) for field in schema.fields]
