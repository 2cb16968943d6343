"""Run the runtime's tests at the ends of the dependency ranges, on every supported Python, against the built wheel.

The lowest end runs on the oldest and the newest Python, the highest on each: `make test-ranges`. `ARGS="--python 3.12"`
runs one Python, `ARGS="-- -x"` passes an option to pytest. A Python that is not found is skipped.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import sys
import tomllib
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "scripts"))

from environments import built, pip_settings  # noqa: E402 - scripts/ is no package

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv"
nox.options.envdir = str(ROOT / "build" / "ranges")

# Tests that import a module of `scripts` are about making the client, with pinned tools, and are left out. These are
# left out for what else they need.
LEFT_OUT = {
    "tests/contract/test_sandbox_spec.py": "needs schemathesis, which has ranges of its own",
    "tests/e2e/test_distribution.py": "builds the wheel and makes environments itself",
    "tests/e2e/test_documentation.py": "needs what the pages show: DuckDB, pyarrow, FastAPI, OpenTelemetry",
    "tests/e2e/test_examples.py": "needs what the examples show: DuckDB, pyarrow, the drawing of charts",
    "tests/e2e/test_export_otlp.py": "needs OpenTelemetry's packages, which are pinned to each other",
    "tests/e2e/test_http_libraries.py": "needs httpx2, which no other test does",
    "tests/e2e/test_tracing.py": "needs OpenTelemetry's packages, which are pinned to each other",
    "tests/unit/test_project_files.py": "is about the repository",
}


def supported() -> list[str]:
    """The Python versions in the classifiers, such as 3.11, the oldest first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return re.findall(r"Python :: (3\.[0-9]+)$", "\n".join(project["classifiers"]), re.MULTILINE)


def runtime_tests() -> list[str]:
    """The test files that are about the runtime."""
    scripts = {path.stem for path in (ROOT / "scripts").iterdir()}
    tests = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))
    return [name for name in tests if name not in LEFT_OUT and not imported(ROOT / name) & scripts]


def imported(file: Path, seen: frozenset[Path] = frozenset()) -> set[str]:
    """The top-level modules that a test file imports, itself or through a module in `tests/support`."""
    names = named_in_imports(file)
    shared = {ROOT / "tests" / f"{name.replace('.', '/')}.py" for name in names if name.startswith("support.")} - seen
    found = {name.partition(".")[0] for name in names}
    return found.union(*(imported(other, seen | shared) for other in shared if other.is_file()))


@functools.cache
def named_in_imports(file: Path) -> frozenset[str]:
    """The modules that the imports of a file name, and what they take from them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


@functools.cache
def wheel() -> Path:
    """The wheel of this tree, built once."""
    return built("wheel", Path(nox.options.envdir or "") / f"wheel-{os.getpid()}")


PYTHONS = supported()
COMBINATIONS = [("lowest", PYTHONS[0]), ("lowest", PYTHONS[-1]), *(("highest", python) for python in PYTHONS)]
# pyenv's versions are found without being active.
PYENV = sorted(
    (Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions").glob("3.*/bin"), reverse=True
)
os.environ["PATH"] = os.pathsep.join([*map(str, PYENV), os.environ.get("PATH", "")])


@nox.session
@nox.parametrize(["end", "python"], COMBINATIONS)
def ranges(session: nox.Session, end: str) -> None:
    """Run the tests with what requirements/lowest.txt or highest.txt pins."""
    session.env.update(pip_settings())
    session.install("--require-hashes", "-r", f"requirements/{end}.txt")
    session.install("--no-deps", str(wheel()))
    session.run("uv", "pip", "check", external=True)
    session.run("python", "-P", "-c", "import dify_workflow as d, sys; sys.exit(not d.__file__.startswith(sys.prefix))")
    options = ["-q", "-n", "3", "--dist", "worksteal", "-p", "no:cacheprovider"]
    session.run("python", "-P", "-m", "pytest", *options, *runtime_tests(), *session.posargs)
