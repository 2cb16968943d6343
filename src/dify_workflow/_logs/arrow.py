"""Logs as Arrow data: batches of records for pyarrow, polars, pandas and DuckDB. Needs the extra `arrow`."""

# pyarrow has no types.
# pyright: standard

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from ..records import Column

BATCH: Final = 10_000
"""Records of a batch."""
PART: Final = 1000
"""Records that are made Arrow data at once: as rows they take some times as much memory."""


class ArrowStream:
    """Logs that can be read as Arrow data."""

    __module__ = "dify_workflow.types"

    _has_details = False

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The logs as an Arrow stream, for libraries that take one: pyarrow, polars, pandas, DuckDB.

        Needs the extra `arrow`. An error while reading is raised by the library, with the error's text.
        """
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> pa.RecordBatchReader:
        """The logs as batches of 10,000 records, with the columns of `dify_workflow.records`.

        Needs the extra `arrow`. The logs are read while the batches are: memory does not grow with their number.

        Raises:
            ImportError: pyarrow is not installed.
        """
        return reader_of(self, details=self._has_details)  # type: ignore[arg-type]  # what inherits this is iterated


class AsyncArrowStream:
    """Logs that can be read as Arrow data."""

    __module__ = "dify_workflow.types"

    _has_details = False

    async def to_arrow(self) -> pa.Table:
        """The logs as a table, with the columns of `dify_workflow.records`. Needs the extra `arrow`.

        Raises:
            ImportError: pyarrow is not installed.
        """
        pyarrow = _pyarrow()
        batches = _Batches(details=self._has_details)
        # What inherits this is iterated.
        found = [batch async for log in self for batch in batches.add(log)]  # type: ignore[attr-defined]
        return pyarrow.Table.from_batches([*found, *batches.taken()], batches.schema)


def reader_of(logs: Iterable[Any], *, details: bool) -> pa.RecordBatchReader:
    """The logs as batches.

    Raises:
        ImportError: pyarrow is not installed.
    """
    pyarrow = _pyarrow()
    batches = _Batches(details=details)

    def found() -> Iterator[pa.RecordBatch]:
        for log in logs:
            yield from batches.add(log)
        yield from batches.taken()

    return pyarrow.RecordBatchReader.from_batches(batches.schema, found())


class _Batches:
    """Logs that become batches."""

    def __init__(self, *, details: bool) -> None:
        from .. import records  # noqa: PLC0415 - loaded when needed
        from .rows import Rows  # noqa: PLC0415 - as above

        self.schema = schema_of(records.columns_of(details=details))
        self._rows = Rows(details=details)
        self._parts: list[pa.RecordBatch] = []

    def add(self, log: Any) -> list[pa.RecordBatch]:  # noqa: ANN401 - a server may send anything as a log
        """Take a log; the batch that it makes full."""
        self._rows.add(None, log)
        if self._rows.count >= PART:
            self._parts.append(batch_of(self._rows.ready, self.schema))
            self._rows.clear()
        return self.taken() if len(self._parts) * PART >= BATCH else []

    def taken(self) -> list[pa.RecordBatch]:
        """What was added since the last time: one batch, unless there is nothing, or more text than one can hold."""
        parts, self._parts = [*self._parts, batch_of(self._rows.ready, self.schema)], []
        self._rows.clear()
        pyarrow = _pyarrow()
        table = pyarrow.Table.from_batches(parts, self.schema).combine_chunks(pyarrow.system_memory_pool())
        batches: list[pa.RecordBatch] = table.to_batches()
        return batches


def schema_of(columns: Sequence[Column]) -> Any:  # noqa: ANN401 - a pyarrow.Schema
    """The Arrow schema of columns."""
    pyarrow = _pyarrow()
    types = {
        "string": pyarrow.string(),
        "integer": pyarrow.int64(),
        "number": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "timestamp": pyarrow.timestamp("s", "UTC"),
        "json": pyarrow.string(),
    }
    return pyarrow.schema(
        [
            pyarrow.field(column.name, types[column.type], nullable=column.name not in ("app", "id"))
            for column in columns
        ]
    )


def batch_of(rows: Sequence[Sequence[Any]], schema: Any) -> Any:  # noqa: ANN401 - a pyarrow.RecordBatch
    """Rows, with times as epoch seconds, as a batch."""
    pyarrow = _pyarrow()
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    pool = pyarrow.system_memory_pool()  # Arrow's own allocator takes two to three times what it gives
    pairs = zip(columns, schema, strict=True)
    arrays = [pyarrow.array(values, field.type, memory_pool=pool) for values, field in pairs]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=schema)


def for_engines(batch: Any, app: str | None) -> Any:  # noqa: ANN401 - a pyarrow.RecordBatch
    """A batch as engines store it: times in microseconds, and the name of the app, if given, as the first column."""
    pyarrow = _pyarrow()
    arrays, fields = list(batch.columns), list(batch.schema)
    for place, field in enumerate(fields):
        if pyarrow.types.is_timestamp(field.type):
            fields[place] = field.with_type(pyarrow.timestamp("us", "UTC"))
            arrays[place] = arrays[place].cast(fields[place].type)
    if app is not None:
        arrays.insert(0, pyarrow.repeat(app, batch.num_rows))
        fields.insert(0, pyarrow.field("app", pyarrow.string(), nullable=False))
    return pyarrow.RecordBatch.from_arrays(arrays, schema=pyarrow.schema(fields))


def _pyarrow() -> Any:  # noqa: ANN401 - a module without types
    from .._extras import imported  # noqa: PLC0415 - loaded when needed

    return imported("pyarrow", "arrow")
