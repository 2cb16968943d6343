"""What the README shows was run: each of its Python examples runs here, on a sandbox."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from dify_workflow.testing import Sandbox

README = Path(__file__).resolve().parent.parent.parent / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def finite(source: str) -> str:
    """The example, without what goes on until somebody stops it."""
    return re.sub(
        r"^(    )(for log in rows:\n)", r"\1\2\1    if enough():\n\1        break\n", source, flags=re.MULTILINE
    )


@pytest.mark.parametrize("source", EXAMPLES, ids=[example.strip().splitlines()[0][:60] for example in EXAMPLES])
def test_an_example_of_the_readme_runs(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7")
    monkeypatch.chdir(tmp_path)
    with Sandbox(rows=300, days=0.5) as sandbox, sandbox.client() as client:
        monkeypatch.setenv("DIFY_API_KEY", sandbox.api_key)
        monkeypatch.setenv("DIFY_BASE_URL", sandbox.base_url)
        walk = client.logs.iter()
        next(walk)
        given = iter(range(3))
        names: dict[str, Any] = {
            "__name__": "example",
            "client": client,
            "json": json,
            "saved": json.dumps(walk.checkpoint),
            "enough": lambda: next(given, None) is None,
        }
        code = compile(finite(source), "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(eval(code, names))  # noqa: S307 - the README is ours
        else:
            exec(code, names)  # noqa: S102 - the README is ours


def test_the_readme_has_examples() -> None:
    assert len(EXAMPLES) >= 6
