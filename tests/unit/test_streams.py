"""What the events of a stream mean: their models, and what is known of the run after each."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from dify_workflow_api.api.runs import run_workflow, stream_workflow_run_events
from hypothesis import example, given
from hypothesis import strategies as st

from dify_workflow import models
from dify_workflow._http.attempts import Attempt
from dify_workflow._http.config import Timeout
from dify_workflow._http.decode import BrokenEventError, ReportedError
from dify_workflow._http.library import httpx
from dify_workflow._http.sse import EventParser, ServerSentEvent
from dify_workflow._runs.stream import StreamProgress, StreamWaits, checked_max_silence, looks_like_events


def read(stream: bytes | dict[str, Any], progress: StreamProgress | None = None) -> list[Any]:
    """The events of some bytes, or of one JSON object."""
    if isinstance(stream, dict):
        stream = f"data: {json.dumps(stream)}\n\n".encode()
    progress = progress or StreamProgress(run_workflow.load_event)
    return [event for received in EventParser().feed(stream) if (event := progress.event_of(received)) is not None]


@pytest.mark.parametrize("name", [name for name in run_workflow.EVENTS if name != "error"])
def test_each_event_is_the_model_of_its_name_and_loses_nothing(name: str):
    sent = {"event": name, "data": {"id": "x", "text": "t", "new": {"a": [1, None]}}, "audio": "AA", "more": True}
    [event] = read(sent)
    assert type(event) is getattr(models, run_workflow.EVENTS[name])
    assert event.event == name
    assert event.to_dict() == sent


def test_both_operations_that_stream_have_the_same_events():
    assert run_workflow.EVENTS == stream_workflow_run_events.EVENTS


@pytest.mark.parametrize(
    "sent",
    [
        {"event": "node_dreamt", "task_id": "t", "workflow_run_id": "r", "data": {"deep": {"a": [1]}}, "more": True},
        {"event": "Error"},
        {"event": None, "data": {}},
        {"event": 7},
        {"event": ["error"]},
        {"event": ""},
        {"data": {"text": "x"}},
        {},
    ],
    ids=repr,
)
def test_an_event_of_no_known_name_keeps_everything(sent: dict[str, Any]):
    [event] = read(sent)
    assert type(event) is models.WorkflowEvent
    assert event.to_dict() == sent


def test_an_event_named_before_its_data_is_known_by_it():
    [event] = read(b'event: text_chunk\ndata: {"data": {"text": "x"}}\n\n')
    assert type(event) is models.TextChunkEvent


def test_the_name_inside_the_data_counts_where_both_are_given():
    [event] = read(b'event: message\ndata: {"event": "text_chunk"}\n\n')
    assert type(event) is models.TextChunkEvent


@pytest.mark.parametrize("odd", [None, [], "x", 7, [{}], {"text": None}, {"text": 7}, {"text": ["x"]}], ids=repr)
@pytest.mark.parametrize("name", [name for name in run_workflow.EVENTS if name != "error"])
def test_odd_data_is_kept_and_breaks_nothing(name: str, odd: object):
    sent = {"event": name, "task_id": 7, "workflow_run_id": [], "data": odd}
    progress = StreamProgress(run_workflow.load_event)
    assert [event.to_dict() for event in read(sent, progress)] == [sent]
    assert (progress.task_id, progress.workflow_run_id, progress.text) == (None, None, "")


@pytest.mark.parametrize(
    "ping",
    [
        b"event: ping\n\n",
        b"event: ping\r\n\r\n",
        b'data: {"event": "ping"}\n\n',
        b'event: ping\ndata: {"event": "ping"}\n\n',
        b"event: ping\ndata: {}\n\n",
        b"event: ping\ndata: 2026-11-22 21:59\n\n",
        b": keep-alive\n\n",
        b"data:\n\n",
        b"\n\n\n",
    ],
    ids=repr,
)
def test_signs_of_life_are_no_events(ping: bytes):
    progress = StreamProgress(run_workflow.load_event)
    assert read(ping, progress) == []
    assert (progress.count, progress.last, progress.is_whole) == (0, None, False)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("{", "broken JSON"),
        ("[DONE]", "broken JSON"),
        (" ", "broken JSON"),
        ("[" * 200_000, "broken JSON"),
        ("1" * 5000, "broken JSON"),
        ("[]", "a list where"),
        ("null", "null where"),
        ("7", "a number where"),
        ("true", "a boolean where"),
        ('"x"', "a string where"),
    ],
    ids=lambda value: value[:10],
)
def test_data_that_is_no_json_object_is_told_with_what_came(data: str, reason: str):
    with pytest.raises(BrokenEventError, match=reason) as caught:
        StreamProgress(run_workflow.load_event).event_of(ServerSentEvent("", data))
    assert caught.value.data == data


def test_a_name_without_data_is_told():
    with pytest.raises(BrokenEventError, match="an event 'text_chunk' without data"):
        StreamProgress(run_workflow.load_event).event_of(ServerSentEvent("text_chunk", ""))


@pytest.mark.parametrize("name", ["done", "heartbeat", "Text_chunk", "node_dreamt"])
def test_an_unknown_name_without_data_is_dropped(name: str):
    progress = StreamProgress(run_workflow.load_event)
    assert progress.event_of(ServerSentEvent(name, "")) is None
    assert (progress.count, progress.last) == (0, None)


@pytest.mark.parametrize(
    ("names", "over", "over_when_it_goes_on"),
    [
        ("workflow_started node_started", False, False),
        ("workflow_started workflow_finished", True, True),
        ("workflow_started workflow_paused", True, False),
    ],
)
def test_reading_stops_where_nothing_can_follow(names: str, over: bool, over_when_it_goes_on: bool):
    for ends_at_pause, expected in ((True, over), (False, over_when_it_goes_on)):
        progress = StreamProgress(run_workflow.load_event, ends_at_pause=ends_at_pause, ends_with_run=True)
        for name in names.split():
            assert not progress.is_over
            read({"event": name}, progress)
        assert progress.is_over is expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"code": "c", "status": 400, "message": "m"}, ("c", 400, "m")),
        ({}, (None, None, "(no text)")),
        ({"code": 7, "status": "400", "message": None}, (None, None, "(no text)")),
        ({"code": None, "status": None, "message": ""}, (None, None, "(no text)")),
    ],
    ids=repr,
)
def test_an_error_event_says_its_code_status_and_text(sent: dict[str, Any], expected: tuple[Any, ...]):
    with pytest.raises(ReportedError) as caught:
        read({"event": "error"} | sent)
    assert (caught.value.code, caught.value.status, caught.value.message) == expected


def test_ids_are_kept_when_a_later_event_does_not_tell_them():
    progress = StreamProgress(run_workflow.load_event)
    read({"event": "workflow_started", "task_id": "t", "workflow_run_id": "r"}, progress)
    read({"event": "node_started", "task_id": None, "workflow_run_id": ""}, progress)
    assert (progress.task_id, progress.workflow_run_id) == ("t", "r")


@pytest.mark.parametrize(
    ("names", "whole", "whole_when_it_goes_on"),
    [
        ("", False, False),
        ("workflow_started node_started node_finished", False, False),
        ("workflow_started workflow_finished", True, True),
        ("workflow_finished tts_message tts_message_end", True, True),
        ("workflow_finished workflow_started", True, True),
        ("workflow_started human_input_required workflow_paused", True, False),
        ("workflow_paused human_input_required tts_message node_dreamt", True, False),
        ("workflow_paused workflow_started", False, False),
        ("workflow_paused human_input_form_filled", False, False),
        ("workflow_paused human_input_form_timeout", False, False),
        ("workflow_paused node_started node_finished", False, False),
        ("workflow_paused workflow_started workflow_paused", True, False),
        ("workflow_paused workflow_started workflow_finished", True, True),
    ],
)
def test_a_stream_is_whole_when_the_run_finished_or_waits(names: str, whole: bool, whole_when_it_goes_on: bool):
    for ends_at_pause, expected in ((True, whole), (False, whole_when_it_goes_on)):
        progress = StreamProgress(run_workflow.load_event, ends_at_pause=ends_at_pause)
        for name in names.split():
            read({"event": name}, progress)
        assert progress.is_whole is expected


# --- how long to wait -------------------------------------------------------------------------------------------------


class Waiting:
    """A stream and its waits, on a clock that the test sets."""

    def __init__(self, timeout: Any = None, *, is_queued: bool = True, **options: Any) -> None:
        self.now = 1000.0
        self.progress = StreamProgress(run_workflow.load_event, **options.pop("progress", {}))
        options = {"max_silence": None, "is_queued": is_queued, "clock": lambda: self.now} | options
        self.waits = StreamWaits(self.progress, Timeout(timeout), **options)
        self.attempt = Attempt(self.waits.timeout.phases)

    def events(self, *names: str) -> None:
        for name in names:
            read({"event": name}, self.progress)

    def wait(self) -> float | None:
        """Seconds of the wait that begins now."""
        self.waits.before_read(self.attempt)
        assert self.attempt.deadline is not None
        return None if self.attempt.deadline == math.inf else round(self.attempt.deadline - self.now, 6)


def test_before_the_first_event_the_wait_outlasts_the_servers():
    waiting = Waiting()
    assert waiting.waits.timeout.phases == httpx.Timeout(330, connect=5, pool=60, write=60).as_dict()
    assert waiting.waits.timeout.total == 330
    assert waiting.wait() == 330
    waiting.now += 299
    assert waiting.wait() == 330  # a ping came: it is for each wait
    waiting.events("workflow_started")
    assert waiting.wait() == 60


@pytest.mark.parametrize(
    ("timeout", "is_queued", "expected"),
    [
        (None, False, 60),
        (60, True, 60),
        (7, True, 7),
        (600, True, 600),
        (httpx.Timeout(None), True, None),
        (httpx.Timeout(0), True, 0),
    ],
    ids=repr,
)
def test_a_timeout_that_was_given_holds_from_the_start(timeout: Any, is_queued: bool, expected: float | None):
    waiting = Waiting(timeout, is_queued=is_queued)
    assert waiting.waits.timeout.phases["read"] == waiting.wait() == expected
    assert waiting.waits.timeout.total == Timeout(timeout).total
    waiting.events("workflow_started")
    assert waiting.wait() == expected


@pytest.mark.parametrize("events", [[], ["workflow_started", "node_started"]], ids=len)
def test_silence_is_counted_from_the_last_event(events: list[str]):
    waiting = Waiting(max_silence=20)
    assert waiting.waits.timeout.phases["read"] == waiting.wait() == 20
    waiting.events(*events)
    waiting.now += 15
    assert waiting.wait() == (20 if events else 5)  # what the caller does with an event is no silence
    waiting.now += 4
    assert waiting.wait() == (16 if events else 1)
    waiting.now += 16
    with pytest.raises(httpx.ReadTimeout, match=r"^no event other than pings for 20 s \(max_silence\)$"):
        waiting.wait()
    ended = waiting.waits.explained(httpx.ReadTimeout("timed out"))
    assert str(ended) == "no event other than pings for 20 s (max_silence)"


def test_other_errors_stay_as_they_are_in_a_silence():
    waiting = Waiting(max_silence=20)
    waiting.wait()
    error = httpx.ReadError("reset")
    assert waiting.waits.explained(error) is error
    timeout = httpx.ReadTimeout("timed out")
    assert waiting.waits.explained(timeout) is timeout
    waiting.now += 20
    assert waiting.waits.explained(error) is error
    assert waiting.waits.explained(timeout) is not timeout


@pytest.mark.parametrize("last", ["workflow_finished", "workflow_paused"])
@pytest.mark.parametrize(("max_silence", "expected"), [(None, 5), (20, 5), (2, 2)])
def test_pings_after_the_end_are_waited_out_like_silence(last: str, max_silence: Any, expected: float):
    waiting = Waiting(max_silence=max_silence)
    waiting.events("workflow_started", last)
    assert waiting.wait() == expected
    waiting.now += 1.5
    assert waiting.wait() == expected - 1.5
    waiting.events("tts_message")
    assert waiting.wait() == expected
    waiting.now += expected
    with pytest.raises(httpx.ReadTimeout):
        waiting.wait()


def test_a_stream_without_an_attempt_is_still_given_up():
    waiting = Waiting(max_silence=2)
    waiting.waits.before_read(None)
    waiting.now += 2
    with pytest.raises(httpx.ReadTimeout):
        waiting.waits.before_read(None)


@pytest.mark.parametrize("seconds", [0, -1, math.inf, -math.inf, math.nan, 1e10, True, "2", [2]], ids=repr)
def test_a_silence_that_cannot_be_is_refused(seconds: Any):
    with pytest.raises(ValueError, match=r"^max_silence must be seconds over 0, up to 1e\+09, or None; got "):
        checked_max_silence(seconds)


@pytest.mark.parametrize("seconds", [None, 1, 0.5, 1e9])
def test_a_silence_that_can_be_is_kept(seconds: float | None):
    assert checked_max_silence(seconds) == seconds


# --- refused inputs ---------------------------------------------------------------------------------------------------

REFUSAL = {"status": "failed", "error": "query is required in input form", "created_by": {}, "outputs": {}}


@pytest.mark.parametrize(
    ("names", "data", "expected"),
    [
        ("workflow_started workflow_finished", REFUSAL, True),
        ("workflow_started node_started workflow_finished", REFUSAL, False),
        ("workflow_started workflow_finished", REFUSAL | {"created_by": {"id": "x", "user": "u"}}, False),
        ("workflow_started workflow_finished", REFUSAL | {"created_by": None}, False),
        ("workflow_started workflow_finished", REFUSAL | {"status": "succeeded"}, False),
        ("workflow_started", REFUSAL, False),
        ("workflow_started workflow_finished", None, False),
        ("workflow_started workflow_finished", [REFUSAL], False),
    ],
)
def test_a_run_that_the_server_made_up_is_recognised(names: str, data: Any, expected: bool):
    progress = StreamProgress(run_workflow.load_event)
    for name in names.split():
        read({"event": name, "data": data}, progress)
    assert progress.inputs_refused is expected


BODIES = {
    b"data: {}": True,
    b"data:": True,
    b"event: ping\n\n": True,
    b"id: 7\n": True,
    b"retry: 3000\n": True,
    b": hello\n\n": True,
    b":": True,
    b"\xef\xbb\xbfdata: {}": True,
    b"\r\n\n\r: x": True,
    b"\n" * 4000 + b"data:": True,
    b'{"code": "x"}': False,
    b" data: x": False,
    b"\n <html>": False,
    b"<!doctype html>": False,
    b"\xef\xbb\xbf{}": False,
    b"\xef\xbb\xbe": False,
    b"data = 1": False,
    b"database": False,
    b"Event: x": False,
    b"[]": False,
    b"null": False,
    b"\n" * 5000 + b"data:": False,
    b"": None,
    b"\xef\xbb": None,
    b"\xef\xbb\xbf": None,
    b"dat": None,
    b"\r\nretry": None,
}


@pytest.mark.parametrize(("body", "expected"), BODIES.items(), ids=lambda value: repr(value)[:24])
def test_a_stream_is_recognised_by_its_first_bytes(body: bytes, expected: bool | None):
    assert looks_like_events(body) is expected


@given(st.sampled_from(sorted(BODIES)) | st.binary(max_size=12))
@example(b"\xef\xbb\xbf\r\nevent:")
def test_more_bytes_never_change_the_verdict(body: bytes):
    verdicts = [looks_like_events(body[:size]) for size in range(min(len(body), 40) + 1)]
    decided = [verdict for verdict in verdicts if verdict is not None]
    assert verdicts == [None] * (len(verdicts) - len(decided)) + decided
    assert len(set(decided)) <= 1
