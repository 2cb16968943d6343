"""What the command line prints: JSON that any output can carry, progress, tables."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dify_workflow.cli.log_output import COLUMNS, OPTIONAL, clean, fitting
from dify_workflow.cli.output import Progress, json_text

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=8,
)


class Output(io.TextIOWrapper):
    """A stream of bytes that is a terminal, or is none."""

    def __init__(self, encoding: str = "utf-8", *, is_terminal: bool = False) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="")
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def printed(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined]  # a BytesIO


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@settings(max_examples=60, deadline=None)
@given(value=ANY_JSON, indent=st.sampled_from([None, 2]))
def test_json_is_exact_on_every_output(encoding: str, value: Any, indent: int | None):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", Output(encoding))
        text = json_text(value, indent=indent)
    assert json.loads(text) == value
    assert text.encode(encoding)
    assert not {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0))} - {"\n"} & set(text)


@given(text=st.text(st.characters()))
def test_a_cell_is_one_line_without_control_characters(text: str):
    assert all(character.isprintable() for character in clean(text))


@given(width=st.integers(0, 400))
def test_columns_are_left_out_in_order(width: int):
    names = [column.name for column in fitting(list(COLUMNS), width)]
    left_out = [column.name for column in COLUMNS if column.name not in names]
    assert set(left_out) == set(OPTIONAL[: len(left_out)])


class TestProgress:
    """Progress on stderr."""

    def shown(self, *, stderr: bool, stdout: bool = False, quiet: bool = False) -> list[str]:
        """What is on stderr after each of the moments."""
        err, moments, printed = Output(is_terminal=stderr), iter([0, 0.1, 1, 1, 9.9, 9.9, 10, 10, 10.5, 10.5]), []
        now = [0.0]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stderr", err)
            patch.setattr(sys, "stdout", Output(is_terminal=stdout))
            progress = Progress(quiet=quiet, clock=lambda: now[0])
            for count, now[0] in enumerate(moments):
                progress.show(count)
                printed.append(err.printed())
            progress.end()
        return [*printed, err.printed()]

    def test_a_pipe_gets_a_line_each_ten_seconds(self):
        assert self.shown(stderr=False)[-1] == "6 logs read\n"

    def test_a_terminal_shows_it_in_place_and_removes_it(self):
        last = self.shown(stderr=True)[-1]
        assert last.startswith("\r2 logs read\x1b[K\r4 logs read")
        assert last.endswith("\r\x1b[K")
        assert "\n" not in last

    @pytest.mark.parametrize("options", [{"quiet": True}, {"stdout": True}])
    def test_nothing_is_shown_beside_output_or_when_quiet(self, options):
        assert self.shown(stderr=True, **options)[-1] == ""
