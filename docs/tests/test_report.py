"""The report of statistics in a browser: opened from disk, it loads nothing, says nothing, and can be read."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dify_workflow import stats
from dify_workflow.testing import Sandbox, new_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

WIDTHS = (360, 768, 1600)
SCREENSHOTS = os.environ.get("SCREENSHOTS")
SCRIPT = "<script>document.title = 'changed'</script>"
IMAGE = '"><img src=x onerror="document.title = 1">'


@pytest.fixture(scope="module", params=[30, 365], ids=["month", "year"])
def report(request, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("report") / f"report-{request.param}-days.html"
    with Sandbox(rows=5_000, crowd=350, days=request.param) as sandbox, sandbox.client() as client:
        hostile = {"status": "failed", "error": SCRIPT, "session_id": IMAGE, "elapsed_time": 9000.0}
        sandbox.add_logs(new_log(**hostile) for _ in range(900))  # enough for the first row of each table
        found = stats.collect(client.logs.iter(workers=4), tz="Europe/Berlin", price_per_1k=0.002)
    filters = {"created_at__after": f"{request.param}d", "keyword": SCRIPT}
    stats.render_html(found, target, title=IMAGE, filters=filters, source="https://dify.example.com/v1")
    return target


@pytest.fixture
def opened_report(browser, report):
    """Opens a report from disk; in the end, nothing else was requested and nothing was on the console."""

    @contextmanager
    def open_report(**options: object) -> Iterator[Page]:
        context = browser.new_context(**options)
        page = context.new_page()
        requests: list[str] = []
        messages: list[str] = []
        context.on("request", lambda one: requests.append(one.url))
        page.on("console", lambda one: messages.append(f"{one.type}: {one.text}"))
        page.on("pageerror", lambda error: messages.append(f"error: {error}"))
        page.goto(report.as_uri())
        yield page
        page.wait_for_load_state("networkidle")
        context.close()
        assert messages == []
        assert requests == [report.as_uri()]

    return open_report


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_report_fits_each_width_in_both_themes(opened_report, faint_texts, report, theme):
    with opened_report(viewport={"width": WIDTHS[0], "height": 900}, color_scheme=theme) as page:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.scrollingElement.scrollWidth") <= width
            assert faint_texts(page, "main *") == []
            cut = page.locator("dd").evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).length")
            assert cut == 0
            if width == WIDTHS[-1]:
                tables = page.get_by_role("region")
                hidden = tables.evaluate_all("all => all.map(one => one.scrollWidth - one.clientWidth)")
                assert hidden == [0] * len(hidden)
            if SCREENSHOTS:
                page.screenshot(path=Path(SCREENSHOTS, f"{report.stem}-{theme}-{width}.png"), full_page=True)


def test_texts_of_others_stay_texts(opened_report):
    with opened_report() as page:
        assert page.title() == f"{IMAGE}: workflow runs"
        assert page.locator("script, img").count() == 0
        errors, users, runs = (
            page.get_by_role("region", name=name, exact=True) for name in ("Why runs fail", "Users", "Slowest runs")
        )
        assert errors.get_by_text("<script>document.title = …</script>").is_visible()
        assert users.get_by_text(IMAGE).count() == 1
        assert runs.get_by_text(IMAGE).count() == 15


def test_report_is_usable_with_keyboard_and_screen_reader(opened_report):
    with opened_report(viewport={"width": WIDTHS[0], "height": 900}) as page:
        assert page.locator("html").get_attribute("lang") == "en"
        charts = page.locator("figure svg:visible")
        assert charts.count() == 5
        assert all(charts.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))"))
        assert page.locator("h1").count() == 1
        reached = []
        while (place := focused(page))[0] != "BODY" and place not in reached:
            reached.append(place)
            if place[0] == "SUMMARY":
                page.keyboard.press("Enter")
        regions = page.get_by_role("region").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
        assert len(regions) == 9
        assert [label for _, label, _ in reached if label] == regions


def focused(page):
    """The next element that the Tab key reaches: its tag, its label, and its place in the page."""
    page.keyboard.press("Tab")
    return page.evaluate("""() => {
      const one = document.activeElement;
      return [one.tagName, one.getAttribute("aria-label"), [...document.querySelectorAll("*")].indexOf(one)];
    }""")


def test_report_can_be_printed(opened_report, report):
    with opened_report() as page:
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        page.set_viewport_size({"width": 720, "height": 1000})  # A4 within its margins
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 720
        if SCREENSHOTS:
            page.pdf(path=Path(SCREENSHOTS, f"{report.stem}.pdf"))
