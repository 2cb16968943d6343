"""What the models promise, on everything that a server could send."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import pytest
from dify_workflow_api import types
from dify_workflow_api.types import ABSENT, Model
from hypothesis import given, settings
from hypothesis import strategies as st

from dify_workflow import models
from dify_workflow.models import (
    Account,
    EndUser,
    WorkflowLog,
    WorkflowLogPage,
    WorkflowRunStatus,
    WorkflowRunSummary,
)

if TYPE_CHECKING:
    from collections.abc import Callable

RUN = {
    "id": "r-1",
    "version": "2026-11-22 21:52:44.948869",
    "status": "succeeded",
    "triggered_from": "app-run",
    "error": None,
    "elapsed_time": 1.5,
    "total_tokens": 7,
    "total_steps": 3,
    "created_at": 1795384474,
    "finished_at": 1795384476,
    "exceptions_count": 0,
}
ROW = {
    "id": "l-1",
    "workflow_run": RUN,
    "details": None,
    "created_from": "service-api",
    "created_by_role": "end_user",
    "created_by_account": {"id": "a-1", "name": "Ann", "email": "ann@example.com"},
    "created_by_end_user": {"id": "u-1", "type": "service-api", "is_anonymous": False, "session_id": "s"},
    "created_at": 1795384475,
}
PAGE = {"page": 1, "limit": 20, "total": 1, "has_more": False, "data": [ROW]}


def exact(value: object) -> str:
    """A text that is equal only for values that are equal in every type and order."""
    return repr(value)


# --- everything that one could send ----------------------------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(list(WorkflowRunStatus)).map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


def objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects that lack some of the fields, have others besides, in any order; values of the right kind or any."""
    known = st.fixed_dictionaries({}, optional={name: st.one_of(value, JSON) for name, value in fields.items()})
    others = st.dictionaries(st.sampled_from(["new", "New", "", "to_dict", "_keys", "additional_properties"]), JSON)
    mixed = st.builds(lambda one, two: [*one.items(), *two.items()], known, others)
    return mixed.flatmap(st.permutations).map(dict)


STATUSES = st.sampled_from([*map(str, WorkflowRunStatus), "unheard-of", "", "FAILED"])
RUNS = objects(**{name: st.just(value) for name, value in RUN.items() if name != "status"}, status=STATUSES)
ROWS = objects(
    **{name: st.just(value) for name, value in ROW.items() if not isinstance(value, dict)},
    workflow_run=RUNS,
    created_by_account=objects(id=st.text(), name=st.text(), email=st.text()),
    created_by_end_user=objects(id=st.text(), type=st.text(), is_anonymous=st.booleans(), session_id=st.text()),
)
ANY_PAGES = objects(
    page=st.integers(), limit=st.integers(), total=st.integers(), has_more=st.booleans(), data=st.lists(ROWS | JSON)
)


@settings(max_examples=200, deadline=None)
@given(ANY_PAGES)
def test_every_log_of_a_page_is_kept_and_written_back(source: dict[str, Any]):
    before = exact(source)
    page = WorkflowLogPage.from_dict(source)
    assert exact(source) == before
    assert page.to_dict() == source
    assert json.dumps(page.to_dict(), sort_keys=True) == json.dumps(source, sort_keys=True)
    rows = source.get("data")
    if isinstance(rows, list):
        assert [type(row) for row in page.data] == [WorkflowLog if type(row) is dict else type(row) for row in rows]
        for row, log in zip(rows, page.data, strict=True):
            if isinstance(row, dict):
                check_row(row, log)
    for other in (pickle.loads(pickle.dumps(page)), copy.deepcopy(page), copy.copy(page)):  # noqa: S301 - our own
        assert other == page
        assert exact(other.to_dict()) == exact(page.to_dict())
    assert repr(page)


def check_row(row: dict[str, Any], log: WorkflowLog) -> None:
    for name in ROW:
        if not isinstance(row.get(name), dict):
            assert exact(getattr(log, name)) == exact(row.get(name))
    assert log.additional_properties == {name: value for name, value in row.items() if name not in ROW}
    assert log.created_at_utc is None or type(row["created_at"]) is int
    run = row.get("workflow_run")
    if isinstance(run, dict):
        assert log.workflow_run is not None
        status = run.get("status")
        if isinstance(status, str) and status in set(WorkflowRunStatus):
            assert log.workflow_run.status is WorkflowRunStatus(status)
        else:
            assert exact(log.workflow_run.status) == exact(status)


