"""What a client is set up with: where each option comes from, what is refused, and that the key is never shown."""

from __future__ import annotations

import asyncio
import inspect
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clients import recording
from support.fault_server import KEY

from dify_workflow import (
    AsyncDifyWorkflow,
    ConfigurationError,
    DifyError,
    DifyWorkflow,
    InternalServerError,
)
from dify_workflow._http.library import httpx

BOTH = pytest.mark.parametrize("client_class", [DifyWorkflow, AsyncDifyWorkflow])
DEFAULT = "https://api.dify.ai/v1"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("DIFY_API_KEY", "DIFY_BASE_URL", "DIFY_LOG"):
        monkeypatch.delenv(name, raising=False)


def sent(headers: dict[str, str] | None = None, **options) -> httpx.Request:
    """The request that a client with these options sends."""
    seen, transport = recording()
    with httpx.Client(transport=transport, headers=headers) as http:
        DifyWorkflow(**{"api_key": KEY, "http_client": http, **options}).request("GET", "/info")
    return seen[0]


# --- the key ----------------------------------------------------------------------------------------------------------


@BOTH
def test_without_a_key_the_error_names_the_variable(client_class):
    with pytest.raises(ConfigurationError, match="DIFY_API_KEY") as caught:
        client_class()
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, DifyError)


def test_the_key_comes_from_the_argument_or_the_environment(monkeypatch):
    monkeypatch.setenv("DIFY_API_KEY", "app-from-environment")
    assert sent(api_key=None).headers["authorization"] == "Bearer app-from-environment"
    assert sent(api_key=KEY).headers["authorization"] == f"Bearer {KEY}"


def test_white_space_around_a_key_is_taken_off(monkeypatch):
    monkeypatch.setenv("DIFY_API_KEY", f"{KEY}\n")
    assert sent(api_key=None).headers["authorization"] == f"Bearer {KEY}"


@BOTH
@pytest.mark.parametrize("blank", ["", "   ", "\n"])
def test_a_blank_key_is_no_key(client_class, blank, monkeypatch):
    with pytest.raises(ConfigurationError, match="DIFY_API_KEY"):
        client_class(api_key=blank)
    monkeypatch.setenv("DIFY_API_KEY", blank)
    with pytest.raises(ConfigurationError, match="DIFY_API_KEY"):
        client_class()


@BOTH
@pytest.mark.parametrize(
    "shape",
    ["Bearer {}", "{} x", "{}\tx", "{}\r\nX-Evil: 1", "{}\x00", "{}\x7f", "{}é", "钥{}", "{}\u200b", "“{}”"],
)
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(client_class, shape):
    with pytest.raises(ConfigurationError, match="api_key") as caught:
        client_class(api_key=shape.format(KEY))
    assert KEY not in str(caught.value)
    assert KEY not in repr(caught.value.args)


@BOTH
@pytest.mark.parametrize("key", [b"app-1", 7, True, ["app-1"], {"key": "app-1"}])
def test_a_key_that_is_not_text_is_refused(client_class, key):
    with pytest.raises(ConfigurationError, match="api_key must be a string"):
        client_class(api_key=key)


