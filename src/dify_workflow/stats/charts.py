"""Charts of statistics as SVG, drawn by Vega-Lite without a browser.

Each chart is drawn twice, for wide and for narrow screens. The colors of text and lines are variables of the page's
style sheet, and each mark has its value as a title, which browsers show on hover.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .collection import Stats
    from .figures import Day

STATUS_COLORS: Final[Mapping[str, str]] = {
    "succeeded": "#2f9e6e",
    "partial-succeeded": "#d99a2b",
    "failed": "#d6455d",
    "stopped": "#8b93a7",
    "running": "#3f7fd1",
    "paused": "#9b6fd0",
    "scheduled": "#5fb0c4",
    "(deleted)": "#b9c0cd",
}
OTHER_COLOR: Final = "#a1785c"
ACCENT: Final = "#4a66d8"
PERCENTILES: Final = (("p50", "#2f9e6e"), ("p95", "#d99a2b"), ("p99", "#d6455d"))
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

NARROW: Final = 300
"""Width of a chart for narrow screens."""

MOST_DAYS: Final = 92
"""Longer periods are drawn by week."""

CLIPPED_AT: Final = 4.0
"""A scale ends at this multiple of the median: one outlier does not flatten all other values."""

# Stand-ins in the SVG for colors of the style sheet, light or dark.
_VARIABLES: Final = {"#010203": "var(--soft)", "#040506": "var(--line)", "#070809": "var(--ink)"}
_SOFT, _LINE, _INK = _VARIABLES
_LONG_DECIMALS: Final = re.compile(r"(\.\d\d)\d+")
_SVG: Final = "{http://www.w3.org/2000/svg}"


class Chart(NamedTuple):
    """A chart in two widths, each an SVG element."""

    wide: str
    narrow: str
    is_clipped: bool
    """Whether a value is above the scale."""


class Charts(NamedTuple):
    """The charts of the report."""

    unit: str
    """What one bar is: "day" or "week"."""
    runs: Chart
    failures: Chart
    durations: Chart
    tokens: Chart
    hours: Chart


def charts_of(stats: Stats) -> Charts:
    """Draw the charts.

    Raises:
        ImportError: vl-convert-python is not installed.
    """
    days = stats.days
    unit = "day" if len(days) <= MOST_DAYS else "week"
    periods = days if unit == "day" else stats.weeks
    return Charts(
        unit,
        runs=_drawn(f"Runs per {unit} by status", lambda width: _runs(periods, width), 1060),
        failures=_drawn(f"Failure rate per {unit}", lambda width: _failures(periods, width), 500),
        durations=_drawn(f"Duration per {unit}", lambda width: _durations(periods, width), 500),
        tokens=_drawn(f"Tokens per {unit}", lambda width: _tokens(periods, width), 500),
        hours=_drawn("Logs by weekday and hour", lambda width: _hours(stats.hours, width), 500),
    )


def statuses_in_order(names: Iterable[str]) -> list[str]:
    """Statuses in the order in which they are stacked: those that this version knows first."""
    found = set(names)
    return [name for name in STATUS_COLORS if name in found] + sorted(found - STATUS_COLORS.keys())


def without_surrogates(text: str) -> str:
    """A text that UTF-8 can hold: each lone surrogate, which JSON can carry, is a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def color_of(status: str) -> str:
    """The color of a status."""
    return STATUS_COLORS.get(status, OTHER_COLOR)


# --- charts ---------------------------------------------------------------------------------------------------------


def _runs(periods: Sequence[Day], width: int) -> dict[str, Any]:
    values = [
        {"x": day.date.isoformat(), "status": status, "count": count, "label": f"{day.date}: {count:,} {status}"}
        for day in periods
        for name, count in [*day.statuses.by_status.items(), ("(deleted)", day.deleted)]
        for status in [without_surrogates(name)]
        if count
    ]
    statuses = statuses_in_order(str(value["status"]) for value in values)
    for value in values:
        value["order"] = statuses.index(str(value["status"]))
    return _chart(
        width,
        {
            "data": {"values": values},
            "mark": {"type": "bar"},
            "encoding": {
                "x": _axis_of(periods, width),
                "y": {"field": "count", "type": "quantitative", "title": None, "axis": {"tickMinStep": 1}},
                "color": {
                    "field": "status",
                    "type": "nominal",
                    "scale": {"domain": statuses, "range": [color_of(status) for status in statuses]},
                    "legend": None,
                },
                "order": {"field": "order", "type": "ordinal"},
                "description": {"field": "label"},
            },
        },
    )


