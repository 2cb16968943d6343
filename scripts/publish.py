"""Send the release in dist/ to a private package index.

Usage: publish.py INDEX

INDEX is the address for uploads, https or on this machine, without a user and a password in it. These come from the
environment, DIFY_SDK_INDEX_USERNAME and DIFY_SDK_INDEX_PASSWORD (or TWINE_USERNAME and TWINE_PASSWORD), or from the
entry for the host in ~/.netrc (or the file that NETRC names); they are never on a command line and never printed.

Nothing is sent unless dist/ holds the wheel and the sdist of the current version and nothing else, and both are, byte
for byte, what the commit with the tag of that version gives: it is checked out elsewhere and built again. Exit status:
0 sent; 1 refused or failed; 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import errno
import hashlib
import html
import io
import ipaddress
import logging
import netrc
import os
import re
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

import requests
from distributions import distributions, version_of
from environments import StepError
from repository import GitError, Repository
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from twine.exceptions import TwineException
from twine.package import PackageFile
from twine.repository import Repository as Index

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
PROJECT = "dify-workflow-sdk"
VARIABLES = (("DIFY_SDK_INDEX_USERNAME", "DIFY_SDK_INDEX_PASSWORD"), ("TWINE_USERNAME", "TWINE_PASSWORD"))
CONNECT_SECONDS, READ_SECONDS = 10, 300
"""How long a connection, and then each sign of life of an index that works through an upload, may take."""

Outcome: TypeAlias = Literal["sent", "already there"]


class RefusalError(Exception):
    """Nothing was sent, or the index did not take it."""


class Credentials:
    """A user and a password, of which nothing is shown.

    Attributes:
        source: Where they are from.
    """

    def __init__(self, user: str, password: str, source: str) -> None:
        self._user = user
        self._password = password
        self.source = source

    def __repr__(self) -> str:
        return f"<credentials from {self.source}>"

    def authentication(self) -> HTTPBasicAuth:
        """What puts them into a request; as UTF-8, in which every character can be sent."""
        return HTTPBasicAuth(self._user.encode(), self._password.encode())

    def hidden_in(self, text: str) -> str:
        """The text without them, should an index repeat what it was sent."""
        both = base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        for secret in (both, self._password, self._user):
            text = text.replace(secret, "[hidden]")
        return text


def main(argv: list[str] | None = None) -> int:
    """Publish; the exit status."""
    parser = argparse.ArgumentParser(prog="publish.py", description="Send the release in dist/ to a private index.")
    parser.add_argument("index", metavar="INDEX", help="the address for uploads, such as https://pypi.example.com/")
    try:
        index = address(parser.parse_args(argv).index)
        credentials = found_credentials(urlsplit(index).hostname or "")
        files = proven(Repository(ROOT))
        send(files, index, credentials)
    except (RefusalError, GitError, StepError, OSError) as error:
        print(f"publish.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("publish.py: interrupted", file=sys.stderr)
        return 130
    return 0


def address(text: str) -> str:
    """The address of an index, when credentials can be sent there.

    Raises:
        RefusalError: It has credentials in it, is no address, or would send credentials in the clear.
    """
    if "@" in text:
        raise RefusalError(
            "an address with a user or a password in it is refused, as command lines can be read by others: give "
            f"them as {VARIABLES[0][0]} and {VARIABLES[0][1]}, or in ~/.netrc"
        )
    # One form alone, so that it is not read as one host here and as another where the request is made.
    form = r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~%/+-]*)?"
    if not re.fullmatch(form, text, re.ASCII):
        raise RefusalError("the index must be an address such as https://pypi.example.com/, without query and fragment")
    parts = urlsplit(text)
    if parts.scheme == "http" and not on_this_machine(parts.hostname or ""):
        raise RefusalError(f"http would send the password to {parts.hostname} in the clear: use https")
    return text


def on_this_machine(host: str) -> bool:
    """Whether a host is a loopback address, or the name of one."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def found_credentials(host: str) -> Credentials:
    """The credentials for a host; they are taken out of the environment, so that no program started here has them.

    Raises:
        RefusalError: There are none, or not all of them.
    """
    pairs = [(names, tuple(os.environ.pop(name, "") for name in names)) for names in VARIABLES]
    for names, (user, password) in pairs:
        if user and password:
            return Credentials(user, password, f"{names[0]} and {names[1]}")
        if user or password:
            raise RefusalError(f"{names[0]} and {names[1]} must both be set, and {names[not password]} is not")
    file = netrc_file()
    try:
        entry = netrc.netrc(file).authenticators(host) if file else None
    except netrc.NetrcParseError as error:  # its text may be a password
        raise RefusalError(f"{file} is not a netrc file, as far as line {error.lineno}") from None
    except UnicodeDecodeError:
        raise RefusalError(f"{file} is not a netrc file: it is no text") from None
    if entry and entry[0] and entry[2]:
        return Credentials(entry[0], entry[2], str(file))
    raise RefusalError(
        f"no credentials for {host}: set {VARIABLES[0][0]} and {VARIABLES[0][1]}, or add the host to ~/.netrc"
    )


