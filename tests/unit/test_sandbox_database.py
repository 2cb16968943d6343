"""The rows behind the sandbox: filters and pages against a model in plain Python."""

import dataclasses
import json
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dify_workflow.sandbox.database import Database, DatabaseFileError
from dify_workflow.sandbox.errors import ApiError
from dify_workflow.sandbox.query_params import LogQuery
from dify_workflow.sandbox.records import AccountRow, AppRow, EndUserRow, LogRow, new_log

APP = AppRow(name="main", api_key="app-of-the-test")
OTHER_APP = AppRow(name="other", api_key="app-of-others")
NOW = 1_795_384_475
NOON = AccountRow.of("noon@example.com")
NIGHT = AccountRow.of("night@example.com")
SESSIONS = ("user-1", "user-2", "USER-1", "50%_off", "用户-七", "")
TEXTS = ("order", "ORDER 12", "50%_off", "中文", "café", "😀", 'say "hi"', "back\\slash", "line\nbreak", "")


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database()
    database.add_app(APP)
    database.add_app(OTHER_APP)
    database.add_accounts([NOON, NIGHT])
    yield database
    database.close()


def ids(database: Database, query: LogQuery, app: AppRow = APP) -> list[str]:
    return [item["id"] for item in database.list_logs(app, query).items]


def found(database: Database, **filters: Any) -> set[str]:
    return set(ids(database, LogQuery(limit=100, **filters)))


# Against a model -------------------------------------------------------------------------------------------------

drawn_ids = st.builds(lambda number: str(uuid.UUID(int=number)), st.integers(0, 2**128 - 1))


@st.composite
def logs(draw: st.DrawFn) -> LogRow:
    member = draw(st.sampled_from([None, None, NOON.email, NIGHT.email]))
    log = new_log(
        id=draw(drawn_ids),
        run_id=draw(drawn_ids),
        created_at=NOW - draw(st.integers(0, 6)),
        status=draw(st.sampled_from(["succeeded", "failed", "stopped", "running", "partial-succeeded"])),
        session_id=draw(st.sampled_from(SESSIONS)),
        account=member,
        inputs={"query": draw(st.sampled_from(TEXTS))},
        outputs=draw(st.none() | st.builds(dict, answer=st.sampled_from(TEXTS))),
    )
    gone = draw(st.sampled_from([(), (), (), ("run",), ("creator",), ("run", "creator")]))
    return dataclasses.replace(log, **dict.fromkeys(gone))


filters = st.builds(
    LogQuery,
    status=st.none() | st.sampled_from(["succeeded", "failed", "stopped"]),
    created_at__before=st.none() | st.integers(NOW - 8, NOW + 2),
    created_at__after=st.none() | st.integers(NOW - 8, NOW + 2),
    created_by_account=st.none() | st.sampled_from([NOON.email, NIGHT.email]),
)
queries = st.one_of(
    filters,
    st.builds(
        dataclasses.replace, filters, created_by_end_user_session_id=st.sampled_from([*SESSIONS[:-1], "user", "nobody"])
    ),
    st.builds(
        dataclasses.replace,
        filters,
        keyword=st.sampled_from(
            ["order", "OrDeR", "query", "%", "_", "50%_off", "0%f", "中", "é", "😀", "\\", "user-1"]
        ),
    ),
)


def matches(log: LogRow, query: LogQuery) -> bool:
    """Say whether a log belongs into the listing, by the rules and without SQL."""
    if query.status is not None and (log.run is None or log.run.status != query.status):
        return False
    if query.created_at__before is not None and log.created_at > query.created_at__before:
        return False
    if query.created_at__after is not None and log.created_at < query.created_at__after:
        return False
    member = log.creator if isinstance(log.creator, AccountRow) else None
    user = log.creator if isinstance(log.creator, EndUserRow) else None
    if query.created_by_account is not None and (member is None or member.email != query.created_by_account):
        return False
    session = query.created_by_end_user_session_id
    if session is not None and (user is None or user.session_id != session):
        return False
    return query.keyword is None or (log.run is not None and has_keyword(log, user, query.keyword))


def has_keyword(log: LogRow, user: EndUserRow | None, keyword: str) -> bool:
    assert log.run is not None
    # The JSON text without its quotes is how the keyword stands in it; accents and emoji are never found.
    stored = json.dumps(keyword)[1:-1] if keyword not in {"é", "😀", "\\"} else keyword
    texts = [log.run.inputs, log.run.outputs or "", user.session_id if user else ""]
    return any(like(text.lower(), f"%{stored.lower()}%") for text in texts)


