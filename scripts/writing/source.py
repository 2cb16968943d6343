"""The text of a module, and insertions at places that its syntax tree names; nothing else of it changes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, TypeAlias

import outputs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"


class UnwritableError(Exception):
    """A change that cannot be written; the text says why, and is for a person to decide about."""


class Source:
    """A module.

    Attributes:
        path: Its file.
        tree: Its syntax tree, without the insertions.
    """

    def __init__(self, path: Path, text: str | None = None) -> None:
        self.path = path
        self._data = (path.read_text("utf-8") if text is None else text).encode()
        self.tree = ast.parse(self._data)
        self._starts = [0]
        for line in self._data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._insertions: list[tuple[int, str]] = []
        self._replaced: list[tuple[int, int, str]] = []
        self._imports: dict[tuple[str, bool], set[str]] = {}

    @property
    def is_changed(self) -> bool:
        """Whether anything is inserted."""
        return bool(self._insertions or self._imports or self._replaced)

    @property
    def text(self) -> str:
        """The text with the insertions, not yet formatted."""
        data, end = b"", 0
        inserted = [(offset, offset, text) for offset, text in [*self._insertions, *self._import_lines()]]
        for start, stop, text in sorted([*inserted, *self._replaced], key=lambda one: one[0]):
            data += self._data[end:start] + text.encode()
            end = stop
        return (data + self._data[end:]).decode()

    def formatted(self) -> str:
        """The text with the insertions, as the project's formatter leaves it."""
        return outputs.formatted(self.text, self.path)

    def mark(self) -> tuple[int, dict[tuple[str, bool], set[str]]]:
        """What is inserted so far, to go back to."""
        return len(self._insertions), {key: set(names) for key, names in self._imports.items()}

    def back_to(self, insertions: int, imports: dict[tuple[str, bool], set[str]]) -> None:
        """Drops what was inserted since a mark."""
        del self._insertions[insertions:]
        self._imports = imports

    def insert_before(self, node: ast.expr | ast.stmt | ast.arg, text: str) -> None:
        """Inserts text where a node begins."""
        self._insertions.append((self._starts[node.lineno - 1] + node.col_offset, text))

    def insert_after(self, node: ast.expr | ast.stmt | ast.arg, text: str) -> None:
        """Inserts text where a node ends."""
        self._insertions.append((self._end(node), text))

    def replace(self, node: ast.expr, text: str) -> None:
        """Puts text in the place of a node."""
        self._replaced.append((self._starts[node.lineno - 1] + node.col_offset, self._end(node), text))

    def insert_lines(self, line: int, text: str) -> None:
        """Inserts lines before a line, counted from 1; after the last one, at the end."""
        self._insertions.append((self._starts[min(line, len(self._starts)) - 1], text))

    def line(self, number: int) -> str:
        """A line by its number, counted from 1, without the insertions."""
        return self._data[self._starts[number - 1] : self._starts[number]].decode()

    def _end(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        assert node.end_lineno is not None  # noqa: S101 - for the type checker: nodes of a parsed text have an end
        assert node.end_col_offset is not None  # noqa: S101 - the same
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    # --- functions -----------------------------------------------------------------------------------------------

    def functions(self, name: str) -> list[Function]:
        """The functions of a name, such as `AsyncLogs.list`, overloads included; the last one has the body."""
        body: list[ast.stmt] = self.tree.body
        *outer, last = name.split(".")
        for part in outer:
            body = next((one.body for one in body if isinstance(one, ast.ClassDef) and one.name == part), [])
        return [one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name == last]

    def add_keyword(self, function: Function, keyword: str, after: str | None) -> None:
        """Adds a keyword, such as `limit: int = 20`, behind another one, or else before `timeout`."""
        arguments = function.args
        if not arguments.kwonlyargs:
            raise UnwritableError(f"{function.name} in {self.path.name} takes no keywords")
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if argument.arg == after:
                self.insert_after(default or argument, f", {keyword}")
                return
        first = next((one for one in arguments.kwonlyargs if one.arg == "timeout"), arguments.kwonlyargs[-1])
        self.insert_before(first, f"{keyword}, ")

    def add_argument(self, call: ast.Call, keyword: str, after: ast.keyword | None = None) -> None:
        """Adds a keyword argument, such as `limit=limit`, to a call."""
        given = [*call.args, *(one.value for one in call.keywords)]
        if after is not None or given:
            self.insert_after(after.value if after is not None else max(given, key=self._end), f", {keyword}")
        else:
            self._insertions.append((self._end(call) - 1, keyword))

    def add_description(self, function: Function, entry: str, after: str | None) -> None:
        """Adds the description of an argument to a docstring, behind that of another one, or else before `timeout`."""
        doc = function.body[0]
        if not (isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant) and isinstance(doc.value.value, str)):
            raise UnwritableError(f"{function.name} in {self.path.name} has no docstring")
        assert doc.end_lineno is not None  # noqa: S101 - for the type checker
        indent = " " * doc.col_offset
        names: dict[str, int] = {}
        start = end = 0
        for number in range(doc.lineno, doc.end_lineno + 1):
            line = self.line(number)
            if line.rstrip() == f"{indent}Args:":
                start = number
            elif start and line.startswith(f"{indent}    ") and not line.startswith(f"{indent}     "):
                names[line.strip().partition(":")[0]] = number
            elif start and not end and not line.startswith(f"{indent}    "):
                end = number
        if not start:
            raise UnwritableError(f"the docstring of {function.name} in {self.path.name} has no `Args:`")
        place = names.get("timeout", end)
        if after in names:
            place = min((number for number in names.values() if number > names[str(after)]), default=end)
        self.insert_lines(place, entry)

    def add_statement(self, function: Function, text: str) -> None:
        """Adds statements, which begin a line, behind the docstring of a function."""
        doc = function.body[0]
        assert doc.end_lineno is not None  # noqa: S101 - for the type checker
        self.insert_lines(doc.end_lineno + 1, text)

    # --- imports -------------------------------------------------------------------------------------------------

    def has_inserted(self, text: str) -> bool:
        """Whether a text is among the insertions."""
        return any(text in inserted for _, inserted in self._insertions)

    def add_import(self, module: str, name: str, *, for_types: bool = False) -> None:
        """Imports a name where the module does not do so yet.

        Args:
            module: Where it is: one of the SDK as seen from its root, such as `._http.config`.
            name: The name.
            for_types: Whether only the type checker needs it.
        """
        if name not in self._bound():
            self._imports.setdefault((self._seen_from_here(module), for_types), set()).add(name)

    def _seen_from_here(self, module: str) -> str:
        """A module of the SDK as it is written in this one."""
        parts = self.path.parent.parts
        if not module.startswith(".") or PACKAGE not in parts:
            return module
        here, there = parts[len(parts) - parts[::-1].index(PACKAGE) :], module[1:].split(".")
        common = 0
        while common < min(len(here), len(there) - 1) and here[common] == there[common]:
            common += 1
        return "." * (len(here) - common + 1) + ".".join(there[common:])

    def _bound(self) -> set[str]:
        found: set[str] = set()
        blocks = [one.body for one in self.tree.body if isinstance(one, ast.If) and _is_for_types(one)]
        for node in [*self.tree.body, *(inner for block in blocks for inner in block)]:
            if isinstance(node, ast.Import | ast.ImportFrom):
                found |= {alias.asname or alias.name for alias in node.names}
        return found

    def _import_lines(self) -> Iterator[tuple[int, str]]:
        block = next((one for one in self.tree.body if isinstance(one, ast.If) and _is_for_types(one)), None)
        for (module, for_types), names in self._imports.items():
            line = f"from {module} import {', '.join(sorted(names))}\n"
            if for_types and block is not None:
                yield self._starts[block.body[0].lineno - 1], f"    {line}"
                continue
            last = max((one for one in self.tree.body if isinstance(one, ast.ImportFrom)), key=lambda one: one.lineno)
            yield self._end(last), f"\n{line.rstrip()}"


def _is_for_types(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def calls_in(function: ast.AST) -> list[ast.Call]:
    """The calls inside a function, in the order in which they are written."""
    found = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


def called_name(call: ast.Call) -> str:
    """What is called, with its dots: `run_body`, `list_workflow_logs.build_request`, `self.iter`."""
    return ast.unparse(call.func)


PACKAGE: Final = "dify_workflow"
WIDTH: Final = 120
"""The longest line of the project's code."""