def netrc_file() -> Path | None:
    """The netrc file, if there is one: the one that NETRC names, else the user's own."""
    named = os.environ.get("NETRC")
    places = [Path(named)] if named else [Path.home() / ".netrc", Path.home() / "_netrc"]
    return next((place for place in places if place.is_file()), None)


def proven(repository: Repository) -> dict[str, bytes]:
    """The files in dist/, the wheel first, once they are proven to be those of the current version's tag.

    Raises:
        RefusalError: They are not.
        GitError: The tag's commit cannot be checked out.
        StepError: It cannot be built.
    """
    try:
        version = version_of(repository.root)
    except ValueError as error:
        raise RefusalError(str(error)) from None
    tag = f"v{version}"
    commit = repository.tagged(tag) if repository.is_own() else None
    if commit is None:
        raise RefusalError(f"there is no tag {tag}: `make release` makes the files and the tag of a version")
    present = {path.name: path for path in sorted(DIST.iterdir())} if DIST.is_dir() else {}
    expected = {f"dify_workflow_sdk-{version}-py3-none-any.whl", f"dify_workflow_sdk-{version}.tar.gz"}
    if wrong := sorted(expected ^ present.keys()):
        said = ", ".join(f"{name} {'is missing' if name in expected else 'does not belong there'}" for name in wrong)
        raise RefusalError(f"dist/ must hold the wheel and the sdist of {version} and nothing else: {said}")
    say(f"building {tag} once more, to compare it with dist/")
    with tempfile.TemporaryDirectory(prefix="publish-") as name:
        folder = Path(name)
        with repository.checked_out(commit, folder / "tree") as tree:
            made = distributions(tree, folder / "dist")
    files = {name: path.read_bytes() for name, path in present.items()}
    if differing := sorted(name for name in made | files if made.get(name) != files.get(name)):
        raise RefusalError(
            f"not built from {tag}, or with other tools than it pins: {', '.join(differing)} in dist/ differs from "
            f"what commit {commit[:12]} gives"
        )
    return dict(sorted(files.items(), key=lambda item: not item[0].endswith(".whl")))


def send(files: dict[str, bytes], index: str, credentials: Credentials) -> None:
    """Send files to an index.

    What an index has of a version stays, and is not sent again; so an upload that broke off can be completed. The index
    is asked first what it has: some (devpi, where an index is volatile) take a file twice, and replace it.

    Raises:
        RefusalError: The index does not take a file, or has them all.
    """
    say(f"sending to {index} with the credentials from {credentials.source}")
    outcomes: list[Outcome] = []
    with opened(index, credentials) as opened_index, tempfile.TemporaryDirectory(prefix="publish-") as folder:
        there = listed(opened_index.session, index)
        for name, data in files.items():
            if name in there:
                if there[name] not in {"", hashlib.sha256(data).hexdigest()}:
                    raise RefusalError(
                        f"{name} is on the index already, with another content, and what has been published is never "
                        "replaced: release a new version"
                    )
                outcomes.append("already there")
                say(f"{name}: already there")
                continue
            path = Path(folder) / name  # the very bytes that were compared, whatever happens in dist/ meanwhile
            path.write_bytes(data)
            outcomes.append(sent(path, opened_index, credentials))
            say(f"{name}: {outcomes[-1]}")
    if "sent" not in outcomes:
        raise RefusalError(
            "this version is on the index already, and what has been published is never replaced: release a new one"
        )


