"""The figures as a picture, drawn by Vega-Lite as the charts of the report are: a panel for each question of a reader.

It has a ground of its own, light or dark as the reader's system is, and needs neither fonts nor scripts. The same
figures give the same bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from xml.etree import ElementTree as ET

from report import quantity, ratio, sections, spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from figures import Figure


class Panel(NamedTuple):
    """One question: the beginning of its section's name, and what is said above the bars."""

    section: str
    title: str
    subtitle: str


class Bar(NamedTuple):
    """One response."""

    way: str
    length: float
    text: str
    is_warning: bool = False
    """Whether the text says something bad, such as how many logs were lost."""


TITLE: Final = "What dify-workflow-sdk costs, beside other clients for the same API"
SUBTITLE: Final = (
    "Blue is this SDK ([speed]: with orjson); gray is what is used instead: HTTP clients, and other SDKs.",
    "In every panel a shorter bar is better. 1.00 (the dashed line) is the client that the panel names.",
)
PANELS: Final = (
    Panel("one page of 100, sync", "Fetch 100 logs", "CPU time; 1.00 is httpx and its .json(), without types"),
    Panel("one page of 100, async", "Fetch 100 logs, async", "CPU time; 1.00 is httpx and its .json(), without types"),
    Panel(
        "import, make a client, first call",
        "Start a program that makes one call",
        "CPU time of the whole program; 1.00 is one that uses httpx",
    ),
    Panel("decoding a page of 100 rows", "Decode 100 logs", "CPU time; 1.00 is json.loads, which gives plain dicts"),
    Panel("10,000 rows kept", "Keep 10,000 logs in memory", "megabytes"),
    Panel(
        "10,000 rows walked, 50 ms",
        "Read all of 10,000 logs",
        "time, at 50 ms for each page; red: logs that are lost",
    ),
    Panel("a stream of", "Read the 400 events of a run", "CPU time; 1.00 is httpx, its lines and json.loads"),
    Panel("upload of", "Upload a file of 15 MB", "CPU time; 1.00 is httpx"),
    Panel("25,000 rows exported", "Export 25,000 logs", "CPU time; 1.00 is reading them alone (logs.iter)"),
    Panel("statistics of", "Compute statistics of 25,000 logs", "CPU time; 1.00 is reading them alone (logs.iter)"),
    Panel("growth of a walk", "Read 1,000 to 1,000,000 logs", "CPU time for each log: it should not grow"),
    Panel("growth of workers", "Read 20,000 logs with 1 to 64 workers", "time, at 50 ms for a page of 100"),
    Panel("growth of streams", "Read up to 1,000 streams at once", "CPU time for each event, one each millisecond"),
    Panel("growth of a page", "Fetch pages of 1 to 100 logs", "CPU time for each log"),
)
OURS: Final = ("dify-workflow-sdk", "logs.", "export, ")
GROWTH: Final = "growth of"
"""What the sections begin with in which this SDK alone is measured, in different sizes."""

WIDTH: Final = 230
LABELS: Final = 205
LINE: Final = 21
TEXTS: Final = 1.4
"""The width of a panel, as a multiple of the longest bar: the rest is for the text beside it."""

GROUND, INK, SOFT, OURS_COLOR, OTHER_COLOR, WARNING = "#ffffff", "#24292f", "#57606a", "#0969da", "#afb8c1", "#cf222e"
DARK: Final = {
    GROUND: "#0d1117",
    INK: "#e6edf3",
    SOFT: "#9198a1",
    OURS_COLOR: "#4493f8",
    OTHER_COLOR: "#484f58",
    WARNING: "#ff7b72",
}
"""The colors on a dark ground, by those on a light one."""
STYLE: Final = (
    "@media (prefers-color-scheme: dark) { "
    + " ".join(
        f'[{name}="{light}"] {{ {name}: {dark} }}' for light, dark in DARK.items() for name in ("fill", "stroke")
    )
    + " }"
)
LONG_DECIMALS: Final = re.compile(r"(\.\d\d)\d+")
CLIP: Final = re.compile(r'(id="|url\(#)(clip\d+)')
SVG: Final = "{http://www.w3.org/2000/svg}"


