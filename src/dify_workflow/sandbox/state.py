"""What the operations work with."""

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from .auth import authorize
from .database import Database
from .engine import Engine
from .faults import Traps
from .input_form import Files
from .records import AppRow, EndUserRow, FileRow
from .uploads import UploadStore, signed_url
from .versions import ServerVersion
from .workflow import input_form, workflow_of_inputs
from .workflow_steps import Workflow

__all__ = ["Behavior", "SandboxState"]


@dataclass(frozen=True, slots=True)
class Behavior:
    """What an app does when it is run.

    Attributes:
        form: Items of `user_input_form`; None takes all inputs as they come.
    """

    workflow: Workflow
    form: Sequence[Mapping[str, Any]] | None


@dataclass(slots=True, kw_only=True)
class SandboxState:
    """All that one running sandbox has.

    Attributes:
        server: The server version whose behavior it shows.
        behaviors: What apps do, by their names, if they do not do as their inputs say.
        uploads: The contents of uploaded files.
        stopping: Set once the sandbox stops; nothing is held back any longer then.
    """

    database: Database
    engine: Engine
    traps: Traps
    server: ServerVersion
    behaviors: dict[str, Behavior]
    uploads: UploadStore = field(default_factory=UploadStore)
    stopping: threading.Event = field(default_factory=threading.Event)

    def close(self) -> None:
        """Forget everything that is stored."""
        self.uploads.close()
        self.database.close()

    def app_of(self, request: Request) -> AppRow:
        """Give the app that the request's key opens.

        Raises:
            ApiError: 401 or 403.
        """
        return authorize(request.headers.get("authorization"), self.database.find_app)

    def behavior_of(self, app: AppRow) -> Behavior:
        """Give what an app does."""
        return self.behaviors.get(app.name) or Behavior(workflow_of_inputs, input_form(pauses=self.server.has_forms))

    def end_user(self, app: AppRow, user: str) -> EndUserRow:
        """Give the end user of this name; the server notes each whom a request names, whatever comes of it."""
        end_user = EndUserRow.of(user, app=app.name)
        self.database.add_end_user(app, end_user)
        return end_user

    def files_of(self, app: AppRow, request: Request) -> Files:
        """Give the uploaded files that a request with this app's key can name."""

        def find(file_id: str) -> FileRow | None:
            return self.database.find_file(app, file_id)

        return Files(find, lambda file: signed_url(self, request, file), self.server.file_keys)

    async def hold_back(self, seconds: float) -> None:
        """Let time pass, unless the sandbox stops."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.stopping.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(min(left, 0.1))