def listed(session: requests.Session, index: str) -> dict[str, str]:
    """The files of the project that an index lists, each with its SHA-256, or nothing where the index does not say.

    The list is below `simple` or `+simple` (devpi) of the address, or of the one above it where the address only takes
    uploads. An index without such a list decides itself.
    """
    found: dict[str, str] = {}
    address = index.rstrip("/")
    outer = re.sub(r"/(legacy|\+upload)$", "", address)
    for base in dict.fromkeys((f"{address}/+simple", f"{outer}/+simple", f"{address}/simple", f"{outer}/simple")):
        try:
            response = session.get(f"{base}/{PROJECT}/", allow_redirects=False, headers={"Accept": "text/html"})
            page = response.text if response.status_code == requests.codes.ok else ""
        except requests.RequestException:
            continue  # the upload will tell what is wrong
        for link in re.findall(r"""(?i)<a\s[^>]*?href\s*=\s*["']([^"']+)["']""", page):
            parts = urlsplit(html.unescape(link))
            digest = re.search(r"(?:^|&)sha256=([0-9a-fA-F]{64})(?:&|$)", parts.fragment)
            name = unquote(parts.path.rpartition("/")[2])
            found[name] = found.get(name) or (digest[1].lower() if digest else "")
    return found


def sent(path: Path, index: Index, credentials: Credentials) -> Outcome:
    """Send one file, once.

    Raises:
        RefusalError: It did not arrive.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # twine's own words on its progress
            answer = index.upload(PackageFile.from_filename(str(path), None), max_redirects=1)
    except TwineException as error:
        raise RefusalError(f"{path.name}: {error}") from None
    except requests.RequestException as error:
        raise RefusalError(f"{path.name} was not sent: {reason(error)}") from None
    status, said = answer.status_code, credentials.hidden_in(words(answer))
    if answer.ok and not answer.is_redirect:
        return "sent"
    if status == requests.codes.conflict or (status == requests.codes.bad_request and re.search(r"(?i)already", said)):
        return "already there"
    meaning = {
        requests.codes.unauthorized: f"it does not know the user or the password from {credentials.source}",
        requests.codes.forbidden: f"wrong password, or a user who may not upload; both are from {credentials.source}",
        requests.codes.not_found: "there is no index at this address that takes uploads",
        requests.codes.method_not_allowed: "there is no index at this address that takes uploads",
    }.get(status, "")
    if answer.is_redirect:
        meaning = "it leads elsewhere, where credentials are not sent: give the address of the uploads themselves"
    detail = ": ".join(part for part in (meaning, said) if part)
    raise RefusalError(f"{path.name} was not taken, the index answers {status}: {detail}")


@contextlib.contextmanager
def opened(url: str, credentials: Credentials) -> Iterator[Index]:
    """An index that is ready for uploads."""
    logging.getLogger("twine").setLevel(logging.ERROR)  # it warns of each refusal, and speaks of retries that are none
    index = Index(url, None, None, disable_progress_bar=True)
    for scheme in ("http://", "https://"):
        index.session.mount(scheme, Patient())
    index.session.auth = credentials.authentication()
    # A proxy is for other machines; it would be given the password for this one.
    index.session.trust_env = not on_this_machine(urlsplit(url).hostname or "")
    try:
        yield index
    finally:
        index.close()


class Patient(HTTPAdapter):
    """Sends requests once, and with a limit to the time without a sign of life: twine sets none."""

    def send(  # what the options mean is the adapter's own affair
        self,
        request: requests.PreparedRequest,
        *arguments: Any,  # noqa: ANN401 - as above
        **options: Any,  # noqa: ANN401 - as above
    ) -> requests.Response:
        """Send a request."""
        return super().send(request, *arguments, **{**options, "timeout": (CONNECT_SECONDS, READ_SECONDS)})


def reason(error: requests.RequestException) -> str:
    """Why nothing came back, in plain words."""
    host = urlsplit(str(error.request.url)).netloc if error.request is not None else "the index"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError) or getattr(cause, "errno", None) == errno.ECONNREFUSED:
            return f"{host} refuses connections; is the index running, and is this its port?"
        if isinstance(cause, socket.gaierror):
            return f"there is no host {host}"
        if isinstance(cause, TimeoutError):
            break
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, requests.Timeout):
        return f"{host} does not answer"
    if isinstance(error, requests.exceptions.SSLError):
        return f"{host} has no certificate that is trusted here"
    return f"the connection to {host} broke off ({type(error).__name__})"


def words(answer: requests.Response) -> str:
    """What an index says about a refusal: the first of it, as text on one line."""
    text = answer.text if answer.content else ""
    text = html.unescape(re.sub(r"(?s)<(head|style|script)\b.*?</\1>|<[^>]*>", " ", text))
    text = f"{answer.reason or ''} {text}" if answer.reason not in text else text
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())[:300]


def say(text: str) -> None:
    """Tell the person who waits."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
