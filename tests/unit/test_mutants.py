"""The measure of the tests' strength: what it seeds is there to be seeded, is noticed, and leaves nothing behind."""

from __future__ import annotations

import ast
import hashlib
import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from mutation import contract_faults, subjects
from mutation.adoption import adopt
from mutation.contract_faults import FAULTS, Fault
from mutation.operators import mutants, mutated

if TYPE_CHECKING:
    from pathlib import Path


def digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return contract_faults.copied(tmp_path_factory.mktemp("copy"))


def test_there_are_twenty_faults_and_each_has_its_place_in_the_code():
    assert len(FAULTS) == len({fault.name for fault in FAULTS}) == 20
    for fault in FAULTS:
        assert fault.before in (contract_faults.ROOT / fault.file).read_text("utf-8"), fault.name


@pytest.mark.parametrize("name", ["page and limit swapped", "a wrong method"])
def test_a_fault_of_each_part_is_noticed_and_taken_out_again(place: Path, name: str):
    before = digest(place / "src"), digest(place / "generated")
    [fault] = [fault for fault in FAULTS if fault.name == name]
    verdict = contract_faults.judged(place, fault)
    assert verdict.is_caught
    assert verdict.text.startswith("FAILED tests/contract/test_contract_")
    assert (digest(place / "src"), digest(place / "generated")) == before


def test_a_fault_without_a_place_and_tests_that_cannot_run_prove_nothing(place: Path):
    lost = Fault("lost", "src/dify_workflow/_retries.py", "not there", "")
    with pytest.raises(LookupError, match=r"_retries\.py does not hold 'not there' any more"):
        contract_faults.judged(place, lost)
    broken = Fault("broken", "src/dify_workflow/_retries.py", "from __future__", "form __future__")
    with pytest.raises(RuntimeError, match="the tests did not run"):
        contract_faults.judged(place, broken)


# --- changes of the code, place by place ------------------------------------------------------------------------------


def changed(source: str) -> set[str]:
    """A piece of code with each change that there is for it."""
    return {mutated(source, mutant) for mutant in mutants(source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x < 1", {"x <= 1", "x < 2"}),
        ("x in y and z", {"x not in y and z", "x in y or z"}),
        ("x + 0.5", {"x - 0.5", "x + 1.5"}),
        ("x is not None", {"x is None"}),
        ("not x", {"x"}),
        ("x = True", {"x = False"}),
        ("x = 'a'", {"x = 'aXX'"}),
        ("f(1)", {"pass", "f(2)"}),
        ("x.y = z", {"pass"}),
        ("x += y", {"pass", "x -= y"}),
        ("if x:\n    y", {"if not x:\n    y"}),
        ("y if x else z", {"y if not x else z"}),
        ("[y for y in z if y]", {"[y for y in z if not y]"}),
        ("for x in y:\n    break", {"for x in y:\n    continue"}),
        ("while x:\n    continue", {"while not x:\n    continue", "while x:\n    break"}),
        ("def f(x=1):\n    return x", {"def f(x=2):\n    return x", "def f(x=1):\n    return None"}),
    ],
)
def test_a_change_is_small_and_each_kind_of_code_has_its_own(source: str, expected: set[str]):
    assert changed(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "import x",
        '"""A docstring."""',
        "__all__ = ['x']",
        "raise ValueError('x')",
        "x: Literal['a']",
        "x = f'{y} and'",
        "if TYPE_CHECKING:\n    x = 1",
        "class X:\n    def __repr__(self):\n        return 'X'",
        "def f():\n    return None",
    ],
)
def test_what_no_program_can_hold_a_promise_about_is_left_alone(source: str):
    assert changed(source) == set()


