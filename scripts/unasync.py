"""Make the sync client of the facade, `src/dify_workflow/_sync`, from the async client that is written by hand.

In the async client, `raw_resources.py` is made as well: from the resources, the methods of `with_raw_response`.

Usage: unasync.py [--check]

With --check nothing is written: exit status 1 and the names of the files that are not what the async client gives.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from pathlib import Path

import outputs
from project import ROOT

SOURCE = ROOT / "src" / "dify_workflow" / "_async"
TARGET = ROOT / "src" / "dify_workflow" / "_sync"
RAW = "resources/raw_resources.py"

WORDS = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "AsyncIterator": "Iterator",
    "StopAsyncIteration": "StopIteration",
    "aclose": "close",
    "aclosing": "closing",
    "aiter_bytes": "iter_bytes",
    "aiter_raw": "iter_raw",
    "anext": "next",
    "aread": "read",
    "asyncio.sleep": "time.sleep",
}

# Where the two clients differ in what is true of them: one sentence for the other.
SENTENCES = {
    "It may be used from many tasks at once and shares one pool of connections among them; asyncio ties connections "
    "to\n    an event loop, so there is one pool for each loop in which it is used.": (
        "It may be used from many threads at once and shares one pool of connections among them."
    ),
    "the\n            headers and the body of a response are each bounded as a whole.": (
        "the\n            body of a response is bounded as a whole, and its headers in each wait for data."
    ),
    "The async client, written by hand. The sync client in `_sync` is made from it: `make generate`.": (
        "The sync client, made from the async client in `_async` by `make generate`. Do not edit it here."
    ),
}


def without_async(text: str) -> str:
    """The sync twin of a module of the async client."""
    text = text.replace("_async", "_sync")
    for asynchronous, synchronous in SENTENCES.items():
        text = text.replace(asynchronous, synchronous)
    text = re.sub(r"\basync (def|with|for)\b", r"\1", text)
    text = re.sub(r"\bawait ", "", text)
    for asynchronous, synchronous in WORDS.items():
        text = re.sub(rf"\b{re.escape(asynchronous)}\b", synchronous, text)
    text = re.sub(r"^import asyncio\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\b(?:Awaitable\[|Coroutine\[Any, Any, )(.*?)\]", r"\1", text)
    return re.sub(r"\b(httpx\.|an httpx\.|an `httpx\.)?Async([A-Z]\w+)", r"\1\2", text)


def raw_resources(sources: dict[str, str]) -> str:
    """The module `raw_resources`: for each resource the methods that return what one call of its base client gives.

    Args:
        sources: the texts of the async client by their paths in it.
    """
    imports, classes = "", ""
    for name, text in sorted(sources.items()):
        for cls in ast.parse(text).body:
            if not isinstance(cls, ast.ClassDef) or "AsyncResource" not in map(ast.unparse, cls.bases):
                continue
            methods = [one.name for one in cls.body if isinstance(one, ast.AsyncFunctionDef) and _returns_a_call(one)]
            if methods:
                imports += f"from .{Path(name).stem} import {cls.name}\n"
                classes += (
                    f"\n\nclass AsyncRaw{cls.name.removeprefix('Async')}(AsyncRawResource):\n"
                    f'    """The methods of `{cls.name}`, which return the response."""\n\n'
                    '    __module__ = "dify_workflow.types"\n    __slots__ = ()\n\n'
                    + "".join(f"    {method} = AsyncRawMethod({cls.name}.{method})\n" for method in methods)
                )
    head = '"""The methods of `with_raw_response`, by resource. Made by `make generate`. Do not edit it here."""\n\n'
    return f"{head}from .raw import AsyncRawMethod, AsyncRawResource\n{imports}{classes}"


def _returns_a_call(method: ast.AsyncFunctionDef) -> bool:
    """Whether a method returns what its base client returns for one request."""
    calls = [
        node.value.value.func
        for node in ast.walk(method)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Await) and isinstance(node.value.value, ast.Call)
    ]
    return any(ast.unparse(call) in {"self._base_client.call", "self._base_client.send"} for call in calls)


def formatted(text: str, name: str) -> str:
    """The text of a module as the project's formatter leaves it, without imports that are not used."""
    return outputs.formatted(text, TARGET / name, "I,F401")


def _modules(folder: Path) -> dict[str, str]:
    """The texts of a package's modules, by their paths in it."""
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(folder.rglob("*.py"))}


def main(argv: list[str] | None = None) -> int:
    """Write the sync client, or compare it; the exit status."""
    parser = argparse.ArgumentParser(description="Make the sync client of the facade from the async client.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail, naming the files, where they differ")
    check = parser.parse_args(argv).check
    sources = _modules(SOURCE)
    raw = SOURCE / RAW
    present = {TARGET / name: text for name, text in _modules(TARGET).items()}
    present[raw] = sources.pop(RAW, "")
    sources[RAW] = formatted(raw_resources(sources), RAW)
    expected = {TARGET / name: formatted(without_async(text), name) for name, text in sources.items()}
    expected[raw] = sources[RAW]
    differing = [path for path in sorted(expected | present) if expected.get(path) != present.get(path)]
    for path in differing:
        if check:
            print(f"{path.relative_to(ROOT)} is not what _async gives; `make generate` makes it again", file=sys.stderr)
        elif path in expected:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(expected[path], encoding="utf-8", newline="\n")
        else:
            path.unlink()
    if not check:
        state = f": {len(differing)} files changed" if differing else " is up to date"
        print(f"{TARGET.relative_to(ROOT)}{state}")
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