# --- the address ------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("given_url", "used"),
    [
        ("https://dify.example.com/v1", "https://dify.example.com/v1"),
        ("https://dify.example.com/v1/", "https://dify.example.com/v1"),
        ("https://dify.example.com/v1///", "https://dify.example.com/v1"),
        ("https://dify.example.com", "https://dify.example.com/v1"),
        ("https://dify.example.com/", "https://dify.example.com/v1"),
        ("http://127.0.0.1:5001", "http://127.0.0.1:5001/v1"),
        ("http://localhost:80/v1", "http://localhost:80/v1"),
        ("https://example.com/dify", "https://example.com/dify/v1"),
        ("https://example.com/dify/v1/", "https://example.com/dify/v1"),
        ("https://example.com/a/b/c/", "https://example.com/a/b/c/v1"),
        ("https://example.com/myv1", "https://example.com/myv1/v1"),
        ("http://[::1]:5001/v1", "http://[::1]:5001/v1"),
        (" https://dify.example.com/v1\n", "https://dify.example.com/v1"),
        ("HTTPS://dify.example.com/v1", "https://dify.example.com/v1"),
        ("https://bücher.example/v1", "https://bücher.example/v1"),
        ("https://dify.example.com/V1", "https://dify.example.com/v1"),
        ("https://dify.example.com/V1//", "https://dify.example.com/v1"),
        ("https://dify.example.com//v1", "https://dify.example.com/v1"),
        ("https://example.com/v1/dify/v1", "https://example.com/v1/dify/v1"),
        ("https://example.com/apps/v1", "https://example.com/apps/v1"),
        ("https://example.com/tools/dify", "https://example.com/tools/dify/v1"),
        ("https://dify.example.com./v1", "https://dify.example.com./v1"),
        ("https://" + "h" * 63 + ".example.com", "https://" + "h" * 63 + ".example.com/v1"),
        ("https://" + "h." * 126 + "x", "https://" + "h." * 126 + "x/v1"),
        ("https://" + "h." * 126 + "x.", "https://" + "h." * 126 + "x./v1"),
    ],
)
def test_an_address_is_taken_with_or_without_v1_and_slashes(client_class, given_url, used):
    assert client_class(api_key=KEY, base_url=given_url).base_url == used


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://example.com/dify", "https://example.com/dify/v1/info"),
        ("https://example.com/dify/v1/", "https://example.com/dify/v1/info"),
        ("http://[::1]:5001", "http://[::1]:5001/v1/info"),
        ("https://bücher.example", "https://xn--bcher-kva.example/v1/info"),
    ],
)
def test_requests_go_below_the_address(base_url, url):
    assert sent(base_url=base_url).url == url


@BOTH
def test_the_address_is_the_argument_environment_or_cloud(client_class, monkeypatch):
    assert client_class(api_key=KEY).base_url == DEFAULT
    monkeypatch.setenv("DIFY_BASE_URL", "http://dify.internal:5001/")
    assert client_class(api_key=KEY).base_url == "http://dify.internal:5001/v1"
    assert client_class(api_key=KEY, base_url="https://other.example").base_url == "https://other.example/v1"
    monkeypatch.setenv("DIFY_BASE_URL", "")
    assert client_class(api_key=KEY).base_url == DEFAULT


@BOTH
@pytest.mark.parametrize(
    "url",
    [
        "", " ", "dify.example.com", "dify.example.com/v1", "//dify.example.com/v1", "/v1", "localhost:5001",
        "ftp://dify.example.com/v1", "file:///etc/passwd", "ws://dify.example.com", "javascript:alert(1)",
        "https://", "https:///v1", "http://:5001", "https://dify.example.com/v1?x=1", "https://dify.example.com/v1?",
        "https://dify.example.com/v1#top", "https://dify.example.com:99999/v1", "https://dify.example.com:port/v1",
        "https://dify.exa mple.com", "https://dify.example.com/a b", "https://dify.example.com/\x00",
        "https://dify.example.com/a\nb", "https://dify.example.com/\x1b[31m", "https://dify.example.com\\v1",
        "http://[::1", "http://[nonsense]/v1", 7, b"https://dify.example.com", ["https://dify.example.com"],
        "https://é..example", "https://xn--é", httpx.URL("https://dify.example.com/v1"),
    ],
    ids=repr,
)  # fmt: skip
def test_a_nonsensical_address_is_refused(client_class, url):
    with pytest.raises(ConfigurationError, match="base_url must be"):
        client_class(api_key=KEY, base_url=url)


def test_a_nonsensical_address_in_the_environment_is_refused_too(monkeypatch):
    monkeypatch.setenv("DIFY_BASE_URL", "dify.example.com")
    with pytest.raises(ConfigurationError, match="base_url must be"):
        DifyWorkflow(api_key=KEY)


@pytest.mark.parametrize(
    "url",
    ["https://user:pa55w0rd@dify.example.com/v1", "https://pa55w0rd@dify.example.com", "https://:pa55w0rd@h/v1",
     "https://user:pa55w0rd@dify.example.com:99999/v1", "ftp://user:pa55w0rd@dify.example.com",
     "https://user:pa55w0rd@dify.example.com/v1?x=1", "https://user:pa55w0rd@[::1",
     "https://user:pa55w0rd%40h/v1", "https://user:pa55w0rd\uff20h/v1", "https://user:pa55w0rd\ufe6bh/v1"],
)  # fmt: skip
def test_a_password_in_the_address_is_refused_and_not_shown(url):
    with pytest.raises(ConfigurationError, match="base_url must be") as caught:
        DifyWorkflow(api_key=KEY, base_url=url)
    error: BaseException | None = caught.value
    while error is not None:
        assert "pa55w0rd" not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


