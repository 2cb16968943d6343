"""Clients for a command: of the environment's app, or of the apps of profiles."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .. import _profiles as profiles
from .errors import SettingsError, hide

if TYPE_CHECKING:
    from collections.abc import Generator

    from dify_workflow import DifyWorkflow

SANDBOX = "sandbox"
"""The profile that serves a sandbox of its own while the command runs, unless the configuration has one so named."""


class App(NamedTuple):
    """A client, and the name of its profile where the command reads several."""

    name: str | None
    client: DifyWorkflow

    @contextmanager
    def named_in_errors(self) -> Generator[None]:
        """Have errors say which profile they concern, where several are read."""
        try:
            yield
        except Exception as error:
            if self.name is not None:
                error.add_note(f"profile {self.name}")
            raise


class Connection:
    """The apps that a command reads or runs.

    Args:
        profile: names of profiles, separated by commas; None is the environment's app.
        all_profiles: whether every profile of the configuration is meant.
        timeout: seconds for one attempt of a request; None is the client's default.
        several: whether the command can read several apps.

    Attributes:
        several: whether several apps are read, so that the output says which.
    """

    def __init__(self, profile: str | None, *, all_profiles: bool, timeout: float | None, several: bool) -> None:
        names = [] if profile is None else [name.strip() for name in profile.split(",")]
        if all_profiles and names:
            raise click.UsageError("--all-profiles and --profile exclude each other")
        if wrong := [name for name in names if not re.fullmatch(profiles.NAME, name)]:
            raise click.UsageError(f"--profile takes names of profiles, separated by commas; got {wrong[0]!r}")
        if len(names) > len(set(names)):
            raise click.UsageError("--profile has a name twice")
        if len(names) > 1 and not several:
            raise click.UsageError("this command takes one profile")
        self.several = all_profiles or len(names) > 1
        self._names = names
        self._all = all_profiles
        self._timeout = timeout

    @contextmanager
    def apps(self) -> Generator[list[App]]:
        """The apps, in the order in which they were named; their connections are closed at the end.

        Raises:
            ProfileError: there is no such profile, or it has no key.
            ConfigurationError: there is no key in the environment, or it or an address cannot be used.
        """
        with ExitStack() as stack:
            options: list[tuple[str, dict[str, Any]]] = [("", {})]  # all from the environment
            if self._all or self._names:
                known = profiles.read()
                names = list(known) if self._all else self._names
                if not names:
                    raise SettingsError("there is no profile: store one by 'dify-workflow config set NAME'")
                options = [(name, self._options(name, known, stack)) for name in names]
            from dify_workflow import DifyWorkflow

            yield [
                App(
                    name if self.several else None,
                    stack.enter_context(DifyWorkflow(**given, timeout=self._timeout)),
                )
                for name, given in options
            ]

    @contextmanager
    def client(self) -> Generator[DifyWorkflow]:
        """The client of the one app."""
        with self.apps() as [app]:
            yield app.client

    def _options(self, name: str, known: dict[str, profiles.Profile], stack: ExitStack) -> dict[str, Any]:
        if name == SANDBOX and name not in known:
            return _sandbox(stack)
        found = profiles.named(name, known)
        key = found.key()
        hide(key)
        return {"api_key": key, "base_url": found.address()}


def _sandbox(stack: ExitStack) -> dict[str, Any]:
    try:
        from dify_workflow.testing import Sandbox
    except ImportError as error:
        raise SettingsError(str(error)) from None
    sandbox = stack.enter_context(Sandbox())
    hide(sandbox.api_key)
    return {"api_key": sandbox.api_key, "base_url": sandbox.base_url}
