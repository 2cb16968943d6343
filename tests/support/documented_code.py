"""The code blocks of the documentation, and how they are run: as a reader would paste them, on a sandbox.

A page is run from top to bottom in an empty folder, on a sandbox of its own, to which the environment points. In the
text, `app-...` and `https://dify.example.com/v1` stand for that sandbox. Each block works on its own, in a fresh
namespace, or begins with the comment `# after the block above`.

A comment before a block says what else holds for it:

    <!-- code: not run: REASON -->   only its syntax is checked
    <!-- code: file NAME -->         it is saved under this name, for later blocks
    <!-- code: output -->            what the block above printed
    <!-- code: engines -->           it needs what `make test-engines` installs, and is run there; elsewhere its
                                     syntax is checked
    <!-- code: Ctrl-C -->            it has no end: it is interrupted when it has printed something
    <!-- code: pytest -->            a file of tests, which must pass
    <!-- code: exit 3 -->            the exit status of the last command
    <!-- sandbox: version=1.16 -->   anywhere in the page: arguments of its sandbox

Output is compared after ids, times and addresses were replaced on both sides (`normal`), and blanks were collapsed; in
the documentation, `...` stands for anything.
"""

from __future__ import annotations

import ast
import asyncio
import configparser
import contextlib
import doctest
import gc
import inspect
import io
import json
import os
import pty
import re
import runpy
import shlex
import signal
import subprocess
import sys
import threading
import tomllib
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ruamel.yaml import YAML

from dify_workflow import AsyncDifyWorkflow, DifyError, DifyWorkflow, Verbatim
from dify_workflow.testing import Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dify_workflow.testing import Sandbox

ROOT: Final = next(path for path in Path(__file__).resolve().parents if (path / "pyproject.toml").is_file())
AFTER: Final = "# after the block above"
KEY, ADDRESS = "app-...", "https://dify.example.com/v1"
NOT_RUN: Final = {
    **dict.fromkeys(("pip", "pipx", "uv", "uvx", "poetry", "python3"), "installs packages, or starts what they bring"),
    **dict.fromkeys(("make", "git", "sudo", "docker", "gunicorn", "celery", "uvicorn", "cd"), "concerns the machine"),
    **dict.fromkeys(("pytest", "datasette"), "is a program of others"),
}
"""Programs that no block starts: the syntax of these commands is checked."""
STAND_INS: Final = {"pass": 'echo "$DIFY_API_KEY"', "curl": "cat > /dev/null; echo ok"}
"""Programs of a reader's machine that a block may call."""
FILES: Final = {
    "report.pdf": b"%PDF-1.7\n",
    "inputs.json": b'{"query": "hi"}\n',
    "questions.csv": b"query\nfirst question\nsecond question\n",
}
"""What is in the folder of each page."""

