"""Write docs/api.md: every method of the clients, with its operation, its parameters and its types.

Usage: reference.py [--check]

With --check nothing is written: exit status 1 when docs/api.md is not what the facade gives.
"""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any

import outputs
from project import ROOT

import dify_workflow
from dify_workflow import DifyWorkflow, models
from dify_workflow.types import (
    DetailedLogWalk,
    LogChanges,
    LogFollow,
    LogRange,
    LogWalk,
    RunStream,
    Upload,
    WorkflowRunDetail,
    WorkflowRunResult,
)

TARGET = ROOT / "docs" / "api.md"
OPERATION = re.compile(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)`")

GIVEN = (
    LogWalk,
    DetailedLogWalk,
    LogFollow,
    LogChanges,
    LogRange,
    RunStream,
    WorkflowRunResult,
    WorkflowRunDetail,
    Upload,
)

TYPES = """\
## Types of arguments

- `Time`: `datetime` (aware; naive means UTC), `date` (its first moment in UTC), ISO 8601 text, or an age: `"90s"`,
  `"15m"`, `"24h"`, `"7d"`, `"2w"`, `"1mo"`, `"1y"`
- `TimeoutOption`: seconds, an `httpx.Timeout`, or None for the client's own
- `FileSource`: a path, bytes, or a file object that is open for bytes
- `FileType`: `"document"`, `"image"`, `"audio"`, `"video"` or `"custom"`
"""

HEAD = """\
# API

Every method of `DifyWorkflow`, with the operation that it calls. `AsyncDifyWorkflow` has the same, with `await`,
`async with` and `async for`. Made from the facade by `make reference`; the docstrings say more.
"""


def main(argv: list[str] | None = None) -> int:
    """Write the page, or compare it; the exit status."""
    return outputs.main(argv, TARGET, page, "make reference")


def page() -> str:
    """The whole page."""
    parts = [HEAD, "## The client\n", entry("DifyWorkflow", DifyWorkflow.__init__, DifyWorkflow.__doc__ or "")]
    parts += [entry(f"client.{name}", method) for name, method in methods(DifyWorkflow)]
    client = DifyWorkflow(api_key="app-for-reading-the-names")
    for name, attribute in inspect.getmembers(DifyWorkflow, lambda member: isinstance(member, property)):
        resource = getattr(client, name)
        if not isinstance(resource, str):
            parts.append(f"## client.{name}\n\n{sentence(attribute.__doc__ or '')}\n")
            parts += [entry(f"client.{name}.{method}", function) for method, function in methods(type(resource))]
    client.close()
    parts.append("## What methods return\n\nIn `dify_workflow.types`, as are the types of arguments:\n")
    parts += [members(cls) for cls in GIVEN]
    parts.append(TYPES)
    parts.append("## Models\n\nIn `dify_workflow.models`:\n")
    parts.append("\n".join(f"- `{name}`: {sentence(getattr(models, name).__doc__ or '')}" for name in models.__all__))
    errors = [name for name in dify_workflow.__all__ if name.endswith("Error")]
    parts.append("\n## Errors\n\nIn `dify_workflow`:\n")
    parts.append("\n".join(f"- `{name}`: {sentence(getattr(dify_workflow, name).__doc__ or '')}" for name in errors))
    return "\n".join(parts) + "\n"


def members(cls: type[Any]) -> str:
    """A class that methods give: what it is, and its public members."""
    lines = [f"### `{cls.__name__}`\n\n{sentence(cls.__doc__ or '')}\n"]
    for name, value in vars(cls).items():
        if name[0] == "_":
            continue
        if isinstance(value, property):
            returns = annotation_text(inspect.signature(value.fget).return_annotation) if value.fget else "Any"
            lines.append(f"- `.{name}: {returns}`: {sentence(value.__doc__ or '')}")
        elif inspect.isfunction(value):
            signature = re.sub(r"\(self(, )?", "(", str(inspect.signature(value))).replace("'", "")
            lines.append(f"- `.{name}{signature}`: {sentence(value.__doc__ or '')}")
    return "\n".join(lines) + "\n"


def methods(cls: type[Any]) -> list[tuple[str, Any]]:
    """The public methods of a class, in the order in which they are written."""
    return [(name, value) for name, value in vars(cls).items() if inspect.isfunction(value) and name[0] != "_"]


def entry(name: str, function: Any, doc: str = "") -> str:  # noqa: ANN401 - functions of every kind
    """One method: its call, its operation, and what it is for."""
    doc = inspect.cleandoc(doc or function.__doc__ or "")
    signature = inspect.signature(function)
    parameters = [p for p in signature.parameters.values() if p.name != "self"]
    keyword_only = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    lines = [f"    {parameter_text(p)}," for p in parameters if p not in keyword_only]
    if keyword_only:
        lines += ["    *,", *(f"    {parameter_text(p)}," for p in keyword_only)]
    returns = "" if function.__name__ == "__init__" else f" -> {annotation_text(signature.return_annotation)}"
    call = f"{name}(\n" + "\n".join(lines) + f"\n){returns}" if lines else f"{name}(){returns}"
    operations = OPERATION.findall(doc.split("\nArgs:")[0])
    what = sentence(OPERATION.sub("", doc))
    heading = f"### `{name}`\n\n{what}\n"
    if operations:
        heading += "\nCalls " + ", ".join(f"`{operation}`" for operation in operations) + ".\n"
    return f"{heading}\n```python\n{call}\n```\n"


def parameter_text(parameter: inspect.Parameter) -> str:
    """A parameter as it stands in a signature."""
    text = f"{parameter.name}: {annotation_text(parameter.annotation)}"
    return text if parameter.default is parameter.empty else f"{text} = {parameter.default!r}"


def annotation_text(annotation: object) -> str:
    """A type as it is written."""
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def sentence(doc: str) -> str:
    """The first sentence of a docstring, on one line, without the colon that an operation followed."""
    paragraph = " ".join(inspect.cleandoc(doc).split("\n\n")[0].split())
    paragraph = re.sub(r"\s*:(\s*,?\s*(or|as often as it takes|again and again|streamed))*\s*\.?$", ".", paragraph)
    return re.sub(r"\s+([.,])", r"\1", paragraph)


if __name__ == "__main__":
    sys.exit(main())
