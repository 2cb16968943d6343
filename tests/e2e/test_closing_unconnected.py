"""Closing an iterator whose request has no connection yet, from another thread or a signal handler."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.fault_server import KEY, FaultServer, event_stream, silence, sse
from support.leaks import nothing_left_open
from support.tls import certified

from dify_workflow import APIConnectionError, APITimeoutError, DifyWorkflow
from dify_workflow._http import interruptions
from dify_workflow._http.attempts import Attempt, InterruptedAttemptError
from dify_workflow._http.library import httpcore, httpx
from dify_workflow._http.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROMPTLY = 4.0
"""Seconds: on a busy machine, and far below the 30 that are waited for."""
HELLO = sse({"event": "text_chunk", "task_id": "t", "workflow_run_id": "r", "data": {"text": "x"}})
RUN = "00000000-0000-4000-8000-000000000001"


@contextmanager
def full_listener() -> Iterator[int]:
    """The port of a server that accepts nothing, and whose backlog is full: a connection to it is never made."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(20):
            one = stack.enter_context(socket.socket())
            one.settimeout(0.1)
            try:
                one.connect(listener.getsockname())
            except TimeoutError:
                break
        else:
            pytest.skip("this system's backlogs are never full")
        yield listener.getsockname()[1]


@contextmanager
def connecting(_: pytest.MonkeyPatch) -> Iterator[DifyWorkflow]:
    with full_listener() as port, client_at(f"http://127.0.0.1:{port}") as client:
        yield client


@contextmanager
def silent_tls(_: pytest.MonkeyPatch) -> Iterator[DifyWorkflow]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with client_at(f"https://127.0.0.1:{listener.getsockname()[1]}") as client:
            yield client


@contextmanager
def endless_look_up(patch: pytest.MonkeyPatch) -> Iterator[DifyWorkflow]:
    is_over, look_up = threading.Event(), socket.getaddrinfo

    def wait(host: str, *args: Any, **options: Any) -> Any:
        if host == "dify.test" and not options["flags"]:
            is_over.wait(30)
        return look_up(host, *args, **options)

    with patch.context() as patched:
        patched.setattr(socket, "getaddrinfo", wait)  # there is no name server that a test could have
        with client_at("http://dify.test") as client:
            yield client
        is_over.set()


@contextmanager
def full_pool(_: pytest.MonkeyPatch) -> Iterator[DifyWorkflow]:
    with (
        FaultServer(event_stream(HELLO, then="wait")) as server,
        client_at(server.base_url) as client,
        client.runs.events(RUN, user="u-1") as events,
    ):
        next(events)
        connections: Any = client._base_client.pool.connections()
        for transport in connections._transports.values():
            transport._pool._max_connections = 1  # and not a hundred streams
        yield client


@contextmanager
def read_of_tls(patch: pytest.MonkeyPatch) -> Iterator[DifyWorkflow]:
    with tempfile.TemporaryDirectory() as folder, patch.context() as patched:
        trusted = Path(folder) / "authority.pem"
        with FaultServer(silence(), tls=certified(trusted)) as server:
            patched.setenv("SSL_CERT_FILE", str(trusted))
            with client_at(server.base_url) as client:
                yield client


def client_at(base_url: str) -> Any:
    return DifyWorkflow(api_key=KEY, base_url=base_url, timeout=httpx.Timeout(30), max_retries=0)


PLACES: dict[str, Callable[[pytest.MonkeyPatch], Any]] = {
    "connect": connecting,
    "TLS": silent_tls,
    "TLS, response": read_of_tls,
    "look-up": endless_look_up,
    "pool": full_pool,
}


@pytest.mark.parametrize("place", PLACES)
def test_another_thread_ends_it_before_it_is_connected(place: str, monkeypatch: pytest.MonkeyPatch):
    with nothing_left_open(), PLACES[place](monkeypatch) as client:
        follow = client.logs.follow()
        closing = threading.Timer(0.2, follow.close)
        closing.start()
        begun = time.monotonic()
        assert list(follow) == []
        assert 0.15 < time.monotonic() - begun < PROMPTLY
        closing.join()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such timer")
@pytest.mark.parametrize("place", PLACES)
def test_a_signal_handler_ends_it_before_it_is_connected(place: str, monkeypatch: pytest.MonkeyPatch):
    with nothing_left_open(), PLACES[place](monkeypatch) as client:
        follow = client.logs.follow()
        before = signal.signal(signal.SIGALRM, lambda *_: follow.close())
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            begun = time.monotonic()
            assert list(follow) == []
            assert 0.15 < time.monotonic() - begun < PROMPTLY
        finally:
            signal.signal(signal.SIGALRM, before)


