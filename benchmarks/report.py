"""What figures say: medians, ratios with their spread, and whether what is promised holds; as text and as Markdown."""

from __future__ import annotations

import argparse
import statistics
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from figures import Figure

MEANING = """\
What is compared is measured in turn, round by round; a figure is the median of its rounds, a ratio the median of the
rounds' ratios, beside the range of the middle half of them. `cpu s` is CPU time, which hardly depends on what else
the machine does; ratios travel from machine to machine, times do not. Each way has a process of its own, and so has the
server, which has its responses ready."""


WHO: Final = {
    "httpx": "the HTTP client that all of these are made with: plain values of `.json()`, nothing typed or checked",
    "dify-workflow-sdk": "this SDK: typed models that keep whatever a server sends, checked responses, retries",
    "dify-workflow-sdk[speed]": "the same where orjson is installed",
    "dify-python-sdk": "the SDK that Dify publishes: httpx's responses, plain values",
    "dify-oapi2": "an SDK with builders and pydantic models, which refuse what they do not know",
    "openapi-python-client": "what this generator makes of the same spec by itself: models, no retries",
    "logs.iter": "this SDK's walk: every log exactly once, or an error",
    "page by page": "one page after the other, as with every other client",
    "a socket and orjson": "no client, but the limit: what is left where nothing is checked and no library is used",
}
"""What is compared, and what each delivers."""


class Spread(NamedTuple):
    """The middle of some values, and the range of the middle half of them."""

    low: float
    median: float
    high: float


class Verdict(NamedTuple):
    """What a figure with a promise came to."""

    value: float
    """Its ratio to its base, or without a base its own value."""
    promise: float
    at_least: bool
    """Whether more is better."""
    met: bool


def spread(values: Sequence[float]) -> Spread:
    """The median and the quartiles of values."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(low, median, high)


def ratio(figure: Figure, figures: Iterable[Figure]) -> Spread | None:
    """A figure's ratio to its base, round by round; None where it has no base or no values.

    What slows a machine for a while slows the whole round, and takes no part in its ratio.

    Raises:
        ValueError: its base was not measured in the same rounds.
    """
    if figure.base is None or not figure.values:
        return None
    for other in figures:
        if (other.section, other.way, other.unit) == (figure.section, figure.base, figure.unit):
            if len(other.values) != len(figure.values):
                raise ValueError(f"{figure.section}: {figure.way} was measured in other rounds than {figure.base}")
            return spread([mine / base for mine, base in zip(figure.values, other.values, strict=True)])
    raise ValueError(f"{figure.section}: there is no {figure.base}, which is the base of {figure.way}")


def verdict(figure: Figure, figures: Iterable[Figure]) -> Verdict | None:
    """Whether a figure is as promised; None where nothing is promised, or nothing was measured."""
    if figure.promise is None or not figure.values:
        return None
    compared = ratio(figure, figures)
    value = (compared or spread(figure.values)).median
    at_least = figure.unit.endswith("/s")
    # Held to what is shown: a promise of 1.10 is kept by what reads 1.10.
    shown = round(value, 2)
    return Verdict(value, figure.promise, at_least, shown >= figure.promise if at_least else shown <= figure.promise)


def sections(figures: Iterable[Figure]) -> dict[str, list[Figure]]:
    """The figures of each section, in their order."""
    found: dict[str, list[Figure]] = {}
    for figure in figures:
        found.setdefault(figure.section, []).append(figure)
    return found


def quantity(value: float, unit: str) -> str:
    """A value with its unit, in a size of the unit that fits."""
    if unit.endswith(" s") or unit == "s" or unit.startswith("s "):
        for size, name in ((1, "s"), (1e-3, "ms")):
            if value >= size:
                return f"{value / size:.3g} {name}" if value / size < 100 else f"{value / size:,.0f} {name}"  # noqa: PLR2004
        return f"{value * 1e6:,.0f} µs"
    if unit.endswith("/s"):
        return f"{value:,.0f} {unit}"
    return f"{value:,.1f} MB" if unit == "MB" else f"{value:,.0f}"


# Tables -------------------------------------------------------------------------------------------------------------


def rows(figures: Sequence[Figure]) -> list[list[str]]:
    """The table of one section, its head first: a line for each way, a column for each further unit."""
    units = list(dict.fromkeys(figure.unit for figure in figures))
    first, further = units[0], units[1:]
    base = next((figure.base for figure in figures if figure.base), None)
    is_promised = any(figure.promise is not None for figure in figures)
    head = ["", first, *further]
    head += ["ratio", "middle half"] if base else []
    head += ["promised", "met"] if is_promised else []
    lines = [head]
    for way in dict.fromkeys(figure.way for figure in figures):
        by_unit = {figure.unit: figure for figure in figures if figure.way == way}
        line = [way, *(_median(by_unit.get(unit)) for unit in units)]
        main = by_unit.get(first)
        compared = ratio(main, figures) if main else None
        if base:
            line += [f"{compared.median:.2f}", f"{compared.low:.2f} to {compared.high:.2f}"] if compared else ["", ""]
        if is_promised:
            found = verdict(main, figures) if main else None
            line += [promise_text(main, found), "yes" if found.met else "**no**"] if main and found else ["", ""]
        lines.append(line)
    return lines


def promise_text(figure: Figure, found: Verdict) -> str:
    """What is promised, in short."""
    amount = f"{found.promise:.2f}" if figure.base else quantity(found.promise, figure.unit)
    return f"{'at least' if found.at_least else 'at most'} {amount}"


def notes(figures: Iterable[Figure]) -> list[tuple[str, str]]:
    """Each way's remark, or why it has no values."""
    return list(dict.fromkeys((figure.way, figure.note) for figure in figures if figure.note))


