"""`make publish`: to a real index on loopback that asks for a password; and then installed from it and used."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import httpx
import pytest
import requests
from environments import REQUIREMENTS, clean_variables, step, uv
from publish import VARIABLES, Credentials, RefusalError, address, found_credentials, send
from throwaway_repository import ROOT, Throwaway

from dify_workflow.testing import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

USER, PASSWORD = "uploader-of-tests", "s3cret/password:with@signs"
CREDENTIALS = {"DIFY_SDK_INDEX_USERNAME": USER, "DIFY_SDK_INDEX_PASSWORD": PASSWORD}
PAIR = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
WHEEL, SDIST = "dify_workflow_sdk-0.2.0-py3-none-any.whl", "dify_workflow_sdk-0.2.0.tar.gz"
USER_PROGRAM = ROOT / "tests" / "e2e" / "user_program.py"


class Index(NamedTuple):
    url: str
    folder: Path


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Throwaway:
    """The project after a release, with its files in dist/."""
    repository = Throwaway.of_this_tree(tmp_path_factory.mktemp("released") / "project")
    repository.write("CHANGELOG.md", "# Changelog\n\n## Unreleased\n\n- One thing.\n")
    repository.without_checks()
    done = repository.run("release.py", "--step", "minor")
    assert done.returncode == 0, done.stderr
    return repository


@pytest.fixture
def repository(released: Throwaway, tmp_path: Path) -> Throwaway:
    return released.copy(tmp_path / "project")


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """A pypiserver with one user, who alone may upload, list and download."""
    folder = tmp_path / "packages"
    folder.mkdir()
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).digest()).decode()
    passwords = tmp_path / "passwords"
    passwords.write_text(f"{USER}:{{SHA}}{digest}\n", "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["-i", "127.0.0.1", "-p", str(port), "-P", str(passwords), "-a", "update,download,list"]
    command = [sys.executable, "-W", "ignore", "-m", "pypiserver", "run", *options, "--disable-fallback", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            while not answers(port):
                assert process.poll() is None, process.stdout and process.stdout.read()
            yield Index(f"http://127.0.0.1:{port}/", folder)
        finally:
            process.terminate()
            said, _ = process.communicate(timeout=30)
    assert PASSWORD not in said


def answers(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(5)
        return client.connect_ex(("127.0.0.1", port)) == 0


def publish(
    repository: Throwaway, url: str, variables: Mapping[str, str] = CREDENTIALS
) -> subprocess.CompletedProcess[str]:
    done = repository.run("publish.py", url, variables=variables)
    for secret in (PASSWORD, PAIR, USER):
        assert secret not in done.stdout + done.stderr
    return done


def refused(
    repository: Throwaway,
    url: str,
    saying: str,
    variables: Mapping[str, str] = CREDENTIALS,
    *,
    before_sending: bool = True,
) -> None:
    done = publish(repository, url, variables)
    assert done.returncode == 1, done.stdout
    assert re.search(saying, done.stderr), done.stderr
    assert done.stderr.startswith("publish.py: ")
    assert ("sending to" in done.stdout) is not before_sending


class TestIndex:
    """With a real index."""

    def test_what_is_published_is_sent_once_and_installed_and_used(
        self, repository: Throwaway, index: Index, tmp_path: Path
    ):
        done = publish(repository, index.url)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        assert done.stdout.splitlines()[-2:] == [f"{WHEEL}: sent", f"{SDIST}: sent"]
        assert "DIFY_SDK_INDEX_USERNAME and DIFY_SDK_INDEX_PASSWORD" in done.stdout
        for name in (WHEEL, SDIST):
            assert (index.folder / name).read_bytes() == (repository.root / "dist" / name).read_bytes()

        refused(repository, index.url, "this version is on the index already", before_sending=False)

        netrc = tmp_path / "netrc"
        netrc.write_text(f'machine 127.0.0.1 login {USER} password "{PASSWORD}"\n', "utf-8")
        (index.folder / SDIST).unlink()  # an upload that broke off
        done = publish(repository, index.url, {"NETRC": str(netrc)})
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-2:] == [f"{WHEEL}: already there", f"{SDIST}: sent"]

        python = fresh_environment(tmp_path / "fresh", index, netrc)
        said = step(
            [
                *(str(python), "-I", "-W", "error", "-c"),
                "import dify_workflow as d; print(d.__file__, d.__version__, d.__spec__.sha256, sep='\\n')",
            ]
        )
        file, version, digest = said.splitlines()
        assert Path(file).is_relative_to(tmp_path / "fresh")
        assert version == "0.2.0"
        assert digest == hashlib.sha256((repository.root / "spec" / "openapi.yaml").read_bytes()).hexdigest()
        with Sandbox(rows=300) as sandbox:
            variables = {"DIFY_BASE_URL": sandbox.base_url, "DIFY_API_KEY": sandbox.api_key}
            said = step([str(python), "-I", "-W", "error", str(USER_PROGRAM)], variables=variables)
        assert re.search(r"^[1-9][0-9]* failed lately; in all \{'succeeded': [1-9]", said, re.MULTILINE), said

    def test_a_wrong_password_and_nobody_at_all_get_nothing(self, repository: Throwaway, index: Index):
        wrong = CREDENTIALS | {"DIFY_SDK_INDEX_PASSWORD": "not-the-password"}
        saying = "wrong password, or a user who may not upload; both are from DIFY_SDK_INDEX_USERNAME and"
        refused(repository, index.url, saying, wrong, before_sending=False)
        refused(repository, index.url, "no credentials for 127.0.0.1: set DIFY_SDK_INDEX_USERNAME and", {})
        assert httpx.post(index.url, data={":action": "file_upload"}).status_code == 401
        assert httpx.get(f"{index.url}simple/").status_code == 401
        assert list(index.folder.iterdir()) == []


def fresh_environment(folder: Path, index: Index, netrc: Path) -> Path:
    """The interpreter of an environment with what is locked, and the SDK from the index."""
    uv("venv", "--python", sys.executable, str(folder))
    python = folder / "bin" / "python"
    uv("pip", "install", "--python", str(python), "--require-hashes", "-r", str(REQUIREMENTS / "runtime.txt"))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--isolated", "--no-cache-dir", "install", "--no-deps"]
    variables = {name: value for name, value in clean_variables().items() if not name.startswith("PIP_")}
    done = subprocess.run(
        [*pip, "--index-url", f"{index.url}simple/", "dify-workflow-sdk==0.2.0"],
        env={**variables, "PIP_CONFIG_FILE": os.devnull, "NETRC": str(netrc)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    uv("pip", "check", "--python", str(python))
    return python


class TestAnswers:
    """With an index that answers as it is told, and looks meanwhile at who is sending."""

    @pytest.mark.parametrize(
        ("status", "text", "saying"),
        [
            (401, "who?", "it does not know the user or the password from the test"),
            (403, f"not you, {USER}: {PASSWORD} {PAIR}", "not you, [hidden]: [hidden] [hidden]"),
            (
                400,
                "<title>no</title><p>Name &amp; version\x1b[1m</p>",
                "answers 400: Bad Request no Name & version [1m",
            ),
            (404, "", "there is no index at this address"),
            (500, "", "the index answers 500"),
            (302, "", "it leads elsewhere, where credentials are not sent"),
        ],
    )
    def test_each_refusal_says_what_to_do_and_repeats_no_secret(
        self, released: Throwaway, status: int, text: str, saying: str
    ):
        with told_index(status, text) as (url, received), pytest.raises(RefusalError) as refusal:
            send(files(released), url, Credentials(USER, PASSWORD, "the test"))
        assert saying in str(refusal.value)
        assert not [secret for secret in (USER, PASSWORD, PAIR) if secret in str(refusal.value)]
        assert len(received) == 1  # nothing more is sent after a refusal, and nothing again
        assert received[0]["authorization"] == f"Basic {PAIR}"

    def test_a_password_of_any_letters_is_sent_as_utf_8(self, released: Throwaway):
        with told_index(200, "") as (url, received):
            send(files(released), url, Credentials("工作流", "pässword", "the test"))
        assert base64.b64decode(received[0]["authorization"].removeprefix("Basic ")) == "工作流:pässword".encode()

    def test_the_credentials_have_no_text_of_their_own(self):
        credentials = Credentials(USER, PASSWORD, "the test")
        assert repr(credentials) == str(credentials) == "<credentials from the test>"

    def test_no_command_line_ever_has_the_credentials(self, released: Throwaway):
        with told_index(200, "") as (url, received):
            assert publish(released, url).returncode == 0
        assert [request["file"] for request in received] == [WHEEL, SDIST]
        for request in received:
            lines = json.loads(request["command lines"])
            assert any("publish.py" in line and url in line for line in lines)
            assert not [line for line in lines if USER in line or PASSWORD in line or PAIR in line]

    def test_a_proxy_does_not_get_the_password_for_this_machine(
        self, released: Throwaway, monkeypatch: pytest.MonkeyPatch
    ):
        with told_index(200, "") as (url, received), told_index(200, "") as (proxy, asked):
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy)
            for name in ("NO_PROXY", "no_proxy"):
                monkeypatch.delenv(name, raising=False)
            send(files(released), url, Credentials(USER, PASSWORD, "the test"))
        assert (len(received), asked) == (2, [])

    @pytest.mark.parametrize("list_at", ["/simple/", "/+simple/", "/team/+simple/", "/team/simple/"])
    def test_an_index_that_replaces_files_is_asked_first(self, released: Throwaway, list_at: str):
        upload = {"/team/+simple/": "team/", "/team/simple/": "team/legacy/"}.get(list_at, "")
        wheel = hashlib.sha256(files(released)[WHEEL]).hexdigest()
        page = f'<a href="../../f/{WHEEL}#sha256={wheel}">w</a>'
        with told_index(200, "", {f"{list_at}dify-workflow-sdk/": page}) as (url, received):
            send(files(released), url + upload, Credentials(USER, PASSWORD, "the test"))
        assert [request["file"] for request in received] == [SDIST]
        page += f"<A class='x' href='{SDIST}'>s</A>"
        with (
            told_index(200, "", {f"{list_at}dify-workflow-sdk/": page}) as (url, received),
            pytest.raises(RefusalError, match="this version is on the index already"),
        ):
            send(files(released), url + upload, Credentials(USER, PASSWORD, "the test"))
        assert received == []

    def test_a_file_of_the_same_name_and_another_content_is_never_replaced(self, released: Throwaway):
        page = f'<a href="{WHEEL}#sha256={"0" * 64}">w</a>'
        with (
            told_index(200, "", {"/simple/dify-workflow-sdk/": page}) as (url, received),
            pytest.raises(RefusalError, match="with another content"),
        ):
            send(files(released), url, Credentials(USER, PASSWORD, "the test"))
        assert received == []

    def test_nobody_listens(self, released: Throwaway):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused, and nobody else gets it
            port = taken.getsockname()[1]
            with pytest.raises(RefusalError, match=f"not sent: 127.0.0.1:{port} refuses connections"):
                send(files(released), f"http://127.0.0.1:{port}/", Credentials(USER, PASSWORD, "the test"))


def files(released: Throwaway) -> dict[str, bytes]:
    return {name: (released.root / "dist" / name).read_bytes() for name in (WHEEL, SDIST)}


@contextmanager
def told_index(
    status: int, text: str, pages: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The address of a server that answers as it is told, and what it was sent by whom."""
    received: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found = re.search(rb'name="content"; filename="([^"]+)"', body)
            received.append(
                {
                    "authorization": self.headers["Authorization"],
                    "file": found[1].decode() if found else "",
                    "command lines": json.dumps(command_lines()),
                }
            )
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def do_GET(self) -> None:
            page = pages.get(self.path, "").encode()
            self.send_response(200 if page else 404)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

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