ENDPOINTS = [
    "/workflows/run",
    "/workflows/logs",
    "/workflows/run/{id}",
    "/files/upload",
    "/chat-messages",
    "/info",
    "/v1",
]
CONSOLE_PAGES = [
    "/app/0b6ad0fc-7a3e-4e1c-8d5f-2f1b9c3d4e5a/develop", "/app/0b6ad0fc-7a3e-4e1c-8d5f-2f1b9c3d4e5a", "/apps",
    "/apps/", "/signin", "/datasets/create", "/explore/apps", "/workflow/AbCdEf0123456789", "/chat/AbCdEf0123456789",
    "/console/api/apps",
]  # fmt: skip


@BOTH
@pytest.mark.parametrize(
    ("url", "advice"),
    [
        *(
            (f"https://api.dify.ai/v1{path}", "must end with '/v1', as in 'https://api.dify.ai/v1'")
            for path in ENDPOINTS
        ),
        ("https://example.com/dify/V1/workflows/logs", "as in 'https://example.com/dify/v1'"),
        ("https://dify.example.com/workflows/run", "address of an operation"),
        *((f"https://dify.example.com{path}", "a page of Dify's console or of an app") for path in CONSOLE_PAGES),
        *((f"https://cloud.dify.ai{path}", "the cloud's API is 'https://api.dify.ai/v1'") for path in CONSOLE_PAGES),
        ("https://cloud.dify.ai", "the cloud's API is 'https://api.dify.ai/v1'"),
        ("dify.example.com", "put 'https://' or 'http://' before it"),
        ("dify.example.com/v1", "put 'https://' or 'http://' before it"),
        ("//dify.example.com:8080/v1", "put 'https://' or 'http://' before it"),
        ("localhost:5001", "put 'https://' or 'http://' before it"),
        ("[::1]:5001/v1", "put 'https://' or 'http://' before it"),
        ("https://http://dify.example.com", "two schemes"),
        ("https://dify..example.com", "two dots in a row"),
        ("https://.example.com/v1", "begins with one"),
        ("https://" + "h" * 64 + ".example.com", "more than 63 characters"),
        ("https://" + "h." * 126 + "xy", "more than 253 characters"),
    ],
)
def test_a_pasted_address_is_refused_with_what_to_write(client_class, url, advice):
    with pytest.raises(ConfigurationError, match="base_url must be") as caught:
        client_class(api_key=KEY, base_url=url)
    assert advice in str(caught.value)
    assert f"got {url!r}" in str(caught.value)


@BOTH
@pytest.mark.parametrize("end", [f"?api_key={KEY}", f"#{KEY}", "?token=pa55w0rd", f"/{KEY}/v1/info"])
def test_no_secret_of_a_refused_address_is_shown(client_class, end):
    with pytest.raises(ConfigurationError, match="base_url must be") as caught:
        client_class(api_key=KEY, base_url=f"https://dify.example.com/v1{end}")
    assert KEY not in str(caught.value)
    assert "pa55w0rd" not in str(caught.value)


@given(st.text(alphabet=st.sampled_from("ab.-é:/v1V@%[]\uff20\uff0e\u3002"), max_size=80))
def test_the_host_of_an_address_can_be_looked_up(text):
    try:
        client = DifyWorkflow(api_key=KEY, base_url=f"https://{text}")
    except ConfigurationError:
        return
    httpx.URL(client.base_url).raw_host.decode("ascii").encode("idna")  # as `socket.getaddrinfo` does


@given(st.text(max_size=40))
def test_any_text_is_either_a_usable_address_or_refused(text):
    try:
        client = DifyWorkflow(api_key=KEY, base_url=f"https://{text}")
    except ConfigurationError:
        return
    assert httpx.URL(client.base_url).host
    assert client.base_url.endswith("/v1")


# --- numbers ----------------------------------------------------------------------------------------------------------


NOT_SECONDS = [-1, -0.1, float("nan"), float("inf"), float("-inf"), True, False, "5", b"5", [5], (1, 2), 10**400]


