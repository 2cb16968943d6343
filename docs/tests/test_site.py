"""The built site: in a browser as its readers use it, and its files."""

from __future__ import annotations

import getpass
import os
import re
import socket
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parent.parent.parent
SITE = ROOT / "build" / "docs"
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
WIDTHS = (360, 768, 1400)
SCREENSHOTS = os.environ.get("SCREENSHOTS")
TEXTS = "article *, .sidebar-tree a, .toc-tree a"


@pytest.mark.parametrize("path", PAGES)
def test_page_fits_each_width_in_both_themes(opened, faint_texts, path):
    with opened(path, viewport={"width": WIDTHS[0], "height": 900}) as page:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.scrollingElement.scrollWidth") <= width
            if SCREENSHOTS:
                page.screenshot(path=Path(SCREENSHOTS, f"{path.replace('/', '-')}-{width}.png"), full_page=width < 768)
        shades = []
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            shades.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            assert faint_texts(page, TEXTS) == []
        assert shades[0] != shades[1]
        assert page.locator("h1").count() == (0 if path == "search.html" else 1)


def found_by_search(page, words):
    """The addresses that the search finds, without the host, in their order."""
    page.locator("input[name=q]").fill(words)
    page.keyboard.press("Enter")
    page.get_by_text(re.compile("Search finished, found")).wait_for()
    return page.locator("#search-results li a").evaluate_all(
        "all => all.map(one => (one.pathname + one.hash).slice(1))"
    )


@pytest.mark.parametrize(
    ("words", "target"),
    [
        ("IncompleteWalkError", "reference/errors.html"),
        ("elapsed_time", "reference/models.html"),
        ("AsyncLogWalk", "reference/logs.html"),
        ("total_price", "reference/models.html"),
        ("proxy", "guides/configuration.html"),
    ],
)
def test_search_finds(opened, words, target):
    with opened("index.html") as page:
        found = found_by_search(page, words)
        assert target in [one.partition("#")[0] for one in found[:10]]


QUESTIONS = re.findall(
    r"^\| (\S[^|]*\?) \| \[[^]]*\]\(([\w/-]+)\.md#([\w-]+)\) \| `([^`]+)` \|$",
    (ROOT / "docs" / "questions.md").read_text("utf-8"),
    re.MULTILINE,
)
"""The questions of new users: each with the page and the heading that answer it, and words to search for."""


def test_each_question_is_read_from_the_page():
    rows = (ROOT / "docs" / "questions.md").read_text("utf-8").splitlines()
    assert len(QUESTIONS) == sum(line.startswith("| ") for line in rows) - 1 >= 25


def test_questions_are_answered_within_two_clicks(opened, address):
    with opened("index.html", viewport={"width": 1400, "height": 900}) as page:
        page.locator(".sidebar-tree").get_by_role("link", name="Questions", exact=True).click()
        expect(page).to_have_url(f"{address}/questions.html")
        for question, target, heading, _ in QUESTIONS:
            page.goto(f"{address}/questions.html")
            page.locator("tr", has_text=question.replace("`", "")).get_by_role("link").click()
            anchor = heading.lstrip("-0123456789")  # ids of docutils begin with a letter
            expect(page).to_have_url(f"{address}/{target}.html#{anchor}")
            expect(page.locator(f"#{anchor}").get_by_role("heading").first).to_be_in_viewport()


def test_questions_are_answered_by_one_search(opened):
    unanswered = {}
    with opened("index.html") as page:
        for question, target, _, words in QUESTIONS:
            found = found_by_search(page, words)[:10]
            if f"{target}.html" not in {one.partition("#")[0] for one in found}:
                unanswered[question] = found
    assert unanswered == {}


