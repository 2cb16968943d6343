"""Profiles: the address and the key of apps, in `config.toml`.

[profiles.prod]
base_url = "https://dify.example.com/v1"
api_key_command = "pass show dify/prod"     # or: api_key = "app-..."
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from . import DifyWorkflow

KEYS: Final = ("base_url", "api_key", "api_key_command")
NAME: Final = r"[A-Za-z0-9_-]+"
"""What a profile may be called: a comma separates names, and TOML takes these without quotes."""
DEFAULT_BASE_URL: Final = "https://api.dify.ai/v1"


class ProfileError(ValueError):
    """A profile, or the file of the profiles, cannot be used."""


class Profile(NamedTuple):
    """One app on one server.

    Attributes:
        name: the profile's name.
        base_url: address of the API; None is Dify's cloud.
        api_key: the key; None where a command gives it.
        api_key_command: the shell command that prints the key.
    """

    name: str
    base_url: str | None = None
    api_key: str | None = None
    api_key_command: str | None = None

    def key(self) -> str:
        """The API key.

        Raises:
            ProfileError: there is none.
        """
        if self.api_key_command is not None:
            key = _printed_by(self.name, self.api_key_command)
        else:
            key = (self.api_key or "").strip()
        if not key:
            raise ProfileError(f"profile {self.name!r} has no API key: store one by 'config set {self.name}'")
        return key

    def address(self) -> str:
        """The address of the API; the environment's has no say, as the key is not its."""
        return self.base_url or DEFAULT_BASE_URL

    def client(self) -> DifyWorkflow:
        """A client of the app.

        Raises:
            ProfileError: there is no key.
            ConfigurationError: the key or the address cannot be used.
        """
        from . import DifyWorkflow  # noqa: PLC0415 - loaded when needed

        return DifyWorkflow(api_key=self.key(), base_url=self.address())

    def __repr__(self) -> str:
        return f"Profile({self.name!r})"  # a traceback must not show the key


def path() -> Path:
    """Where the configuration is: in the user's folder for configuration."""
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    if Path(folder).is_absolute():
        return Path(folder) / "dify-workflow" / "config.toml"
    folder = "~/Library/Application Support" if sys.platform == "darwin" else "~/.config"
    return Path(folder).expanduser() / "dify-workflow" / "config.toml"


def read() -> dict[str, Profile]:
    """The profiles by name; none where there is no file.

    Raises:
        ProfileError: the file is not one of profiles, or others can read it.
    """
    return profiles_in(text_of_file())


def named(name: str, known: Mapping[str, Profile]) -> Profile:
    """The profile of a name.

    Raises:
        ProfileError: there is none.
    """
    if name in known:
        return known[name]
    have = f"there are {', '.join(known)}" if known else "there is none"
    raise ProfileError(f"there is no profile {name!r} in {path()}: {have}; 'config set {name}' stores it")


def text_of_file() -> str:
    """The text of the configuration; empty where there is no file.

    Raises:
        ProfileError: other users can read it.
    """
    place = path()
    try:
        with place.open(encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise ProfileError(f"{place} has API keys and can be read by other users: chmod 600 '{place}'")
            return file.read()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise ProfileError(f"{place} is not valid UTF-8: {error.reason}") from None


def profiles_in(text: str) -> dict[str, Profile]:
    """The profiles in the text of a configuration.

    Raises:
        ProfileError: it is not a configuration of profiles.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{path()} is not valid TOML: {error}") from None
    tables: object = document.pop("profiles", {})
    if document or not isinstance(tables, dict):
        raise ProfileError(f"{path()} must have tables [profiles.NAME] and nothing else")
    return {name: _profile(name, table) for name, table in cast("dict[str, object]", tables).items()}


def _profile(name: str, table: object) -> Profile:
    if not re.fullmatch(NAME, name):
        raise ProfileError(f"{path()}: a profile's name has letters, digits, '-' and '_' only; got {name!r}")
    values: dict[str, Any] = dict(cast("dict[str, object]", table)) if isinstance(table, dict) else {"": table}
    if wrong := [key for key, value in values.items() if key not in KEYS or not isinstance(value, str)]:
        raise ProfileError(f"{path()}: profile {name!r} can have {', '.join(KEYS)}, each a string; got {wrong[0]!r}")
    if "api_key" in values and "api_key_command" in values:
        raise ProfileError(f"{path()}: profile {name!r} has both api_key and api_key_command: remove one")
    return Profile(name, **values)


def _printed_by(name: str, command: str) -> str:
    done = subprocess.run(  # noqa: S603 - as below
        ["sh", "-c", command],  # noqa: S607 - the user's own command, in the user's shell
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise ProfileError(f"api_key_command of profile {name!r} failed: exit status {done.returncode}")
    try:
        lines = done.stdout.decode("utf-8").strip().splitlines()
    except UnicodeDecodeError:
        raise ProfileError(f"api_key_command of profile {name!r} printed no text") from None
    return lines[0].strip() if lines else ""


def store(name: str, values: Mapping[str, str | None]) -> None:
    """Write values of a profile to the file, readable by its owner only; None removes one. The rest stays as it is.

    Raises:
        ProfileError: the file is written in a way in which it cannot be changed here.
    """
    before = text_of_file()
    text = _changed(before, name, values)
    expected = profiles_in(before)
    stored = expected.get(name, Profile(name))
    expected[name] = Profile(name, *(values.get(key, getattr(stored, key)) for key in KEYS))
    if profiles_in(text) != expected:
        raise ProfileError(
            f"{path()} cannot be changed here, as profile {name!r} is not a table of single lines: edit it"
        )
    place = path().resolve()
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - of a descriptor
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)


def _changed(text: str, name: str, values: Mapping[str, str | None]) -> str:
    lines = text.removesuffix("\n").split("\n") if text else []  # the line ends of TOML: strings may have others
    header = re.compile(rf"\s*\[\s*profiles\s*\.\s*(?:{name}|\"{name}\"|'{name}')\s*\]\s*(?:#.*)?")
    start = next((number for number, line in enumerate(lines) if header.fullmatch(line)), None)
    if start is None:
        lines += ["", f"[profiles.{name}]"] if lines else [f"[profiles.{name}]"]
        start = len(lines) - 1
    end = next((n for n in range(start + 1, len(lines)) if lines[n].lstrip().startswith("[")), len(lines))
    kept = [line for line in lines[start + 1 : end] if not re.match(rf"\s*(?:{'|'.join(values)})\s*=", line)]
    new = [f"{key} = {_toml(value)}" for key, value in values.items() if value is not None]
    return "\n".join([*lines[: start + 1], *new, *kept, *lines[end:], ""])


def _toml(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\u{ord(match[0]):04x}", escaped) + '"'
