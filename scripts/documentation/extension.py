"""The Sphinx extension of the project: the Markdown of each page beside it, and `llms.txt`.

Programs that read documentation take Markdown rather than HTML: `guides/errors.html` has `guides/errors.md` beside it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

INCLUDE: Final = re.compile(r"^```\{include\} (\S+)\n(?::.*\n)*```$", re.MULTILINE)
TOCTREE: Final = re.compile(r"^```\{toctree\}\n.*?^```\n?", re.MULTILINE | re.DOTALL)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect with Sphinx."""
    app.connect("build-finished", write_markdown)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_markdown(app: Sphinx, exception: Exception | None) -> None:
    """Write the Markdown of each page beside it, and the list of them."""
    if exception is not None or app.builder.name != "html":
        return
    for page in app.env.found_docs:
        target = app.outdir / f"{page}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(markdown(Path(app.env.doc2path(page))), encoding="utf-8", newline="\n")
    (app.outdir / "llms.txt").write_text(listing(app), encoding="utf-8", newline="\n")


def markdown(source: Path) -> str:
    """The Markdown of a page, without what only Sphinx understands."""
    text = INCLUDE.sub(lambda found: (source.parent / found[1]).read_text("utf-8").strip(), source.read_text("utf-8"))
    return re.sub(r"\n{3,}", "\n\n", TOCTREE.sub("", text)).strip() + "\n"


def listing(app: Sphinx) -> str:
    """The text of llms.txt: what the site is about, and its pages with their first sentences."""
    env = app.env
    root = str(app.config.root_doc)
    lines = [f"# {app.config.project} {app.config.version}", "", f"> {summary(app, root)}", ""]
    pages = [page for page in in_order(env, root) if page != root]
    lines += [f"- [{env.titles[page].astext()}]({page}.md): {summary(app, page)}" for page in pages]
    return "\n".join(lines) + "\n"


def in_order(env: BuildEnvironment, page: str) -> Iterator[str]:
    """A page and those below it, in the order of the navigation."""
    yield page
    for below in env.toctree_includes.get(page, ()):
        yield from in_order(env, below)


def summary(app: Sphinx, page: str) -> str:
    """The first sentence of a page."""
    from docutils import nodes  # noqa: PLC0415 - loaded by Sphinx

    for paragraph in app.env.get_doctree(page).findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        return re.split(r"(?<=[.:]) ", text)[0].rstrip(":.") + "."
    return ""
