"""A report of statistics: one HTML file without scripts, which needs nothing but itself."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .charts import PERCENTILES, charts_of, color_of, statuses_in_order, without_surrogates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .collection import Stats

TEMPLATE: Final = Path(__file__).with_name("report.html.j2")
MISSING: Final = "the report needs Jinja2 and vl-convert-python: pip install 'dify-workflow-sdk[report]'"
ROWS: Final = 15
"""Rows of each table that is not about days."""

_UNITS: Final = ((1_000_000_000, "bn"), (1_000_000, "M"))


def render_html(
    stats: Stats,
    target: str | os.PathLike[str] | None = None,
    *,
    title: str = "Dify workflow",
    filters: Mapping[str, object] | None = None,
    source: str = "",
    server_version: str = "",
    created: datetime | None = None,
) -> str:
    """Render a report of statistics as one HTML file, and write it.

    The file has no script and loads nothing. Texts of the server (errors, users, versions) are escaped. One run is
    named by its id, never by a link. A period of over 92 days is drawn by week.

    Args:
        stats: What `collect` returned.
        target: The file, replaced as a whole when the report is complete; None writes none.
        title: Heading, such as the name of the app.
        filters: Filters with which the logs were read, for the heading.
        source: Where the logs come from, such as the server's address or a file's name.
        server_version: Version of the Dify server.
        created: Time of creation. Default: now.

    Returns:
        The HTML.

    Raises:
        ImportError: The extra `report` is not installed.
        OSError: The file cannot be written; a file of this name is left as it was.
    """
    check_installed()
    jinja2 = import_module("jinja2")  # loaded for reports alone
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(
        count=_count, short=_short, share=_share, change=_change, seconds=_seconds, moment=_moment
    )
    template = environment.from_string(TEMPLATE.read_text("utf-8"))
    html: str = template.render(
        stats=stats,
        charts=charts_of(stats),
        statuses=statuses_in_order([*stats.statuses.by_status, *(["(deleted)"] if stats.deleted else [])]),
        color_of=color_of,
        percentiles=PERCENTILES,
        title=title,
        filters={name: value for name, value in (filters or {}).items() if value is not None},
        source=source,
        server_version=server_version,
        created=created or datetime.now(UTC),
        rows=ROWS,
    )
    html = without_surrogates(html)
    if target is not None:
        _replace(Path(target), html)
    return html


def check_installed() -> None:
    """Check that the extra `report` is installed.

    Raises:
        ImportError: It is not; the message says what to install.
    """
    if any(find_spec(name) is None for name in ("jinja2", "vl_convert")):
        raise ImportError(MISSING)


def _replace(target: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent or None)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        mode = 0o666 & ~_umask()
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


# --- how figures are written ----------------------------------------------------------------------------------------


def _count(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _short(value: float | None) -> str:
    if value is None:
        return "–"
    for size, unit in _UNITS:
        if value >= size:
            return f"{value / size:,.1f} {unit}"
    return f"{value:,.0f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _change(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:+.1f} points"


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f} s" if value >= 100 else f"{value:,.1f} s"  # noqa: PLR2004 - three digits are enough


def _moment(value: Any) -> str:  # noqa: ANN401 - a datetime or None
    return "–" if value is None else value.strftime("%Y-%m-%d %H:%M")