def test_copy_button_copies_code_without_prompts(opened, address):
    with opened("start.html", permissions=["clipboard-read", "clipboard-write"]) as page:
        blocks = page.locator("div.highlight:has(button.copybtn)")
        assert blocks.count() == page.locator("article div.highlight").count() > 5
        for index in range(blocks.count()):
            block = blocks.nth(index)
            shown = block.locator("pre").inner_text().rstrip("\n")
            block.hover()
            block.locator("button.copybtn").click()
            copied = page.evaluate("navigator.clipboard.readText()").rstrip("\n")
            commands = [line[2:] for line in shown.split("\n") if line.startswith("$ ")]
            assert copied == ("\n".join(commands) if commands else shown)


def test_site_is_usable_with_the_keyboard_alone(opened, address):
    with opened("index.html", viewport={"width": 1400, "height": 900}) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className").startswith("skip-to-content")
        page.keyboard.press("Enter")
        assert page.url.endswith("#furo-main-content")
        reached = []
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.textContent.trim()"))
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"nothing shows that {reached[-1]!r} has the focus"
            if reached[-1] == "Reading logs":
                break
        page.keyboard.press("Enter")
        page.wait_for_url("**/guides/logs.html")
        page.keyboard.press("/")
        page.keyboard.type("IncompleteWalkError")
        page.keyboard.press("Enter")
        page.locator("#search-results li a").first.wait_for()
        page.locator("#search-results li a").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"IncompleteWalkError|incompletewalkerror"))


def test_theme_is_switched_by_its_button_and_kept(opened):
    with opened("index.html", viewport={"width": 1400, "height": 900}, color_scheme="light") as page:
        themes = set()
        for _ in range(3):
            page.locator("button.theme-toggle:visible").click()
            themes.add(page.evaluate("document.body.dataset.theme"))
        assert themes == {"auto", "dark", "light"}
        while page.evaluate("document.body.dataset.theme") != "dark":
            page.locator("button.theme-toggle:visible").click()
        before = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.goto(page.url.replace("index", "start"))
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == before


class Links(HTMLParser):
    """The addresses in a page, and what can be linked to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.anchors: set[str] = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src", "action"} and value is not None:
                self.links.append((tag, value))
            if name in {"id", "name"} and value:
                self.anchors.add(value)


PARSED = {path: Links((SITE / path).read_text("utf-8")) for path in PAGES}


@pytest.mark.parametrize("path", PAGES)
def test_internal_links_lead_somewhere(path):
    wrong = []
    for tag, link in PARSED[path].links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            if tag != "a":
                wrong.append(f"<{tag}> from elsewhere: {link}")
            continue
        target = (SITE / path).parent / unquote(parts.path) if parts.path else SITE / path
        target = target.resolve()
        name = target.relative_to(SITE).as_posix() if target.is_relative_to(SITE) else "../"
        if not target.is_file():
            wrong.append(f"no file: {link}")
        elif name in PARSED and unquote(parts.fragment) not in PARSED[name].anchors:
            wrong.append(f"no anchor: {link}")
    assert wrong == []


def test_each_page_has_its_markdown_and_is_listed():
    listed = re.findall(r"\]\((\S+)\.md\)", (SITE / "llms.txt").read_text("utf-8"))
    assert {*listed, "index"} == {path.removesuffix(".html") for path in PAGES} - {"search"}
    for page in (*listed, "index"):
        text = (SITE / f"{page}.md").read_text("utf-8")
        assert text.startswith("# ")
        for directive in ("{reference}", "{include}", "{toctree}", "{documented}", "{py:"):
            assert directive not in text, page


def test_markdown_links_lead_somewhere():
    for path in SITE.rglob("*.md"):
        for link in re.findall(r"\]\(([^)\s#:]+)(?:#[^)\s]*)?\)", path.read_text("utf-8")):
            assert (path.parent / link).exists(), f"{path.relative_to(SITE)}: {link}"


def test_files_have_nothing_of_the_machine():
    told = {str(ROOT), socket.gethostname(), tempfile.gettempdir() + "/", f"/home/{getpass.getuser()}"}
    for path in SITE.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [one for one in told if len(one) > 3 and one.encode() in content], path.relative_to(SITE)
