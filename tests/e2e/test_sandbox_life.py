"""Sandboxes start, serve many at once, and leave nothing behind."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.leaks import nothing_left_open
from support.sandbox_http import client_of

from dify_workflow._http.library import httpx
from dify_workflow.testing import Sandbox, new_log


def get(sandbox: Sandbox, path: str = "/workflows/logs", **params: object) -> httpx.Response:
    key = {"Authorization": f"Bearer {sandbox.api_key}"}
    return httpx.get(sandbox.base_url + path, params=params, headers=key)


def total(sandbox: Sandbox) -> int:
    return get(sandbox).json()["total"]


def test_two_sandboxes_at_once_share_nothing() -> None:
    with Sandbox(rows=3) as one, Sandbox(rows=0, api_key="app-of-the-second") as two:
        two.add_log()
        two.traps.stable_ties = True
        assert (total(one), total(two)) == (3, 1)
        assert one.port != two.port
        assert (len(one.requests), len(two.requests)) == (1, 1)
        assert not one.traps.stable_ties
        response = httpx.get(f"{one.base_url}/workflows/logs", headers={"Authorization": f"Bearer {two.api_key}"})
        assert response.status_code == 401


def test_sixteen_threads_read_while_another_adds_logs() -> None:
    with Sandbox(rows=300) as sandbox:
        with client_of(sandbox) as http:
            rows = {item["id"] for page in (1, 2, 3) for item in read(http, page)}
            barrier = threading.Barrier(17)

            def work(_: int) -> list[set[str]]:
                barrier.wait()
                return [{item["id"] for item in read(http, 1 + turn % 3)} for turn in range(10)]

            def write() -> None:
                barrier.wait()
                for _ in range(50):
                    sandbox.add_log(created_at=1)  # older than all the others

            with ThreadPoolExecutor(17) as pool:
                writing = pool.submit(write)
                seen = list(pool.map(work, range(16)))
                writing.result()
        assert all(len(page) == 100 and page <= rows for pages in seen for page in pages)
        assert total(sandbox) == 350
        assert Counter(request.path for request in sandbox.requests)["/v1/workflows/logs"] == 3 + 160 + 1


def read(http: httpx.Client, page: int) -> list[dict[str, object]]:
    response = http.get("/workflows/logs", params={"limit": 100, "page": page, "created_at__after": "2000-01-01"})
    assert response.status_code == 200
    return response.json()["data"]


def test_a_sandbox_leaves_no_thread_socket_or_open_resource() -> None:
    with nothing_left_open():
        for _ in range(3):
            with Sandbox(rows=5) as sandbox:
                assert total(sandbox) == 5
                with pytest.raises(LookupError):
                    sandbox.add_logs(broken_rows())


def broken_rows():
    yield new_log()
    raise LookupError


def test_a_sandbox_can_be_left_by_an_exception() -> None:
    def leave() -> None:
        with Sandbox(rows=0):
            raise LookupError

    with nothing_left_open(), pytest.raises(LookupError):
        leave()


def test_open_connections_do_not_keep_a_sandbox_running() -> None:
    with httpx.Client() as http:
        with Sandbox(rows=0) as sandbox:
            http.options(f"{sandbox.base_url}/workflows/logs")
            threads = [thread.name for thread in threading.enumerate()]
            assert f"dify-sandbox-{sandbox.port}" in threads
        assert not any(thread.name.startswith("dify-sandbox") for thread in threading.enumerate())
        with pytest.raises(httpx.ConnectError):
            http.options(f"http://127.0.0.1:{threads[-1].rpartition('-')[2]}/")


def test_a_delayed_request_is_released_when_the_sandbox_stops() -> None:
    with Sandbox(rows=4, latency=3600) as sandbox, ThreadPoolExecutor(1) as pool:
        response = pool.submit(total, sandbox)
        while not sandbox.requests:
            time.sleep(0.005)
        sandbox.stop()
        assert response.result(timeout=30) == 4


def test_a_sandbox_listens_on_loopback_only() -> None:
    with Sandbox(rows=0) as sandbox:
        assert sandbox.base_url == f"http://127.0.0.1:{sandbox.port}/v1"
        with socket.socket() as elsewhere:  # the port is free on every other address of this machine
            elsewhere.bind(("127.0.0.2", sandbox.port))


def test_small_responses_are_sent_at_once() -> None:
    with Sandbox(rows=0) as sandbox:
        # The condition under which asyncio sets TCP_NODELAY on a connection.
        assert sandbox._now_running._listener.proto == socket.IPPROTO_TCP


def test_a_taken_port_is_an_error_at_once_and_nothing_stays_open() -> None:
    with Sandbox(rows=0) as sandbox, nothing_left_open(), pytest.raises(OSError, match="in use"):
        Sandbox(rows=0, port=sandbox.port).start()


def test_a_sandbox_can_restart_on_the_same_port() -> None:
    with Sandbox(rows=1) as sandbox:
        assert total(sandbox) == 1
        port = sandbox.port
    with Sandbox(rows=2, port=port) as again:
        assert again.port == port
        assert total(again) == 2


def test_a_file_serves_what_it_was_left_with(tmp_path) -> None:
    path = tmp_path / "sandbox.db"
    with Sandbox(rows=7, database=path) as sandbox:
        sandbox.add_log()
    with nothing_left_open(), Sandbox(rows=100, database=path, api_key="app-another-key") as again:
        assert total(again) == 8


def test_a_sandbox_that_does_not_run_says_so() -> None:
    sandbox = Sandbox(rows=0)
    for use in (lambda: sandbox.base_url, sandbox.add_log, lambda: sandbox.keys, sandbox.client):
        with pytest.raises(RuntimeError, match="the sandbox is not running"):
            use()
    sandbox.stop()  # which does nothing
    with sandbox:
        with pytest.raises(RuntimeError, match="runs already"):
            sandbox.start()
        assert total(sandbox) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        {"rows": -1},
        {"port": 65_536},
        {"port": -1},
        {"latency": -0.1},
        {"days": -1},
        {"crowd": -1},
        {"version": "2.0"},
        {"api_key": ""},
        {"api_key": "with blank"},
        {"api_key": "schlüssel"},
        {"api_key": "two\nlines"},
    ],
)
def test_an_argument_out_of_range_is_refused_by_name(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))) as caught:
        Sandbox(**arguments)
    assert "schlüssel" not in str(caught.value)


def test_no_key_shows_in_a_repr() -> None:
    with Sandbox(rows=0, api_key="app-distinctive-key-51c2") as sandbox:
        assert "51c2" not in repr(sandbox) + repr(sandbox.traps) + repr(sandbox.requests)
        assert sandbox.api_key == sandbox.keys["main"] == "app-distinctive-key-51c2"


def test_an_app_of_ones_own_has_its_own_rows_and_key() -> None:
    with Sandbox(rows=2) as sandbox:
        key = sandbox.add_app("reports", api_key="app-reports")
        sandbox.add_log(app="reports", status="failed", error="boom", session_id="u-7", created_at=1_795_384_475)
        response = httpx.get(f"{sandbox.base_url}/workflows/logs", headers={"Authorization": f"Bearer {key}"}).json()
        assert (response["total"], total(sandbox)) == (1, 2)
        item = response["data"][0]
        assert item["created_by_end_user"]["session_id"] == "u-7"
        assert (item["workflow_run"]["status"], item["workflow_run"]["error"]) == ("failed", "boom")
        assert sandbox.update_run(item["workflow_run"]["id"], status="succeeded", error=None)


def test_the_clients_of_the_sdk_read_it() -> None:
    with Sandbox(rows=120, crowd=0) as sandbox:
        with sandbox.client() as client:
            assert client.logs.list(limit=100).total == 120
        with sandbox.client(app="empty", max_retries=0) as client:
            assert client.logs.list().total == 0

        async def read() -> int:
            async with sandbox.async_client() as client:
                return (await client.logs.list(status="failed")).total

        assert 0 < asyncio.run(read()) < 120


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_a_missing_extra_is_an_error_with_the_command(missing: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None\nfrom dify_workflow.testing import Sandbox"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "ImportError: the sandbox needs starlette and uvicorn: python -m pip install 'dify-workflow-sdk[sandbox]'"
    )


def test_rows_can_be_described_without_the_extra() -> None:
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['starlette', 'uvicorn', 'httpx']))\n"
        "from dify_workflow.testing import EndUserRow, LogRow, Wait, new_log\n"
        "assert isinstance(new_log(status='failed'), LogRow)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