@BOTH
@pytest.mark.parametrize("value", [0, 0.0, *NOT_SECONDS], ids=lambda value: repr(value)[:12])
def test_a_timeout_is_seconds_over_zero(client_class, value):
    with pytest.raises(ConfigurationError, match="timeout must be"):
        client_class(api_key=KEY, timeout=value)
    with pytest.raises(ConfigurationError, match="timeout must be"):
        client_class(api_key=KEY).with_options(timeout=value)


@BOTH
@pytest.mark.parametrize("value", NOT_SECONDS, ids=lambda value: repr(value)[:12])
def test_a_backoff_is_seconds_from_zero(client_class, value):
    with pytest.raises(ConfigurationError, match="backoff must be"):
        client_class(api_key=KEY, backoff=value)


@BOTH
@pytest.mark.parametrize("value", [-1, 1.0, 2.5, True, False, "2", None, float("inf")])
def test_max_retries_is_a_whole_number_from_zero(client_class, value):
    with pytest.raises(ConfigurationError, match="max_retries must be"):
        client_class(api_key=KEY, max_retries=value)


@BOTH
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": "5"}, "timeout must be seconds over 0, or an httpx.Timeout; got '5'"),
        ({"timeout": 0}, "timeout must be seconds over 0, or an httpx.Timeout; got 0"),
        ({"backoff": -1}, "backoff must be seconds from 0; got -1"),
        ({"max_retries": 1.5}, "max_retries must be a whole number from 0; got 1.5"),
        (
            {"base_url": "dify"},
            "base_url must be an address such as 'https://dify.example.com/v1', with or without the '/v1'; got 'dify'",
        ),
    ],
    ids=str,
)
def test_a_refusal_names_what_is_allowed(client_class, options, message):
    with pytest.raises(ConfigurationError) as caught:
        client_class(api_key=KEY, **options)
    assert str(caught.value) == message


@BOTH
def test_by_default_a_client_makes_three_attempts(client_class):
    parameters = inspect.signature(client_class).parameters
    assert (parameters["max_retries"].default, parameters["backoff"].default) == (2, 0.5)
    attempts, transport = recording(503)
    with httpx.Client(transport=transport) as http, pytest.raises(InternalServerError):
        DifyWorkflow(api_key=KEY, http_client=http, backoff=0).request("GET", "/info")
    assert len(attempts) == 3


@BOTH
def test_no_more_seconds_are_taken_than_a_clock_can_hold(client_class):
    assert client_class(api_key=KEY, timeout=10**9, backoff=10**9)
    for name in ("timeout", "backoff"):
        with pytest.raises(ConfigurationError, match=name):
            client_class(api_key=KEY, **{name: 10**9 + 1})


def timeouts(**options) -> dict[str, float | None]:
    return sent(**options).extensions["timeout"]


def test_a_timeout_bounds_every_phase_and_connecting_by_5_s():
    assert timeouts() == {"connect": 5.0, "read": 60.0, "write": 60.0, "pool": 60.0}
    assert timeouts(timeout=20) == {"connect": 5.0, "read": 20.0, "write": 20.0, "pool": 20.0}
    assert timeouts(timeout=0.5) == {"connect": 0.5, "read": 0.5, "write": 0.5, "pool": 0.5}


def test_an_httpx_timeout_is_used_as_it_is():
    given_timeout = httpx.Timeout(connect=1, read=None, write=3, pool=4)
    assert timeouts(timeout=given_timeout) == {"connect": 1, "read": None, "write": 3, "pool": 4}


# --- headers ----------------------------------------------------------------------------------------------------------


def test_default_headers_are_sent():
    request = sent(default_headers={"X-Team": "audit", "X-Trace": "a b\tc"})
    assert request.headers["x-team"] == "audit"
    assert request.headers["x-trace"] == "a b\tc"
    assert request.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("name", ["User-Agent", "user-agent", "ACCEPT", "host", "accept-encoding"])
def test_a_default_header_replaces_one_of_the_sdk(name):
    assert sent(default_headers={name: "mine"}).headers.get_list(name) == ["mine"]


@BOTH
@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_authorization_is_not_a_default_header(client_class, name):
    with pytest.raises(ConfigurationError, match="Authorization") as caught:
        client_class(api_key=KEY, default_headers={name: "Bearer app-another"})
    assert "app-another" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="Authorization"):
        client_class(api_key=KEY).with_options(default_headers={name: "Bearer app-another"})