def like(text: str, pattern: str) -> bool:
    """Say whether a text has the form of a pattern: `%` is any text and `_` any character."""
    reached = {0}  # how much of the text the pattern so far can stand for
    for sign in pattern:
        if sign == "%":
            reached = set(range(min(reached, default=len(text) + 1), len(text) + 1))
        else:
            reached = {end + 1 for end in reached if end < len(text) and sign in {"_", text[end]}}
    return len(text) in reached


@settings(deadline=None, max_examples=150)
@given(
    rows=st.lists(logs(), max_size=60, unique_by=(lambda log: log.id, lambda log: (log.run or log).id)),
    query=queries,
    limit=st.integers(1, 25),
)
def test_pages_together_have_as_many_logs_as_the_total(rows: list[LogRow], query: LogQuery, limit: int) -> None:
    expected = {row.id: row for row in rows if matches(row, query)}
    database = Database()
    try:
        database.add_accounts([NOON, NIGHT])
        database.add_logs(APP.name, rows)
        last = -(-len(expected) // limit)
        sizes = []
        seconds = []
        for page in range(1, last + 3):
            response = database.list_logs(APP, dataclasses.replace(query, page=page, limit=limit))
            assert response.total == len(expected)
            assert {item["id"] for item in response.items} <= expected.keys()
            assert len({item["id"] for item in response.items}) == len(response.items)
            sizes.append(len(response.items))
            seconds += [item["created_at"] for item in response.items]
        full, rest = divmod(len(expected), limit)
        assert sizes == [limit] * full + [rest] * (rest > 0) + [0, 0]
        assert seconds == sorted((row.created_at for row in expected.values()), reverse=True)
        if len(expected) <= 100:
            whole = database.list_logs(APP, dataclasses.replace(query, limit=100))
            assert {item["id"] for item in whole.items} == expected.keys()
    finally:
        database.close()


# Rules -----------------------------------------------------------------------------------------------------------


def test_an_app_lists_its_own_logs_only(database: Database) -> None:
    mine, theirs = new_log(), new_log()
    database.add_logs(APP.name, [mine])
    database.add_logs(OTHER_APP.name, [theirs])
    assert ids(database, LogQuery()) == [mine.id]
    assert ids(database, LogQuery(), OTHER_APP) == [theirs.id]


def test_an_account_is_found_by_its_exact_address_only(database: Database) -> None:
    log = new_log(account=NOON.email)
    database.add_logs(APP.name, [log, new_log(account=NIGHT.email), new_log(session_id=NOON.email)])
    assert found(database, created_by_account=NOON.email) == {log.id}
    for unknown in (NOON.email.upper(), NOON.id, "nobody@example.com"):
        with pytest.raises(ApiError, match=f"400 invalid_param: Account not found: {unknown}"):
            found(database, created_by_account=unknown)


@pytest.mark.parametrize(
    ("keyword", "is_found"),
    [
        ("refund", True),
        ("REFUND", True),
        ("query", True),  # the name of an input
        ("sys.user_id", True),
        ("re%d", True),
        ("r_fund", True),
        ("中文", True),
        ("文", True),
        ("caf", True),
        ("café", False),
        ("😀", False),
        ('"hi"', False),
        ('\\"hi\\"', True),
        ("back\\slash", False),
        ("back", True),
        ("shipped", True),  # from the outputs
        ("visitor-9", True),  # from the session
        ("no such text", False),
        ("exploded", False),  # an error text
    ],
)
def test_a_keyword_is_looked_for_in_stored_json_and_sessions(database: Database, keyword: str, is_found: bool) -> None:
    log = new_log(
        session_id="visitor-9",
        error="exploded",
        inputs={"query": 'refund of café 中文 😀 "hi" back\\slash'},
        outputs={"answer": "shipped"},
    )
    database.add_logs(APP.name, [log])
    assert found(database, keyword=keyword) == ({log.id} if is_found else set())


def test_a_session_beyond_ascii_is_not_found_by_keyword(database: Database) -> None:
    database.add_logs(APP.name, [new_log(session_id="zoë")])
    assert found(database, keyword="zoë") == set()
    assert len(found(database, keyword="zoë", literal_keyword=True)) == 1  # as newer servers do


def test_a_literal_keyword_finds_stored_text_as_it_is_written(database: Database) -> None:
    log = new_log(inputs={"query": "中文 100%_x"})
    database.add_logs(APP.name, [log])
    for keyword, hits in (("中文", 0), ("\\u4e2d\\u6587", 1), ("100%_", 1), ("1%x", 0), ("1_0", 0)):
        assert len(found(database, keyword=keyword, literal_keyword=True)) == hits, keyword


def test_a_run_is_found_by_its_whole_id_and_a_log_by_none(database: Database) -> None:
    log = new_log()
    assert log.run is not None
    database.add_logs(APP.name, [log, new_log()])
    assert found(database, keyword=log.run.id) == {log.id}
    assert found(database, keyword=log.run.id.replace("-", "").upper()) == {log.id}
    assert found(database, keyword=log.run.id[:20]) == set()
    assert found(database, keyword=log.id) == set()


def test_an_unknown_account_is_found_before_the_failing_filters(database: Database) -> None:
    with pytest.raises(ApiError, match="400 invalid_param"):
        found(database, keyword="a", created_by_end_user_session_id="b", created_by_account="nobody@example.com")


def test_a_log_without_its_run_is_listed_but_not_filtered(database: Database) -> None:
    log = dataclasses.replace(new_log(), run=None)
    database.add_logs(APP.name, [log])
    assert found(database) == {log.id}
    assert found(database, keyword="%") == set()
    assert found(database, status="succeeded") == set()


# Ties ------------------------------------------------------------------------------------------------------------


def test_one_page_always_comes_in_the_same_order(database: Database) -> None:
    database.add_logs(APP.name, [new_log(created_at=NOW) for _ in range(50)])
    query = LogQuery(limit=20, page=2)
    assert ids(database, query) == ids(database, query)


def test_rows_of_one_second_change_their_order_from_page_to_page(database: Database) -> None:
    database.add_logs(APP.name, [new_log(created_at=NOW) for _ in range(60)])
    by_size = [ids(database, LogQuery(limit=limit))[:10] for limit in (20, 30, 40, 60)]
    assert len({tuple(order) for order in by_size}) == len(by_size)
    walked = [id_ for page in (1, 2, 3) for id_ in ids(database, LogQuery(limit=20, page=page))]
    assert len(walked) == 60
    assert len(set(walked)) < 60
    in_a_window = ids(database, LogQuery(limit=60, created_at__before=NOW + 1))
    assert in_a_window != ids(database, LogQuery(limit=60))
    assert set(in_a_window) == set(ids(database, LogQuery(limit=60)))


# Changing --------------------------------------------------------------------------------------------------------


def test_a_run_can_change_after_it_was_listed(database: Database) -> None:
    log = new_log(status="running")
    assert log.run is not None
    database.add_logs(APP.name, [log])
    assert database.update_run(log.run.id, {"status": "succeeded", "finished_at": NOW})
    run = database.list_logs(APP, LogQuery()).items[0]["workflow_run"]
    assert (run["status"], run["finished_at"]) == ("succeeded", NOW)
    assert not database.update_run(str(uuid.uuid4()), {"status": "failed"})
    with pytest.raises(ValueError, match="a run has no color"):
        database.update_run(log.run.id, {"color": "red"})


def test_a_deleted_log_is_gone(database: Database) -> None:
    log, other = new_log(), new_log()
    database.add_logs(APP.name, [log, other])
    assert database.delete_logs([log.id, str(uuid.uuid4())]) == 1
    assert ids(database, LogQuery()) == [other.id]


def test_logs_are_added_all_or_none(database: Database) -> None:
    def half() -> Iterator[LogRow]:
        yield new_log()
        raise LookupError

    with pytest.raises(LookupError):
        database.add_logs(APP.name, half())
    assert ids(database, LogQuery()) == []


def test_a_log_of_a_known_id_is_replaced(database: Database) -> None:
    log = new_log(status="running")
    database.add_logs(APP.name, [log])
    database.add_logs(APP.name, [new_log(id=log.id, status="failed")])
    assert [item["workflow_run"]["status"] for item in database.list_logs(APP, LogQuery()).items] == ["failed"]


def test_readers_and_writers_in_many_threads_do_not_interfere(database: Database) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(20):
                database.add_logs(APP.name, [new_log(created_at=NOW)])
                page = database.list_logs(APP, LogQuery(limit=100, status="succeeded"))
                assert len(page.items) == min(page.total, 100)
        except BaseException as error:  # noqa: BLE001 - reported below, in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert database.list_logs(APP, LogQuery()).total == 160


# Files -----------------------------------------------------------------------------------------------------------


def test_a_file_keeps_its_rows(tmp_path: Path) -> None:
    log = new_log()
    first = Database(tmp_path / "sandbox.db")
    first.add_app(APP)
    first.add_logs(APP.name, [log])
    first.close()
    again = Database(tmp_path / "sandbox.db")
    assert again.apps() == [APP]
    assert ids(again, LogQuery()) == [log.id]
    again.close()


def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes" * 1000)
    with pytest.raises(DatabaseFileError, match="not a database"):
        Database(path)
    assert path.read_text() == "these are my notes" * 1000
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE logs (line TEXT)")
    with pytest.raises(DatabaseFileError, match="not a database of this sandbox"):
        Database(tmp_path / "other.db")
    with pytest.raises(DatabaseFileError, match="unable to open"):
        Database(tmp_path / "missing" / "sandbox.db")


def test_a_key_is_in_no_repr() -> None:
    assert APP.api_key not in repr(APP)
