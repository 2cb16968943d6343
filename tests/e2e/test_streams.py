"""Streams of a run's events over a real connection: typed, as they happen, and never quiet about what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
import pickle
import re
import ssl
import threading
from typing import Any

import pytest
from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st
from support.clients import EACH_DRIVER, AsyncDriver, Driver, failure
from support.fault_server import (
    HTML,
    JSON,
    Behaviour,
    FaultServer,
    drip,
    error_response,
    event_stream,
    gzipped,
    json_response,
    respond,
    silence,
    sse,
)
from support.leaks import nothing_left_open

from dify_workflow import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    DifyError,
    InternalServerError,
    NotFoundError,
    WorkflowStreamError,
    models,
)
from dify_workflow._http.library import httpx

INTERRUPTED = re.escape("reading this stream was interrupted, which closed its connection") + "$"
LOOK = "logs.list(created_by_end_user_session_id=user)"
TASK, RUN = "81c9d9a1-06c0-4d87-9e87-6a34202965f1", "fa4cf86e-b841-4148-a141-7c32afcb82ce"


def event(name: str, **data: Any) -> dict[str, Any]:
    return {"event": name, "task_id": TASK, "workflow_run_id": RUN, "data": data}


STARTED = event("workflow_started", id=RUN, inputs={"query": "流 one"})
NODE = event("node_started", id="n-1", node_id="llm", node_type="llm")
FINISHED = event("workflow_finished", id=RUN, status="succeeded", outputs={"answer": "é中😀\u2028"}, error=None)
HELLO, WORLD = event("text_chunk", text="Hello, "), event("text_chunk", text="world")
TTS = {"event": "tts_message", "task_id": TASK, "workflow_run_id": RUN, "audio": "AAAA", "created_at": 1}
ERROR = {"event": "error", "workflow_run_id": None, "code": "invalid_param", "status": 400, "message": "no such node"}


def stream(client: Any, **options: Any) -> Any:
    return client.runs.stream({"query": "流 one"}, user="u-1", **options)


async def all_events(client: Any) -> list[Any]:
    async with stream(client) as events:
        return [event async for event in events]


async def all_until_it_ends(client: Any) -> tuple[list[Any], Exception, Any]:
    """The events, the error that they ended in, and the stream."""
    events, seen = stream(client), []
    try:
        async with events:
            async for one in events:
                seen.append(one)  # noqa: PERF401 - what came before the error counts
    except DifyError as error:
        return seen, error, events
    raise AssertionError("the stream ended without an error")


def given(driver: Driver, *pieces: bytes | float, **options: Any) -> list[Any]:
    """The events that a stream of these pieces gives."""
    with FaultServer(event_stream(*pieces)) as server:
        return driver.play(server.base_url, all_events, **options)


# --- as they happen ---------------------------------------------------------------------------------------------------


@EACH_DRIVER
def test_each_event_is_there_before_the_next_one_is_sent(driver: Driver):
    seen, signals = [], [threading.Event(), threading.Event()]

    async def story(client: Any) -> None:
        async with stream(client) as events:
            async for one in events:
                seen.append(one.event)
                if len(seen) <= len(signals):
                    signals[len(seen) - 1].set()  # the server holds the next one back until then

    with FaultServer(event_stream(sse(STARTED), signals[0], sse(HELLO), signals[1], sse(FINISHED))) as server:
        driver.play(server.base_url, story)
    assert seen == ["workflow_started", "text_chunk", "workflow_finished"]


@EACH_DRIVER
def test_an_event_ending_in_a_carriage_return_is_not_delayed(driver: Driver):
    signal = threading.Event()

    async def story(client: Any) -> list[str]:
        async with stream(client) as events:
            first = await anext(events)
            signal.set()
            return [first.event, *[one.event async for one in events]]

    started = sse(STARTED).replace(b"\n", b"\r")
    with FaultServer(event_stream(started, signal, b"\n" + sse(FINISHED))) as server:
        assert driver.play(server.base_url, story) == ["workflow_started", "workflow_finished"]


@EACH_DRIVER
def test_a_compressed_stream_is_read_as_any_other(driver: Driver):
    body = gzipped(sse(STARTED) + sse(FINISHED))
    with FaultServer(event_stream(body[:30], body[30:], headers=(("Content-Encoding", "gzip"),))) as server:
        assert [event.to_dict() for event in driver.play(server.base_url, all_events)] == [STARTED, FINISHED]


@EACH_DRIVER
def test_a_body_read_by_the_transport_still_gives_its_events(driver: Driver):
    async def story(client: Any) -> None:
        assert [one.event for one in await all_events(client)] == ["workflow_started", "workflow_finished"]

    headers = {"content-type": "text/event-stream"}
    body = sse(STARTED) + sse(FINISHED)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=body))
    driver.play("http://127.0.0.1:1", story, http={"transport": transport})


@EACH_DRIVER
def test_the_request_is_sent_when_the_with_begins(driver: Driver):
    with FaultServer(event_stream(sse(FINISHED))) as server:

        async def story(client: Any) -> None:
            events = stream(client)
            assert server.requests == []
            async with events:
                assert len(server.requests) == 1

        driver.play(server.base_url, story)
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/v1/workflows/run")
    assert request.headers["accept"] == "text/event-stream"
    assert json.loads(request.body) == {"inputs": {"query": "流 one"}, "response_mode": "streaming", "user": "u-1"}


# --- what the stream knows --------------------------------------------------------------------------------------------


@EACH_DRIVER
def test_the_stream_has_task_run_text_and_result_as_they_come(driver: Driver):
    async def story(client: Any) -> list[tuple[Any, ...]]:
        events, reported = stream(client), []

        def note() -> None:
            reported.append((events.task_id, events.workflow_run_id, events.text, events.result))

        note()
        async with events:
            note()
            async for _ in events:
                note()
        note()
        return reported

    replaced = event("text_replace", text="Goodbye")
    with FaultServer(event_stream(*map(sse, [STARTED, HELLO, WORLD, replaced, WORLD, FINISHED, TTS]))) as server:
        reported = driver.play(server.base_url, story)
    finished = models.WorkflowFinishedEvent.from_dict(FINISHED)
    assert reported == [
        (None, None, "", None),
        (None, None, "", None),
        (TASK, RUN, "", None),
        (TASK, RUN, "Hello, ", None),
        (TASK, RUN, "Hello, world", None),
        (TASK, RUN, "Goodbye", None),
        (TASK, RUN, "Goodbyeworld", None),
        (TASK, RUN, "Goodbyeworld", finished),
        (TASK, RUN, "Goodbyeworld", finished),
        (TASK, RUN, "Goodbyeworld", finished),
    ]


@EACH_DRIVER
def test_what_comes_after_the_end_of_the_run_is_given_too(driver: Driver):
    tts_end = TTS | {"event": "tts_message_end", "audio": ""}
    events = given(driver, *map(sse, [STARTED, FINISHED, TTS, TTS, tts_end]))
    assert [event.to_dict() for event in events] == [STARTED, FINISHED, TTS, TTS, tts_end]


@EACH_DRIVER
@pytest.mark.parametrize("end", ["\n", ""], ids=["a line end", "nothing"])
def test_a_last_event_without_an_empty_line_is_given(driver: Driver, end: str):
    last = sse(FINISHED).rstrip(b"\n") + end.encode()
    assert [event.to_dict() for event in given(driver, sse(STARTED), last)] == [STARTED, FINISHED]


# --- stopping ---------------------------------------------------------------------------------------------------------


@EACH_DRIVER
def test_a_run_stopped_by_its_stream_still_sends_its_last_events(driver: Driver):
    stopped = event("workflow_finished", id=RUN, status="stopped", outputs={}, error="Stopped by user.")
    was_stopped = threading.Event()
    streamed = event_stream(sse(STARTED), was_stopped, sse(NODE), sse(stopped))
    with FaultServer(streamed, json_response(200, {"result": "success"})) as server:

        async def story(client: Any) -> list[Any]:
            async with stream(client) as events:
                seen = [await anext(events)]
                assert (await events.stop()).result == "success"
                was_stopped.set()
                return seen + [one async for one in events]

        assert [event.to_dict() for event in driver.play(server.base_url, story)] == [STARTED, NODE, stopped]
    _, request = server.requests
    assert (request.method, request.path) == ("POST", f"/v1/workflows/tasks/{TASK}/stop")
    assert json.loads(request.body) == {"user": "u-1"}


@EACH_DRIVER
def test_a_run_cannot_be_stopped_before_its_task_is_known(driver: Driver):
    async def story(client: Any) -> None:
        events = stream(client)
        with pytest.raises(RuntimeError, match="before its first event"):
            await events.stop()
        async with events:
            with pytest.raises(RuntimeError, match="before its first event"):
                await events.stop()

    with FaultServer(event_stream(sse(STARTED), then="wait")) as server:
        driver.play(server.base_url, story)
    assert len(server.requests) == 1


# --- a stream with another content type -------------------------------------------------------------------------------

BEGINNINGS = [b"", b"\xef\xbb\xbf", b": hello\n\n", b"\r\n\n", b"event: ping\n\n", b"id: 1\r\n\r\n", b"retry: 10\r\r"]


@EACH_DRIVER
@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain; charset=utf-8", JSON, HTML, None])
def test_relabelled_streams_are_read_as_streams(driver: Driver, content_type: str | None):
    for beginning in BEGINNINGS:
        behaviour = event_stream(beginning + sse(STARTED), sse(FINISHED), content_type=content_type)
        with FaultServer(behaviour) as server:
            seen = driver.play(server.base_url, all_events)
        assert [one.to_dict() for one in seen] == [STARTED, FINISHED]


@EACH_DRIVER
def test_relabelled_streams_stay_live(driver: Driver):
    first, second = threading.Event(), threading.Event()

    async def story(client: Any) -> None:
        async with stream(client) as events:
            first.set()  # one byte decides; the server sends the rest of the event only now
            assert (await anext(events)).event == "workflow_started"
            second.set()
            assert [one.event async for one in events] == ["workflow_finished"]

    started = b"\xef\xbb\xbf" + sse(STARTED)
    pieces = [*[started[at : at + 1] for at in range(8)], first, started[8:], second, sse(FINISHED)]
    with FaultServer(event_stream(*pieces, content_type="text/plain")) as server:
        driver.play(server.base_url, story)


# --- an error instead of a stream -------------------------------------------------------------------------------------

REFUSALS: dict[str, tuple[Behaviour, type[DifyError], str]] = {
    "400": (error_response(400, "invalid_param", "query is required"), BadRequestError, "query is required"),
    "401": (error_response(401, "unauthorized", "bad token"), AuthenticationError, "bad token"),
    "404 HTML": (respond(404, "<title>Nope</title>", content_type=HTML), NotFoundError, "Nope"),
    "404 called a stream": (respond(404, "no", content_type="text/event-stream"), NotFoundError, "no"),
    "500": (error_response(500, "unknown", "Internal Server Error"), InternalServerError, "Internal"),
    "502 HTML": (respond(502, "<title>Bad Gateway</title>", content_type=HTML), InternalServerError, "Bad Gateway"),
    "302": (respond(302, headers=(("Location", "/login"),)), APIStatusError, "redirect"),
    "200 JSON": (json_response(200, {"task_id": TASK}), APIResponseError, "no stream of events"),
    "200 HTML": (respond(200, "<title>Log in</title>", content_type=HTML), APIResponseError, "Log in"),
    "200 of no type": (respond(200, "hello", content_type=None), APIResponseError, "no stream of events"),
    "200 of empty lines": (respond(200, "\r\n" * 3), APIResponseError, "no stream of events"),
    "200 of too many empty lines": (respond(200, "\n" * 5000), APIResponseError, "no stream of events"),
    "200 with a word of the format": (respond(200, "database is down"), APIResponseError, "database is down"),
    "400 like a stream": (respond(400, sse(FINISHED), content_type="text/plain"), BadRequestError, "workflow_finished"),
    "200 empty": (respond(200), APIResponseError, "no stream of events"),
}


@EACH_DRIVER
@pytest.mark.parametrize(("behaviour", "error", "says"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_no_stream_is_the_error_of_any_other_call(driver: Driver, behaviour, error: type[DifyError], says: str):
    with FaultServer(behaviour) as server:

        async def story(client: Any) -> None:
            async with stream(client):
                raise AssertionError("a stream was entered that is none")

        found = failure(driver, server.base_url, driver.action(story))
        assert server.wait_for_no_connection()
    assert type(found) is error
    assert str(found).startswith("POST /v1/workflows/run: ")
    assert says in str(found)
    assert len(server.requests) == 1


# --- an error inside the stream ---------------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize("before", [[], [STARTED], [STARTED, NODE, HELLO]], ids=len)
def test_an_error_event_is_raised_where_it_comes(driver: Driver, before: list[Any]):
    with FaultServer(event_stream(*map(sse, [*before, ERROR, NODE]))) as server:
        seen, error, _ = driver.play(server.base_url, all_until_it_ends)
    assert [event.to_dict() for event in seen] == before
    assert type(error) is WorkflowStreamError
    assert (error.code, error.status, error.message) == ("invalid_param", 400, "no such node")
    assert str(error).startswith("POST /v1/workflows/run: ")
    assert "invalid_param: no such node" in str(error)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - its own pickle
    assert (str(again), again.code, again.status, again.message) == (str(error), "invalid_param", 400, "no such node")


# --- streams that are not whole ---------------------------------------------------------------------------------------

SOFAR = f"after 2 events (the last: text_chunk) of task {TASK}, run {RUN}"
BEGUN = (sse(STARTED), b"event: ping\n\n", sse(HELLO))
GZIP = (("Content-Encoding", "gzip"),)
HALF_GZIP = gzipped(b"".join(BEGUN) + sse(event("x", text="y" * 2000)))

CUT: dict[str, tuple[Behaviour, type[DifyError], str]] = {
    "ended in order": (event_stream(*BEGUN), APIConnectionError, "ended without workflow_finished"),
    "ended inside an event": (event_stream(*BEGUN, sse(FINISHED)[:90]), APIConnectionError, "ended without"),
    "ended inside a character": (event_stream(*BEGUN, 'data: "中'.encode()[:-1]), APIConnectionError, "ended without"),
    "ended inside a name": (event_stream(*BEGUN, b"event: workflow_fin"), APIConnectionError, "ended without"),
    "ended after a name": (event_stream(*BEGUN, b"event: workflow_finished"), APIConnectionError, "ended without"),
    "ended before its data's end": (event_stream(*BEGUN, b"data: 12"), APIConnectionError, "ended without"),
    "cut": (event_stream(*BEGUN, then="cut"), APIConnectionError, "peer closed"),
    "cut inside an event": (event_stream(*BEGUN, sse(NODE)[:50], then="cut"), APIConnectionError, "peer closed"),
    "reset": (event_stream(*BEGUN, 0.05, then="reset"), APIConnectionError, ""),
    "silence": (event_stream(*BEGUN, then="wait"), APITimeoutError, "timed out"),
    "broken JSON": (event_stream(*BEGUN, b'data: {"event": \n\n'), APIResponseError, "broken JSON in an event"),
    "JSON in two parts": (event_stream(*BEGUN, b'data: {"a\ndata: b": 1}\n\n'), APIResponseError, "broken JSON"),
    "nested too deep": (event_stream(*BEGUN, b"data: " + b"[" * 200_000 + b"\n\n"), APIResponseError, "broken JSON"),
    "a list": (event_stream(*BEGUN, b"data: []\n\n"), APIResponseError, "a list where the object of an event belongs"),
    "null": (event_stream(*BEGUN, b"data: null\n\n"), APIResponseError, "null where"),
    "text": (event_stream(*BEGUN, b"data: [DONE]\n\n"), APIResponseError, "broken JSON in an event"),
    "no data": (event_stream(*BEGUN, b"event: text_chunk\n\n"), APIResponseError, "without data"),
}


@EACH_DRIVER
@pytest.mark.parametrize(("behaviour", "error", "says"), CUT.values(), ids=CUT)
def test_an_incomplete_stream_ends_in_an_error_with_progress(driver: Driver, behaviour, error, says: str):
    async def story(client: Any) -> tuple[list[Any], list[DifyError], Any]:
        found = []
        async with stream(client) as events:
            seen = [await anext(events) for _ in range(2)]
            for _ in range(3):  # no quiet end follows
                with pytest.raises(DifyError) as caught:
                    await anext(events)
                found.append(caught.value)
                # Also while the `with` continues; only a connection that was read to its end can be used again.
                assert "ended without" in says or server.wait_for_no_connection()
        with pytest.raises(RuntimeError, match="inside its `with`"):
            await anext(events)
        return seen, found, events

    with FaultServer(behaviour) as server:
        timeout = 1 if error is APITimeoutError else 60
        seen, [found, *again], events = driver.play(server.base_url, story, timeout=timeout)
        assert server.wait_for_no_connection()
    assert [event.to_dict() for event in seen] == [STARTED, HELLO]
    assert {(type(one), str(one)) for one in again} == {(error, str(found))}
    assert type(found) is error
    assert str(found).startswith("POST /v1/workflows/run: ")
    assert says in str(found)
    assert SOFAR in str(found)
    assert ("runs.get(workflow_run_id)" in str(found)) == isinstance(found, APIConnectionError)
    assert len(str(found)) < 1000
    assert found.request.method == "POST"
    assert "authorization" not in found.request.headers
    assert (events.task_id, events.workflow_run_id, events.text, events.result) == (TASK, RUN, "Hello, ", None)
    assert len(server.requests) == 1


@EACH_DRIVER
@pytest.mark.parametrize(
    ("pieces", "headers", "error", "says"),
    [
        ([HALF_GZIP[:10] + b"\xff" * 200], GZIP, APIResponseError, "compression is corrupt"),
        ([HALF_GZIP[: len(HALF_GZIP) // 2]], GZIP, APIConnectionError, "ended without workflow_finished"),
        ([], (), APIConnectionError, "after 0 events (the last: none) of task (unknown), run (unknown)"),
    ],
    ids=["corrupt compression", "compression that is cut", "empty"],
)
def test_a_stream_without_an_event_ends_in_an_error(
    driver: Driver, pieces: list[bytes], headers: Any, error, says: str
):
    with FaultServer(event_stream(*pieces, headers=headers)) as server:
        seen, found, _ = driver.play(server.base_url, all_until_it_ends)
    assert seen == []
    assert type(found) is error
    assert says in str(found)


AFTER_THE_END: dict[str, Behaviour] = {
    "nothing": event_stream(sse(STARTED), sse(FINISHED)),
    "cut": event_stream(sse(STARTED), sse(FINISHED), then="cut"),
    "reset": event_stream(sse(STARTED), sse(FINISHED), 0.05, then="reset"),
    "cut inside an event": event_stream(sse(STARTED), sse(FINISHED), sse(NODE)[:50], then="cut"),
    "silence": event_stream(sse(STARTED), sse(FINISHED), then="wait"),
    "end mark": event_stream(sse(STARTED), sse(FINISHED), b"data: [DONE]\n\n"),
    "broken JSON": event_stream(sse(STARTED), sse(FINISHED), b'data: {"event": \n\n', then="wait"),
    "a list": event_stream(sse(STARTED), sse(FINISHED), b"data: []\n\n"),
    "no data": event_stream(sse(STARTED), sse(FINISHED), b"event: text_chunk\n\n"),
    "unknown event without data": event_stream(sse(STARTED), sse(FINISHED), b"event: done\n\n"),
    "error event": event_stream(sse(STARTED), sse(FINISHED), sse(ERROR)),
}


@EACH_DRIVER
@pytest.mark.parametrize("behaviour", AFTER_THE_END.values(), ids=AFTER_THE_END)
def test_nothing_after_the_end_of_the_run_is_an_error(driver: Driver, behaviour: Behaviour, caplog):
    caplog.set_level("INFO", "dify_workflow")

    async def story(client: Any) -> None:
        async with stream(client, timeout=1) as events:
            assert [one.to_dict() async for one in events] == [STARTED, FINISHED]
            for _ in range(3):
                with pytest.raises(StopAsyncIteration):
                    await anext(events)
        assert events.result.to_dict() == FINISHED

    with FaultServer(behaviour) as server:
        driver.play(server.base_url, story)
        assert server.wait_for_no_connection()
    logged = [message for message in caplog.messages if "a stream whose run had finished ended with" in message]
    assert len(logged) == (behaviour not in map(AFTER_THE_END.get, ["nothing", "unknown event without data"]))


TAILS = st.lists(
    st.sampled_from([sse(ERROR), sse(TTS), b"data: [DONE]\n\n", b"event: text_chunk\n\n", b"event: ping\n\n", b"\n"])
    | st.binary(max_size=20),
    max_size=6,
)


@EACH_DRIVER
@given_any(tail=TAILS)
@settings(max_examples=60, deadline=None)
def test_no_bytes_after_the_end_of_the_run_are_an_error(driver: Driver, tail: list[bytes]):
    def respond(_: httpx.Request) -> httpx.Response:
        body = b"".join([sse(STARTED), sse(FINISHED), *tail])
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body)

    async def story(client: Any) -> None:
        async with stream(client) as events:
            assert [one.to_dict() async for one in events][:2] == [STARTED, FINISHED]
        assert events.result.to_dict() == FINISHED

    driver.play("http://127.0.0.1:1", story, http={"transport": httpx.MockTransport(respond)})


@EACH_DRIVER
def test_nothing_after_a_pause_is_an_error_either(driver: Driver):
    sent = [STARTED, event("workflow_paused", reasons=[])]
    with FaultServer(event_stream(*map(sse, sent), then="cut")) as server:
        assert [one.to_dict() for one in driver.play(server.base_url, all_events)] == sent


# --- time -------------------------------------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize(
    "behaviour",
    [
        silence(),
        drip(b'{"code": "invalid_param"}' + b" " * 5000),
        *(
            event_stream(*undecided, then="wait", content_type="text/plain")
            for undecided in ([], [b"\n"], [b"dat"], [b"\xef\xbb"])
        ),
    ],
    ids=["nothing", "a refusal drop by drop", "headers", "an empty line", "half a word", "half a byte order mark"],
)
def test_a_stream_that_does_not_begin_is_given_up_in_time(driver: Driver, behaviour: Behaviour):
    with FaultServer(behaviour) as server:
        error = failure(driver, server.base_url, driver.action(all_events), timeout=1)
    assert type(error) is APITimeoutError
    assert len(server.requests) == 1


PINGS: list[bytes | float] = [piece for _ in range(200) for piece in (b"event: ping\n\n", 0.05)]
COMMENTS: list[bytes | float] = [piece for _ in range(200) for piece in (b": alive\n\n", 0.05)]


@EACH_DRIVER
@pytest.mark.parametrize("signs", [PINGS, COMMENTS, []], ids=["pings", "comments", "nothing"])
@pytest.mark.parametrize("http", [None, {}], ids=["own connections", "the caller's client"])
def test_only_pings_are_given_up_after_max_silence(driver: Driver, signs: list[bytes | float], http: Any):
    async def story(client: Any) -> None:
        async with stream(client, max_silence=0.4) as events:
            assert [(await anext(events)).event for _ in range(2)] == ["workflow_started", "text_chunk"]
            with pytest.raises(APITimeoutError, match=re.escape(SOFAR)) as caught:
                await anext(events)
        assert "no event other than pings for 0.4 s (max_silence)" in str(caught.value)
        assert LOOK not in str(caught.value)

    with FaultServer(event_stream(sse(STARTED), sse(HELLO), *signs, then="wait")) as server:
        driver.play(server.base_url, story, http=http)
        assert server.wait_for_no_connection(3)


@EACH_DRIVER
def test_events_are_given_up_after_max_silence_too(driver: Driver):
    async def story(client: Any) -> None:
        async with client.runs.events(RUN, user="u", max_silence=0.3, continue_on_pause=True) as events:
            with pytest.raises(APITimeoutError, match="max_silence") as caught:
                _ = [one async for one in events]
        assert LOOK not in str(caught.value)

    with FaultServer(event_stream(*PINGS)) as server:
        driver.play(server.base_url, story)


@EACH_DRIVER
def test_events_in_time_are_no_silence(driver: Driver):
    pieces = [piece for _ in range(8) for piece in (0.1, b"event: ping\n\n", 0.1, sse(HELLO))]
    assert len(given(driver, sse(STARTED), *pieces, sse(FINISHED), timeout=60)) == 10

    async def story(client: Any) -> int:
        async with stream(client, max_silence=1) as events:
            return len([one async for one in events])

    with FaultServer(event_stream(sse(STARTED), *pieces, sse(FINISHED))) as server:
        assert driver.play(server.base_url, story) == 10


@EACH_DRIVER
def test_pings_after_the_end_of_the_run_end_the_stream(driver: Driver):
    async def story(client: Any) -> None:
        async with stream(client, max_silence=0.3) as events:
            assert [one.to_dict() async for one in events] == [STARTED, FINISHED]

    with FaultServer(event_stream(sse(STARTED), sse(FINISHED), *PINGS)) as server:
        driver.play(server.base_url, story)
        assert server.wait_for_no_connection(3)


@EACH_DRIVER
@pytest.mark.parametrize("method", ["stream", "events"])
def test_an_invalid_max_silence_is_refused_before_a_request(driver: Driver, method: str):
    async def story(client: Any) -> None:
        given_first = RUN if method == "events" else {}
        with pytest.raises(ValueError, match="max_silence must be seconds over 0"):
            getattr(client.runs, method)(given_first, user="u", max_silence=-1)

    with FaultServer(event_stream(sse(FINISHED))) as server:
        driver.play(server.base_url, story)
    assert server.requests == []


@EACH_DRIVER
@pytest.mark.parametrize(
    ("client_options", "http_options", "call_options", "expected"),
    [
        ({}, {}, {}, 330),
        ({"timeout": 60}, {}, {}, 60),
        ({"timeout": httpx.Timeout(9)}, {}, {}, 9),
        ({}, {"timeout": 8}, {}, 8),
        ({"timeout": 60}, {}, {"timeout": 7}, 7),
        ({}, {}, {"max_silence": 6}, 6),
    ],
    ids=str,
)
def test_a_queued_run_is_waited_for_unless_a_timeout_was_given(
    driver: Driver, client_options: Any, http_options: Any, call_options: Any, expected: float
):
    waits = []

    def respond(request: httpx.Request) -> httpx.Response:
        waits.append(request.extensions["timeout"]["read"])
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=sse(FINISHED))

    async def story(client: Any) -> None:
        async with stream(client, **call_options) as events:
            assert len([one async for one in events]) == 1
        async with client.runs.events(RUN, user="u", **call_options) as events:
            assert len([one async for one in events]) == 1

    http = {"transport": httpx.MockTransport(respond)} | http_options
    driver.play("http://127.0.0.1:1", story, http=http, **client_options)
    assert waits == [expected, 60 if expected == 330 else expected]


@EACH_DRIVER
def test_refused_inputs_are_told_from_a_run_that_failed(driver: Driver):
    error = "query is required in input form"
    refusal = [event("workflow_started"), event("workflow_finished", status="failed", error=error, created_by={})]
    failed = event("workflow_finished", status="failed", error="boom", created_by={"id": "x", "user": "u-1"})

    async def story(client: Any) -> tuple[bool, str]:
        async with stream(client) as events:
            assert not events.inputs_refused
            _ = [one async for one in events]
        return events.inputs_refused, events.result.data.error

    for sent, expected in ((refusal, (True, error)), ([STARTED, failed], (False, "boom"))):
        with FaultServer(event_stream(*map(sse, sent))) as server:
            assert driver.play(server.base_url, story) == expected


# --- leaving early ----------------------------------------------------------------------------------------------------


async def leave_by_break(events: Any) -> None:
    async with events:
        async for _ in events:
            break


async def leave_by_exception(events: Any) -> None:
    with contextlib.suppress(ZeroDivisionError):
        async with events:
            async for _ in events:
                raise ZeroDivisionError


async def leave_without_reading(events: Any) -> None:
    async with events:
        pass


async def leave_by_close(events: Any) -> None:
    async with events:
        await anext(events)
        await events.close()
        await events.close()
        with pytest.raises(RuntimeError, match="inside its `with`"):
            await anext(events)


async def leave_by_return(events: Any) -> Any:
    async with events:
        async for one in events:
            return one
    raise AssertionError("no event came")


LEAVING = [leave_by_break, leave_by_exception, leave_without_reading, leave_by_close, leave_by_return]


@EACH_DRIVER
@pytest.mark.parametrize("leave", LEAVING, ids=lambda leave: leave.__name__)
def test_leaving_closes_the_connection_and_leaves_nothing_behind(driver: Driver, leave: Any):
    with FaultServer(event_stream(sse(STARTED), sse(HELLO), then="wait")) as server:

        async def story(client: Any) -> None:
            await leave(stream(client))
            assert server.wait_for_no_connection()  # the client itself is still open

        with nothing_left_open():
            driver.play(server.base_url, story)
    assert len(server.requests) == 1


@EACH_DRIVER
def test_after_a_whole_stream_its_connection_is_used_again(driver: Driver):
    async def story(client: Any) -> None:
        for _ in range(3):
            await all_events(client)

    with FaultServer(event_stream(sse(FINISHED))) as server:
        driver.play(server.base_url, story)
    assert {request.connection for request in server.requests} == {1}


def test_a_task_cancelled_while_waiting_closes_the_connection():
    async def story(client: Any) -> None:
        read = asyncio.Event()

        async def consume() -> None:
            async with stream(client) as events:
                async for _ in events:
                    read.set()

        task = asyncio.create_task(consume())
        await read.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.wait_for_no_connection)

    with FaultServer(event_stream(sse(STARTED), then="wait")) as server, nothing_left_open():
        AsyncDriver().play(server.base_url, story)


def test_a_cancelled_wait_is_not_followed_by_a_quiet_end():
    async def story(client: Any) -> None:
        async with stream(client) as events:
            await anext(events)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(events), 0.05)
            for _ in range(2):
                with pytest.raises(RuntimeError, match=INTERRUPTED):
                    await anext(events)

    with FaultServer(event_stream(sse(STARTED), then="wait")) as server:
        AsyncDriver().play(server.base_url, story)


class Interrupted(BaseException):
    """As a KeyboardInterrupt comes, from anywhere."""


class InterruptedBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __iter__(self):
        yield sse(STARTED)
        raise Interrupted

    async def __aiter__(self):
        yield sse(STARTED)
        raise Interrupted


@EACH_DRIVER
def test_an_interruption_is_not_followed_by_a_quiet_end(driver: Driver):
    async def story(client: Any) -> None:
        async with stream(client) as events:
            await anext(events)
            with pytest.raises(Interrupted):
                await anext(events)
            with pytest.raises(RuntimeError, match=INTERRUPTED):
                await anext(events)

    headers = {"content-type": "text/event-stream"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=InterruptedBody()))
    driver.play("http://127.0.0.1:1", story, http={"transport": transport})


class RawError(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body whose transport raises what httpx passes on as it is."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self._events = events

    def __iter__(self):
        yield from map(sse, self._events)
        raise ssl.SSLError("bad record mac")

    async def __aiter__(self):
        for one in self._events:
            yield sse(one)
        raise ssl.SSLError("bad record mac")


@EACH_DRIVER
def test_raw_errors_of_a_transport_end_a_stream_as_any_other(driver: Driver):
    def playing(*events: dict[str, Any]) -> dict[str, Any]:
        headers = {"content-type": "text/event-stream"}
        return {
            "transport": httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=RawError(*events)))
        }

    seen, error, _ = driver.play("http://127.0.0.1:1", all_until_it_ends, http=playing(STARTED, HELLO))
    assert len(seen) == 2
    assert type(error) is APIConnectionError
    assert "bad record mac" in str(error)
    assert SOFAR in str(error)
    assert len(driver.play("http://127.0.0.1:1", all_events, http=playing(STARTED, FINISHED))) == 2


# --- a stream is one request ------------------------------------------------------------------------------------------


@EACH_DRIVER
def test_a_stream_is_read_inside_its_with_only(driver: Driver):
    async def story(client: Any) -> None:
        events = stream(client)
        with pytest.raises(RuntimeError, match="inside its `with`"):
            await anext(events)
        async with events:
            assert [one.event async for one in events] == ["workflow_finished"]
        with pytest.raises(RuntimeError, match="inside its `with`"):
            await anext(events)
        with pytest.raises(RuntimeError, match="inside its `with`"):
            [one async for one in events]

    with FaultServer(event_stream(sse(FINISHED))) as server:
        driver.play(server.base_url, story)
    assert len(server.requests) == 1


@EACH_DRIVER
@pytest.mark.parametrize(
    "behaviour", [event_stream(sse(FINISHED)), error_response(400, "x", "y")], ids=["whole", "400"]
)
def test_a_stream_is_used_once_as_a_second_use_starts_a_run(driver: Driver, behaviour: Behaviour):
    async def story(client: Any) -> None:
        events = stream(client)
        try:
            async with events:
                with pytest.raises(RuntimeError, match="used once"):
                    await events.__aenter__()
                assert len([one async for one in events]) == 1
        except BadRequestError:
            pass
        with pytest.raises(RuntimeError, match="used once"):
            async with events:
                pass

    with FaultServer(behaviour) as server:
        driver.play(server.base_url, story)
    assert len(server.requests) == 1


@EACH_DRIVER
def test_streams_and_calls_of_one_client_do_not_interfere(driver: Driver):
    first, second = event_stream(sse(STARTED), then="wait"), event_stream(sse(STARTED), sse(FINISHED))

    async def story(client: Any) -> None:
        async with stream(client) as slow:
            await anext(slow)
            async with stream(client) as quick:
                assert len([one async for one in quick]) == 2
            assert (await client.app.info()).name == "x"

    with FaultServer(first, second, json_response(200, {"name": "x", "tags": []})) as server:
        driver.play(server.base_url, story)
    assert len(server.requests) == 3


# --- events of a run that is running already --------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({}, "include_state_snapshot=true"),
        ({"include_state_snapshot": False}, "include_state_snapshot=false"),
        ({"include_state_snapshot": None, "continue_on_pause": True}, "continue_on_pause=true"),
        (
            {"include_state_snapshot": True, "continue_on_pause": False},
            "include_state_snapshot=true&continue_on_pause=false",
        ),
    ],
    ids=str,
)
def test_the_events_of_a_run_come_from_its_start_unless_refused(driver: Driver, options: dict[str, Any], query: str):
    async def story(client: Any) -> list[Any]:
        async with client.runs.events(RUN, user="u 1&é", **options) as events:
            return [one async for one in events]

    with FaultServer(event_stream(sse(STARTED), sse(FINISHED))) as server:
        seen = driver.play(server.base_url, story)
    assert [type(one) for one in seen] == [models.WorkflowStartedEvent, models.WorkflowFinishedEvent]
    [request] = server.requests
    assert (request.method, request.path) == ("GET", f"/v1/workflow/{RUN}/events?user=u+1%26%C3%A9&{query}")
    assert request.headers["accept"] == "text/event-stream"


@EACH_DRIVER
@pytest.mark.parametrize(
    ("options", "last"),
    [
        ({"continue_on_pause": True}, FINISHED),
        ({}, FINISHED),
        ({}, event("workflow_paused", reasons=[])),
        ({"continue_on_pause": False}, event("workflow_paused", reasons=[])),
    ],
    ids=["finished, continue_on_pause", "finished", "paused", "paused, not to continue"],
)
def test_events_end_where_nothing_can_follow(driver: Driver, options: dict[str, Any], last: dict[str, Any]):
    async def story(client: Any) -> None:
        async with client.runs.events(RUN, user="u", **options) as events:
            seen = [one.to_dict() async for one in events]
            assert server.wait_for_no_connection(2)  # the pings would continue for 10 seconds
        assert seen == [STARTED, last]

    with FaultServer(event_stream(sse(STARTED), sse(last), *PINGS)) as server:
        driver.play(server.base_url, story)


@EACH_DRIVER
def test_a_pause_ends_no_stream_that_was_asked_to_go_on(driver: Driver):
    async def story(client: Any) -> None:
        async with client.runs.events(RUN, user="u", continue_on_pause=True) as events:
            _ = [one async for one in events]

    with FaultServer(event_stream(sse(STARTED), sse(event("workflow_paused")))) as server:
        error = failure(driver, server.base_url, driver.action(story))
    assert type(error) is APIConnectionError
    assert "the last: workflow_paused" in str(error)


@EACH_DRIVER
def test_a_server_without_this_operation_says_not_found(driver: Driver):
    async def story(client: Any) -> None:
        async with client.runs.events(RUN, user="u"):
            pass

    with FaultServer(respond(404, "<title>404 Not Found</title>", content_type=HTML)) as server:
        assert type(failure(driver, server.base_url, driver.action(story))) is NotFoundError