def sent_by(client_class, derive) -> httpx.Headers:
    """The headers that `derive(client)` sends, where the client has two default headers."""
    seen, transport = recording()
    options = {"api_key": KEY, "default_headers": {"X-Team": "audit", "User-Agent": "mine"}}
    if client_class is DifyWorkflow:
        derive(DifyWorkflow(http_client=httpx.Client(transport=transport), **options)).request("GET", "/info")
    else:
        async_http = httpx.AsyncClient(transport=transport)
        asyncio.run(derive(AsyncDifyWorkflow(http_client=async_http, **options)).request("GET", "/info"))
    return seen[0].headers


@BOTH
def test_with_options_adds_replaces_and_removes_single_headers(client_class):
    changes = {"X-Trace": "1", "x-team": "billing", "USER-AGENT": None, "X-Absent": None}
    headers = sent_by(client_class, lambda client: client.with_options(default_headers=changes))
    assert headers.get_list("x-team") == ["billing"]
    assert headers["x-trace"] == "1"
    assert headers["user-agent"].startswith("dify-workflow-sdk/")
    assert "x-absent" not in headers
    twice = sent_by(
        client_class,
        lambda client: client.with_options(default_headers={"X-A": "1"}).with_options(default_headers={"x-b": "2"}),
    )
    assert [twice[name] for name in ("x-team", "x-a", "x-b", "user-agent")] == ["audit", "1", "2", "mine"]


@BOTH
@pytest.mark.parametrize("name", ["X A", "Authorization", 7, b"X-A"])
@pytest.mark.parametrize("value", ["1", None])
def test_a_changed_header_is_checked_as_the_first_ones_are(client_class, name, value):
    with pytest.raises(ConfigurationError, match="default_headers"):
        client_class(api_key=KEY).with_options(default_headers={name: value})


@BOTH
@pytest.mark.parametrize(
    ("name", "value"),
    [("X-A", "1\r\nX-Evil: 1"), ("X-A", "1\n"), ("X-A", "\x00"), ("X-A", "é"), ("X-A", 7), ("X-A", None), ("X-A", b"1"),
     ("", "1"), ("X A", "1"), ("X:A", "1"), ("X-A\r\nX-Evil", "1"), ("é", "1"), (7, "1"), (b"X-A", "1")],
)  # fmt: skip
def test_a_header_that_cannot_be_sent_is_refused(client_class, name, value):
    with pytest.raises(ConfigurationError, match="default_headers"):
        client_class(api_key=KEY, default_headers={name: value})


def test_a_given_httpx_client_keeps_headers_not_authorization():
    request = sent(headers={"X-Proxy-Tenant": "7", "Authorization": "Bearer app-another"})
    assert request.headers["x-proxy-tenant"] == "7"
    assert request.headers.get_list("authorization") == [f"Bearer {KEY}"]


# --- the client as a whole --------------------------------------------------------------------------------------------


@BOTH
def test_options_are_given_by_name_only(client_class):
    with pytest.raises(TypeError):
        client_class(KEY)


@BOTH
def test_the_client_of_the_other_kind_is_refused(client_class):
    with pytest.raises(ConfigurationError, match="http_client must be an httpx"):
        client_class(api_key=KEY, http_client=object())
    with httpx.Client() as sync_http:
        if client_class is AsyncDifyWorkflow:
            with pytest.raises(ConfigurationError, match=r"httpx\.AsyncClient .*; got a httpx2?\.Client$"):
                client_class(api_key=KEY, http_client=sync_http)
        else:
            with pytest.raises(ConfigurationError, match=r"httpx\.Client .*; got a httpx2?\.AsyncClient$"):
                client_class(api_key=KEY, http_client=httpx.AsyncClient())


@BOTH
def test_a_client_that_failed_to_construct_closes_quietly(client_class):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConfigurationError):
            client_class(api_key=KEY, base_url="nonsense")


@BOTH
def test_a_sibling_differs_only_in_what_was_given(client_class):
    first = client_class(
        api_key=KEY, base_url="https://a.example", timeout=7, max_retries=1, default_headers={"X": "1"}
    )
    same = first.with_options()
    assert same is not first
    assert type(same) is client_class
    assert same.base_url == first.base_url
    other = first.with_options(base_url="https://b.example")
    assert other.base_url == "https://b.example/v1"
    assert first.base_url == "https://a.example/v1"


