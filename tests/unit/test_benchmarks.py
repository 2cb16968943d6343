"""What the benchmarks make of what they measured: ratios, verdicts, tables, the chart; what their servers send."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from chart import DARK, GROUND, INK, OTHER_COLOR, OURS_COLOR, PANELS, SVG, WARNING, bars_of, panel_of, svg
from figures import Figure
from log_server import Synthetic
from measure import alone, in_order, in_turn
from page_server import page_response
from pages import RECORDING, SIZES
from report import markdown, promises, quantity, ratio, rows, spread, text, verdict
from rivals import has_more, ids

from dify_workflow.models import WorkflowLogPage

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOW = Figure("a page", "plain", (2.0, 4.0, 2.0), "cpu s")
FAST = Figure("a page", "ours", (1.0, 2.0, 2.2), "cpu s", base="plain", promise=0.5)


def judged(figure: Figure, *others: Figure):
    return verdict(figure, [figure, *others])


def page_of(body: bytes) -> WorkflowLogPage:
    """The page in a body."""
    return WorkflowLogPage.from_dict(json.loads(body))


def parsed(picture: str) -> ET.Element:
    """The elements of a picture."""
    return ET.fromstring(picture)  # noqa: S314 - made here


def placed(element: ET.Element, x: float = 0.0, y: float = 0.0) -> Iterator[tuple[float, float, ET.Element]]:
    """The elements of a picture, each with where its origin is."""
    found = re.match(r"translate\(([-\d.]+),([-\d.]+)\)", element.get("transform", ""))
    if found:
        x, y = x + float(found[1]), y + float(found[2])
    yield x, y, element
    for child in element:
        yield from placed(child, x, y)


class TestRatios:
    def test_a_slow_round_is_slow_for_all_and_changes_no_ratio(self):
        assert ratio(FAST, [SLOW, FAST]).median == 0.5

    def test_a_ratio_has_the_range_of_the_middle_half_of_rounds(self):
        base = Figure("a page", "plain", (1.0,) * 5, "cpu s")
        assert ratio(FAST._replace(values=(1.0, 5.0, 2.0, 4.0, 3.0)), [base]) == (2.0, 3.0, 4.0)

    def test_one_round_is_its_own_median_and_spread(self):
        assert spread((7.0,)) == (7.0, 7.0, 7.0)

    def test_a_base_of_another_section_or_unit_is_none(self):
        others = [SLOW._replace(section="another page"), SLOW._replace(unit="MB")]
        with pytest.raises(ValueError, match="there is no plain, which is the base of ours"):
            ratio(FAST, others)

    def test_what_was_measured_in_other_rounds_is_not_compared(self):
        with pytest.raises(ValueError, match="other rounds"):
            ratio(FAST, [SLOW._replace(values=(2.0, 4.0))])

    def test_a_way_without_values_or_base_has_no_ratio(self):
        assert ratio(FAST._replace(values=()), [SLOW]) is None
        assert ratio(SLOW, [SLOW]) is None


class TestPromises:
    @pytest.mark.parametrize(("promise", "met"), [(0.49, False), (0.5, True), (0.51, True)])
    def test_a_ratio_is_promised_at_most(self, promise, met):
        assert judged(FAST._replace(promise=promise), SLOW).met is met

    @pytest.mark.parametrize(("promise", "met"), [(0.49, True), (0.5, True), (0.51, False)])
    def test_a_rate_is_promised_at_least(self, promise, met):
        rate = FAST._replace(unit="events/s", promise=promise)
        assert judged(rate, SLOW._replace(unit="events/s")).met is met

    @pytest.mark.parametrize(("value", "met"), [(13.0, True), (12.6, True), (13.2, False)])
    def test_without_a_base_the_value_itself_is_promised(self, value, met):
        assert judged(Figure("kept", "ours", (value,), "MB", promise=13)).met is met

    def test_nothing_is_lost_where_no_loss_is_allowed(self):
        assert judged(Figure("walk", "ours", (0.0,), "rows lost", promise=0)).met
        assert not judged(Figure("walk", "ours", (1.0,), "rows lost", promise=0)).met

    def test_a_promise_is_held_to_the_figure_that_is_shown(self):
        base = SLOW._replace(values=(1.0,))
        assert judged(FAST._replace(values=(1.104,), promise=1.10), base).met
        assert not judged(FAST._replace(values=(1.106,), promise=1.10), base).met

    def test_what_was_not_measured_is_neither_met_nor_missed(self):
        assert judged(FAST._replace(values=(), note="cannot do it"), SLOW) is None

    def test_a_missed_promise_stands_out_in_the_table(self):
        table = promises([SLOW, FAST._replace(promise=0.4)])
        assert table[1:] == [["a page", "ours", "plain", "0.50", "at most 0.40", "**no**"]]


class TestTables:
    def test_rows_lost_stand_beside_the_time(self):
        walk = [
            Figure("walk", "page by page", (5.0,), "s"),
            Figure("walk", "ours", (1.0,), "s", base="page by page"),
            Figure("walk", "page by page", (44.0,), "rows lost"),
            Figure("walk", "ours", (0.0,), "rows lost"),
        ]
        assert rows(walk) == [
            ["", "s", "rows lost", "ratio", "middle half"],
            ["page by page", "5 s", "44", "", ""],
            ["ours", "1 s", "0", "0.20", "0.20 to 0.20"],
        ]

    def test_a_way_that_cannot_do_it_is_listed_with_the_reason(self):
        figures = [SLOW, FAST, Figure("a page", "other", (), "cpu s", note="has no such call")]
        for shown in (text(figures), markdown(figures, ["Python"])):
            assert "other: has no such call" in shown
            assert re.search(r"^\W*other\W*$", shown, re.MULTILINE)

    def test_every_table_of_the_report_has_even_lines(self):
        shown = markdown([SLOW, FAST, Figure("kept", "ours", (12.0,), "MB", promise=13)], ["Python"])
        tables = re.findall(r"(?:^\|.*\n)+", shown, re.MULTILINE)
        assert len(tables) == 4
        for table in tables:
            assert len({line.count("|") for line in table.splitlines()}) == 1

    @pytest.mark.parametrize(
        ("value", "unit", "shown"),
        [
            (0.000312, "cpu s", "312 µs"),
            (0.00153, "cpu s", "1.53 ms"),
            (0.137, "cpu s", "137 ms"),
            (5.231, "s", "5.23 s"),
            (121.4, "s", "121 s"),
            (12.64, "MB", "12.6 MB"),
            (123456.7, "events/s", "123,457 events/s"),
            (44.0, "rows lost", "44"),
        ],
    )
    def test_a_value_is_shown_in_a_unit_that_fits(self, value, unit, shown):
        assert quantity(value, unit) == shown


class TestChart:
    @pytest.fixture
    def figures(self):
        found = [
            figure._replace(section=panel.section)
            for panel in PANELS
            for figure in (SLOW, FAST, Figure("", 'dify <b>&"other"', (), "cpu s", note="cannot"))
        ]
        walk = next(panel.section for panel in PANELS if "walked" in panel.section)
        return [figure for figure in found if figure.section != walk] + [
            Figure(walk, "page by page <&>", (5.0,), "s"),
            Figure(walk, "logs.iter", (1.0,), "s", base="page by page <&>"),
            Figure(walk, "page by page <&>", (44.0,), "rows lost"),
            Figure(walk, "logs.iter", (0.0,), "rows lost"),
        ]

    @pytest.fixture
    def picture(self, figures):
        return svg(figures)

    def test_it_is_a_picture_and_nothing_else(self, picture):
        root = parsed(picture)
        assert root.tag == f"{SVG}svg"
        names = {element.tag.removeprefix(SVG) for element in root.iter()}
        shapes = {"rect", "line", "path", "text", "tspan"}
        assert names <= {"svg", "title", "style", "g", "defs", "clipPath", *shapes}
        assert not re.search(r"href|url\((?!#)|@import|javascript|on[a-z]+=", picture)
        assert picture.count("://") == 1  # the namespace

    def test_it_can_be_read_on_a_light_and_on_a_dark_ground(self, picture):
        style = picture.partition("@media (prefers-color-scheme: dark)")[2].partition("</style>")[0]
        colors = re.findall(r'(?:fill|stroke)="(#\w+)"', picture.partition("</style>")[2])
        assert {GROUND, INK, OURS_COLOR, OTHER_COLOR, WARNING} <= set(colors) <= {*DARK, "#888", "#ddd"}
        for light, dark in DARK.items():
            assert f'[fill="{light}"] {{ fill: {dark} }}' in style

    def test_each_way_that_was_measured_has_a_bar(self, picture):
        bars = [one for one in parsed(picture).iter() if one.get("fill") in (OURS_COLOR, OTHER_COLOR)]
        assert len(bars) == 2 * len(PANELS)
        assert all(float(re.match(r"M0,[\d.]+h([\d.]+)", bar.get("d", ""))[1]) > 0 for bar in bars)

    def test_ours_are_blue_and_others_are_gray(self, figures):
        slow, fast = bars_of(PANELS[0], figures)[0]
        spec = panel_of(PANELS[0], [slow, fast._replace(way="dify-workflow-sdk")], 1.0)
        assert [value["is_ours"] for value in spec["data"]["values"]] == [False, True]

    def test_all_of_it_lies_inside(self, picture):
        root = parsed(picture)
        width, height = float(root.get("width")), float(root.get("height"))
        for x, y, one in placed(root):
            if one.tag in (f"{SVG}text", f"{SVG}path", f"{SVG}line"):
                assert 0 <= x <= width
                assert 0 <= y <= height

    def test_logs_that_were_lost_are_named_at_the_bar(self, picture):
        shown = [one.text for one in parsed(picture).iter() if one.get("fill") == WARNING]
        assert shown == ["5 s, 44 lost"]

    def test_the_same_figures_give_the_same_bytes(self, figures, picture):
        again = subprocess.run(
            [
                sys.executable,
                "-c",
                f"from chart import svg; from figures import Figure; print(svg({figures!r}), end='')",
            ],
            check=True,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8"},
        )
        assert again.stdout == picture


class TestMeasuring:
    """Each way has a process of its own, which does its work as often as it is requested."""

    def test_every_way_is_measured_in_each_round_after_each_start(self):
        taken = in_turn(
            {"text": partial(partial, str), "float": partial(partial, float)}, rounds=2, repeats=3, starts=2
        )
        assert {name: [one.result for one in runs] for name, runs in taken.items()} == {
            "text": ["3"] * 4,
            "float": [3.0] * 4,
        }
        assert all(one.cpu >= 0 and one.clock > 0 for runs in taken.values() for one in runs)

    def test_what_follows_what_changes_from_round_to_round(self):
        assert [in_order("abc", number) for number in range(3)] == [["a", "b", "c"], ["c", "b", "a"], ["a", "b", "c"]]

    def test_a_way_that_fails_ends_the_run_and_says_why(self):
        with pytest.raises(SystemExit, match=r"(?s)broken: .*ValueError.*'not a number'"):
            in_turn({"broken": partial(int, "not a number")}, rounds=1)

    def test_work_that_is_done_once_gives_what_it_gives(self):
        assert alone(partial(int, "7")) == 7


class TestServers:
    @pytest.mark.parametrize("rows_asked", SIZES)
    @pytest.mark.parametrize("prefix", ["", "/plain"])
    def test_a_page_has_as_many_rows_as_were_asked_for(self, prefix, rows_asked):
        head, _, body = page_response(f"{prefix}/v1/workflows/logs?page=1&limit={rows_asked}").partition(b"\r\n\r\n")
        assert f"content-length: {len(body)}\r\n".encode() in head.lower()
        page = page_of(body)
        assert len(page.data) == page.limit == rows_asked

    def test_the_plain_page_has_nothing_that_a_rival_refuses(self):
        body = page_response("/plain/v1/workflows/logs?page=1&limit=100").partition(b"\r\n\r\n")[2]
        found = {(log.created_from, log.workflow_run.status, log.created_by_account) for log in page_of(body).data}
        assert found == {("service-api", "succeeded", None)}

    def test_the_page_of_100_is_what_a_server_sent_byte_for_byte(self):
        recorded = json.loads(RECORDING.read_text("utf-8"))["response"]["body"]
        assert page_response("/v1/workflows/logs?page=1&limit=100").endswith(b"\r\n\r\n" + recorded.encode())

    def test_reading_page_by_page_loses_rows_as_on_a_real_server(self):
        server = Synthetic(1000)
        found: list[str] = []
        page, more = 1, True
        while more:
            response = json.loads(server.respond(f"/v1/workflows/logs?page={page}&limit=100").partition(b"\r\n\r\n")[2])
            found += ids(response)
            page, more = page + 1, has_more(response)
        assert len(found) == 1000
        assert 0 < 1000 - len(set(found)) < 20

    @pytest.mark.parametrize("count", [998, 999, 1000])
    def test_one_query_for_all_rows_has_them_all(self, count):
        response = json.loads(Synthetic(count).respond("/v1/workflows/logs?limit=2000").partition(b"\r\n\r\n")[2])
        assert sorted(ids(response)) == [f"00000000-0000-4000-8000-{number:012}" for number in range(count)]
        assert response["total"] == count
        assert not has_more(response)

    def test_a_page_of_models_is_read_like_one_of_json_values(self):
        response = json.loads(Synthetic(250).respond("/v1/workflows/logs?limit=100").partition(b"\r\n\r\n")[2])
        page = WorkflowLogPage.from_dict(response)
        assert ids(page) == ids(response)
        assert has_more(page) is has_more(response) is True
