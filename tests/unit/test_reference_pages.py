"""The reference of the documentation site: what its pages are made of, without a build of the site."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from documentation.entries import Form, SphinxForm, entry
from documentation.extension import markdown, missing
from documentation.interface import docstring, interface
from documentation.pages import REFERENCE, completed
from documentation.schemas import model, schemas, unit

import dify_workflow
from dify_workflow import models

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted((ROOT / "docs" / "reference").glob("*.md"))


def named_in_pages() -> set[str]:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    return {line.partition(" as ")[0] for found in REFERENCE.finditer(text) for line in found[2].splitlines()}


def test_each_public_name_is_in_a_page_of_the_reference():
    named = named_in_pages() | {f"dify_workflow.models.{name}" for name in models.__all__}
    of_async_clients = {
        interface().path_of(interface().async_form_of(interface().find(path)) or interface().find(path))
        for path in named
    }
    left_out = set(interface().all_names()) - named - of_async_clients
    assert not left_out, "name them in a `reference` directive of docs/reference/"


def test_a_name_that_is_documented_nowhere_is_reported():
    everything = set(interface().all_names())
    assert "dify_workflow.types.LogWalk" in missing(everything - {"dify_workflow.types.LogWalk"})
    members = missing(everything)
    assert "dify_workflow.types.Logs.list" in members
    assert "dify_workflow.models.WorkflowLog.created_at" in members


@pytest.mark.parametrize("form", [Form(), SphinxForm()])
def test_methods_have_parameters_exceptions_and_async_forms(form):
    text = entry("dify_workflow.types.Logs", form, called="client.logs")
    assert "### `client.logs.list`" in text
    for name in ("keyword", "page", "limit", "timeout"):
        assert re.search(rf"^(- `{name}` |:param {name}:)", text, re.MULTILINE)
    assert re.search(r"^(- `BadRequestError`|:raises BadRequestError): the server refuses", text, re.MULTILINE)
    assert "`await client.logs.list(...)`" in text
    assert re.search(r"AsyncLogs\.iter\b.*, without `await`", text)


@pytest.mark.parametrize("error", [name for name in dify_workflow.__all__ if name.endswith("Error")])
def test_errors_have_all_their_attributes_and_advice(error):
    text = entry(f"dify_workflow.{error}", Form())
    attributes = {
        name
        for cls in getattr(dify_workflow, error).__mro__
        if cls.__module__ == "dify_workflow"
        for name in inspect.get_annotations(cls)
    }
    assert [name for name in attributes if f"`{name}`" not in text] == []
    page = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    assert re.search(rf"^dify_workflow\.{error}\n```\n\n\*\*What to do:\*\* \w", page, re.MULTILINE)


def test_fields_of_models_have_their_type_unit_and_meaning():
    text = model("WorkflowRunSummary", Form())
    assert "| `elapsed_time` | `float` | seconds | How long the run took, in seconds" in text
    assert "| `finished_at` | `int \\| None` | epoch seconds | When the run ended" in text
    assert "| `status` | `WorkflowRunStatus \\| str` |  | The state of the run." in text


def test_each_number_of_the_spec_has_a_unit():
    numbers = {
        f"{name}.{key}": unit(field)
        for name, schema in schemas().items()
        for key, field in schema.get("properties", {}).items()
        if {"integer", "number"}
        & {*([field.get("type")] if isinstance(field.get("type"), str) else field.get("type", []))}
    }
    assert len(numbers) > 50
    assert [name for name, said in numbers.items() if not said] == []


def test_each_error_says_what_to_do():
    text = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    for name in filter(lambda name: name.endswith("Error"), dify_workflow.__all__):
        assert re.search(rf"^dify_workflow\.{name}\n```\n\n\*\*What to do:\*\* ", text, re.MULTILINE), name


def test_every_command_is_in_the_reference():
    text = completed("```{reference} commands\n```\n", Form())
    assert "## `logs list`" in text
    assert re.search(r"^\| `-o`, `--output` \| `table`, ", text, re.MULTILINE)
    assert re.search(r"^\| `130` \| interrupted", text, re.MULTILINE)


def test_examples_in_docstrings_become_blocks_of_code():
    walk = docstring(interface().find("dify_workflow.types.LogWalk"))
    assert "```pycon\n>>> with client.logs.iter(" in walk.text


def test_links_out_of_the_site_become_text(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "CHANGES.md").write_text("# Changes\n\n[guide](docs/guide.md#top) and [code](src/code.py)\n")
    page = tmp_path / "docs" / "changes.md"
    page.write_text("```{include} ../CHANGES.md\n:relative-docs: docs/\n```\n")
    assert markdown(page, tmp_path / "docs") == "# Changes\n\n[guide](guide.md#top) and code\n"