def command_lines() -> list[str]:
    """The command line of every process that can be seen here."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # it has ended
            continue
    return lines


class TestFiles:
    """What dist/ must hold; nothing is sent otherwise."""

    URL = "http://127.0.0.1:9/"

    def test_one_more_file(self, repository: Throwaway):
        repository.write("dist/dify_workflow_sdk-0.1.0.tar.gz", "")
        refused(repository, self.URL, r"dify_workflow_sdk-0\.1\.0\.tar\.gz does not belong there")

    def test_one_file_less(self, repository: Throwaway):
        (repository.root / "dist" / SDIST).unlink()
        refused(repository, self.URL, rf"{re.escape(SDIST)} is missing")

    def test_no_dist(self, repository: Throwaway):
        for name in (WHEEL, SDIST):
            (repository.root / "dist" / name).unlink()
        (repository.root / "dist").rmdir()
        refused(repository, self.URL, rf"{re.escape(WHEEL)} is missing, {re.escape(SDIST)} is missing")

    def test_a_file_that_is_not_what_the_tag_gives(self, repository: Throwaway):
        wheel = repository.root / "dist" / WHEEL
        data = bytearray(wheel.read_bytes())
        data[100] ^= 1
        wheel.write_bytes(data)
        refused(repository, self.URL, rf"not built from v0\.2\.0, .*: {re.escape(WHEEL)} in dist/ differs")

    def test_a_tag_of_another_commit(self, repository: Throwaway):
        repository.write("src/dify_workflow/py.typed", "partial\n")
        repository.commit("Change what is built")
        repository.git("tag", "--force", "v0.2.0")
        refused(repository, self.URL, r"not built from v0\.2\.0")

    def test_a_commit_after_the_release_changes_nothing_of_it(self, repository: Throwaway):
        repository.write("README.md", "changed\n")
        repository.commit("Go on")
        with told_index(200, "") as (url, received):
            assert publish(repository, url).returncode == 0
        assert len(received) == 2

    def test_a_version_without_a_tag(self, repository: Throwaway):
        repository.git("tag", "--delete", "v0.2.0")
        refused(repository, self.URL, r"there is no tag v0\.2\.0: `make release` makes")


class TestCredentials:
    """Where they are from; each refusal comes before anything is built or sent."""

    URL = "http://127.0.0.1:9/"

    @pytest.mark.parametrize("pair", VARIABLES)
    def test_they_are_taken_out_of_the_environment(self, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch):
        for name, value in zip(pair, (USER, PASSWORD), strict=True):
            monkeypatch.setenv(name, value)
        credentials = found_credentials("127.0.0.1")
        assert credentials.source == " and ".join(pair)
        assert not set(pair) & set(os.environ)
        request = requests.Request("GET", self.URL, auth=credentials.authentication()).prepare()
        assert request.headers["Authorization"] == f"Basic {PAIR}"

    @pytest.mark.parametrize("name", CREDENTIALS)
    def test_one_without_the_other(self, released: Throwaway, name: str):
        missing = next(other for other in CREDENTIALS if other != name)
        refused(released, self.URL, f"must both be set, and {missing} is not", {name: CREDENTIALS[name]})

    def test_an_entry_for_another_host(self, released: Throwaway, tmp_path: Path):
        (tmp_path / "netrc").write_text(f"machine pypi.example.com login {USER} password x\n", "utf-8")
        refused(released, self.URL, "no credentials for 127.0.0.1", {"NETRC": str(tmp_path / "netrc")})

    def test_a_netrc_file_that_is_none_is_named_and_not_quoted(self, released: Throwaway, tmp_path: Path):
        (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login {USER}\n{PASSWORD}\n", "utf-8")
        saying = r"netrc is not a netrc file, as far as line [23]\n$"
        refused(released, self.URL, saying, {"NETRC": str(tmp_path / "netrc")})

    def test_an_address_with_a_password_is_refused_and_not_repeated(self, released: Throwaway):
        done = released.run("publish.py", f"https://{USER}:hunter2@pypi.example.com/", variables=CREDENTIALS)
        assert done.returncode == 1
        assert "an address with a user or a password in it is refused" in done.stderr
        assert "hunter2" not in done.stdout + done.stderr

    @pytest.mark.parametrize(
        "url",
        [
            *(
                "http://pypi.example.com/",
                "http://127.0.0.1.example.com/",
                "http://localhost.example.com",
                "http://10.0.0.1/",
            ),
            *("ftp://127.0.0.1/", "file:///tmp/", "pypi.example.com", "", "https://", "https:///x", "//127.0.0.1/"),
            *("https://pypi.example.com/?token=x", "https://pypi.example.com/#x", "https://pypi.example.com/ x"),
            *("http://127.0.0.1\\@example.com/", "https://user@example.com/", "https://pypi.example.com:port/"),
        ],
    )
    def test_an_address_that_is_not_safe_is_refused(self, url: str):
        with pytest.raises(RefusalError):
            address(url)

    @pytest.mark.parametrize(
        "url",
        [
            *("https://pypi.example.com/", "https://pypi.example.com:8443/team/+upload", "http://127.0.0.1:8080/"),
            *("http://localhost:8080", "http://[::1]:8080/", "http://127.1.2.3/"),
        ],
    )
    def test_an_address_that_is_safe_is_taken_as_it_is(self, url: str):
        assert address(url) == url
