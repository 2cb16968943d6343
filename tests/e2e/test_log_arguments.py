"""The filters of list, iter and follow: what is refused before a request, and what a keyword finds."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from support.clients import EACH_DRIVER, Driver
from support.fault_server import KEY, FaultServer, error_response, json_response, log_page, page_response, respond

from dify_workflow import (
    AsyncDifyWorkflow,
    BadRequestError,
    ConfigurationError,
    DifyWorkflow,
    InternalServerError,
    Verbatim,
)
from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_795_384_466
TEXTS = ["été", "Grüße", "中文", "😀 ok", 'say "hi"', "tab\there", "back\\slash", "new\nline", "invoice 12", "\x7fdel"]
SIX = "搜索内容很长"


@pytest.fixture(scope="module", params=["1.11", "1.14", "1.16"])
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def sandbox(version: str) -> Iterator[Sandbox]:
    with Sandbox(rows=0, version=version) as sandbox:
        for number, text in enumerate([*TEXTS, SIX]):
            sandbox.add_log(inputs={"query": f"<{text}>"}, created_at=NOW + number, session_id=f"u-{number}")
        sandbox.add_log(inputs={"query": "x"}, created_at=NOW + 50, session_id="müller")
        yield sandbox


def play(driver: Driver, sandbox: Sandbox, *keywords: str) -> list[Any]:
    """What is found by each keyword."""

    async def story(client: Any) -> list[Any]:
        client = client.with_options(api_key=sandbox.api_key)
        return [await found_by(client, keyword) for keyword in keywords]

    return driver.play(sandbox.base_url, story)


# --- what is refused --------------------------------------------------------------------------------------------------

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"status": "fail"}, "which may mean 'failed'"),
    ({"status": "success"}, "which may mean 'succeeded'"),
    ({"status": "Failed"}, "which may mean 'failed'"),
    ({"status": " failed"}, "which may mean 'failed'"),
    ({"status": ""}, "status must be one of"),
    ({"status": "  "}, "status must be one of"),
    ({"keyword": ""}, "keyword must be left out"),
    ({"keyword": " "}, "keyword must be left out"),
    ({"keyword": "x" * 31}, f"the longest beginning that fits is '{'x' * 30}'"),
    ({"keyword": "é" * 6}, "the longest beginning that fits is 'ééééé'"),
    ({"created_by_end_user_session_id": ""}, "created_by_end_user_session_id must be left out"),
    ({"created_by_end_user_session_id": " \n"}, "created_by_end_user_session_id must be left out"),
    ({"created_by_account": ""}, "created_by_account must be left out"),
    ({"created_by_account": "a@b.example "}, "created_by_account must be an account's e-mail address"),
]
TIMES: list[tuple[dict[str, Any], str]] = [
    ({"created_at__after": "2026-11-02", "created_at__before": "2026-11-01"}, "2026-11-02T00:00:00Z (after)"),
    ({"created_at__after": "1h", "created_at__before": "1d"}, "created_at__after must be no later"),
]
BOTH = {"keyword": "x", "created_by_end_user_session_id": "u-1"}


@pytest.mark.parametrize("client_class", [DifyWorkflow, AsyncDifyWorkflow])
@pytest.mark.parametrize("method", ["iter", "follow", "changes"])
def test_a_wrong_timeout_is_refused_by_the_call(client_class: Any, method: str):
    client = client_class(api_key=KEY, base_url="http://127.0.0.1:9/v1")
    for timeout in (-1, 0, "5", float("nan"), True):
        with pytest.raises(ConfigurationError, match="timeout"):
            getattr(client.logs, method)(timeout=timeout)


@pytest.mark.parametrize("client_class", [DifyWorkflow, AsyncDifyWorkflow])
@pytest.mark.parametrize("method", ["list", "iter", "follow"])
def test_filters_that_cannot_be_meant_are_refused_by_the_call(client_class: Any, method: str):
    cases = REFUSED + (TIMES if method != "follow" else []) + ([(BOTH, "logs.iter")] if method == "list" else [])
    with FaultServer(page_response()) as server:
        client = client_class(api_key=KEY, base_url=server.base_url)
        for arguments, text in cases:
            with pytest.raises(ValueError, match="must be") as caught:  # noqa: PT012 - one call, to await or not
                called = getattr(client.logs, method)(**arguments)  # the call itself, not the iteration
                if method == "list" and client_class is AsyncDifyWorkflow:
                    asyncio.run(called)
            assert text in str(caught.value), arguments
    assert server.requests == []


# --- keywords ---------------------------------------------------------------------------------------------------------


async def found_by(client: Any, keyword: str) -> list[list[str]]:
    """The session ids of the logs that `list`, `iter` and `follow` find."""
    listed = (await client.logs.list(keyword=keyword)).data
    async with client.logs.iter(keyword=keyword) as walk:
        walked = [log async for log in walk]
        assert walk.checkpoint["filters"] == {"keyword": keyword}
    async with client.logs.follow(keyword=keyword, since="2026-01-01") as follow:
        followed = [await anext(follow) for _ in listed]
        assert follow.checkpoint["filters"] == {"keyword": keyword}
    return [[log.created_by_end_user.session_id for log in logs] for logs in (listed, walked, followed)]


@EACH_DRIVER
def test_a_keyword_finds_its_log_on_every_version(driver: Driver, sandbox: Sandbox):
    found = play(driver, sandbox, *TEXTS)
    assert found == [[[f"u-{number}"]] * 3 for number in range(len(TEXTS))]


@EACH_DRIVER
def test_six_chinese_characters_are_found_on_1_11_alone(driver: Driver, sandbox: Sandbox, version: str):
    if version.startswith("1.11"):
        assert play(driver, sandbox, SIX) == [[[f"u-{len(TEXTS)}"]] * 3]
    else:
        with pytest.raises(ValueError, match="the longest beginning that fits is '搜索内容很'"):
            play(driver, sandbox, SIX)


@EACH_DRIVER
def test_a_verbatim_keyword_finds_a_session_id_since_1_14(driver: Driver, sandbox: Sandbox, version: str):
    found = [] if version == "1.11" else ["m\u00fcller"]
    in_inputs = ["m\u00fcller"]  # as `sys.user_id`, which is stored like every input
    assert play(driver, sandbox, Verbatim("m\u00fcller"), "m\u00fcller") == [[found] * 3, [in_inputs] * 3]


@EACH_DRIVER
def test_percent_and_underscore_are_wildcards_on_1_11_alone(driver: Driver, sandbox: Sandbox, version: str):
    found = ["u-8"] if version == "1.11" else []
    assert play(driver, sandbox, "inv%12", "inv_ice 12") == [[found] * 3, [found] * 3]


async def read_one(client: Any, method: str, keyword: str) -> None:
    """Ask for one page."""
    if method == "list":
        await client.logs.list(keyword=keyword)
        return
    async with client.logs.iter(keyword=keyword) as walk:
        async for _ in walk:
            break


@EACH_DRIVER
@pytest.mark.parametrize("method", ["list", "iter"])
def test_the_version_is_asked_for_once_and_only_where_it_matters(driver: Driver, method: str):
    async def story(client: Any) -> None:
        await read_one(client, method, SIX)
        await read_one(client.with_options(max_retries=0), method, SIX)

    async def warm_story(client: Any) -> None:
        await read_one(client, method, "plain")
        await read_one(client, method, SIX)

    for played, first in ((story, ["/v1/info"]), (warm_story, [])):
        info = json_response(200, {}, headers=(("X-Version", "1.11.2"),))
        page = json_response(200, log_page(), headers=(("X-Version", "1.11.2"),))
        with FaultServer(*([info] if first else []), page) as server:
            driver.play(server.base_url, played)
        paths = [request.path.partition("?")[0] for request in server.requests]
        assert paths == [*first, "/v1/workflows/logs", "/v1/workflows/logs"]


@EACH_DRIVER
@pytest.mark.parametrize("method", ["list", "iter"])
def test_a_refusal_names_the_version_as_well(driver: Driver, method: str):
    refusal = error_response(401, "unauthorized", "no", headers=(("X-Version", "1.16.1"),))
    with FaultServer(refusal) as server:
        with pytest.raises(ValueError, match="the longest beginning that fits is '搜索内容很'"):
            driver.play(server.base_url, lambda client: read_one(client, method, SIX))
        assert len(server.requests) == 1
    with FaultServer(respond(200, "{}")) as server:  # no version: not one that is known to find it
        with pytest.raises(ValueError, match="keyword must be shorter"):
            driver.play(server.base_url, lambda client: read_one(client, method, SIX))
        assert len(server.requests) == 1
    with FaultServer(respond(502)) as server, pytest.raises(InternalServerError, match="GET /v1/info"):
        driver.play(server.base_url, lambda client: read_one(client, method, SIX))


@EACH_DRIVER
def test_another_base_url_is_another_server(driver: Driver):
    def version(text: str) -> FaultServer:
        return FaultServer(json_response(200, log_page(), headers=(("X-Version", text),)))

    async def story(client: Any) -> None:
        await client.logs.list(keyword=SIX)
        other = client.with_options(base_url=newer.base_url)
        with pytest.raises(ValueError, match="keyword must be shorter"):
            await other.logs.list(keyword=SIX)
        await client.logs.list(keyword=SIX)

    with version("1.11.2") as older, version("1.14.2") as newer:
        driver.play(older.base_url, story)
        assert [request.path for request in newer.requests] == ["/v1/info"]


# --- Verbatim and checkpoints -----------------------------------------------------------------------------------------


@EACH_DRIVER
@pytest.mark.parametrize("method", ["list", "iter"])
def test_a_verbatim_status_goes_to_the_server(driver: Driver, method: str):
    async def story(client: Any) -> None:
        if method == "list":
            await client.logs.list(status=Verbatim("archived"))
        async with client.logs.iter(status=Verbatim("archived")) as walk:
            async for _ in walk:
                pass

    with FaultServer(
        error_response(400, "invalid_param", "Input should be 'succeeded', 'failed' or 'stopped'")
    ) as server:
        with pytest.raises(BadRequestError, match="Input should be"):
            driver.play(server.base_url, story)
        assert "status=archived" in server.requests[0].path


@EACH_DRIVER
def test_a_verbatim_keyword_goes_to_the_server_as_it_is(driver: Driver):
    async def story(client: Any) -> None:
        await client.logs.list(keyword=Verbatim("m\u00fcller"))
        async with client.logs.iter(keyword=Verbatim("x" * 31)) as walk:
            async for _ in walk:
                break
        async with client.logs.follow(keyword=Verbatim('"')) as follow:
            await anext(follow)

    refusal = error_response(400, "invalid_param", "no")
    with FaultServer(page_response(), page_response(), refusal) as server, pytest.raises(BadRequestError):
        driver.play(server.base_url, story)
    keywords = [parse_qs(urlsplit(request.path).query)["keyword"] for request in server.requests]
    assert keywords == [["m\u00fcller"], ["x" * 31], ['"']]


@EACH_DRIVER
@pytest.mark.parametrize("keyword", ["été", Verbatim("été")])
def test_a_checkpoint_holds_the_keyword_as_it_was_given(driver: Driver, keyword: str, sandbox: Sandbox):
    async def story(client: Any) -> list[Any]:
        client = client.with_options(api_key=sandbox.api_key)
        walk = client.logs.iter(keyword=keyword)
        before = json.loads(json.dumps(walk.checkpoint))
        return [before["filters"], [log.id async for log in client.logs.iter(keyword="été", checkpoint=before)]]

    filters, ids = driver.play(sandbox.base_url, story)
    assert filters == {"keyword": "été"}
    assert len(ids) == 1


OLDER_WALK = {
    "version": 1, "walk": "logs.iter", "filters": {"keyword": "\u00e9t\u00e9"}, "latest": None, "newest": None,
    "oldest": None, "known": [], "strays": [], "seen": 0, "total": None, "ended": False,
}  # fmt: skip
OLDER_FOLLOW = {
    "version": 1, "walk": "logs.follow", "filters": {"keyword": "\u00e9t\u00e9"}, "has_begun": True, "oldest": NOW,
    "newest": None, "recent": {}, "unfinished": {},
}  # fmt: skip


@EACH_DRIVER
def test_checkpoints_of_earlier_versions_can_be_resumed(driver: Driver, sandbox: Sandbox):
    async def story(client: Any) -> list[str]:
        client = client.with_options(api_key=sandbox.api_key)
        async with client.logs.iter(keyword="\u00e9t\u00e9", checkpoint=OLDER_WALK) as walk:
            ids = [log.id async for log in walk]
        async with client.logs.follow(keyword="\u00e9t\u00e9", checkpoint=OLDER_FOLLOW) as follow:
            return [*ids, (await anext(follow)).id]

    walked, followed = driver.play(sandbox.base_url, story)
    assert walked == followed