def test_the_pool_is_usable_after_who_queued_was_closed(monkeypatch: pytest.MonkeyPatch):
    with full_pool(monkeypatch) as client:
        follow = client.logs.follow()
        threading.Timer(0.1, follow.close).start()
        assert list(follow) == []
        (transport,) = client._base_client.pool.connections()._transports.values()
        transport._pool._max_connections = 2
        with client.runs.events(RUN, user="u-1") as events:
            assert next(events).event == "text_chunk"


# How connections are made for what can be closed ----------------------------------------------------------------------


def phase(seconds: float | None = 5.0, **options: Any) -> Any:
    timeouts = {"connect": seconds, "read": None, "write": None, "pool": None}
    return Attempt(timeouts, is_interruptible=True, **options).phases()["connect"]


def test_a_connection_is_made_by_the_first_address_that_works(monkeypatch: pytest.MonkeyPatch):
    look_up = socket.getaddrinfo

    def two(host: str, port: int, **options: Any) -> Any:
        if options["flags"]:
            raise socket.gaierror
        return look_up("127.0.0.1", 1, **options) + look_up("127.0.0.1", port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", two)
    with socket.create_server(("127.0.0.1", 0)) as server:
        stream = Network().connect_tcp("dify.test", server.getsockname()[1], phase(), "127.0.0.1")
        found = stream.get_extra_info("socket")
        assert found.getpeername() == server.getsockname()
        assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        accepted, _ = server.accept()
        with accepted:
            stream.write(b"ping", 1.0)
            assert accepted.recv(4) == b"ping"
            stream.close()


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 1), ("255.255.255.255", 80), ("no.such.host.invalid", 80)])
def test_a_host_that_cannot_be_reached_is_a_connect_error(host: str, port: int):
    with pytest.raises(httpcore.ConnectError, match=r"\[Errno -?[0-9]+\] "):
        Network().connect_tcp(host, port, phase())


def test_a_connection_takes_no_longer_than_its_phase_or_attempt():
    with full_listener() as port:
        for seconds, options in ((0.4, {}), (None, {"total": 0.4})):
            begun = time.monotonic()
            with pytest.raises((httpcore.ConnectTimeout, httpx.ConnectTimeout)):
                Network().connect_tcp("127.0.0.1", port, phase(seconds, **options))
            assert 0.35 < time.monotonic() - begun < PROMPTLY


def test_an_interrupted_attempt_does_not_begin_to_connect():
    interrupted = phase()
    interrupted.attempt.interrupt()
    with pytest.raises(InterruptedAttemptError):
        Network().connect_tcp("127.0.0.1", 1, interrupted)


def test_replaced_functions_for_sockets_are_used(monkeypatch: pytest.MonkeyPatch):
    used: list[tuple[str, int]] = []

    def create_connection(address: tuple[str, int], *_: Any, **__: Any) -> Any:
        used.append(address)
        raise ConnectionRefusedError("by the proxy")

    monkeypatch.setattr(socket, "create_connection", create_connection)
    with pytest.raises(httpcore.ConnectError, match="by the proxy"):
        Network().connect_tcp("127.0.0.1", 80, phase())
    assert used == [("127.0.0.1", 80)]


def test_a_replaced_backend_of_httpcore_is_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", lambda *_: httpcore.MockStream([b"mocked"]))
    assert Network().connect_tcp("127.0.0.1", 1, phase()).read(9) == b"mocked"


def test_httpcore_still_has_what_is_looked_at():
    """When this fails, a release has moved it: what is being connected is no longer interrupted."""
    assert interruptions.STREAM is not None
    for owner, name, module in interruptions.ORIGINALS:
        assert getattr(owner, name).__module__ == module


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:1", "http://no.such.host.invalid"])
def test_a_walk_that_cannot_connect_raises_as_a_call_does(base_url: str):
    with client_at(base_url) as client:
        with pytest.raises(APIConnectionError) as of_walk:
            next(client.logs.iter())
        with pytest.raises(APIConnectionError) as of_call:
            client.logs.list()
    assert str(of_walk.value) == str(of_call.value)
    assert not of_walk.value.request_sent
    assert not isinstance(of_walk.value, APITimeoutError)
