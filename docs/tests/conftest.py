"""The built site on loopback, and Debian's chromium to look at it and at reports with: `make docs-check`."""

from __future__ import annotations

import functools
import shutil
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page, Request

SITE = Path(__file__).resolve().parent.parent.parent / "build" / "docs"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

CONTRAST = """(texts) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = rgba(getComputedStyle(one).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const pairs = new Map();
  for (const element of document.querySelectorAll(texts)) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join("").trim();
    if (!text || !element.offsetParent || element.closest(".headerlink, button, svg")) continue;
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) pairs.set(`${element.tagName} ${element.className}`, `${text.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return [...pairs].map(([where, what]) => `${where}: ${what}`);
}"""


class Server(SimpleHTTPRequestHandler):
    """Serves the site, and logs nothing."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def pytest_configure() -> None:
    """Refuse to begin where the site or the browser is missing: an exit within a worker says nothing."""
    if not (SITE / "index.html").exists():
        raise pytest.UsageError("there is no site in build/docs: run `make docs`")
    if program() is None:
        raise pytest.UsageError("the site is checked in chromium, which is missing: apt-get install chromium")


def program() -> str | None:
    """The path of the browser; None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="session")
def site() -> Path:
    return SITE


@pytest.fixture(scope="session")
def address(site) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def faint_texts() -> Callable[[Page, str], list[str]]:
    """Names the texts of elements that can hardly be read: by WCAG 2, contrast is at least 4.5."""

    def faint(page: Page, texts: str) -> list[str]:
        found: list[str] = page.evaluate(CONTRAST, texts)
        return found

    return faint


@pytest.fixture
def opened(browser, address):
    """Opens a page; in the end, it had no error and sent no request elsewhere."""

    @contextmanager
    def open_page(path: str, **options: object) -> Iterator[Page]:
        context = browser.new_context(**options)
        page = context.new_page()
        problems: list[str] = []
        page.on("console", lambda one: problems.append(f"{one.type}: {one.text}") if one.type != "log" else None)
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("requestfailed", lambda one: problems.append(f"{one.failure}: {one.url}") if is_failure(one) else None)
        page.on("response", lambda one: problems.append(f"{one.status}: {one.url}") if one.status >= 400 else None)
        page.on("request", lambda one: problems.append(f"elsewhere: {one.url}") if is_elsewhere(one.url) else None)
        page.goto(f"{address}/{path}")
        yield page
        page.wait_for_load_state("networkidle")
        context.close()
        assert problems == []

    def is_failure(request: Request) -> bool:
        return request.failure != "net::ERR_ABORTED"  # it was no longer wanted, as the next page was opened

    def is_elsewhere(url: str) -> bool:
        return not url.startswith((f"{address}/", "data:", "blob:"))

    return open_page
