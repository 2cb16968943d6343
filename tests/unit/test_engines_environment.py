"""The environment of `make test-engines`: a missing or old Java is an error that says what to install."""

from __future__ import annotations

from typing import TYPE_CHECKING

import engines
import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that is all of the path."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def java(folder: Path, printed: str) -> None:
    """Write a Java that prints its version."""
    folder.mkdir(exist_ok=True)
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho '{printed}' >&2\n")
    program.chmod(0o700)


def test_a_missing_java_fails_with_what_to_install(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert engines.main([str(folder / "environment")]) == 1
    assert "apt-get install openjdk-17-jre-headless" in capsys.readouterr().err
    assert not (folder / "environment").exists()


@pytest.mark.parametrize(
    ("printed", "found"),
    [('openjdk version "11.0.2" 2019-01-15', "is 11:"), ('java version "1.8.0_292"', "is 1:"), ("no JVM", "no JVM")],
)
def test_a_java_that_is_too_old_is_refused(folder: Path, printed: str, found: str) -> None:
    java(folder, printed)
    problem = engines.problem_with_java()
    assert problem is not None
    assert found in problem
    assert "Java 17 or newer" in problem


def test_the_java_of_java_home_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java(folder, 'openjdk version "11.0.2"')
    java(folder / "bin", 'openjdk version "21.0.1" 2023-10-17')
    monkeypatch.setenv("JAVA_HOME", str(folder))
    assert engines.problem_with_java() is None
    monkeypatch.setenv("JAVA_HOME", str(folder / "nowhere"))
    assert "nowhere" in str(engines.problem_with_java())
