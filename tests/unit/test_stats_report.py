"""The report of statistics: one HTML file that shows the figures and loads nothing."""

from __future__ import annotations

import re
import sys
from collections import Counter
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import strategies as st

from dify_workflow.models import WorkflowLog
from dify_workflow.stats import Stats, collect, render_html, report

if TYPE_CHECKING:
    from pathlib import Path

START = 1_774_000_000
CREATED = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)
STATUSES = ("succeeded", "failed", "partial-succeeded", "running", "invented", "half-\ud800")
HOSTILE = '"><img src=x onerror=alert(1)>'


def logs(count: int, step: int = 7000) -> list[WorkflowLog]:
    made = []
    for number in range(count):
        second = START + step * number
        run = {"id": f"run-{number}", "version": "v1", "status": STATUSES[number % 6], "triggered_from": "app-run"}
        run |= {
            "error": "<script>alert(2)</script>",
            "elapsed_time": 1.5 + number % 7,
            "total_tokens": 10**9 if number == 9 else 50,
        }
        run |= {"total_steps": 1, "created_at": second, "finished_at": None, "exceptions_count": 0}
        user = {"id": "u", "type": "service-api", "is_anonymous": False, "session_id": HOSTILE}
        log = {"id": str(number), "workflow_run": run if number % 20 else None, "details": None, "created_at": second}
        log |= {"created_from": "web-app", "created_by_role": "end_user", "created_by_account": None}
        made.append(WorkflowLog.from_dict({**log, "created_by_end_user": user}))
    return made


@pytest.fixture(scope="module")
def stats() -> Stats:
    return collect(logs(200), tz="UTC", price_per_1k=0.002)


@pytest.fixture(scope="module")
def page(stats: Stats) -> str:
    return render_html(
        stats, title="<b>Orders</b>", filters={"status": None, "keyword": "</code>"}, source="http://x", created=CREATED
    )


class Elements(HTMLParser):
    """The elements of a page with their attributes, its text, and the titles of marks."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.titles: list[str] = []
        self.path: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))
        self.path.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.path and self.path.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        (self.titles if self.path[-1:] == ["title"] and "svg" in self.path else self.texts).append(data)


def test_a_page_loads_nothing_and_runs_nothing(page: str):
    elements = Elements(page).found
    names = {name for name, _ in elements}
    assert names.isdisjoint({"script", "img", "iframe", "object", "embed", "a", "form", "audio", "video", "base"})
    assert [given["href"] for name, given in elements if name == "link"] == ["data:,"]
    for _, given in elements:
        assert not {"src", "srcset", "onerror", "onload", "xlink:href", "action"} & given.keys()
        assert "url(" not in (given.get("style") or "")
    policies = [given["content"] for name, given in elements if given.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    assert policies[0] is not None
    assert policies[0].startswith("default-src 'none'; style-src 'unsafe-inline';")
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_texts_of_the_server_stay_texts(page: str):
    text = "".join(Elements(page).texts)
    assert "<script>alert(…)</script>" in text
    assert HOSTILE in text
    assert "<b>Orders</b>" in text
    assert "keyword=</code>" in text


def test_charts_show_the_figures(page: str, stats: Stats):
    titles = Elements(page).titles
    runs: Counter[str] = Counter()
    for title in titles:
        if found := re.fullmatch(r"\d{4}-\d\d-\d\d: ([\d,]+) (\S+)", title):
            runs[found[2]] += int(found[1].replace(",", ""))
    tokens = runs.pop("tokens")
    # Each chart is drawn for wide and for narrow screens; the one outlier has a bar and a triangle.
    counted = {**stats.statuses.by_status, "(deleted)": stats.deleted}
    assert runs == {name.replace("\ud800", "?"): 2 * count for name, count in counted.items()}
    assert tokens == 2 * (stats.total_tokens + next(day.tokens for day in stats.days if day.tokens >= 10**9))
    hours = sum(int(found[1]) for title in titles if (found := re.fullmatch(r".* (\d+) logs", title)))
    assert hours == 2 * stats.logs


def test_the_heading_says_what_was_read_and_when(page: str):
    text = " ".join("".join(Elements(page).texts).split())
    assert "2026-03-20 09:46 to 2026-04-05 12:43 UTC, days in UTC. Every one of 200 logs read that match" in text
    assert "From http://x. Made 2026-04-01 09:30 UTC." in text


def test_each_run_in_a_table_has_its_whole_id(page: str, stats: Stats):
    text = "".join(Elements(page).texts)
    for run in [*stats.slowest[:15], *stats.most_tokens[:15]]:
        assert run.run_id in text


@hypothesis.given(st.integers(0, 10**13))
@hypothesis.example(24_950)
def test_short_figures_are_right_to_the_last_digit(value: int):
    number, _, unit = report._short(value).partition(" ")
    size = {"": 1, "M": 10**6, "bn": 10**9}[unit]
    assert abs(float(number.replace(",", "")) * size - value) <= (0 if size == 1 else size / 20 + 1)


def test_charts_have_a_name_for_screen_readers(page: str):
    names = [given["aria-label"] for name, given in Elements(page).found if name == "svg" and given["role"] == "img"]
    assert len(names) == 2 * 5
    assert "Runs per day by status; the figures are in a table" in names


def test_a_year_is_drawn_by_week_below_one_and_a_half_megabytes():
    page = render_html(collect(logs(1500, step=21_000), tz="UTC"))
    assert "Runs per week by status" in page
    assert len(page.encode()) < 1_500_000


def test_no_logs_make_a_report_too():
    text = "".join(Elements(render_html(Stats(tz="UTC"))).texts)
    assert "No run failed." in text
    assert "without a filter" in text


def test_a_file_is_replaced_as_a_whole(tmp_path: Path, stats: Stats):
    target = tmp_path / "report.html"
    target.write_text("before")
    with pytest.raises(AttributeError):
        render_html(stats, target, created="no time")  # type: ignore[arg-type]
    assert target.read_text() == "before"
    assert render_html(stats, target) == target.read_text("utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(OSError, match="nowhere"):
        render_html(stats, tmp_path / "nowhere" / "report.html")


def test_a_missing_extra_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch, stats: Stats):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ImportError, match=r"pip install 'dify-workflow-sdk\[report\]'"):
        render_html(stats)