def promises(figures: Sequence[Figure]) -> list[list[str]]:
    """The table of all that is promised, its head first."""
    lines = [["what", "who", "beside", "came to", "promised", "met"]]
    for figure in figures:
        found = verdict(figure, figures)
        if found is not None:
            value = f"{found.value:.2f}" if figure.base else quantity(found.value, figure.unit)
            met = "yes" if found.met else "**no**"
            lines.append(
                [figure.section, figure.way, figure.base or "", value, promise_text(figure, found), met],
            )
    return lines


def text(figures: Sequence[Figure]) -> str:
    """Every section as a table for a terminal."""
    parts = []
    for section, found in sections(figures).items():
        lines = [[cell.strip("*") for cell in line] for line in rows(found)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = "\n".join(
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )
        said = "".join(f"  {way}: {note}\n" for way, note in notes(found))
        parts.append(f"{section}\n{'-' * len(section)}\n{table}\n{said}")
    return "\n".join(parts)


def markdown(figures: Sequence[Figure], versions: Sequence[str]) -> str:
    """The whole report."""
    parts = [
        "# Figures",
        "",
        "Made by `make bench`, in one run, on loopback: " + ", ".join(versions) + ".",
        "",
        MEANING,
        "",
        "![Chart](results.svg)",
        "",
        "## Who is compared",
        "",
        *_markdown_table([["who", "what it delivers"], *([name, meaning] for name, meaning in WHO.items())]),
        "",
        "## What is promised",
        "",
        *_markdown_table(promises(figures)),
    ]
    for section, found in sections(figures).items():
        parts += ["", f"## {section[0].upper()}{section[1:]}", ""]
        bases = list(dict.fromkeys(figure.base for figure in found if figure.base))
        if len(bases) == 1:
            parts += [f"Ratios are to *{bases[0]}*.", ""]
        parts += _markdown_table(rows(found))
        said = notes(found)
        parts += ["", *(f"- {way}: {note}" for way, note in said)] if said else []
    return "\n".join(parts) + "\n"


def _markdown_table(lines: list[list[str]]) -> list[str]:
    head, *rest = [f"| {' | '.join(cell or ' ' for cell in line)} |" for line in lines]
    return [head, "|" + "---|" * len(lines[0]), *rest]


def _median(figure: Figure | None) -> str:
    return quantity(spread(figure.values).median, figure.unit) if figure and figure.values else ""


# The command-line form of each benchmark ----------------------------------------------------------------------------


def command(figures: Callable[..., list[Figure]], meaning: str) -> None:
    """Measure and print, as the program's arguments ask."""
    parser = argparse.ArgumentParser(description=meaning)
    parser.add_argument("--quick", action="store_true", help="a few rounds only, to see that all works")
    options = parser.parse_args()
    print(text(figures(lambda message: print(message, file=sys.stderr, flush=True), quick=options.quick)))
