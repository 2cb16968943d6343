"""What a release reads and writes: versions, the changelog, the spec's report."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING, Any, get_args

import pytest
from diff.changes import Change, Severity
from hypothesis import given
from hypothesis import strategies as st
from project import RefusalError
from release import read_report, released
from versions import STEPS, Version

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 11, 24)
VERSIONS = st.builds(Version, *[st.integers(0, 10**6)] * 3)
CHANGES = st.lists(
    st.tuples(st.sampled_from(get_args(Severity)), st.text(), st.text()).map(lambda parts: Change(*parts)), max_size=5
)
WHOLE = "# Changelog\n\nAbout it.\n\n## Unreleased\n\n- New.\n\n## 0.1.0 - 2026-01-01\n\n- First.\n"


class TestVersions:
    @given(VERSIONS)
    def test_a_version_is_read_as_it_is_written(self, version: Version):
        assert Version.parse(str(version)) == version

    @pytest.mark.parametrize(
        "text", ["", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.3rc1", "v1.2.3", " 1.2.3", "1.2.٣", "-1.0.0"]
    )
    def test_anything_else_is_no_version(self, text: str):
        with pytest.raises(ValueError, match=re.escape(repr(text))):
            Version.parse(text)

    @given(VERSIONS)
    def test_each_step_gives_a_later_version_in_order_of_size(self, version: Version):
        assert version < version.after("patch") < version.after("minor") <= version.after("major")

    @given(VERSIONS)
    def test_only_from_1_0_0_on_a_major_step_raises_the_first_number(self, version: Version):
        assert version.after("major").major == (version.major + 1 if version.major else 0)
        assert version.after("major")[2] == version.after("minor")[2] == 0


class TestChangelog:
    def test_the_unreleased_part_becomes_the_entry(self):
        text, entry = released(WHOLE, Version(0, 2, 0), DAY, [])
        assert entry == "## 0.2.0 - 2026-11-24\n\n- New.\n"
        assert text == WHOLE.replace("## Unreleased", "## 0.2.0 - 2026-11-24")

    @pytest.mark.parametrize(
        "heading", ["Unreleased", "unreleased", "0.1.0 - unreleased", "0.2.0 - Unreleased", "Unreleased  "]
    )
    def test_every_way_to_head_it_is_known(self, heading: str):
        text = f"# Changelog\n\n## {heading}\n\n- New.\n"
        assert released(text, Version(0, 2, 0), DAY, [])[0] == "# Changelog\n\n## 0.2.0 - 2026-11-24\n\n- New.\n"

    def test_undescribed_spec_changes_become_the_first_entry(self):
        text = WHOLE.replace("## Unreleased\n\n- New.\n\n", "")
        made, entry = released(text, Version(0, 2, 0), DAY, [Change("additive", "GET /info", "is new")])
        assert entry == "## 0.2.0 - 2026-11-24\n\n### The API's spec\n\n- `GET /info`: is new\n"
        assert made == text.replace("## 0.1.0", f"{entry}\n## 0.1.0")

    @pytest.mark.parametrize("text", ["", "# Changelog\n", "# Changelog\n\n## Unreleased\n\n \n"])
    def test_nothing_to_tell_is_refused(self, text: str):
        with pytest.raises(RefusalError, match="nothing unreleased"):
            released(text, Version(0, 1, 1), DAY, [])

    def test_an_existing_entry_is_refused_and_named_parts_ignored(self):
        with pytest.raises(RefusalError, match=r"has an entry for 0\.1\.0 already"):
            released(WHOLE, Version(0, 1, 0), DAY, [])
        text = WHOLE.replace("## Unreleased", "## 0.1.1 - unreleased")
        assert released(text, Version(0, 1, 1), DAY, [])[1] == "## 0.1.1 - 2026-11-24\n\n- New.\n"

    @given(CHANGES)
    def test_vendor_text_makes_no_heading_link_or_line(self, changes: list[Change]):
        plain = [change for change in changes if change.severity != "wording"]
        text, entry = released(WHOLE, Version(0, 2, 0), DAY, changes)
        assert [line for line in text.splitlines() if line.startswith("#")] == [
            *("# Changelog", "## 0.2.0 - 2026-11-24"),
            *(["### The API's spec"] if changes else []),
            "## 0.1.0 - 2026-01-01",
        ]
        _, _, reported = entry.partition("### The API's spec\n\n")
        lines = reported.splitlines()
        assert len(lines) == len(plain) + (len(plain) < len(changes))
        for line, change in zip(lines, plain, strict=False):
            mark = "**breaking:** " if change.severity == "breaking" else ""
            assert re.fullmatch(rf"- {re.escape(mark)}`[^`]*`: ([^\\<\[`]|\\[\\<\[`])*", line)
        assert all(character.isprintable() or character == "\n" for character in entry)


class TestReport:
    def write(self, folder: Path, content: Any) -> Path:
        path = folder / "spec-report.json"
        path.write_text(json.dumps(content), "utf-8")
        return path

    def test_there_may_be_none(self, tmp_path: Path):
        assert read_report(tmp_path / "spec-report.json") is None

    @pytest.mark.parametrize(("step", "read_as"), [*((step, step) for step in STEPS), (None, None), ("none", None)])
    def test_its_step_and_its_changes_are_read(self, tmp_path: Path, step: str | None, read_as: str | None):
        changes = [{"severity": "wording", "where": "GET /info", "what": "the description differs", "more": 1}]
        path = self.write(tmp_path, {"verdict": "none", "step": step, "changes": changes, "more": {}})
        report = read_report(path)
        assert report
        assert report.step == read_as
        assert report.changes == [Change("wording", "GET /info", "the description differs")]

    @pytest.mark.parametrize(
        "content", [None, 1, "x", [], {}, {"step": "major", "changes": 1}, {"step": [], "changes": []}]
    )
    def test_anything_else_is_no_report(self, tmp_path: Path, content: Any):
        with pytest.raises(RefusalError, match="not a report"):
            read_report(self.write(tmp_path, content))