def svg(figures: Sequence[Figure]) -> str:
    """The picture."""
    import vl_convert  # the charts alone need it

    panels = [panel_of(panel, *found) for panel in PANELS for found in [bars_of(panel, figures)] if found[0]]
    root = ET.fromstring(vl_convert.vegalite_to_svg(picture_of(panels)))  # noqa: S314 - drawn here
    for element in root.iter():
        for name in [name for name in element.attrib if name.startswith("aria-") or name in {"role", "class"}]:
            del element.attrib[name]
        for name in element.attrib.keys() & {"d", "transform"}:
            element.set(name, LONG_DECIMALS.sub(r"\1", element.attrib[name]))
    root.set("role", "img")
    title, style = ET.Element(f"{SVG}title"), ET.Element(f"{SVG}style")
    title.text, style.text = TITLE, STYLE
    root.insert(0, title)
    root.insert(1, style)
    ET.register_namespace("", SVG.strip("{}"))
    # Numbers of clips are counted on from picture to picture.
    clips: dict[str, str] = {}
    text = ET.tostring(root, encoding="unicode")
    return CLIP.sub(lambda found: found[1] + clips.setdefault(found[2], f"clip{len(clips)}"), text) + "\n"


def bars_of(panel: Panel, figures: Iterable[Figure]) -> tuple[list[Bar], float | None]:
    """The bars of a panel, and the length at which to draw a line: that of the base, where there are ratios."""
    asked = next((found for name, found in sections(figures).items() if name.startswith(panel.section)), [])
    if not asked:
        return [], None
    unit = asked[0].unit
    lost = {figure.way: spread(figure.values).median for figure in asked if figure.unit == "rows lost"}
    are_ratios = not lost and any(figure.base for figure in asked)
    bars = []
    for figure in asked:
        if figure.unit != unit or not figure.values:
            continue
        compared = ratio(figure, asked) if are_ratios else None
        median = spread(figure.values).median
        if compared or are_ratios:
            length = compared.median if compared else 1.0
            bars.append(Bar(figure.way, length, f"{length:.2f}"))
        else:
            warning = f", {lost[figure.way]:,.0f} lost" if lost.get(figure.way) else ""
            bars.append(Bar(figure.way, median, quantity(median, unit) + warning, bool(warning)))
    return bars, 1.0 if are_ratios else None


def picture_of(panels: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The specification of the whole picture."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {"text": TITLE, "subtitle": list(SUBTITLE), "anchor": "start", "offset": 18, "fontSize": 17},
        "columns": 2,
        "spacing": {"row": 22, "column": 26},
        "concat": list(panels),
        "background": GROUND,
        "padding": 18,
        "config": {
            "font": "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif",
            "view": {"stroke": None},
            "concat": {"align": "each"},
            "title": {"color": INK, "subtitleColor": SOFT, "subtitleFontSize": 12, "subtitlePadding": 6},
            "axis": {"labelColor": INK, "labelFontSize": 12},
        },
    }


def panel_of(panel: Panel, bars: Sequence[Bar], base: float | None) -> dict[str, Any]:
    """The specification of one panel."""
    values = [
        {**bar._asdict(), "is_ours": bar.way.startswith(OURS) or panel.section.startswith(GROWTH), "base": base}
        for bar in bars
    ]
    is_ours = {"test": "datum.is_ours", "value": OURS_COLOR}
    is_warning = {"test": "datum.is_warning", "value": WARNING}
    named = " || ".join(f"indexof(datum.value, '{beginning}') == 0" for beginning in OURS)
    x = {
        "field": "length",
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [0, TEXTS * max(bar.length for bar in bars)], "nice": False},
    }
    y = {
        "field": "way",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {
            "domain": False,
            "ticks": False,
            "minExtent": LABELS,
            "maxExtent": LABELS,
            "labelLimit": LABELS,
            "labelFontWeight": {"condition": {"test": named, "value": "bold"}, "value": "normal"},
        },
    }
    line = {"mark": {"type": "rule", "strokeDash": [3, 3], "color": SOFT}, "encoding": {"x": {**x, "field": "base"}}}
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "bar", "height": {"band": 0.68}, "cornerRadiusEnd": 2},
            "encoding": {"x": x, "y": y, "color": {"condition": is_ours, "value": OTHER_COLOR}},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 6, "fontSize": 12},
            "encoding": {
                "x": x,
                "y": y,
                "text": {"field": "text"},
                "color": {"condition": is_warning, "value": INK},
            },
        },
    ]
    return {
        "title": {"text": panel.title, "subtitle": panel.subtitle, "anchor": "start", "frame": "group", "fontSize": 14},
        "width": WIDTH,
        "height": {"step": LINE},
        "data": {"values": values},
        "layer": layers if base is None else [layers[0], line, *layers[1:]],
    }
