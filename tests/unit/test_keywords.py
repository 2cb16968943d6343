"""What is sent for a keyword: what the server finds, on each version that was measured."""

from __future__ import annotations

import copy
import json
import pickle
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dify_workflow
from dify_workflow import Verbatim
from dify_workflow._logs.keywords import longest_beginning, sent_keyword

if TYPE_CHECKING:
    import uuid

VERSIONS = ["1.11", "1.11.2", "1.14.2", "1.16.1", "1.110.0", ""]
CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXTS = st.text(CHARACTERS, min_size=1, max_size=50) | st.text('中文äé😀a"\\\t%_\x7f', min_size=1, max_size=40)


def stored(text: str) -> str:
    """What the server stores of a text in inputs or outputs."""
    return json.dumps({"query": text})


def is_found(sent: str, text: str, version: str) -> bool:
    """Whether a server finds a stored text that has the keyword in it, as was measured.

    Dify 1.11 escapes what it is sent by `unicode_escape`, after which only `\\u` keeps its backslash in the pattern;
    later versions compare what they are sent as it is.
    """
    searched = sent[:30]
    if version.startswith("1.11"):
        pattern = searched.encode("unicode_escape").decode("ascii").replace("\\u", "\\\\u")
    else:
        pattern = re.sub(r"([\\%_])", r"\\\1", searched)
    wildcards = {"%": ".*", "_": "."}
    expression = re.sub(
        r"\\(.)|(.)",
        lambda found: re.escape(found[1]) if found[1] else wildcards.get(found[2], re.escape(found[2])),
        pattern,
        flags=re.DOTALL,
    )
    return re.search(expression, stored(text), re.IGNORECASE | re.DOTALL) is not None


@given(TEXTS, st.text(CHARACTERS, max_size=5), st.sampled_from(["1.11.2", "1.14.2", "1.16.1"]))
@example("été", "", "1.11.2")
@example("中文搜索内容", "x", "1.11.2")
@example("中文", "", "1.16.1")
@example('say "hi"\t\\', "", "1.11.2")
@example("\x7f", "", "1.11.2")
def test_what_is_sent_finds_the_keyword_or_is_refused(keyword: str, around: str, version: str):
    beginning = longest_beginning(keyword, version)
    if beginning != keyword:
        with pytest.raises(ValueError, match="keyword must be shorter") as caught:
            sent_keyword(keyword, version)
        assert f"the longest beginning that fits is {beginning!r}" in str(caught.value)
        assert sent_keyword(beginning, version) is not None
        with pytest.raises(ValueError, match="keyword must be shorter"):
            sent_keyword(keyword[: len(beginning) + 1], version)
        return
    sent = sent_keyword(keyword, version)
    assert sent is not None
    assert len(sent) <= 30
    assert is_found(sent, around + keyword + around, version)


@given(TEXTS)
def test_what_does_not_need_the_version_is_sent_to_all_alike(keyword: str):
    try:
        anywhere = sent_keyword(keyword, None)
    except ValueError:
        for version in VERSIONS:
            with pytest.raises(ValueError, match="keyword must be shorter"):
                sent_keyword(keyword, version)
        return
    if anywhere is None:
        assert sent_keyword(keyword, "1.11.2") == keyword
        with pytest.raises(ValueError, match="keyword must be shorter"):
            sent_keyword(keyword, "1.14.2")
    else:
        assert {sent_keyword(keyword, version) for version in VERSIONS} == {anywhere}


@pytest.mark.parametrize(
    ("keyword", "sent"),
    [
        ("invoice", "invoice"),
        ("été", "\\u00e9t\\u00e9"),
        ("中文", "\\u4e2d\\u6587"),
        ("😀", "\\ud83d\\ude00"),
        ('"', '\\"'),
        ("a\tb", "a\\tb"),
        ("100% a_b", "100% a_b"),
        ("x" * 30, "x" * 30),
    ],
)
def test_a_keyword_is_sent_as_the_server_stores_text(keyword: str, sent: str):
    assert sent_keyword(keyword, None) == sent


def test_six_chinese_characters_are_sent_raw_to_1_11_alone():
    keyword = "中文搜索内容"
    assert sent_keyword(keyword, None) is None
    assert sent_keyword(keyword, "1.11.2") == keyword
    for version in ("1.14.2", "1.16.1", "1.110.0", ""):
        with pytest.raises(ValueError, match="the longest beginning that fits is '中文搜索内'"):
            sent_keyword(keyword, version)
    with pytest.raises(ValueError, match=f"the longest beginning that fits is '{'中' * 30}'"):
        sent_keyword("中" * 31, "1.11.2")
    with pytest.raises(ValueError, match=f"the longest beginning that fits is '{'中' * 5}'"):
        sent_keyword("中" * 31, None)


@given(st.uuids(), st.booleans(), st.booleans())
def test_a_runs_id_is_sent_as_it_is(run: uuid.UUID, has_dashes: bool, is_upper: bool):
    text = str(run) if has_dashes else run.hex
    text = text.upper() if is_upper else text
    assert sent_keyword(text, None) == text
    with pytest.raises(ValueError, match="keyword must be shorter"):
        sent_keyword(f"{text}-", None)


@given(st.text())
def test_verbatim_is_sent_as_it_is(text: str):
    sent = sent_keyword(Verbatim(text), None)
    assert sent == text
    assert type(sent) is str


@pytest.mark.parametrize("travel", [copy.copy, copy.deepcopy, lambda text: pickle.loads(pickle.dumps(text))])  # noqa: S301
def test_verbatim_is_a_string_that_travels(travel):
    text = Verbatim("müller")
    arrived = travel(text)
    assert type(arrived) is Verbatim is dify_workflow.Verbatim
    assert arrived == text == "müller"
    assert repr(arrived) == "Verbatim('müller')"
    assert f"{arrived}" == "müller"
    assert json.dumps(arrived) == '"m\\u00fcller"'
