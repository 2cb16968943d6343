"""Statistics as tables with bars, JSON, CSV, and metrics for Prometheus."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from .log_output import STYLES, clean
from .output import json_text
from .stats_tables import TABLES, by_day, by_error, by_status, by_trigger, by_user, by_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from dify_workflow.stats import Stats

    from .stats_tables import Table

FORMATS: Final = ("table", "json", "csv", "prometheus")
WIDE: Final = 120
"""Characters of a line where there is no terminal."""
BAR: Final = 24
"""Characters of the longest bar."""
SHORTEST_BAR: Final = 8
SHORT: Final = 10
"""Rows of each table of the overview but days."""
LONGEST_CELL: Final = 60
RATES: Final = frozenset({"failure_rate", "change"})
SECONDS: Final = ("p50", "p95", "p99", "max")
HEADINGS: Final = {"failure_rate": "failed %", "partial_succeeded": "partial", "example_run_id": "example"}
OPTIONAL: Final = (
    "ended", "last_seen", "first_seen", "partial_succeeded", "p99", "max", "p50", "cost", "change", "runs", "p95",
    "tokens", "example_run_id", "failed", "failure_rate",
)  # fmt: skip
"""The columns that a narrow terminal goes without, in this order; numbers are never cut."""
SHORTEST_NAME: Final = 16
"""Characters to which the first column may be cut, after that."""


def print_stats(stats: Stats, output: str, by: str | None) -> None:
    """Print statistics: all of them, or the table of `--by`."""
    if output == "table":
        _print_tables(stats, by)
    elif output == "csv":
        _print_csv(TABLES[by or "day"](stats))
    elif output == "prometheus":
        for line in metrics(stats, by):
            click.echo(line)
    elif by is None:
        click.echo(json_text(stats.to_dict(), indent=2))
    else:
        table = TABLES[by](stats)
        click.echo(json_text([dict(zip(table.columns, row, strict=True)) for row in table.rows], indent=2))


def _print_csv(table: Table) -> None:
    import csv
    import io

    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows([table.columns, *table.rows])
    click.echo(lines.getvalue(), nl=False)


# --- terminal -------------------------------------------------------------------------------------------------------


def _print_tables(stats: Stats, by: str | None) -> None:
    from .console import TableConsole

    console = TableConsole()
    width = console.width if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE
    if by is not None:
        _print_table(console, width, TABLES[by](stats))
        return
    for name, value in _summary(stats):
        console.print(f"{name:<18}{value}")
    shown = (
        (by_status, None),
        (by_day, None),
        (by_error, SHORT),
        (by_user, SHORT),
        (by_version, SHORT),
        (by_trigger, SHORT),
    )
    for make, most in shown:
        table = make(stats)
        if table.rows:
            console.print()
            _print_table(console, width, table, most)


def _summary(stats: Stats) -> Iterator[tuple[str, str]]:
    statuses, duration = stats.statuses, stats.duration
    period = "-" if stats.first is None else f"{stats.first:%Y-%m-%d %H:%M:%S} to {stats.last:%Y-%m-%d %H:%M:%S} UTC"
    yield "logs", f"{stats.logs:,}" + (f", the runs of {stats.deleted:,} deleted" if stats.deleted else "")
    yield "period", period
    yield "days in", stats.tz
    rate = _cell("failure_rate", statuses.failure_rate)
    yield "failure rate", f"{rate} ({statuses.failed:,} of {statuses.ended:,} ended runs)"
    if statuses.partial_succeeded:
        yield "partial successes", f"{statuses.partial_succeeded:,}"
    if duration.count:
        yield (
            "duration",
            ", ".join(f"{name} {_cell(name, getattr(duration, name))} s" for name in SECONDS),
        )
    yield "tokens", f"{stats.total_tokens:,}"
    if stats.cost is not None:
        yield "estimated cost", f"{stats.cost:,.2f}"
    yield (
        "peak concurrency",
        f"{stats.peak_concurrency:,}" + (f" at {stats.peak_at:%Y-%m-%d %H:%M:%S} UTC" if stats.peak_at else ""),
    )
    if stats.unfinished:
        yield "unfinished", f"{stats.unfinished:,} runs were started over an hour ago and have not ended"


def _print_table(console: Console, width: int, table: Table, most: int | None = None) -> None:
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    rows = table.rows[:most]
    cells = [[_cell(name, value) for name, value in zip(table.columns, row, strict=True)] for row in rows]
    headings = {name: HEADINGS.get(name, name) for name in table.columns}
    widths = {
        name: min(max(cell_len(text) for text in (headings[name], *(row[index] for row in cells))), LONGEST_CELL)
        for index, name in enumerate(table.columns)
    }
    used = [name for index, name in enumerate(table.columns) if any(row[index] is not None for row in rows)]
    kept, bar = _fitting(used, table.bar, widths, width)
    numbers = {
        name for index, name in enumerate(table.columns) if any(isinstance(row[index], int | float) for row in rows)
    }
    names = [(headings[name].rjust if name in numbers else headings[name].ljust)(widths[name]) for name in kept]
    console.print(Text("  ".join(names).rstrip(), "bold"))
    largest = max((row[table.columns.index(table.bar)] for row in rows), default=0) or 1
    for row, texts in zip(rows, cells, strict=True):
        line = Text()
        for name in kept:
            text = texts[table.columns.index(name)]
            if name in numbers:
                line.append(text.rjust(widths[name]))
            else:
                fitted = text if cell_len(text) <= widths[name] else set_cell_size(text, widths[name] - 1) + "…"
                line.append(set_cell_size(fitted, widths[name]), STYLES.get(text, "") if name == "status" else "")
            line.append("  ")
        if bar:
            line.append(_bar(row[table.columns.index(table.bar)] / largest, bar))
        line.rstrip()
        console.print(line)
    if len(table.rows) > len(rows):
        console.print(f"… and {len(table.rows) - len(rows):,} more: --by {table.columns[0]}")


def _fitting(columns: list[str], bar: str, widths: dict[str, int], width: int) -> tuple[list[str], int]:
    """The columns for which a line has room, and the width of the bar, 0 for none."""

    def left() -> int:
        return width - sum(widths[name] + 2 for name in columns)

    for name in OPTIONAL:
        if left() >= SHORTEST_BAR:
            break
        columns = [column for column in columns if column not in {name} - {bar}]
    if left() < 0:
        widths[columns[0]] = max(widths[columns[0]] + left(), SHORTEST_NAME)
    return columns, min(left(), BAR) if left() >= SHORTEST_BAR else 0


def _bar(share: float, width: int) -> str:
    eighths = int(share * width * 8 + 0.5)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8]


def _cell(name: str, value: Any) -> str:  # noqa: ANN401 - any figure
    if value is None:
        return "-"
    if name in RATES:
        return f"{100 * value:+.1f} %" if name == "change" else f"{100 * value:.1f} %"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return clean(str(value))


# --- Prometheus -----------------------------------------------------------------------------------------------------


def metrics(stats: Stats, by: str | None) -> Iterator[str]:
    """Lines of the text format of Prometheus, for its node exporter's textfile collector; all are gauges."""
    duration = stats.duration
    yield from _metric("logs", "Logs in the period.", [({}, stats.logs)])
    yield from _metric("deleted_runs", "Logs whose run was deleted.", [({}, stats.deleted)])
    yield from _metric(
        "runs", "Runs in the period.", [({"status": name}, count) for name, count in stats.statuses.by_status.items()]
    )
    yield from _metric("failure_ratio", "Failed runs / ended runs.", [({}, stats.failure_rate)])
    yield from _metric("tokens", "Tokens of all runs.", [({}, stats.total_tokens)])
    yield from _metric(
        "run_duration_seconds",
        "Durations of ended runs.",
        [
            ({"quantile": name}, value)
            for name, value in (
                ("0.5", duration.p50),
                ("0.95", duration.p95),
                ("0.99", duration.p99),
                ("1", duration.max),
            )
        ],
    )
    yield from _metric(
        "unfinished_runs", "Runs started over an hour ago that have not ended.", [({}, stats.unfinished)]
    )
    yield from _metric("peak_concurrency", "Most runs under way at one moment.", [({}, stats.peak_concurrency)])
    if stats.cost is not None:
        yield from _metric("estimated_cost", "Tokens / 1,000 x price.", [({}, stats.cost)])
    if by is None or by == "status":
        return
    table = TABLES[by](stats)
    for index, column in enumerate(table.columns[1:], 1):
        values = [({by: row[0]}, row[index]) for row in table.rows]
        if any(isinstance(value, int | float) for _, value in values):
            yield from _metric(f"{by}_{column}", f"{column} by {by}.", values)


def _metric(name: str, text: str, values: list[tuple[dict[str, str], Any]]) -> Iterator[str]:
    full = f"dify_workflow_{name}"
    given = [(labels, value) for labels, value in values if value is not None]
    if not given:
        return
    yield f"# HELP {full} {text}"
    yield f"# TYPE {full} gauge"
    for labels, value in given:
        shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{full}{{{shown}}} {value}" if shown else f"{full} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
