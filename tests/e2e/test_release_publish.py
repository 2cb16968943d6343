"""`make publish`: to a real index on loopback that asks for a password, and to one that shows what it was sent."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import publish
import pytest
from publish import VARIABLES, Credentials, RefusalError, address, found_credentials
from support.release_repository import ReleaseRepository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

USER, PASSWORD = "uploader-of-tests", "s3cret/password:with@signs"
SECRET = Credentials(USER, PASSWORD)
CREDENTIALS = {"DIFY_SDK_INDEX_USERNAME": USER, "DIFY_SDK_INDEX_PASSWORD": PASSWORD}
PAIR = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
WHEEL, SDIST = "dify_workflow_sdk-0.2.0-py3-none-any.whl", "dify_workflow_sdk-0.2.0.tar.gz"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> ReleaseRepository:
    repository = ReleaseRepository.of_this_project(tmp_path_factory.mktemp("released"))
    done = repository.run("release.py", "--step", "minor")
    assert done.returncode == 0, done.stderr
    return repository


@pytest.fixture
def files(released: ReleaseRepository) -> list[Path]:
    return [released.root / "dist" / name for name in (WHEEL, SDIST)]


def run(repository: ReleaseRepository, url: str, code: int, saying: str, **variables: str) -> None:
    done = repository.run("publish.py", url, **(variables or CREDENTIALS))
    assert done.returncode == code, done.stdout + done.stderr
    assert re.search(saying, done.stdout + done.stderr), done.stdout + done.stderr
    assert not [secret for secret in (PASSWORD, PAIR, USER) if secret in done.stdout + done.stderr]


def test_a_real_index_gets_each_file_once(released: ReleaseRepository, tmp_path: Path):
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).digest()).decode()
    (tmp_path / "passwords").write_text(f"{USER}:{{SHA}}{digest}\n", "utf-8")
    (tmp_path / "netrc").write_text(f'machine 127.0.0.1 login {USER} password "{PASSWORD}"\n', "utf-8")
    packages = tmp_path / "packages"
    packages.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["-i", "127.0.0.1", "-p", str(port), "-P", str(tmp_path / "passwords"), "-a", "update,download,list"]
    command = [sys.executable, "-W", "ignore", "-m", "pypiserver", "run", *options, "--disable-fallback", str(packages)]
    url = f"http://127.0.0.1:{port}/"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not listens(port):
                assert process.poll() is None
            run(released, url, 1, "403", **CREDENTIALS | {"DIFY_SDK_INDEX_PASSWORD": "not-the-password"})
            assert list(packages.iterdir()) == []
            run(released, url, 0, f"sending {WHEEL}, {SDIST} to {url}")
            for name in (WHEEL, SDIST):
                assert (packages / name).read_bytes() == (released.root / "dist" / name).read_bytes()
            run(released, url, 1, "this version is on the index already")
            (packages / SDIST).unlink()  # an upload that broke off
            run(released, url, 0, f"sending {SDIST} to {url}", NETRC=str(tmp_path / "netrc"))
        finally:
            process.terminate()


def listens(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(5)
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def index(status: int, pages: Mapping[str, str] = MappingProxyType({})) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The address of a server with some pages, and what it was sent: authorization, file, the command lines then."""
    received: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found = re.search(rb'name="content"; filename="([^"]+)"', body)
            lines = " ".join(path.read_text("utf-8", "replace") for path in Path("/proc").glob("[0-9]*/cmdline"))
            received.append({"authorization": self.headers["Authorization"], "lines": lines})
            received[-1]["file"] = found[1].decode() if found else ""
            self.respond(status, f"not you, {USER}: {PASSWORD} {PAIR}")

        def do_GET(self) -> None:
            self.respond(200 if self.path in pages else 404, pages.get(self.path, ""))

        def respond(self, code: int, text: str) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_refusal_of_the_index_is_shown_without_secrets(files: list[Path]):
    with index(403) as (url, received), pytest.raises(RefusalError, match="403") as refusal:
        publish.upload(files, url, SECRET)
    assert not [secret for secret in (USER, PASSWORD, PAIR) if secret in str(refusal.value)]
    assert [request["file"] for request in received] == [WHEEL]


def test_credentials_are_sent_as_utf_8_and_not_as_arguments(files: list[Path], monkeypatch: pytest.MonkeyPatch):
    user, password = "工作流", "pässword"
    with index(200) as (url, received), index(200) as (proxy, asked):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        publish.upload(files[:1], url, Credentials(user, password))
    (request,) = received
    assert asked == []
    assert base64.b64decode(request["authorization"].removeprefix("Basic ")) == f"{user}:{password}".encode()
    assert url in request["lines"]
    assert password not in request["lines"]


