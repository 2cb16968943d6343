"""Profiles in the configuration file: what is stored is read again, and the rest of the file stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dify_workflow import _profiles as profiles

VALUES = st.text(st.characters(codec="utf-8"))
NAMES = st.from_regex(profiles.NAME, fullmatch=True)


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory):
    """A folder for configuration that does not exist, nor do the ones it is in."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("home") / "a" / "b"))
        yield


@example(names=["a", "b"], addresses=["\u2028", "x\x85", ""], key="\u2029[\n")  # line ends of Python, not of TOML
@given(names=st.lists(NAMES, unique=True, min_size=2, max_size=3), addresses=st.lists(VALUES, min_size=3), key=VALUES)
def test_values_are_read_as_they_were_stored(names: list[str], addresses: list[str], key: str):
    profiles.path().unlink(missing_ok=True)
    for name, address in zip(names, addresses, strict=False):
        profiles.store(name, {"base_url": address, "api_key": key})
    profiles.store(names[0], {"api_key": None, "api_key_command": key})
    first, *others = profiles.read().values()
    assert (first.name, first.base_url, first.api_key, first.api_key_command) == (names[0], addresses[0], None, key)
    assert [(one.name, one.base_url, one.api_key) for one in others] == [
        (name, address, key) for name, address in zip(names[1:], addresses[1:], strict=False)
    ]
    assert Path(profiles.path()).stat().st_mode & 0o777 == 0o600
    assert os.listdir(profiles.path().parent) == ["config.toml"]  # noqa: PTH208 - names alone
