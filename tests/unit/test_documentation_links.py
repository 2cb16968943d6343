"""The documentation as a web of pages: links lead somewhere, and each question is two clicks from its section."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted(DOCS.rglob("*.md"))]
FENCED = re.compile(r"^ *(`{3,}).*?^ *\1`* *$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]\n]*(?:\n[^\]\n]*)?\]\(([^)\s]+)\)")
QUESTION = re.compile(r"^\| ([^|]+\?) \| \[[^\]]+\]\(([^)#]+)#([^)]+)\) \| `([^`]+)` \|$", re.MULTILINE)
NEW_USERS_ASK = 10


@cache
def prose(path: Path) -> str:
    return FENCED.sub("", path.read_text("utf-8"))


@cache
def anchors(path: Path) -> list[str]:
    """The headings of a page as browsers name them, with those of names whose reference is made with the site."""
    names = re.findall(r"^```\{reference\}\n(?:\w+\.)*(\w+)$", path.read_text("utf-8"), re.MULTILINE)
    titles = re.findall(r"^#+ +(.+?) *$", prose(path), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in [*titles, *names]]


def links(path: Path) -> list[str]:
    return [target for target in LINK.findall(prose(path)) if not re.match(r"[a-z]+:", target)]


QUESTIONS = QUESTION.findall((DOCS / "questions.md").read_text("utf-8"))


@pytest.mark.parametrize("path", PAGES, ids=[path.relative_to(ROOT).as_posix() for path in PAGES])
def test_links_lead_to_a_page_and_a_heading(path: Path) -> None:
    dead = []
    for link in links(path):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


def test_every_link_of_the_readme_works_on_a_package_index() -> None:
    assert links(ROOT / "README.md") == []


def test_the_readme_names_pages_that_are_there() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    named = re.findall(r"`((?:docs/)?[\w/-]+\.md)`", text)
    folders = (ROOT, DOCS / "guides")
    assert len(named) >= 15
    assert [name for name in named if not any((folder / name).is_file() for folder in folders)] == []


def test_the_readme_is_short_and_begins_with_the_installation() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) <= 130
    assert any("pip install dify-workflow-sdk" in line for line in lines[:25])


def test_the_questions_of_new_users_are_listed() -> None:
    rows = (DOCS / "questions.md").read_text("utf-8").count("\n| ") - 1
    assert len(QUESTIONS) == rows
    assert len(QUESTIONS) >= NEW_USERS_ASK


@pytest.mark.parametrize(("question", "page", "anchor", "word"), QUESTIONS, ids=[row[0][:40] for row in QUESTIONS])
def test_a_question_is_two_clicks_from_its_section(question: str, page: str, anchor: str, word: str) -> None:
    target = DOCS / page
    assert anchor in anchors(target), question
    assert word in target.read_text("utf-8"), question


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/start.md"])
def test_the_list_of_questions_is_one_click_away(page: str) -> None:
    assert "questions.md" in (ROOT / page).read_text("utf-8")