def test_every_change_of_every_module_is_code_and_is_another_one():
    for file in [*subjects.facade().values(), subjects.generated()["dify_workflow_api.types"]]:
        source = file.read_text("utf-8")
        plain = ast.unparse(ast.parse(source))
        found = mutants(source)
        for mutant in found[:: max(1, len(found) // 8)]:
            text = mutated(source, mutant)
            compile(text, str(file), "exec")
            assert text != plain, mutant


def test_the_sample_of_the_generated_package_is_the_same_each_time():
    everything = list(subjects.changes(subjects.generated()))
    first = subjects.sample(everything)
    assert len(first) == subjects.SAMPLE < len(everything)
    assert subjects.sample(everything) == first


BEFORE = """
import enum, functools

LIMIT = 1
OBJECT = slice(1)

class Kind(enum.StrEnum):
    ONE = "one"

class Base:
    def name(self): return "base"

class Thing(Base):
    level = 1
    @property
    def size(self): return 1
    @classmethod
    def made(cls): return 1
    @functools.cached_property
    def kept(self): return 1
    def name(self): return super().name() + "!"

def plain(): return 1
def with_default(x=LIMIT, *, y=1): return x, y
@functools.cache
def once(): return 1
"""


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """A module `changing.one`, loaded, and `changing.two`, which has taken all that it could from it."""
    other = tmp_path / "two.py"
    other.write_text("from changing.one import *\ndef defaulted(x=LIMIT): return x\n", "utf-8")
    modules = {name: ModuleType(name) for name in ("changing", "changing.one", "changing.two")}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    modules["changing.one"].__file__, modules["changing.two"].__file__ = str(tmp_path / "one.py"), str(other)
    exec(BEFORE, vars(modules["changing.one"]))  # noqa: S102 - it is written above
    exec(other.read_text("utf-8"), vars(modules["changing.two"]))  # noqa: S102 - it is written above
    return modules["changing.two"]


@pytest.mark.parametrize(
    ("old", "new", "expression", "value"),
    [
        ("def plain(): return 1", "def plain(): return 2", "plain()", 2),
        ("y=1", "y=2", "with_default()", (1, 2)),
        ("def once(): return 1", "def once(): return 2", "once()", 2),
        ("def size(self): return 1", "def size(self): return 2", "Thing().size", 2),
        ("def made(cls): return 1", "def made(cls): return 2", "Thing.made()", 2),
        ("level = 1", "level = 2", "Thing().level", 2),
        ('+ "!"', '+ "?"', "Thing().name()", "base?"),
        ('super().name() + "!"', '"gone"', "Thing().name()", "gone"),  # it closes over its class no longer
        ("LIMIT = 1", "LIMIT = 2", "(LIMIT, with_default(), defaulted())", (2, (2, 1), 2)),
        ("slice(1)", "slice(2)", "OBJECT", slice(2)),
        ('ONE = "one"', 'ONE = "two"', "Kind.ONE.value", "two"),
    ],
)
def test_a_change_is_taken_over_by_what_others_have_already_taken(live, old: str, new: str, expression: str, value):
    assert old in BEFORE
    eval(expression, vars(live))  # noqa: S307 - it is written above; what is kept from it must not stay
    adopt("changing.one", BEFORE.replace(old, new))
    assert eval(expression, vars(live)) == value  # noqa: S307 - it is written above


def measured(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(subjects.ROOT / "scripts" / "mutants.py"), *arguments, "--jobs", "1"]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def test_changes_are_noticed_by_the_tests_that_come_by_and_by_no_others():
    ran = measured("facade", "--module", "_async.end_users", "--tests", "tests/unit/test_retries.py")
    assert "fails without a change" not in ran.stdout
    assert "UNSOUND" not in ran.stdout
    assert "facade: 0 of " in ran.stdout
    assert ran.returncode == 1  # too few
    ran = measured("facade", "--module", "_retries", "--tests", "tests/unit/test_retries.py")
    assert ran.returncode == 0, ran.stdout


def test_an_unknown_module_is_said_to_be_unknown():
    ran = measured("facade", "--module", "_lost")
    assert (ran.returncode, ran.stderr) == (1, "no such module: _lost\n")
