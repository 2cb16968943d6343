"""The files that hold the project together: they agree with each other, and none of them says too much."""

from __future__ import annotations

import os
import re
import runpy
import tomllib
from typing import Any

import pytest
from environments import REQUIREMENTS, ROOT, StepError, step
from lock import normal, pinned
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

with pytest.MonkeyPatch.context() as patch:
    patch.setenv("PATH", os.environ["PATH"])  # the file prepends to it
    NOXFILE: dict[str, Any] = runpy.run_path(str(ROOT / "noxfile.py"))
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCKS = {path.name: path.read_text("utf-8") for path in sorted(REQUIREMENTS.glob("*.txt"))}
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
VERSION = re.search(
    r'^__version__ = "(.+)"$', (ROOT / "src/dify_workflow/_version.py").read_text("utf-8"), re.MULTILINE
)[1]

MACHINE_PATH = re.compile(r"(?<![A-Za-z0-9_.~*}-])(?<!:/)/(?:work|root|home|Users|farm)/[A-Za-z.]")
# Dify makes an app's key of 24 letters and digits; a made-up one that is as long has words or dashes in it.
REAL_KEY = re.compile(r"\bapp-(?=[A-Za-z]*[0-9])[A-Za-z0-9]{24}(?![A-Za-z0-9-])")


def project_files():
    """Every file of the project: the tracked ones and those about to be; without git, all but what is built."""
    try:
        names = step(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]).split("\0")
        files = [ROOT / name for name in names if name]
    except (StepError, FileNotFoundError):
        ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").splitlines()}
        files = [path for path in ROOT.rglob("*") if not ignored & set(path.relative_to(ROOT).parts)]
    return [path for path in files if path.is_file() and path.suffix != ".pyc"]


def stated(*groups: str) -> list[Requirement]:
    """The requirements of dependency groups, with the groups that they include."""
    entries = [entry for group in groups for entry in PYPROJECT["dependency-groups"][group]]
    included = [entry["include-group"] for entry in entries if isinstance(entry, dict)]
    return [Requirement(entry) for entry in entries if isinstance(entry, str)] + (stated(*included) if included else [])


def runtime(*extras: str) -> list[Requirement]:
    """What the SDK requires, with some of its extras."""
    project = PYPROJECT["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return [Requirement(line) for line in lines]


class TestLocks:
    """requirements/*.txt: what is installed, by hash, from whichever index."""

    def test_every_end_of_the_ranges_has_a_lock(self):
        assert set(LOCKS) == {"dev.txt", "runtime.txt", "highest.txt", "lowest.txt", "bench.txt", "engines.txt"}

    @pytest.mark.parametrize("name", LOCKS)
    def test_a_lock_names_no_host_and_no_place_on_disk(self, name):
        assert not re.search(r"[a-z]+://|index-url|find-links|trusted-host|^(-e|\.|/)", LOCKS[name], re.MULTILINE)

    @pytest.mark.parametrize("name", LOCKS)
    def test_every_package_is_pinned_by_hash(self, name):
        entries = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n", "", LOCKS[name], flags=re.MULTILINE).strip())
        for entry in entries:
            assert re.match(r"[a-z0-9.-]+==[^\s;]+( ; [^\\\n]+)? \\\n", entry), entry
            assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)) >= 1, entry
        names = {entry.partition("==")[0] for entry in entries}  # some have a version of their own for older Pythons
        assert len(names) == len(pinned(LOCKS[name])) >= 8

    @pytest.mark.parametrize(
        ("name", "requirements"),
        [
            ("dev.txt", [*runtime("cli", "sandbox", "speed"), *stated("dev")]),
            ("runtime.txt", runtime()),
            ("highest.txt", [*runtime("cli", "sandbox", "speed"), *stated("suite")]),
            ("lowest.txt", [*runtime("cli", "sandbox", "speed"), *stated("suite")]),
            ("bench.txt", [*runtime("cli", "sandbox", "speed"), *stated("bench")]),
            ("engines.txt", [*runtime("dlt", "sandbox", "spark"), *stated("engines")]),
        ],
    )
    def test_a_lock_meets_every_requirement_of_pyproject(self, name, requirements):
        locked = pinned(LOCKS[name])
        wrong = [str(wanted) for wanted in requirements if locked.get(normal(wanted.name), "") not in wanted.specifier]
        assert not wrong, f"make lock: {name} does not meet {wrong}"

    def test_the_lock_without_extras_has_none_of_theirs(self):
        extras = {normal(wanted.name) for wanted in runtime("cli", "sandbox", "speed")} - {
            normal(r.name) for r in runtime()
        }
        assert extras
        assert not extras & set(pinned(LOCKS["runtime.txt"]))

    @pytest.mark.parametrize("name", ["runtime.txt", "highest.txt"])
    def test_the_highest_end_is_what_we_develop_with(self, name):
        assert pinned(LOCKS[name]).items() <= pinned(LOCKS["dev.txt"]).items()

    def test_the_lowest_end_is_the_lowest_that_each_range_allows(self):
        locked = pinned(LOCKS["lowest.txt"])
        for wanted in runtime("cli", "sandbox", "speed"):
            (lowest,) = (Version(clause.version) for clause in wanted.specifier if clause.operator == ">=")
            assert Version(locked[normal(wanted.name)]) == lowest, f"make lock: {wanted}"

    def test_the_tools_of_the_tests_are_the_same_at_both_ends(self):
        lowest, highest = pinned(LOCKS["lowest.txt"]), pinned(LOCKS["highest.txt"])
        for tool in stated("suite"):
            assert lowest[normal(tool.name)] == highest[normal(tool.name)]

    def test_what_decides_the_generated_bytes_is_pinned_exactly(self):
        exact = {tool.name: str(tool.specifier) for tool in stated("generate") if str(tool.specifier).startswith("==")}
        assert set(exact) == {"openapi-python-client", "ruff"}
        locked = pinned(LOCKS["dev.txt"])
        assert {name: f"=={locked[name]}" for name in exact} == exact

    def test_nothing_that_records_an_index_is_kept(self):
        assert not [path.name for path in project_files() if re.fullmatch(r"uv\.lock|pylock.*\.toml", path.name)]


