"""The budget of lines."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import budget

if TYPE_CHECKING:
    import pytest

ALLOWED = tomllib.loads((budget.ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["budget"]


def test_what_is_over_its_budget_fails_the_check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(budget, "counts", lambda: ALLOWED)
    assert budget.main(["--check"]) == 0
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(budget, "counts", lambda: ALLOWED | {"scripts": ALLOWED["scripts"] + 1})
    assert budget.main(["--check"]) == 1
    assert capsys.readouterr().err.startswith(f"scripts: {ALLOWED['scripts'] + 1} lines, {ALLOWED['scripts']} are")


def test_generated_and_optional_parts_are_not_counted():
    facade = budget.counts()["facade"]
    assert budget.lines_of(list(budget.FACADE.glob("*.py"))) < facade
    assert all((budget.FACADE / name).exists() for name in budget.BESIDE)