def _failures(periods: Sequence[Day], width: int) -> dict[str, Any]:
    values = [
        {
            "x": day.date.isoformat(),
            "share": rate,
            "label": f"{day.date}: {100 * rate:.1f} %, {day.statuses.failed:,} of {day.statuses.ended:,} ended runs",
        }
        for day in periods
        if (rate := day.statuses.failure_rate) is not None
    ]
    return _lines(
        periods, width, values, {"field": "share", "axis": {"format": "%"}}, {"value": STATUS_COLORS["failed"]}
    )


def _durations(periods: Sequence[Day], width: int) -> dict[str, Any]:
    found = [
        (day, name, value)
        for day in periods
        for name, _ in PERCENTILES
        if (value := getattr(day.duration, name)) is not None
    ]
    limit = _limit([value for _, name, value in found if name == PERCENTILES[-1][0]])
    values = [
        {
            "x": day.date.isoformat(),
            "y": min(value, limit),
            "clipped": value > limit,
            "series": name,
            "label": f"{day.date}: {name} {value:,.2f} s",
        }
        for day, name, value in found
    ]
    color = {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": [name for name, _ in PERCENTILES], "range": [color for _, color in PERCENTILES]},
        "legend": None,
    }
    return _lines(periods, width, values, {"field": "y", "axis": {"labelExpr": "datum.label + ' s'"}}, color)


def _tokens(periods: Sequence[Day], width: int) -> dict[str, Any]:
    limit = _limit([day.tokens for day in periods if day.tokens])
    values = [
        {
            "x": day.date.isoformat(),
            "y": min(day.tokens, limit),
            "clipped": day.tokens > limit,
            "label": f"{day.date}: {day.tokens:,} tokens",
        }
        for day in periods
        if day.tokens
    ]
    y = {
        "field": "y",
        "type": "quantitative",
        "title": None,
        "axis": {"format": "~s", "labelExpr": "replace(datum.label, 'G', ' bn')"},
        "scale": {"domainMax": limit},
    }
    shared = {"x": _axis_of(periods, width), "y": y, "description": {"field": "label"}}
    return _chart(
        width,
        {
            "data": {"values": values},
            "layer": [
                {"mark": {"type": "bar", "color": ACCENT}, "encoding": shared},
                _outliers(shared),
            ],
        },
    )


def _hours(hours: Sequence[Sequence[int]], width: int) -> dict[str, Any]:
    values = [
        {
            "weekday": WEEKDAYS[weekday],
            "hour": hour,
            "count": count,
            "label": f"{WEEKDAYS[weekday]} {hour}:00 to {hour}:59: {count:,} logs",
        }
        for weekday, row in enumerate(hours)
        for hour, count in enumerate(row)
    ]
    largest = max((count for row in hours for count in row), default=0) or 1
    return _chart(
        width,
        {
            "data": {"values": values},
            "mark": {"type": "rect", "color": ACCENT, "cornerRadius": 2},
            "encoding": {
                "x": {
                    "field": "hour",
                    "type": "ordinal",
                    "title": None,
                    "axis": {"values": [0, 6, 12, 18, 23], "labelAngle": 0, "domain": False, "ticks": False},
                    "scale": {"paddingInner": 0.08},
                },
                "y": {
                    "field": "weekday",
                    "type": "ordinal",
                    "sort": list(WEEKDAYS),
                    "title": None,
                    "axis": {"domain": False, "ticks": False},
                    "scale": {"paddingInner": 0.12},
                },
                "opacity": {
                    "field": "count",
                    "type": "quantitative",
                    "scale": {"domain": [0, largest], "range": [0.07, 1]},
                    "legend": None,
                },
                "description": {"field": "label"},
            },
        },
        height=190,
    )