@pytest.mark.parametrize("list_at", ["/simple/", "/+simple/", "/team/+simple/", "/team/simple/"])
def test_an_index_is_asked_first_what_it_has(files: list[Path], list_at: str):
    upload = {"/team/+simple/": "team/", "/team/simple/": "team/legacy/"}.get(list_at, "")
    digest = hashlib.sha256(files[0].read_bytes()).hexdigest()
    page = f'<a href="../../f/{WHEEL}#sha256={digest}">w</a>'
    with index(200, {f"{list_at}dify-workflow-sdk/": page}) as (url, _):
        assert publish.missing(files, url + upload, SECRET) == files[1:]
    page += f"<A class='x' href='{SDIST}'>s</A>"
    with (
        index(200, {f"{list_at}dify-workflow-sdk/": page}) as (url, _),
        pytest.raises(RefusalError, match="this version is on the index already"),
    ):
        publish.missing(files, url + upload, SECRET)
    page = page.replace(digest, "0" * 64)
    with (
        index(200, {f"{list_at}dify-workflow-sdk/": page}) as (url, _),
        pytest.raises(RefusalError, match="with another content"),
    ):
        publish.missing(files, url + upload, SECRET)


def test_dist_must_hold_what_the_tag_gives(released: ReleaseRepository, tmp_path: Path):
    repository, url = released.copy(tmp_path / "project"), "http://127.0.0.1:9/"
    repository.write("dist/dify_workflow_sdk-0.1.0.tar.gz", "")
    run(repository, url, 1, r"and nothing else; wrong: dify_workflow_sdk-0\.1\.0\.tar\.gz")
    (repository.root / "dist/dify_workflow_sdk-0.1.0.tar.gz").unlink()
    wheel = repository.root / "dist" / WHEEL
    wheel.write_bytes(wheel.read_bytes().replace(b"PK", b"KP", 1))
    run(repository, url, 1, rf"not built from v0\.2\.0, .*: {re.escape(WHEEL)} in dist/")
    wheel.unlink()
    run(repository, url, 1, f"wrong: {re.escape(WHEEL)}")
    repository.git("tag", "--delete", "v0.2.0")
    run(repository, url, 1, r"there is no tag v0\.2\.0: `make release` makes")


@pytest.mark.parametrize("pair", VARIABLES)
def test_credentials_are_taken_out_of_the_environment(pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch):
    for name, value in zip(pair, SECRET, strict=True):
        monkeypatch.setenv(name, value)
    assert found_credentials("127.0.0.1") == SECRET
    monkeypatch.setenv("NETRC", "/nowhere")
    with pytest.raises(RefusalError, match=r"no credentials for 127\.0\.0\.1: set DIFY_SDK_INDEX_USERNAME and"):
        found_credentials("127.0.0.1")
    monkeypatch.setenv(pair[0], USER)
    with pytest.raises(RefusalError, match=f"must both be set, and {pair[1]} is not"):
        found_credentials("127.0.0.1")


def test_a_netrc_file_is_read_for_its_host_and_never_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text(f'machine pypi.example.com login {USER} password "{PASSWORD}"\n', "utf-8")
    assert found_credentials("pypi.example.com") == SECRET
    with pytest.raises(RefusalError, match="no credentials for example"):
        found_credentials("example.com")
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login {USER}\n{PASSWORD}\n", "utf-8")
    with pytest.raises(RefusalError, match=r"netrc is not a netrc file, as far as line [23]$"):
        found_credentials("127.0.0.1")


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        *((url, False) for url in ("http://pypi.example.com/", "http://127.0.0.1.example.com/", "http://10.0.0.1/")),
        *((url, False) for url in ("ftp://127.0.0.1/", "file:///tmp/", "pypi.example.com", "", "https:///x")),
        *((url, False) for url in ("https://pypi.example.com/?token=x", "http://127.0.0.1\\@example.com/")),
        *((url, False) for url in (f"https://{USER}:{PASSWORD}@example.com/", "https://pypi.example.com:port/")),
        *((url, True) for url in ("https://pypi.example.com:8443/team/+upload", "http://127.0.0.1:8080/")),
        *((url, True) for url in ("http://localhost:8080", "http://[::1]:8080/", "http://127.1.2.3/")),
    ],
)
def test_an_address_is_taken_only_if_it_is_safe(url: str, *, is_safe: bool):
    if is_safe:
        assert address(url) == url
    else:
        with pytest.raises(RefusalError) as refusal:
            address(url)
        assert PASSWORD not in str(refusal.value)