_FENCE = re.compile(
    r"(?:<!-- code: (?P<note>[^\n]*?) -->\n\s*)?"
    r"^(?P<indent> *)(?P<fence>```+)(?P<language>[^\n`]*)\n(?P<source>.*?)^(?P=indent)(?P=fence)`*[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_SANDBOX = re.compile(r"<!-- sandbox: (.*?) -->")
_SECONDS: Final = 300
_VARYING = {
    "ID": re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"),
    "ADDRESS": re.compile(r"(?:http://)?127\.0\.0\.1:\d+"),
    "TIME": re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?(?: UTC)?"),
    "DATE": re.compile(r"\b\d{4}-\d\d-\d\d\b"),
}


@dataclass(frozen=True)
class Block:
    """One block of code: where it is, and what was written there."""

    path: Path
    line: int
    language: str
    source: str
    note: str = ""

    @property
    def place(self) -> str:
        """Where a reader finds it."""
        return f"{self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path.name}:{self.line}"


class DocumentationError(AssertionError):
    """A block that does not do what the documentation shows."""


def blocks_of(path: Path) -> list[Block]:
    """The code blocks of a page."""
    text = path.read_text("utf-8")
    found = []
    for match in _FENCE.finditer(text):
        indent = match["indent"]
        lines = [line.removeprefix(indent) for line in match["source"].splitlines(keepends=True)]
        line = text.count("\n", 0, match.start("source")) + 1
        found.append(Block(path, line, match["language"].strip(), "".join(lines), match["note"] or ""))
    return found


def sandbox_arguments(text: str) -> dict[str, Any]:
    """The arguments of a page's sandbox."""
    given = shlex.split(found[1]) if (found := _SANDBOX.search(text)) else []
    pairs = (one.partition("=")[::2] for one in given)
    return {"rows": 300} | {name: int(value) if value.isdigit() else value for name, value in pairs}


def normal(text: str) -> str:
    """Output without what differs from run to run: ids, times, dates, addresses, and the width of blanks."""
    for name, pattern in _VARYING.items():
        text = pattern.sub(f"<{name}>", text)
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def agrees(shown: str, printed: str) -> bool:
    """Whether output is as the documentation shows it."""
    parts = [re.escape(part) for part in normal(shown).split("...")]
    return re.fullmatch(".*?".join(parts), normal(printed), re.DOTALL) is not None


@dataclass
class Page:
    """A page, while its blocks are run."""

    path: Path
    folder: Path
    sandbox: Sandbox
    has_engines: bool = False
    names: dict[str, Any] = field(default_factory=dict)
    printed: str = ""
    _left: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> int:
        """Run every block; how many there were."""
        for name, content in FILES.items():
            (self.folder / name).write_bytes(content)
        blocks = blocks_of(self.path)
        try:
            for block in blocks:
                self._run_placed(block)
        finally:
            self._let_go()
        return len(blocks)

    def _run_placed(self, block: Block) -> None:
        try:
            self.run_block(block)
        except DocumentationError as error:
            raise DocumentationError(f"{block.place}: {error}") from None
        except Exception as error:
            raise DocumentationError(f"{block.place}: {type(error).__name__}: {error}") from error

    def _let_go(self) -> None:
        """Collect what blocks leave open, as a client that is pasted without `with`, here and not in a later test."""
        for names in self._left:
            names.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

    def run_block(self, block: Block) -> None:
        """Run one block, or check its syntax."""
        if block.language.startswith("{"):
            return None  # a directive of the site: a note, or a list of pages
        if block.language not in RUNNERS:
            raise DocumentationError(f"no such language of blocks: {block.language!r}")
        word, _, rest = block.note.partition(" ")
        if word == "output":
            return self._compare(block.source)
        if word == "not":
            if not re.fullmatch(r"run: .{10,}", rest):
                raise DocumentationError("a block that is not run needs a reason")
            return check_syntax(block)
        if word == "engines" and not self.has_engines:
            return check_syntax(block)
        if word == "file":
            check_syntax(block)
            (self.folder / rest).write_text(self._filled(block.source), "utf-8")
            return None
        if word not in {"", "engines", "pytest", "Ctrl-C", "exit"}:
            raise DocumentationError(f"no such note: {block.note!r}")
        RUNNERS[block.language](self, block)
        return None

    def run_python(self, block: Block) -> None:
        """Run a block of Python in this process."""
        if block.note == "pytest":
            return self._run_pytest(block)
        if not block.source.startswith(AFTER):
            self.names = {"__name__": "__main__"}
            self._left.append(self.names)
        code = compile("\n" * (block.line - 1) + self._filled(block.source), str(block.path), "exec")
        written = io.StringIO()
        with contextlib.redirect_stdout(written):
            if block.note == "Ctrl-C":
                with arriving_logs(self.sandbox), interrupted(lambda: bool(written.getvalue())):
                    exec(code, self.names)  # noqa: S102 - the documentation is ours
            else:
                exec(code, self.names)  # noqa: S102 - the documentation is ours
        self.printed = written.getvalue()
        return None

    def run_doctest(self, block: Block) -> None:
        """Run a block as it looks in the interpreter, with its output."""
        names = self.names if block.source.lstrip(">. ").startswith(AFTER) else {"__name__": "__main__"}
        for example in doctest.DocTestParser().get_examples(self._filled(block.source)):
            written = io.StringIO()
            with contextlib.redirect_stdout(written):
                exec(compile(example.source, str(block.path), "single"), names)  # noqa: S102 - as above
            if not agrees(example.want, written.getvalue()):
                raise DocumentationError(difference(example.want, written.getvalue()))

    def run_console(self, block: Block) -> None:
        """Run the commands of a block in a shell on a terminal, and compare what they print."""
        commands = commands_of(block.source)
        if not commands:
            raise DocumentationError("no line begins with `$ `")
        self.printed = ""
        for number, (command, shown) in enumerate(commands):
            if any(program in NOT_RUN for program in programs_of(command)) or re.match("export DIFY_", command):
                check_shell(command)
                continue
            is_endless = block.note == "Ctrl-C" and number == len(commands) - 1
            with arriving_logs(self.sandbox) if is_endless else contextlib.nullcontext():
                self.printed, status = self._shell(self._filled(command), is_endless=is_endless)
            wanted = block.note.removeprefix("exit ") if number == len(commands) - 1 else ""
            if not is_endless and status != (int(wanted) if wanted.isdigit() else 0):
                raise DocumentationError(f"`{command}`: exit status {status}: {self.printed}")
            if shown.strip() and not agrees(shown, self.printed):
                raise DocumentationError(f"`{command}`: {difference(shown, self.printed)}")

    def check(self, block: Block) -> None:
        """Check the syntax of a block that is no program."""
        check_syntax(block)

    def environment(self) -> dict[str, str]:
        """What a reader has set: the app's key and address, and a terminal of 100 columns."""
        stand_ins = self.folder / ".bin"
        stand_ins.mkdir(exist_ok=True)
        for name, script in STAND_INS.items():
            (stand_ins / name).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
            (stand_ins / name).chmod(0o755)
        folders = [str(stand_ins), str(Path(sys.executable).parent), os.environ["PATH"]]
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DIFY_", "PYTEST_"))},
            "PATH": os.pathsep.join(folders),
            "DIFY_API_KEY": self.sandbox.api_key,
            "DIFY_BASE_URL": self.sandbox.base_url,
            "XDG_CONFIG_HOME": str(self.folder / ".config"),
            "TERM": "dumb",
            "NO_COLOR": "1",
            "COLUMNS": "100",
            "TZ": "UTC",
        }

    def _shell(self, command: str, *, is_endless: bool) -> tuple[str, int]:
        ours, theirs = pty.openpty()
        with open(ours, "rb", buffering=0) as terminal:  # noqa: PTH123 - a file descriptor
            process = subprocess.Popen(
                ["bash", "-o", "pipefail", "-c", command],  # noqa: S607 - found as a reader finds it
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
                start_new_session=True,
            )
            os.close(theirs)
            alarm = threading.Timer(_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
            alarm.start()
            received = bytearray()
            try:
                with contextlib.suppress(OSError):  # Linux reports the end of a terminal as an error
                    while data := terminal.read(65536):
                        received += data
                        if is_endless:
                            os.killpg(process.pid, signal.SIGINT)
                status = process.wait()
            finally:
                alarm.cancel()
        return received.decode("utf-8", "replace").replace("\r\n", "\n"), status

    def _run_pytest(self, block: Block) -> None:
        target = self.folder / f"test_line_{block.line}.py"
        target.write_text(self._filled(block.source), "utf-8")
        program = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", target.name]
        variables = self.environment() | {"PYTHONPATH": str(self.folder)}
        for name in ("DIFY_API_KEY", "DIFY_BASE_URL"):
            del variables[name]
        done = subprocess.run(
            program, cwd=self.folder, env=variables, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
        if done.returncode or not re.search(r"\b[1-9]\d* passed", done.stdout):
            raise DocumentationError(done.stdout + done.stderr)

    def _filled(self, source: str) -> str:
        return filled(source, self.sandbox)

    def _compare(self, shown: str) -> None:
        if not agrees(shown, self.printed):
            raise DocumentationError(difference(shown, self.printed))


def check_syntax(block: Block) -> None:
    """Check the syntax of a block by its language."""
    if block.language == "console":
        for command, _ in commands_of(block.source):
            check_shell(command)
    elif (parse := PARSERS.get(block.language)) is not None:
        parse(block.source)


def check_shell(command: str) -> None:
    """Check the syntax of a command."""
    done = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, check=False)  # noqa: S607
    if done.returncode:
        raise DocumentationError(f"`{command}`: {done.stderr}")


def commands_of(source: str) -> list[tuple[str, str]]:
    r"""The commands of a console block with the output that is shown for each: a line that ends in `\` continues."""
    commands: list[list[str]] = []
    goes_on = False
    for line in source.splitlines():
        if line.startswith("$ ") and not goes_on:
            commands.append([line[2:], ""])
            goes_on = line.endswith("\\")
        elif goes_on:
            commands[-1][0] += "\n" + line
            goes_on = line.endswith("\\")
        elif commands:
            commands[-1][1] += line + "\n"
        elif line.strip():
            raise DocumentationError(f"output before the first command: {line}")
    return [(command, shown) for command, shown in commands]


def programs_of(command: str) -> list[str]:
    """The programs that a command starts, of a pipeline each."""
    lexer = shlex.shlex(command.replace("\\\n", " "), posix=True, punctuation_chars="|&;")
    lexer.whitespace_split = True
    found, is_first = [], True
    for word in lexer:
        if set(word) <= set("|&;"):
            is_first = True
        elif is_first and not re.match(r"[A-Za-z_]\w*=", word):
            found.append(word.rpartition("/")[2])
            is_first = False
    return found


@contextlib.contextmanager
def interrupted(is_time: Callable[[], bool]) -> Iterator[None]:
    """Interrupt the block as Ctrl-C does, as soon as it is time; it must not end by itself."""
    is_over, is_late = threading.Event(), threading.Event()

    def wait() -> None:
        for _ in range(_SECONDS * 50):
            if is_over.wait(0.02):
                return
            if is_time():
                break
        else:
            is_late.set()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    except KeyboardInterrupt:
        if is_late.is_set():
            raise DocumentationError("it printed nothing") from None
    else:
        raise DocumentationError("it ended by itself")
    finally:
        is_over.set()
        thread.join()


@contextlib.contextmanager
def arriving_logs(sandbox: Sandbox) -> Iterator[None]:
    """Runs that fail, one every half second."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(0.5):
            sandbox.add_log(status="failed", error="boom")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def difference(shown: str, printed: str) -> str:
    """What is shown, and what was printed."""
    return f"the documentation shows\n{normal(shown)}\n\nand this was printed\n\n{printed}"


class Docstrings:
    """The examples in the docstrings of a module, and how they are run: with what their text is about."""

    def __init__(self, path: Path, sandbox: Sandbox, client: DifyWorkflow) -> None:
        self.path, self.sandbox, self.client = path, sandbox, client
        [log] = client.logs.list(status="succeeded", limit=1)
        with client.logs.changes() as changes:
            assert [*changes] == []
        run = client.runs.run({"query": "hi"}, user="u-1")
        self.names: dict[str, Any] = {
            "__name__": "example",
            "AsyncDifyWorkflow": AsyncDifyWorkflow,
            "DifyWorkflow": DifyWorkflow,
            "Path": Path,
            "Sandbox": type(sandbox),
            "Verbatim": Verbatim,
            "Wait": Wait,
            "detail": client.runs.get(run.workflow_run_id or ""),
            "log": log,
            "sandbox": sandbox,
            "rows": [{"query": "hi"}, {"query": "there"}],
            "save": [].append,
            "saved": changes.checkpoint,
            "trace_id": "1",
        }

    def run(self) -> None:
        """Run them all; one that follows the logs is interrupted after its first request."""
        for name, content in FILES.items():
            Path(name).write_bytes(content)
        for examples in documented(self.path):
            known = len(self.sandbox.requests)
            is_endless = "logs.follow(" in examples[0].source
            with (
                interrupted(lambda known=known: len(self.sandbox.requests) > known)
                if is_endless
                else contextlib.nullcontext()
            ):
                self._start(examples)

    def _start(self, examples: list[doctest.Example]) -> None:
        if "_async" in self.path.parts:
            asyncio.run(self._run(examples))
            return
        with contextlib.suppress(StopIteration):  # without an event loop, which would take Ctrl-C for itself
            self._run(examples).send(None)
            raise DocumentationError(f"{self.path}: an example of the sync client waits for an event loop")

    async def _run(self, examples: list[doctest.Example]) -> None:
        async with self.sandbox.async_client() as asynchronous:
            self.names["client"] = asynchronous if "_async" in self.path.parts else self.client
            for example in examples:
                await self._run_one(example)

    async def _run_one(self, example: doctest.Example) -> None:
        source = filled(example.source, self.sandbox)
        code = compile(source, str(self.path), "single", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            try:
                value = eval(code, self.names)  # noqa: S307 - the examples are ours
                if inspect.isawaitable(value):
                    await value
            except DifyError as error:
                if example.exc_msg is None:
                    raise
                printed.write(f"dify_workflow.{type(error).__name__}: {error}")
        shown = example.exc_msg or example.want
        if shown and not agrees(shown, printed.getvalue()):
            raise DocumentationError(f"{self.path}: {difference(shown, printed.getvalue())}")


def documented(path: Path) -> list[list[doctest.Example]]:
    """The examples of each docstring of a module: its own, and those of its classes and functions."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    texts = [ast.get_docstring(node) or "" for node in nodes if isinstance(node, kinds)]
    return [found for text in texts if (found := doctest.DocTestParser().get_examples(text))]


def filled(source: str, sandbox: Sandbox) -> str:
    """A block with the key and the address of the sandbox in place of the ones that stand for them."""
    return source.replace(KEY, sandbox.api_key).replace(ADDRESS, sandbox.base_url)


def run_program(path: Path, *arguments: str) -> str:
    """Run a program of examples/ in this process, in the current folder; what it printed."""
    written, given = io.StringIO(), sys.argv
    sys.argv = [path.name, *arguments]
    try:
        with contextlib.redirect_stdout(written):
            runpy.run_path(str(path), run_name="__main__")
    finally:
        sys.argv = given
    return written.getvalue()


def run_notebook(path: Path) -> list[Any]:
    """Run the cells of a notebook in this process; the value of each cell's last expression, or None."""
    names: dict[str, Any] = {"__name__": "__main__"}
    values: list[Any] = []
    for number, cell in enumerate(json.loads(path.read_text("utf-8"))["cells"]):
        if cell["cell_type"] != "code":
            continue
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        place = f"{path.name}, cell {number}"
        exec(compile(tree, place, "exec"), names)  # noqa: S102 - the notebook is ours
        value = eval(compile(ast.Expression(last.value), place, "eval"), names) if last else None  # noqa: S307
        values.append(value)
    return values


PARSERS: Final[dict[str, Any]] = {
    "python": ast.parse,
    "toml": tomllib.loads,
    "ini": lambda text: configparser.ConfigParser(interpolation=None).read_string(text),
    "json": json.loads,
    "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
    "yaml": YAML(typ="safe").load,
    "sh": check_shell,
}
RUNNERS: Final = {
    "python": Page.run_python,
    "pycon": Page.run_doctest,
    "console": Page.run_console,
    **dict.fromkeys(("text", "toml", "ini", "json", "jsonl", "yaml", "sh", "dockerfile", "sql", "html"), Page.check),
}
