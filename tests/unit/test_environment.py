"""The environment's proxies and certificates: as httpx reads them, and an error where they cannot be used."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
import sys
import urllib.request
from pathlib import Path
from typing import Any

import certifi
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dify_workflow import ConfigurationError
from dify_workflow._http import proxies
from dify_workflow._http.certificates import trusting
from dify_workflow._http.config import Variable
from dify_workflow._http.library import httpx
from dify_workflow._http.proxies import is_exempt, proxy_for, proxy_variables

PROXY = "http://proxy.example:3128"
HOSTS = ["example.com", "www.example.com", "wwwexample.com", "localhost", "sub.localhost", "127.0.0.1", "10.1.2.3"]
ENTRIES = [
    "", " ", "*", "example.com", ".example.com", "EXAMPLE.com", "com", ".com", "www.example.com", "localhost",
    "127.0.0.1", "10.1.2.3", "::1", "fd00::1", "example.com:8443", "https://example.com", "http://example.com",
    "https://example.com:8443", "localhost:8443", "other.example",
]  # fmt: skip
NAMES = st.sampled_from(["http", "https", "all", "no", "ftp"]).flatmap(
    lambda scheme: st.sampled_from([f"{scheme}_proxy", f"{scheme}_PROXY".upper(), f"{scheme}_proxy".title()])
)
VARIABLES = st.dictionaries(NAMES, st.sampled_from(["", PROXY, "proxy.example:8080", "https://p.example"]), max_size=5)


def chosen(environment: dict[str, str], url: str) -> str | None:
    """The address of the proxy for a URL."""
    proxy = proxy_for(proxy_variables(environment), httpx.URL(url))
    return None if proxy is None else str(proxy.url)


def chosen_by_httpx(environment: dict[str, str], url: str) -> str | None:
    """The same, by an httpx client that is made in this environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.lower().endswith("_proxy"):
                patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        with httpx.Client(verify=False) as client:
            transport: Any = client._transport_for_url(httpx.URL(url))
    proxy = getattr(transport._pool, "_proxy_url", None)
    return None if proxy is None else bytes(proxy).decode().removesuffix("/")


@settings(deadline=None, max_examples=60)
@given(
    variables=VARIABLES,
    entries=st.lists(st.sampled_from(ENTRIES), max_size=4),
    scheme=st.sampled_from(["http", "https"]),
    host=st.sampled_from([*HOSTS, "[::1]"]),
    port=st.sampled_from(["", ":8443"]),
)
@example(variables={"all_proxy": PROXY}, entries=["example.com:8443"], scheme="https", host="example.com", port=":8443")
@example(variables={"http_proxy": PROXY}, entries=["localhost:8443"], scheme="http", host="sub.localhost", port=":8443")
@example(
    variables={"http_proxy": PROXY}, entries=["http://example.com"], scheme="http", host="www.example.com", port=""
)
def test_proxies_are_chosen_as_httpx_chooses_them(variables, entries: list[str], scheme: str, host: str, port: str):
    if entries:
        variables = {**variables, "NO_PROXY": ",".join(entries)}
        variables.pop("no_proxy", None)
    variables = {name: value for name, value in variables.items() if name.lower() != "no_proxy" or entries}
    url = f"{scheme}://{host}{port}/v1"
    assert chosen(variables, url) == chosen_by_httpx(variables, url)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(variables=VARIABLES, is_script=st.booleans())
def test_variables_are_read_as_by_urllib(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], is_script: bool):
    with monkeypatch.context() as patch:
        for name in list(os.environ):
            if name.lower().endswith("_proxy"):
                patch.delenv(name)
        for name, value in {**variables, **({"REQUEST_METHOD": "GET"} if is_script else {})}.items():
            patch.setenv(name, value)
        expected = urllib.request.getproxies_environment()
        found = proxy_variables(os.environ)
    kept = {scheme: value for scheme, value in expected.items() if scheme in {"http", "https", "all", "no"}}
    assert {scheme: variable.value for scheme, variable in found.items()} == kept
    assert all(variable.name.lower() == f"{scheme}_proxy" for scheme, variable in found.items())


