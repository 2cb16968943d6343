"""The figures as a picture: bars, a panel for each question that a reader is likely to have.

It has a ground of its own, light or dark as the reader's system is, and needs neither fonts nor scripts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
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
    """One answer."""

    way: str
    length: float
    text: str
    warning: str = ""
    """What the reader must know about it, such as how many rows it lost."""


PANELS: Final = (
    Panel("one page of 100, sync", "A page of 100 rows, sync", "CPU time, of httpx's .json(); shorter is better"),
    Panel("one page of 100, async", "A page of 100 rows, async", "CPU time, of httpx's .json(); shorter is better"),
    Panel(
        "import, make a client, first call",
        "A program that makes one call",
        "CPU time of the whole process, of httpx's; shorter is better",
    ),
    Panel("decoding a page of 100 rows", "Decoding a page of 100 rows", "CPU time, of json.loads; shorter is better"),
    Panel("10,000 rows kept", "10,000 rows kept in memory", "shorter is better"),
    Panel("10,000 rows walked, 50 ms", "10,000 rows read, 50 ms for each page", "seconds by the clock, and rows lost"),
    Panel("a stream of", "A stream of events, sync", "CPU time, of httpx's lines and json.loads; shorter is better"),
    Panel("upload of", "An upload, sync", "CPU time, of httpx's; shorter is better"),
)
OURS: Final = ("dify-workflow-sdk", "logs.iter")

WIDTH: Final = 460
LABELS: Final = 200
BARS: Final = 155
LINE: Final = 21
HEAD: Final = 52
MARGIN: Final = 16

STYLE: Final = """
text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; font-size: 12px; fill: #24292f }
.ground { fill: #ffffff; stroke: #d0d7de }
.title { font-size: 14px; font-weight: 600 }
.subtitle { fill: #57606a; font-size: 11px }
.label { text-anchor: end }
.mine { font-weight: 600 }
.bar { fill: #afb8c1 }
.bar.mine { fill: #0969da }
.base { stroke: #57606a; stroke-dasharray: 3 3 }
.warning { fill: #cf222e }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .ground { fill: #0d1117; stroke: #30363d }
  .subtitle { fill: #9198a1 }
  .bar { fill: #484f58 }
  .bar.mine { fill: #4493f8 }
  .base { stroke: #9198a1 }
  .warning { fill: #ff7b72 }
}
"""


def svg(figures: Sequence[Figure]) -> str:
    """The picture."""
    found = [(panel, bars, base) for panel in PANELS for bars, base in [bars_of(panel, figures)] if bars]
    columns: list[list[tuple[Panel, list[Bar], float | None]]] = [found[::2], found[1::2]]
    height = MARGIN + sum(
        HEAD + LINE * max(len(column[line][1]) for column in columns if line < len(column))
        for line in range(len(columns[0]))
    )
    width = 2 * WIDTH + MARGIN
    root = ET.Element(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=str(width),
        height=str(height),
        role="img",
    )
    ET.SubElement(root, "title").text = "What dify-workflow-sdk costs, beside other clients"
    ET.SubElement(root, "style").text = STYLE
    ET.SubElement(
        root,
        "rect",
        {
            "class": "ground",
            "x": "0.5",
            "y": "0.5",
            "width": str(width - 1),
            "height": str(height - 1),
            "rx": "6",
        },
    )
    top = 0
    for line in range(len(columns[0])):
        beside = [column[line] for column in columns if line < len(column)]
        for place, (panel, bars, base) in enumerate(beside):
            draw(root, panel, bars, base, MARGIN // 2 + place * WIDTH, top)
        top += HEAD + LINE * max(len(bars) for _, bars, _ in beside)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


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
            warning = f"{lost[figure.way]:,.0f} lost" if lost.get(figure.way) else ""
            bars.append(Bar(figure.way, median, quantity(median, unit), warning))
    return bars, 1.0 if are_ratios else None


def draw(root: ET.Element, panel: Panel, bars: Sequence[Bar], base: float | None, left: int, top: int) -> None:
    """Draw one panel."""
    _text(root, left + MARGIN, top + 26, panel.title, "title")
    _text(root, left + MARGIN, top + 42, panel.subtitle, "subtitle")
    longest = max(bar.length for bar in bars)
    begin = left + LABELS
    if base is not None:
        place = _number(begin + BARS * base / longest)
        bottom = _number(top + HEAD + LINE * len(bars))
        ET.SubElement(
            root, "line", {"class": "base", "x1": place, "x2": place, "y1": _number(top + HEAD), "y2": bottom}
        )
    for number, bar in enumerate(bars):
        middle = top + HEAD + LINE * number + LINE / 2
        mine = " mine" if bar.way.startswith(OURS) else ""
        length = max(1.0, BARS * bar.length / longest)
        _text(root, begin - 6, middle + 4, bar.way, "label" + mine)
        ET.SubElement(
            root,
            "rect",
            {
                "class": "bar" + mine,
                "x": _number(begin),
                "y": _number(middle - 7),
                "width": _number(length),
                "height": "14",
                "rx": "2",
            },
        )
        shown = _text(root, begin + BARS + 8, middle + 4, bar.text, mine.strip())
        if bar.warning:
            warning = ET.SubElement(shown, "tspan", {"class": "warning", "dx": "6"})
            warning.text = bar.warning


def _text(root: ET.Element, x: float, y: float, text: str, kind: str) -> ET.Element:
    element = ET.SubElement(root, "text", {"class": kind, "x": _number(x), "y": _number(y)})
    element.text = text
    return element


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
