"""Send the release in dist/ to a private package index, with twine.

Usage: publish.py INDEX

INDEX is the address for uploads, https or on this machine, without a user and a password in it. These come from the
environment, DIFY_SDK_INDEX_USERNAME and DIFY_SDK_INDEX_PASSWORD (or TWINE_USERNAME and TWINE_PASSWORD), or from the
entry for the host in ~/.netrc (or the file that NETRC names); they are never on a command line and never printed.

Nothing is sent unless dist/ holds the wheel and the sdist of the current version and nothing else, and both are, byte
for byte, what the tag of that version gives when it is built again. Exit status: 0 sent; 1 refused or failed; 2 wrong
arguments.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import html
import ipaddress
import netrc
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import httpx
from environments import StepError, distributions, step
from project import ROOT, RefusalError
from versions import checked_out, git, version_of

DIST = ROOT / "dist"
PROJECT = "dify-workflow-sdk"
VARIABLES = (("DIFY_SDK_INDEX_USERNAME", "DIFY_SDK_INDEX_PASSWORD"), ("TWINE_USERNAME", "TWINE_PASSWORD"))


class Credentials(NamedTuple):
    """A user and a password."""

    user: str
    password: str

    def hidden_in(self, text: str) -> str:
        """The text without them, should an index repeat what it was sent."""
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        for secret in (pair, self.password, self.user):
            text = text.replace(secret, "[hidden]")
        return text


def main(argv: list[str] | None = None) -> int:
    """Publish; the exit status."""
    parser = argparse.ArgumentParser(prog="publish.py", description="Send the release in dist/ to a private index.")
    parser.add_argument("index", metavar="INDEX", help="the address for uploads, such as https://pypi.example.com/")
    try:
        index = address(parser.parse_args(argv).index)
        credentials = found_credentials(urlsplit(index).hostname or "")
        files = missing(proven(), index, credentials)
        print(f"sending {', '.join(path.name for path in files)} to {index}", flush=True)
        print(upload(files, index, credentials))
    except (RefusalError, StepError, OSError) as error:
        print(f"publish.py: {error}", file=sys.stderr)
        return 1
    return 0


def address(text: str) -> str:
    """The address of an index, when credentials can be sent there.

    Raises:
        RefusalError: It has credentials in it, is not an address, or would send credentials in the clear.
    """
    if "@" in text:
        raise RefusalError(
            "an address with a user or a password in it is refused, as command lines can be read by others: set "
            f"{VARIABLES[0][0]} and {VARIABLES[0][1]}, or use ~/.netrc"
        )
    # One form alone, so that it is not read as one host here and as another where the request is made.
    form = r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~%/+-]*)?"
    if not re.fullmatch(form, text, re.ASCII):
        raise RefusalError("the index must be an address such as https://pypi.example.com/, without query and fragment")
    parts = urlsplit(text)
    if parts.scheme == "http" and not is_local(text):
        raise RefusalError(f"http would send the password to {parts.hostname} in the clear: use https")
    return text


def is_local(index: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(index).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def found_credentials(host: str) -> Credentials:
    """The credentials for a host; they are taken out of the environment, so that no build has them.

    Raises:
        RefusalError: There are none, or not all of them.
    """
    pairs = [(names, Credentials(*(os.environ.pop(name, "") for name in names))) for names in VARIABLES]
    for names, found in pairs:
        if all(found):
            return found
        if any(found):
            raise RefusalError(f"{names[0]} and {names[1]} must both be set, and {names[found.password == '']} is not")
    file = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        entry = netrc.netrc(file).authenticators(host) if file.is_file() else None
    except netrc.NetrcParseError as error:  # its text may be a password
        raise RefusalError(f"{file} is not a netrc file, as far as line {error.lineno}") from None
    if entry and entry[0] and entry[2]:
        return Credentials(entry[0], entry[2])
    raise RefusalError(f"no credentials for {host}: set {' and '.join(VARIABLES[0])}, or add the host to ~/.netrc")


def proven() -> list[Path]:
    """The files in dist/, the wheel first, once they are proven to be those of the current version's tag.

    Raises:
        RefusalError: They are not.
        StepError: The tag cannot be checked out or built.
    """
    version = version_of(ROOT)
    tag = f"v{version}"
    if not git(ROOT, "tag", "--list", tag):
        raise RefusalError(f"there is no tag {tag}: `make release` makes the files and the tag of a version")
    expected = [f"dify_workflow_sdk-{version}-py3-none-any.whl", f"dify_workflow_sdk-{version}.tar.gz"]
    present = {path.name: path.read_bytes() for path in DIST.glob("*")}
    if wrong := sorted({*expected} ^ present.keys()):
        raise RefusalError(f"dist/ must hold {' and '.join(expected)} and nothing else; wrong: {', '.join(wrong)}")
    with (
        tempfile.TemporaryDirectory(prefix="publish-") as folder,
        checked_out(ROOT, tag, Path(folder) / "tree") as tree,
    ):
        made = distributions(tree, Path(folder) / "dist")
    if differing := sorted(name for name in made if made[name] != present[name]):
        raise RefusalError(f"not built from {tag}, or with other tools than it pins: {', '.join(differing)} in dist/")
    return [DIST / name for name in expected]


def missing(files: list[Path], index: str, credentials: Credentials) -> list[Path]:
    """The files that the index does not list yet: some indexes (devpi) would replace them.

    Raises:
        RefusalError: It lists them all, or one with another content.
    """
    found = listed(index, credentials)
    for path in files:
        if found.get(path.name, "") not in {"", hashlib.sha256(path.read_bytes()).hexdigest()}:
            raise RefusalError(f"{path.name} is on the index with another content: release a new version")
    if not (rest := [path for path in files if path.name not in found]):
        raise RefusalError("this version is on the index already, and is never replaced: release a new one")
    return rest


def listed(index: str, credentials: Credentials) -> dict[str, str]:
    """The files of the project that an index lists, each with its SHA-256, or nothing where the index does not say.

    The list is below `simple` or `+simple` (devpi) of the address, or of the one above it where the address only takes
    uploads. An index without such a list decides itself.
    """
    found: dict[str, str] = {}
    inner = index.rstrip("/")
    outer = re.sub(r"/(legacy|\+upload)$", "", inner)
    secret = (credentials.user.encode(), credentials.password.encode())
    with httpx.Client(auth=secret, timeout=30, trust_env=not is_local(index)) as http:
        for base in dict.fromkeys((f"{inner}/+simple", f"{outer}/+simple", f"{inner}/simple", f"{outer}/simple")):
            try:
                response = http.get(f"{base}/{PROJECT}/", headers={"Accept": "text/html"})
            except httpx.HTTPError:
                continue  # the upload reports what is wrong
            page = response.text if response.status_code == httpx.codes.OK else ""
            for link in re.findall(r"""(?i)<a\s[^>]*?href\s*=\s*["']([^"']+)["']""", page):
                parts = urlsplit(html.unescape(link))
                digest = re.search(r"(?:^|&)sha256=([0-9a-fA-F]{64})(?:&|$)", parts.fragment)
                name = unquote(parts.path.rpartition("/")[2])
                found[name] = found.get(name) or (digest[1].lower() if digest else "")
    return found


def upload(files: list[Path], index: str, credentials: Credentials) -> str:
    """Upload files with twine; what it printed.

    Raises:
        RefusalError: A file was not taken.
    """
    # requests encodes credentials as Latin-1; this way it sends their UTF-8 bytes.
    user, password = (text.encode().decode("latin-1") for text in credentials)
    variables = {"TWINE_USERNAME": user, "TWINE_PASSWORD": password, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    if is_local(index):  # a proxy would be given the password
        variables |= {"NO_PROXY": "*", "no_proxy": "*"}
    options = ["--non-interactive", "--disable-progress-bar", "--verbose", "--config-file", os.devnull]
    command = [sys.executable, "-m", "twine", "upload", *options, "--repository-url", index, *map(str, files)]
    try:
        return credentials.hidden_in(step(command, variables=variables)).strip()
    except StepError as error:
        raise RefusalError(credentials.hidden_in(str(error)).strip()) from None


if __name__ == "__main__":
    sys.exit(main())