@given(
    address=st.ip_addresses(),
    other=st.ip_addresses(),
    length=st.integers(0, 32),
    brackets=st.booleans(),
    port=st.booleans(),
)
def test_networks_are_exempt_whole_and_nothing_else(address, other, length: int, brackets: bool, port: bool):
    network = ipaddress.ip_network(f"{address}/{length}", strict=False)
    entry = f"{address}/{length}"
    if brackets and address.version == 6:
        entry = f"[{address}]/{length}" + (":8443" if port else "")
    for one in (address, other):
        host = f"[{one}]" if one.version == 6 else str(one)
        found = chosen({"HTTP_PROXY": PROXY, "NO_PROXY": f"localhost,{entry}"}, f"http://{host}:8443/v1")
        assert found == (None if one in network else PROXY)


EXEMPT = {
    "a network of one": ("::1/128", "http://[::1]:8080", True),
    "brackets": ("[::1]", "http://[::1]:8080", True),
    "brackets and a port": ("[::1]:8080", "http://[::1]:8080", True),
    "brackets and another port": ("[::1]:8081", "http://[::1]:8080", False),
    "a netmask": ("10.0.0.0/255.0.0.0", "http://10.9.9.9", True),
    "a network with bits of a host": ("10.1.2.3/8", "http://10.9.9.9", True),
    "a network beside": ("10.0.0.0/8,127.0.0.0/8", "http://192.0.2.1", False),
    "a port that is not written": ("example.com:443", "https://example.com", True),
    "another port": ("example.com:80", "https://example.com", False),
    "a star before a dot": ("*.example.com", "https://www.example.com", True),
    "a star before a dot is not the name itself": ("*.example.com", "https://example.com", False),
    "a scheme": ("http://example.com", "http://example.com", True),
    "another scheme": ("https://example.com", "http://example.com", False),
    "a scheme means no hosts below": ("http://example.com", "http://www.example.com", False),
    "blanks": ("a.example example.com", "https://example.com", True),
    "unreadable, but another matches": ("10.0.0.0/99,10.1.1.1", "http://10.1.1.1", True),
    "an unreadable address does not concern a name": ("10.0.0.0/99,192.168.*", "http://example.com", False),
    "an unreadable name does not concern an address": ("a*b.example", "http://192.0.2.1", False),
}


@pytest.mark.parametrize(("value", "url", "exempt"), EXEMPT.values(), ids=EXEMPT)
def test_what_no_proxy_exempts(value: str, url: str, exempt: bool):
    assert is_exempt(Variable("NO_PROXY", value), httpx.URL(url)) is exempt


SECRET = "pass-word-42"
UNUSABLE = {
    "socks without a number": ("ALL_PROXY", "socks://proxy.example:1", "the scheme 'socks'"),
    "ftp": ("HTTP_PROXY", "ftp://x", "the scheme 'ftp'"),
    "no host": ("http_proxy", "http://", "not the address of a proxy"),
    "a port alone": ("http_proxy", "http://:8080", "not the address of a proxy"),
    "a port of letters": ("HTTP_PROXY", f"http://u:{SECRET}@proxy.example:port", "not the address of a proxy"),
    "a port that there is not": ("HTTP_PROXY", f"http://u:{SECRET}@proxy.example:65536", "not the address of a proxy"),
    "port 0": ("HTTP_PROXY", "http://proxy.example:0", "not the address of a proxy"),
    "a label of 64 letters": ("HTTP_PROXY", f"http://u:{SECRET}@{'h' * 64}\u00e9.example:1", "not the address"),
    "a label of 64 plain letters": ("HTTP_PROXY", f"http://{'h' * 64}.example:1", "not the address"),
    "an empty label": ("HTTP_PROXY", "http://proxy..example:1", "not the address"),
    "a password before the scheme": ("ALL_PROXY", f"u:{SECRET}://proxy.example", "its scheme is none"),
    "a password and a scheme": ("ALL_PROXY", f"gopher://u:{SECRET}@proxy.example", "the scheme 'gopher'"),
}


