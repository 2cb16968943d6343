"""The measure of the tests' strength: what it seeds is there to be seeded, is noticed, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import contract_faults
import mutants
import pytest
from contract_faults import FAULTS, Fault
from mutants import ROOT, reported

if TYPE_CHECKING:
    from pathlib import Path


def digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return contract_faults.copied(tmp_path_factory.mktemp("copy"))


def test_there_are_twenty_faults_and_each_has_its_place():
    assert len(FAULTS) == len({fault.name for fault in FAULTS}) == 20
    for fault in FAULTS:
        assert fault.before in (contract_faults.ROOT / fault.file).read_text("utf-8"), fault.name


@pytest.mark.parametrize("name", ["a wrong method"])
def test_a_fault_of_each_part_is_noticed_and_taken_out_again(place: Path, name: str):
    before = digest(place / "src"), digest(place / "generated")
    [fault] = [fault for fault in FAULTS if fault.name == name]
    verdict = contract_faults.judged(place, fault)
    assert verdict.is_caught
    assert verdict.text.startswith("FAILED tests/contract/test_contract_")
    assert (digest(place / "src"), digest(place / "generated")) == before


def test_a_misplaced_fault_and_broken_tests_prove_nothing(place: Path):
    lost = Fault("lost", "src/dify_workflow/_http/retry.py", "not there", "")
    with pytest.raises(LookupError, match=r"retry\.py does not hold 'not there' any more"):
        contract_faults.judged(place, lost)
    broken = Fault("broken", "src/dify_workflow/_http/retry.py", "from __future__", "form __future__")
    with pytest.raises(RuntimeError, match="the tests did not run"):
        contract_faults.judged(place, broken)


@pytest.mark.parametrize(("survived", "is_enough"), [(10, True), (11, False)])
def test_nine_of_ten_changes_must_be_noticed(survived: int, is_enough: bool, capsys: pytest.CaptureFixture[str]):
    counts = {"killed": 80, "timeout": 10, "survived": survived - 1, "no tests": 1, "not checked": 7}
    verdicts = [verdict for verdict, count in counts.items() for _ in range(count)]
    found = {f"dify_workflow._{'ab'[number >= 50]}.x_{number}": verdict for number, verdict in enumerate(verdicts)}
    assert reported(found, is_sample=False) is is_enough
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" changes noticed, ")[0] for line in lines] == [
        "dify_workflow._a: 50 of 50",
        f"dify_workflow._b: 40 of {40 + survived}",
        f"total: 90 of {90 + survived}",
    ]


def test_a_sample_prints_what_was_not_noticed_and_an_interval(capsys: pytest.CaptureFixture[str]):
    found = {f"dify_workflow._a.x_{number}": "killed" for number in range(9)} | {"dify_workflow._a.x_9": "survived"}
    assert reported(found, is_sample=True)
    first, package, _ = capsys.readouterr().out.splitlines()
    assert first == "survived: dify_workflow._a.x_9"
    assert package.startswith("dify_workflow._a: 9 of 10 changes noticed, 90.0% (95 % interval: 59.6% to 98.2%): ")


def test_tests_are_found_in_a_process_that_has_collected():
    name = "tests/unit/test_sse.py::test_an_event_that_does_not_end_is_given_up_at_its_limit[b'data:\\\\n']"
    program = """
import sys, pytest
for place in (sys.argv[1].partition("::")[0], sys.argv[1]):
    status = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", place])
sys.exit(status)
"""
    command = [sys.executable, "-c", program, name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_mutmut_changes_the_facade_and_runs_tests_that_are_there():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    for name in settings["pytest_add_cli_args_test_selection"] + settings["source_paths"]:
        assert (ROOT / name).exists(), name
    for name in settings["do_not_mutate"]:
        assert list(ROOT.glob(name)), name


def test_verdicts_that_were_cut_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "mutants" / "src"
    folder.mkdir(parents=True)
    for name, text in (("whole", '{"exit_code_by_key": {}}'), ("cut", '{"exit_code_by')):
        (folder / f"{name}.py").write_text("")
        (folder / f"{name}.py.meta").write_text(text)
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    assert mutants.ended([sys.executable, "-c", "import sys; sys.exit(3)"]) == 3
    assert sorted(path.name for path in folder.iterdir()) == ["whole.py", "whole.py.meta"]
