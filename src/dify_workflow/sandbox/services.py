"""What the operations work with."""

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.requests import Request

from .access import authorize
from .database import Database
from .engine import Engine
from .rows import AppRow, EndUserRow
from .steps import Workflow
from .traps import Traps
from .workflow import input_form, obedient_workflow

__all__ = ["Behavior", "Services", "Version"]

Version = Literal["1.11.2", "1.14"]
"""A server whose behaviour the sandbox can show."""


@dataclass(frozen=True, slots=True)
class Behavior:
    """What an app does when it is run.

    Attributes:
        form: Items of `user_input_form`; None takes all inputs as they come.
    """

    workflow: Workflow
    form: Sequence[Mapping[str, Any]] | None


@dataclass(slots=True, kw_only=True)
class Services:
    """All that one running sandbox has.

    Attributes:
        behaviors: What apps do, by their names, if they do not do as their inputs say.
        stopping: Set once the sandbox stops; nothing is held back any longer then.
    """

    database: Database
    engine: Engine
    traps: Traps
    version: Version
    behaviors: dict[str, Behavior]
    stopping: threading.Event = field(default_factory=threading.Event)

    def app_of(self, request: Request) -> AppRow:
        """Give the app that the request's key opens.

        Raises:
            ApiError: 401 or 403.
        """
        return authorize(request.headers.get("authorization"), self.database.find_app)

    def behavior_of(self, app: AppRow) -> Behavior:
        """Give what an app does."""
        pauses = self.version != "1.11.2"
        return self.behaviors.get(app.name) or Behavior(obedient_workflow, input_form(pauses=pauses))

    def end_user(self, user: str) -> EndUserRow:
        """Give the end user of this name; the server notes each whom a request names, whatever comes of it."""
        end_user = EndUserRow.of(user)
        self.database.add_end_user(end_user)
        return end_user

    async def hold_back(self, seconds: float) -> None:
        """Let time pass, unless the sandbox stops."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.stopping.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(min(left, 0.1))