@settings(max_examples=100, deadline=None)
@given(st.permutations(list(RUN.items())), st.integers(0, len(RUN)))
def test_missing_and_new_fields_keep_the_objects_order(items: list[tuple[str, Any]], count: int):
    for source in (dict(items[:count]), dict([*items, ("new", 1)]), dict([("new", [None]), *items[:count]])):
        assert list(WorkflowRunSummary.from_dict(source).to_dict()) == list(source) or source.keys() == RUN.keys()


@pytest.mark.parametrize("part", [None, "workflow_run", "created_by_account", "created_by_end_user"])
def test_pages_decode_logs_as_from_dict_does(part: str | None):
    account = {"id": "a-1", "name": "Ann", "email": "ann@example.com"}
    user = {"id": "e-1", "type": "service_api", "is_anonymous": True, "session_id": "u-1"}
    whole: dict[str, Any] = {**ROW, "workflow_run": RUN, "created_by_account": account, "created_by_end_user": user}
    items = whole if part is None else whole[part]
    rows = [whole]
    for name in items:
        odd = {"new" if key == name else key: value for key, value in items.items()}  # as many fields, one unknown
        changed = (odd, {**items, "new": 1}, {key: items[key] for key in items if key != name})
        rows += [one if part is None else {**whole, part: one} for one in changed]
    rows += [{key: value for key, value in row.items() if key != "details"} for row in rows]
    for row, log in zip(rows, WorkflowLogPage.from_dict({**PAGE, "data": rows}).data, strict=True):
        alone = WorkflowLog.from_dict(row)
        assert log == alone
        assert repr(log) == repr(alone)
        assert json.dumps(log.to_dict()) == json.dumps(alone.to_dict()) == json.dumps(row)


# --- field by field --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("member", WorkflowRunStatus)
def test_a_known_status_is_a_member_and_goes_back_as_plain_text(member: WorkflowRunStatus):
    run = WorkflowRunSummary.from_dict({**RUN, "status": member.value})
    assert run.status is member
    assert isinstance(member, StrEnum)
    assert run.status == member.value
    assert type(run.to_dict()["status"]) is str


def test_absent_and_null_read_as_none_and_stay_what_they_were():
    absent = WorkflowRunSummary.from_dict({"id": "r-1"})
    null = WorkflowRunSummary.from_dict({"id": "r-1", "error": None})
    assert absent.error is None
    assert null.error is None
    assert absent.to_dict() == {"id": "r-1"}
    assert null.to_dict() == {"id": "r-1", "error": None}
    assert absent == null


def test_what_the_spec_does_not_name_is_kept_and_can_be_changed():
    log = WorkflowLog.from_dict({**ROW, "new": {"deep": [1]}})
    assert log.additional_properties == {"new": {"deep": [1]}}
    log.additional_properties["newer"] = 2
    del log.additional_properties["new"]
    assert log.to_dict() == {**ROW, "newer": 2}
    plain = WorkflowLog.from_dict(ROW)
    plain.additional_properties["x"] = 1
    assert plain.to_dict() == {**ROW, "x": 1}
    assert WorkflowLog.from_dict(ROW).additional_properties == {}


def test_to_dict_reflects_what_was_changed_since():
    page = WorkflowLogPage.from_dict(PAGE)
    page.data[0].created_from = "web-app"
    assert page.data[0].workflow_run
    page.data[0].workflow_run.status = WorkflowRunStatus.FAILED
    page.data.append(WorkflowLog(id="l-2"))
    assert page.to_dict() == {
        **PAGE,
        "data": [{**ROW, "created_from": "web-app", "workflow_run": {**RUN, "status": "failed"}}, {"id": "l-2"}],
    }
    part = WorkflowRunSummary.from_dict({"id": "r-1"})
    part.error = "boom"
    assert part.to_dict() == {"id": "r-1", "error": "boom"}


