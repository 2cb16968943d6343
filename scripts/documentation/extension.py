"""The Sphinx extension of the project: the reference, and the Markdown of each page beside it.

Programs that read documentation take Markdown rather than HTML: `guides/errors.html` has `guides/errors.md` beside it,
and `llms.txt` lists them. A public name that no page documents is a warning, which fails the build.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import ReferenceRole

from .entries import Form, SphinxForm
from .interface import interface
from .pages import completed

if TYPE_CHECKING:
    from docutils.nodes import Node, system_message
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

LINK: Final = re.compile(r"\[([^\]]*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")
INCLUDE: Final = re.compile(r"^```\{include\} (\S+)\n(?::.*\n)*```$", re.MULTILINE)
TOCTREE: Final = re.compile(r"^```\{toctree\}\n.*?^```\n?", re.MULTILINE | re.DOTALL)
COMMENT: Final = re.compile(r"^<!--.*?-->\n", re.MULTILINE | re.DOTALL)
LOG: Final = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect with Sphinx."""
    app.add_role("documented", Documented())
    app.connect("source-read", complete)
    app.connect("doctree-read", use_dashes)
    app.connect("env-check-consistency", check_names)
    app.connect("build-finished", write_markdown)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class Documented(ReferenceRole):
    """A name that is explained where it stands: `` {documented}`text <path path>` ``."""

    def run(self) -> tuple[list[Node], list[system_message]]:
        """The name, as a target for links and the search."""
        domain = self.env.domains.python_domain
        target = nodes.inline(self.rawtext, "", ids=[])
        for path in self.target.split():
            target["ids"].append(path)
            domain.note_object(path, kind_of(path), path, location=target)
        self.inliner.document.note_explicit_target(target)
        target += nodes.literal(self.title, self.title)
        return [target], []


def kind_of(path: str) -> str:
    """What Sphinx calls the object of a path: of a public name, or of a member of one."""
    try:
        found = interface().find(path)
    except LookupError:
        owner, _, name = path.rpartition(".")
        found = interface().find(owner).members[name]
    if found.is_class:
        return "class"
    return "method" if found.is_function else "attribute"


def complete(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the reference in place of its directives."""
    del app, page
    source[0] = completed(source[0], SphinxForm())


def use_dashes(app: Sphinx, doctree: nodes.document) -> None:
    """Put dashes between the names of parameters and what is said about them."""
    del app
    for text in list(doctree.findall(nodes.Text)):
        if text == " -- ":
            text.parent.replace(text, nodes.Text(" \N{EN DASH} "))


def check_names(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of public names that no page documents."""
    del app
    for name in missing(set(env.domains.python_domain.objects)):
        LOG.warning(
            "%s is public, and no page of docs/reference/ documents it: name it in a `reference` directive", name
        )


def missing(documented: set[str]) -> list[str]:
    """The public names, their public members and the fields of the spec's schemas that are not documented."""
    wanted = set()
    for path in interface().all_names():
        found = interface().find(path)
        wanted.add(path)
        if found.is_class and path in documented:
            bases = {
                member.name for base in found.mro() if base.name == "Model" for member in interface().members(base)
            }
            wanted |= {f"{path}.{one.name}" for one in interface().members(found) if one.name not in bases}
    return sorted(wanted - documented)


def write_markdown(app: Sphinx, exception: Exception | None) -> None:
    """Write the Markdown of each page beside it, and the list of them."""
    if exception is not None or app.builder.name != "html":
        return
    for page in app.env.found_docs:
        target = app.outdir / f"{page}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(markdown(Path(app.env.doc2path(page)), Path(app.srcdir)), encoding="utf-8", newline="\n")
    (app.outdir / "llms.txt").write_text(listing(app), encoding="utf-8", newline="\n")


def markdown(source: Path, root: Path) -> str:
    """The Markdown of a page, without what only Sphinx understands.

    Args:
        source: file of the page.
        root: folder of all pages; links to what is outside of it become text.
    """

    def included(found: re.Match[str]) -> str:
        path = source.parent / found[1]
        return LINK.sub(lambda link: moved(link, path.parent), path.read_text("utf-8").strip())

    def moved(link: re.Match[str], folder: Path) -> str:
        target = (folder / link[2]).resolve()
        if not target.is_relative_to(root):
            return link[1]
        return f"[{link[1]}]({os.path.relpath(target, source.parent)}{link[3] or ''})"

    text = INCLUDE.sub(included, source.read_text("utf-8"))
    text = LINK.sub(lambda link: moved(link, source.parent), text)
    text = completed(COMMENT.sub("", TOCTREE.sub("", text)), Form())
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def listing(app: Sphinx) -> str:
    """The text of llms.txt: what the site is about, and its pages with their first sentences."""
    env = app.env
    root = str(app.config.root_doc)
    lines = [f"# {app.config.project} {app.config.version}", "", f"> {summary(app, root)}"]
    for tree in env.get_doctree(root).findall(addnodes.toctree):
        lines += ["", f"## {tree['caption']}", ""]
        lines += [f"- [{env.titles[page].astext()}]({page}.md): {summary(app, page)}" for page in tree["includefiles"]]
    return "\n".join(lines) + "\n"


def summary(app: Sphinx, page: str) -> str:
    """The first sentence of a page."""
    for paragraph in app.env.get_doctree(page).findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        return re.split(r"(?<=[.:]) ", text)[0].rstrip(":.") + "."
    return ""
