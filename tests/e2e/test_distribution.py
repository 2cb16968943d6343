"""What people install: the wheel and the sdist, and the SDK as it is in an environment of its own."""

from __future__ import annotations

import email
import json
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pytest
from environments import ROOT, built, clean_variables, environment, step
from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
VERSION = re.search(r'"(.+)"', (ROOT / "src" / "dify_workflow" / "_version.py").read_text("utf-8").split("=")[1])[1]
PACKAGES = {
    "dify_workflow": ROOT / "src" / "dify_workflow",
    "dify_workflow_api": ROOT / "generated" / "dify_workflow_api",
}
USER_PROGRAM = ROOT / "tests" / "e2e" / "user_program.py"
MISTAKEN_PROGRAM = ROOT / "tests" / "e2e" / "mistaken_program.py"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    return built("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory) -> Path:
    return built("sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def installed(tmp_path_factory, wheel) -> Path:
    """The interpreter of an environment with the SDK, its extras and pytest, and nothing else."""
    return environment(tmp_path_factory.mktemp("installed"), requirements="highest.txt", wheel=wheel)


@pytest.fixture(scope="session")
def without_extras(tmp_path_factory, wheel) -> Path:
    """The interpreter of an environment with the SDK and what it cannot do without."""
    return environment(tmp_path_factory.mktemp("without_extras"), requirements="runtime.txt", wheel=wheel)


@pytest.fixture(scope="session")
def sandbox(installed) -> Iterator[Mapping[str, str]]:
    """The variables that lead a program to a sandbox, which is served by the installed SDK."""
    with subprocess.Popen(
        [installed, "-I", "-m", "dify_workflow.sandbox", "--port", "0", "--rows", "300"],
        env=clean_variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            address = json.loads(process.stdout.readline())
            yield {"DIFY_BASE_URL": address["base_url"], "DIFY_API_KEY": address["api_key"]}
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0, "the sandbox did not end well"


class TestFiles:
    """What is in the files, and that they are the same wherever they are built."""

    def test_the_wheel_holds_both_packages_whole_and_nothing_else(self, wheel):
        with zipfile.ZipFile(wheel) as archive:
            names = set(archive.namelist())
        expected = {
            f"{package}/{path.relative_to(folder).as_posix()}"
            for package, folder in PACKAGES.items()
            for path in folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert len(expected) > 30
        assert {name for name in names if ".dist-info/" not in name} == expected
        assert {"dify_workflow/py.typed", "dify_workflow_api/py.typed"} <= expected
        info = f"dify_workflow_sdk-{VERSION}.dist-info"
        assert {name for name in names if name not in expected} == {
            f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
        }

    def test_the_wheel_is_for_every_system(self, wheel):
        assert wheel.name == f"dify_workflow_sdk-{VERSION}-py3-none-any.whl"

    def test_the_metadata_says_what_pyproject_says(self, wheel):
        metadata = self.metadata(wheel)
        assert metadata["Name"] == "dify-workflow-sdk"
        assert metadata["Version"] == VERSION
        assert metadata["Requires-Python"] == ">=3.11"
        assert metadata["License-Expression"] == "MIT"
        assert metadata["License-File"] == "LICENSE"
        assert metadata["Description-Content-Type"] == "text/markdown"
        assert metadata.get_payload(decode=True).decode().strip() == (ROOT / "README.md").read_text("utf-8").strip()
        extras = PROJECT["optional-dependencies"]
        assert set(metadata.get_all("Provides-Extra")) == set(extras)
        expected = {Requirement(line) for line in PROJECT["dependencies"]} | {
            Requirement(f'{line} ; extra == "{extra}"') for extra, lines in extras.items() for line in lines
        }
        assert {Requirement(line) for line in metadata.get_all("Requires-Dist")} == expected

    def test_every_dependency_has_a_lowest_end(self, wheel):
        for line in self.metadata(wheel).get_all("Requires-Dist"):
            assert any(clause.operator == ">=" for clause in Requirement(line).specifier), line

    def test_the_wheel_brings_the_pytest_plugin_and_the_licence(self, wheel):
        with zipfile.ZipFile(wheel) as archive:
            info = f"dify_workflow_sdk-{VERSION}.dist-info"
            points = archive.read(f"{info}/entry_points.txt").decode()
            licence = archive.read(f"{info}/licenses/LICENSE")
        assert points == (
            "[console_scripts]\ndify-workflow = dify_workflow.cli.main:main\n"
            "\n[pytest11]\ndify_workflow = dify_workflow.testing.plugin\n"
        )
        assert licence == (ROOT / "LICENSE").read_bytes()

    def test_the_sdist_holds_all_that_tests_and_generation_need(self, sdist):
        assert sdist.name == f"dify_workflow_sdk-{VERSION}.tar.gz"
        with tarfile.open(sdist) as archive:
            names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
        expected = {
            path.relative_to(ROOT).as_posix()
            for folder in ("src", "generated", "spec", "scripts", "tests", "requirements", "docs", "benchmarks")
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert len(expected) > 500
        assert expected <= names
        others = {name for name in names - expected if name.partition("/")[0] != "examples"}
        assert {"Makefile", "PKG-INFO", "noxfile.py", "pyproject.toml", "README.md"} < others
        assert not [name for name in others if "/" in name]

    def test_two_builds_are_byte_for_byte_the_same(self, wheel, sdist, tmp_path):
        assert built("wheel", tmp_path).read_bytes() == wheel.read_bytes()
        assert built("sdist", tmp_path).read_bytes() == sdist.read_bytes()

    def test_the_sdist_gives_the_same_wheel_byte_for_byte(self, wheel, sdist, tmp_path):
        with tarfile.open(sdist) as archive:
            archive.extractall(tmp_path, filter="data")
        (source,) = tmp_path.iterdir()
        assert built("wheel", tmp_path / "again", source=source).read_bytes() == wheel.read_bytes()

    @staticmethod
    def metadata(wheel):
        with zipfile.ZipFile(wheel) as archive:
            return email.message_from_bytes(archive.read(f"dify_workflow_sdk-{VERSION}.dist-info/METADATA"))


class TestInstalled:
    """The SDK in an environment of its own, with and without its extras."""

    def test_both_packages_are_installed_and_know_their_version(self, installed):
        said = output(
            [installed, "-I", "-c"],
            "import importlib.metadata as m, dify_workflow as a, dify_workflow_api as b",
            "print(a.__file__, b.__file__, a.__version__, m.version('dify-workflow-sdk'), sep='\\n')",
        )
        facade, raw, *versions = said.splitlines()
        assert facade.startswith(str(installed.parent.parent))
        assert raw.startswith(str(installed.parent.parent))
        assert versions == [VERSION, VERSION]

    def test_importing_the_package_loads_only_its_version(self, installed):
        # Without -S, what `site` and .pth files load would count as loaded before, and hide what the import loads.
        library = output([installed, "-I", "-c"], "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        said = output(
            [installed, "-I", "-S", "-c"],
            f"import sys; sys.path.append({library!r}); before = set(sys.modules); import dify_workflow",
            "print(*sorted(set(sys.modules) - before))",
        )
        assert said.split() == ["dify_workflow", "dify_workflow._version"]

    def test_the_package_lists_its_names_and_has_no_others(self, installed):
        said = output(
            [installed, "-I", "-c"],
            "import dify_workflow, json",
            "try: dify_workflow.DifyWorkfow",
            "except AttributeError as error: missing = str(error)",
            "names = {name: type(getattr(dify_workflow, name)).__name__ for name in dir(dify_workflow)}",
            "print(json.dumps([missing, names, sorted(dify_workflow.__all__)]))",
        )
        missing, names, promised = json.loads(said)
        assert missing == "module 'dify_workflow' has no attribute 'DifyWorkfow'"
        assert sorted(names) == promised
        others = {name for name, kind in names.items() if kind != "type"}
        assert others == {"API_SPEC", "__version__", "models", "remote_file", "types"}
        assert {"DifyWorkflow", "AsyncDifyWorkflow", "DifyError", "RateLimitError", "IncompleteWalkError"} <= set(names)

    @pytest.mark.parametrize("where", ["installed", "without_extras"])
    def test_a_users_program_runs_against_the_sandbox(self, request, sandbox, where):
        python = request.getfixturevalue(where)
        said = step([str(python), "-I", "-W", "error", str(USER_PROGRAM)], variables=sandbox)
        assert re.search(r"^[1-9][0-9]* failed lately; in all \{'succeeded': [1-9]", said, re.MULTILINE), said
        refusals = re.findall(r"^refused: (.*)", said, re.MULTILINE)
        assert len(refusals) == 4, said
        assert "400 invalid_param" in refusals[0]
        assert "401 unauthorized" in refusals[1]
        assert "base_url" in refusals[2]
        assert refusals[3] == "limit must be an integer from 1 to 100, got 0"
        assert sandbox["DIFY_API_KEY"] not in said

    def test_without_the_extra_the_sandbox_says_which_one_is_missing(self, without_extras):
        done = subprocess.run(
            [without_extras, "-I", "-m", "dify_workflow.sandbox", "--port", "0"],
            env=clean_variables(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert done.stdout == ""
        assert "dify-workflow-sdk[sandbox]" in done.stderr
        assert "Traceback" not in done.stderr

    def test_users_get_the_fixtures_without_naming_the_plugin(self, installed, tmp_path):
        (tmp_path / "test_report.py").write_text(
            "import pytest\n"
            "def test_a_failed_run_is_listed(dify_sandbox, dify_client):\n"
            "    dify_sandbox.add_log(status='failed', error='boom')\n"
            "    (log,) = dify_client.logs.list(status='failed').data\n"
            "    assert log.workflow_run.error == 'boom'\n"
            "@pytest.mark.dify_sandbox(rows=30)\n"
            "def test_rows_are_made_on_demand(dify_client):\n"
            "    assert dify_client.logs.list().total == 30\n",
            "utf-8",
        )
        said = step([str(installed), "-I", "-m", "pytest", "-W", "error", "--strict-markers"], folder=tmp_path)
        assert "2 passed" in said


class TestTypes:
    """What type checkers say about users' programs, with the SDK as it is installed."""

    def test_mypy_finds_every_mistake_and_accepts_correct_programs(self, installed, tmp_path):
        options = ["--strict", "--config-file=", "--python-executable", str(installed), "--no-pretty"]
        done = checker("mypy", [*options, "--cache-dir", "cache", str(USER_PROGRAM), str(MISTAKEN_PROGRAM)], tmp_path)
        faults = re.findall(r"^(.+?):([0-9]+): error: (.+)", done.stdout, re.MULTILINE)
        compare([(name, int(line), text) for name, line, text in faults], done.stdout + done.stderr)

    def test_pyright_finds_every_mistake_and_accepts_correct_ones(self, installed, tmp_path):
        settings = tmp_path / "pyrightconfig.json"
        settings.write_text('{"typeCheckingMode": "strict"}', "utf-8")
        for program in (USER_PROGRAM, MISTAKEN_PROGRAM):
            shutil.copy(program, tmp_path)
        options = ["--outputjson", "--pythonpath", str(installed), "--project", str(settings)]
        done = checker("pyright", options, tmp_path)
        report = json.loads(done.stdout)
        assert report["summary"]["filesAnalyzed"] == 2, done.stdout
        faults = [
            (fault["file"], fault["range"]["start"]["line"] + 1, fault["message"])
            for fault in report["generalDiagnostics"]
        ]
        compare(faults, done.stdout + done.stderr)


def compare(faults: list[tuple[str, int, str]], said: str) -> None:
    """A type checker must find fault with the lines that say that they hold a mistake, and with no others."""
    mistaken = MISTAKEN_PROGRAM.read_text("utf-8").splitlines()
    expected = {(MISTAKEN_PROGRAM.name, number) for number, line in enumerate(mistaken, 1) if "# mistake: " in line}
    assert len(expected) > 10
    assert {(PurePath(name).name, line) for name, line, _ in faults} == expected, said


def checker(name: str, options: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a type checker of the development environment."""
    return subprocess.run(
        [sys.executable, "-m", name, *options],
        cwd=folder,
        env={**clean_variables(), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def output(command: list[Any], *lines: str) -> str:
    """What a program of some lines prints."""
    return step([*map(str, command), "\n".join(lines)])