def test_to_dict_shares_nothing_with_the_model():
    page = WorkflowLogPage.from_dict(copy.deepcopy({**PAGE, "extra": {"list": [1]}}))
    made = page.to_dict()
    made["data"][0]["workflow_run"]["status"] = "failed"
    made["data"].clear()
    made["extra"]["list"].append(2)
    assert page.to_dict() == {**PAGE, "extra": {"list": [1]}}


def test_models_decoded_from_one_dict_share_no_state():
    one, two = WorkflowLog.from_dict(ROW), WorkflowLog.from_dict(ROW)
    assert one.workflow_run
    assert two.workflow_run
    one.workflow_run.error = "boom"
    one.additional_properties["x"] = 1
    assert two.to_dict() == ROW


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (1795384475, datetime(2026, 11, 22, 21, 54, 35, tzinfo=UTC)),
        (253402300799, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        *((odd, None) for odd in (253402300800, 10**30, -(10**30), None, True, "1795384475", 1.5, [], {})),
    ],
)
def test_each_time_has_an_aware_companion_or_none(value: Any, expected: datetime | None):
    log = WorkflowLog.from_dict({**ROW, "created_at": value})
    run = WorkflowRunSummary.from_dict({**RUN, "created_at": value, "finished_at": value})
    for found in (log.created_at_utc, run.created_at_utc, run.finished_at_utc):
        assert found == expected
        assert found is None or found.tzinfo is UTC
    assert exact(log.to_dict()["created_at"]) == exact(value)


def test_a_companion_is_read_only_and_none_without_a_time():
    log = WorkflowLog.from_dict({})
    assert log.created_at_utc is None
    with pytest.raises(AttributeError):
        log.created_at_utc = datetime.now(UTC)  # type: ignore[misc]


# --- as objects ------------------------------------------------------------------------------------------------------


def test_models_are_slotted_attrs_classes_of_the_spec():
    for name in models.__all__:
        cls = getattr(models, name)
        if issubclass(cls, StrEnum):
            continue
        assert attrs.has(cls)
        model = cls.from_dict({})
        assert not hasattr(model, "__dict__")
        with pytest.raises(AttributeError):
            model.no_such_field = 1
    assert [field.alias for field in attrs.fields(WorkflowLog)] == [*ROW, "additional_properties"]


def probe(by: Any) -> Any:
    """A new model, as the generated ones are declared, of attrs or of what stands for it in `dify_workflow_api`."""

    @by.define(kw_only=True, eq=False, repr=False, getstate_setstate=False)
    class Probe(Model):
        _names: ClassVar[dict[str, str]] = {"id": "id", "class": "class_"}
        id: str = ABSENT
        class_: int | None = ABSENT
        _extra: dict[str, Any] | None = by.field(default=None, alias="additional_properties")

    return Probe


def extended(cls: Any) -> object:
    @attrs.define
    class Extended(cls):
        more: int = 0

    made = Extended(id="x", more=1)
    return [field.name for field in attrs.fields(Extended)], made.to_dict(), made.more, hasattr(made, "__dict__")


USES: list[Callable[[Any], object]] = [
    attrs.fields,
    attrs.has,
    inspect.signature,
    extended,
    lambda cls: cls(id="x", additional_properties={"new": 1}).to_dict(),
    lambda cls: attrs.evolve(cls(id="x"), class_=1).to_dict(),
    lambda cls: attrs.asdict(cls(id="x")),
    lambda cls: type("Derived", (cls,), {"__slots__": ()})(class_=2).to_dict(),
    lambda cls: cls(id="x").__replace__(id="y").to_dict(),
]


@pytest.mark.parametrize("use", USES)
def test_any_first_use_of_a_model_is_as_with_attrs(use: Callable[[Any], object]):
    made = probe(types.attrs)
    expected = probe(attrs)
    assert use(made) == use(expected)
    assert [one(made) for one in USES] == [one(expected) for one in USES]
    assert made.__slots__ == ("id", "class_")
    assert not hasattr(made(), "__dict__")