def _lines(
    periods: Sequence[Day], width: int, values: list[dict[str, Any]], y: dict[str, Any], color: dict[str, Any]
) -> dict[str, Any]:
    shared = {
        "x": _axis_of(periods, width),
        "y": {"type": "quantitative", "title": None, "scale": {"zero": True}, **y},
        "color": color,
        "description": {"field": "label"},
    }
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "line", "strokeWidth": 2, "aria": False}, "encoding": shared},
        {"mark": {"type": "point", "filled": True, "size": 22, "opacity": 1}, "encoding": shared},
    ]
    if any(value.get("clipped") for value in values):
        layers.append(_outliers(shared))
    return _chart(width, {"data": {"values": values}, "layer": layers})


def _outliers(shared: dict[str, Any]) -> dict[str, Any]:
    return {
        "transform": [{"filter": "datum.clipped"}],
        "mark": {
            "type": "point",
            "shape": "triangle-up",
            "filled": True,
            "size": 45,
            "color": _INK,
            "opacity": 1,
            "yOffset": -5,
        },
        "encoding": {name: value for name, value in shared.items() if name != "color"},
    }


def _limit(values: Sequence[float]) -> float:
    """Where a scale ends."""
    if not values:
        return 1
    ordered = sorted(values)
    largest, limit = ordered[-1], CLIPPED_AT * ordered[len(ordered) // 2]
    return min(largest, limit) or 1


def _axis_of(periods: Sequence[Day], width: int) -> dict[str, Any]:
    """The axis of days or weeks: a band for each, and labels for as many as there is room for."""
    days = [day.date.isoformat() for day in periods]
    step = max(1, -(-len(days) // max(2, width // 75)))
    years = len({day.date.year for day in periods}) > 1
    months = ",".join(f"'{month}'" for month in MONTHS)
    text = f"toNumber(slice(datum.value,8,10)) + ' ' + [{months}][toNumber(slice(datum.value,5,7))-1]"
    return {
        "field": "x",
        "type": "ordinal",
        "title": None,
        "scale": {"domain": days, "paddingInner": 0.2, "paddingOuter": 0.2},
        "axis": {
            "values": days[::-1][::step][::-1],
            "labelExpr": f"{text} + ' ' + slice(datum.value,2,4)" if years and width > NARROW else text,
            "labelAngle": 0,
            "ticks": False,
            "labelPadding": 7,
        },
    }


def _chart(width: int, spec: dict[str, Any], *, height: int = 200) -> dict[str, Any]:
    axis = {"labelColor": _SOFT, "gridColor": _LINE, "domainColor": _LINE, "tickColor": _LINE, "labelFontSize": 11}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": width,
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "background": None,
        "padding": {"left": 2, "right": 8, "top": 8, "bottom": 2},
        "config": {"font": "system-ui, sans-serif", "view": {"stroke": None}, "axis": axis},
        **spec,
    }


# --- drawing --------------------------------------------------------------------------------------------------------


def _drawn(label: str, spec_of: Callable[[int], dict[str, Any]], wide: int) -> Chart:
    spec = spec_of(wide)
    is_clipped = any(value.get("clipped") for value in spec["data"]["values"])
    return Chart(_svg(label, spec), _svg(label, spec_of(NARROW)), is_clipped)


def _svg(label: str, spec: dict[str, Any]) -> str:
    import vl_convert  # noqa: PLC0415 - of the extra `report`, and loaded for it alone

    root = ET.fromstring(vl_convert.vegalite_to_svg(spec))  # noqa: S314 - drawn here, from our own specification
    for element in root.iter():
        value_of_mark = element.attrib.pop("aria-label", None)
        for name, value in list(element.attrib.items()):
            if name.startswith("aria-") or name in {"role", "class"}:
                del element.attrib[name]
            elif name in {"d", "transform"}:
                element.set(name, _LONG_DECIMALS.sub(r"\1", value))
            else:
                element.set(name, _VARIABLES.get(value, value))
        if value_of_mark is not None and element.tag == f"{_SVG}path":
            ET.SubElement(element, f"{_SVG}title").text = value_of_mark
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", f"{label}; the figures are in a table")
    ET.register_namespace("", _SVG.strip("{}"))
    return ET.tostring(root, encoding="unicode")