class TestPythons:
    """The Pythons that are claimed."""

    def test_the_lowest_python_is_the_same_everywhere(self):
        lowest = NOXFILE["supported"]()[0]
        assert SpecifierSet(PYPROJECT["project"]["requires-python"]) == SpecifierSet(f">={lowest}")
        assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{lowest.replace('.', '')}"
        assert PYPROJECT["tool"]["mypy"]["python_version"] == lowest
        assert PYPROJECT["tool"]["pyright"]["pythonVersion"] == lowest

    def test_every_claimed_python_is_tested_at_the_range_ends(self):
        claimed, tried = NOXFILE["supported"](), NOXFILE["COMBINATIONS"]
        assert {python for end, python in tried if end == "highest"} == set(claimed)
        assert {python for end, python in tried if end == "lowest"} == {claimed[0], claimed[-1]}

    def test_the_ends_of_the_ranges_run_the_runtimes_tests_only(self):
        chosen = set(NOXFILE["runtime_tests"]())
        assert {"tests/unit/test_times.py", "tests/unit/test_configuration.py"} <= chosen
        assert not chosen & {*NOXFILE["LEFT_OUT"], "tests/unit/test_generation.py"}
        assert all((ROOT / name).is_file() for name in [*chosen, *NOXFILE["LEFT_OUT"]])


class TestMakefile:
    """The tasks."""

    def test_help_lists_every_task(self):
        (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
        said = step(["make", "help"], variables={"MAKEFLAGS": "", "MAKELEVEL": "0"})  # `make test` may run this test
        listed = re.findall(r"^  make (\S+) +\S", said, re.MULTILINE)
        assert sorted(listed) == sorted(phony.split())
        assert len(listed) == len(set(listed))

    def test_every_task_is_declared_as_one(self):
        (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
        assert set(re.findall(r"^([a-z][a-z0-9-]*):", MAKEFILE, re.MULTILINE)) == set(phony.split())

    def test_every_script_that_a_task_calls_is_there(self):
        called = re.findall(r"scripts/([a-z_]+\.py)", MAKEFILE)
        assert called
        assert not [name for name in called if not (ROOT / "scripts" / name).is_file()]


class TestTexts:
    """What people read."""

    @pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"])
    def test_the_texts_that_people_look_for_are_there(self, name):
        assert len((ROOT / name).read_text("utf-8")) > 500

    def test_the_changelog_begins_with_the_current_version(self):
        headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
        assert headings[0] == VERSION

    def test_the_licence_is_the_one_that_is_declared(self):
        assert PYPROJECT["project"]["license"] == "MIT"
        assert (ROOT / "LICENSE").read_text("utf-8").startswith("MIT License")

    def test_every_task_that_a_text_names_exists(self):
        tasks = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split())
        for name in ("README.md", "CONTRIBUTING.md"):
            named = set(re.findall(r"(?:^|`)make ([a-z][a-z-]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))
            assert named, name
            assert named <= tasks, name


class TestNothingPrivate:
    """What must not be in any file of the project."""

    def test_no_file_has_the_path_of_a_machine_or_a_real_key_in_it(self):
        files = project_files()
        assert len(files) > 60
        found = []
        for path in files:
            text = path.read_bytes().decode("utf-8", "replace")
            for what, pattern in (("a machine's path", MACHINE_PATH), ("a key", REAL_KEY)):
                found += [
                    f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {what}"
                    for match in pattern.finditer(text)
                ]
        assert not found

    @pytest.mark.parametrize(
        "text", ["see /" + "root/project/x.py", "'/" + "home/someone/x'", "(/" + "Users/x)", "file:///" + "work/main"]
    )
    def test_the_path_of_a_machine_would_be_found(self, text):
        assert MACHINE_PATH.search(text)

    def test_a_real_key_would_be_found_and_a_made_up_one_is_not(self):
        assert REAL_KEY.search("Bearer app-" + "kT9zQ1bVw3Lr8Xy2Ncd5Fg7H")
        assert not REAL_KEY.search("app-distinctive-KEY-7f3e9a51c2 app-sandbox-main app-...")