def test_models_made_by_hand_hold_what_they_are_given():
    log = WorkflowLog(id="x", workflow_run=WorkflowRunSummary(status="failed", error=None), created_at=0)
    assert log.workflow_run
    assert (log.id, log.details, log.created_by_account) == ("x", None, None)
    assert log.to_dict() == {"id": "x", "workflow_run": {"status": "failed", "error": None}, "created_at": 0}
    assert WorkflowLog.from_dict(log.to_dict()) == log
    assert log.created_at_utc == datetime(1970, 1, 1, tzinfo=UTC)
    assert WorkflowLog().to_dict() == {}
    with pytest.raises(TypeError):
        WorkflowLog("x")  # type: ignore[misc]
    with pytest.raises(TypeError):
        WorkflowLog(no_such_field=1)  # type: ignore[call-arg]


def test_models_made_by_hand_take_further_fields_of_their_own():
    given = {"new": 1}
    log = WorkflowLog(id="x", additional_properties=given)
    log.additional_properties["newer"] = 2
    assert given == {"new": 1}
    assert log.to_dict() == {"id": "x", "new": 1, "newer": 2}
    assert attrs.evolve(log, id="y").additional_properties == {"new": 1, "newer": 2}


def test_models_are_equal_when_they_read_the_same():
    assert WorkflowLog.from_dict(ROW) == WorkflowLog.from_dict(dict(reversed(ROW.items())))
    assert WorkflowLog.from_dict(ROW) != WorkflowLog.from_dict({**ROW, "id": "l-2"})
    assert WorkflowLog.from_dict(ROW) != WorkflowLog.from_dict({**ROW, "new": 1})
    assert WorkflowLog.from_dict(ROW) != ROW
    assert Account(id="1") != EndUser(id="1")
    with pytest.raises(TypeError):
        hash(WorkflowLog.from_dict(ROW))


def test_a_shallow_copy_has_its_own_fields_and_the_same_rows():
    page = WorkflowLogPage.from_dict({**PAGE, "new": 1})
    other = copy.copy(page)
    other.total = 5
    other.additional_properties["newer"] = 2
    assert other.data is page.data
    assert page.to_dict() == {**PAGE, "new": 1}
    assert other.to_dict() == {**PAGE, "new": 1, "total": 5, "newer": 2}


def test_a_deep_copy_shares_no_rows():
    page = WorkflowLogPage.from_dict(PAGE)
    other = copy.deepcopy(page)
    other.data[0].id = "changed"
    assert page.to_dict() == PAGE


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_keeps_nulls_absences_and_new_fields(protocol: int):
    source = {"id": "l-1", "workflow_run": {"status": "new", "error": None, "x": 1}, "details": None, "y": [2]}
    log = pickle.loads(pickle.dumps(WorkflowLog.from_dict(source), protocol))  # noqa: S301 - our own
    assert type(log) is WorkflowLog
    assert exact(log.to_dict()) == exact(source)


def test_a_repr_is_short_and_shows_what_is_there():
    assert repr(Account.from_dict({"id": "a", "name": None, "new": 1})) == (
        "Account(id='a', additional_properties={'new': 1})"
    )
    assert repr(WorkflowRunSummary(status=WorkflowRunStatus.FAILED)) == "WorkflowRunSummary(status='failed')"
    assert repr(WorkflowLogPage(data=[WorkflowLog()] * 100)) == "WorkflowLogPage(data=<list of 100>)"
    assert len(repr(WorkflowRunSummary(error="line\n" * 10_000))) < 200
    assert "id='l-1'" in repr(WorkflowLogPage.from_dict(PAGE))


def test_a_repr_of_a_model_that_holds_itself_ends():
    page = WorkflowLogPage(data=[])
    page.data.append(page)  # type: ignore[arg-type]
    assert repr(page) == "WorkflowLogPage(data=[...])"


def test_a_deeply_nested_value_goes_through():
    value: Any = "end"
    for _ in range(300):
        value = {"a": [value]}
    assert WorkflowLog.from_dict({**ROW, "details": value}).to_dict()["details"] == value


def test_shapes_without_end_are_not_remembered():
    for number in range(1000):
        source = {"id": "1", f"new-{number}": number}
        assert Account.from_dict(source).to_dict() == source
    assert len(Account._shapes) < 1000