@pytest.mark.parametrize(("name", "value", "says"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_proxy_is_named_without_its_password(name: str, value: str, says: str):
    with pytest.raises(ConfigurationError, match=says) as caught:
        chosen({name: value}, "http://dify.example/v1")
    assert f"the environment variable {name} cannot be used: " in str(caught.value)
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@given(value=st.text(max_size=30), name=st.sampled_from(["HTTP_PROXY", "NO_PROXY"]))
@example(value="http://[::1", name="HTTP_PROXY")
@example(value="[::1", name="NO_PROXY")
def test_any_value_is_used_or_a_configuration_error(value: str, name: str):
    for url in ("http://dify.example/v1", "http://192.0.2.7/v1"):
        try:
            chosen({"ALL_PROXY": PROXY, name: value}, url)
        except ConfigurationError as error:
            assert name in str(error)  # noqa: PT017 - it may be used as well


def test_socks_needs_a_package():
    with pytest.raises(ConfigurationError, match=r"HTTPS_PROXY cannot be used: .*pip install 'httpx2?\[socks\]'"):
        chosen({"HTTPS_PROXY": "socks5://127.0.0.1:9"}, "https://dify.example/v1")


def test_variables_for_other_addresses_are_ignored():
    others = {"HTTPS_PROXY": "socks5://127.0.0.1:9", "ftp_proxy": "x://", "NO_PROXY": "[::1"}
    assert chosen(others, "http://dify.example/v1") is None
    assert chosen({"ALL_PROXY": "ftp://x", "HTTP_PROXY": PROXY}, "http://dify.example/v1") == PROXY
    assert chosen({"ALL_PROXY": "ftp://x", "NO_PROXY": "dify.example"}, "http://dify.example/v1") is None


# --- certificates -----------------------------------------------------------------------------------------------------


def refused(**variables: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        trusting(variables)
    return str(caught.value)


def test_certificates_are_read_from_what_the_variables_name(tmp_path: Path):
    assert trusting({}).get_ca_certs()
    assert trusting({"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""}).get_ca_certs()
    # The file alone counts where both are named.
    found = trusting({"SSL_CERT_FILE": certifi.where(), "SSL_CERT_DIR": str(tmp_path / "missing")})
    assert found.get_ca_certs()
    (tmp_path / "0123abcd.0").write_text("")
    for folders in (str(tmp_path), os.pathsep.join([str(tmp_path / "missing"), str(tmp_path)])):
        context = trusting({"SSL_CERT_DIR": folders})
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.get_ca_certs() == []


@pytest.mark.parametrize("platform", ["darwin", "win32", "linux"])
def test_the_systems_proxies_count_where_a_system_has_them(platform: str, monkeypatch: pytest.MonkeyPatch):
    found = {"http": "http://a:1", "https": "http://b:2", "all": "http://c:3", "ftp": "http://d:4", "no": "e"}
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(urllib.request, "getproxies", lambda: found)
    variables = proxies.system_variables()
    expected = {} if platform == "linux" else {scheme: found[scheme] for scheme in ("http", "https", "all")}
    assert {scheme: variable.value for scheme, variable in variables.items()} == expected
    assert {variable.name for variable in variables.values()} <= {"(proxy in the system's settings)"}


def test_an_unusable_file_of_certificates_is_named(tmp_path: Path):
    (tmp_path / "empty.pem").write_text("")
    (tmp_path / "text.pem").write_text("not a certificate")
    says = {
        str(tmp_path / "missing.pem"): "cannot be read (No such file or directory); it must name a readable file",
        str(tmp_path / "empty.pem"): "holds no certificates",
        str(tmp_path / "text.pem"): "holds no certificates",
        str(tmp_path): "is a folder; ",
        "a\0b": "cannot be read (embedded null ",
    }
    for value, reason in says.items():
        message = refused(SSL_CERT_FILE=value)
        assert message.startswith(f"the environment variable SSL_CERT_FILE cannot be used: {value!r}")
        assert reason in message


def test_an_unusable_folder_of_certificates_is_named(tmp_path: Path):
    (tmp_path / "ca.pem").write_text(Path(certifi.where()).read_text())
    for value in (str(tmp_path), str(tmp_path / "missing"), str(tmp_path / "ca.pem"), ":"):
        message = refused(SSL_CERT_DIR=value)
        assert re.match("the environment variable SSL_CERT_DIR cannot be used: .* is not a folder of certi", message)


def test_an_unusable_file_for_tls_secrets_is_named(tmp_path: Path):
    for value, reason in {str(tmp_path / "x" / "keys.log"): "No such file", str(tmp_path): "Is a directory"}.items():
        message = refused(SSLKEYLOGFILE=value, SSL_CERT_FILE=certifi.where())
        assert message.startswith(f"the environment variable SSLKEYLOGFILE cannot be used: {value!r} cannot be written")
        assert reason in message
    assert trusting({"SSLKEYLOGFILE": str(tmp_path / "keys.log")}).get_ca_certs()