@BOTH
@pytest.mark.parametrize("bad", [{"api_key": "a b"}, {"base_url": "x"}, {"max_retries": -1}, {"backoff": -1}])
def test_a_siblings_options_are_checked_as_the_clients_are(client_class, bad):
    with pytest.raises(ConfigurationError, match=next(iter(bad))):
        client_class(api_key=KEY).with_options(**bad)


def test_derived_clients_inherit_timeout_headers_and_key():
    seen, transport = recording()
    with httpx.Client(transport=transport) as http:
        first = DifyWorkflow(api_key=KEY, timeout=7, default_headers={"X-A": "1"}, http_client=http)
        first.with_options(max_retries=0).request("GET", "/info")
        first.with_options(timeout=9, default_headers={"X-B": "2"}, api_key="app-2").request("GET", "/info")
        first.with_options(timeout=None).request("GET", "/info")
    same, other, default = seen
    assert same.extensions["timeout"]["read"] == 7
    assert same.headers["x-a"] == "1"
    assert same.headers["authorization"] == f"Bearer {KEY}"
    assert other.extensions["timeout"]["read"] == 9
    assert other.headers["x-b"] == "2"
    assert other.headers["x-a"] == "1"
    assert other.headers["authorization"] == "Bearer app-2"
    assert default.extensions["timeout"]["read"] == 60


# --- client.request ---------------------------------------------------------------------------------------------------


def request_of(*args: object, **options: object) -> httpx.Request:
    seen, transport = recording()
    with httpx.Client(transport=transport) as http:
        client = DifyWorkflow(api_key=KEY, http_client=http)
        try:
            client.request(*args, **options)  # type: ignore[call-overload]  # wrong arguments are the point
        except ValueError:
            assert not seen  # refused before anything was sent
            raise
    return seen[0]


@pytest.mark.parametrize(
    "path",
    ["", "workflows/logs", "https://evil.example/v1/info", "/info?x=1", "/info#x", "/a b", "/a\r\nX: 1", "/\x00",
     "\\info", "/a\\b", 7, None, b"/info"],
)  # fmt: skip
def test_a_path_that_could_lead_elsewhere_is_refused(path):
    with pytest.raises(ValueError, match="path must"):
        request_of("GET", path)


@pytest.mark.parametrize("path", ["//evil.example/info", "/@evil.example/info", "/../../info", "/%2e%2e/info"])
def test_no_path_leads_to_another_host(path):
    assert request_of("GET", path).url.host == "api.dify.ai"


@pytest.mark.parametrize("method", ["", "GE T", "GET\r\n", "GÉT", 7, None, b"GET"])
def test_a_method_that_is_none_is_refused(method):
    with pytest.raises(ValueError, match="method must"):
        request_of(method, "/info")


def test_every_letter_and_digit_can_be_in_a_path():
    letters = "/ABCDEFGHIJKLMNOPQRSTUVWXYZ/abcdefghijklmnopqrstuvwxyz/0123456789-._~:@!$&'()*+,;="
    assert request_of("GET", letters).url.path == f"/v1{letters}"


def test_no_other_headers_are_sent_than_are_needed():
    headers = request_of("GET", "/info").headers
    assert set(headers) == {"host", "accept", "accept-encoding", "connection", "user-agent", "authorization"}
    assert [headers[name] for name in ("host", "accept", "accept-encoding", "connection")] == [
        "api.dify.ai", "application/json", "gzip, deflate", "keep-alive",
    ]  # fmt: skip


def test_a_method_is_sent_in_capitals():
    assert request_of("get", "/info").method == "GET"


def test_parameters_go_over_the_wire_as_the_api_reads_them():
    request = request_of("GET", "/x", params={"a": None, "b": True, "c": 7, "d": "a+b &é", "e": ["1", "2"], "f": ""})
    # httpx before 0.28 writes a space as %20, later ones as +; a server reads both as a space.
    assert request.url.query.replace(b"%20", b"+") == b"b=true&c=7&d=a%2Bb+%26%C3%A9&e=1&e=2&f="


def test_a_body_is_sent_as_compact_utf_8_by_every_httpx():
    request = request_of("POST", "/x", json={"inputs": {"q": "é\u4e2d"}, "n": [1, 2.5, None]})
    assert request.content == '{"inputs":{"q":"é\u4e2d"},"n":[1,2.5,null]}'.encode()
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Content-Length"] == str(len(request.content))
    assert "Content-Type" not in request_of("GET", "/x").headers
