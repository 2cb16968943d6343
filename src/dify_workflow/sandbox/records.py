"""The rows that the sandbox stores: apps, logs, runs, who started them, and uploaded files.

All times are epoch seconds. `new_log` makes one log from the few things that a test cares about.
"""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

__all__ = [
    "DEFAULT_APPS",
    "FINISHED_STATUSES",
    "PUBLISHED_AT",
    "WORKSPACE_ID",
    "AccountRow",
    "AppRow",
    "AppState",
    "EndUserRow",
    "FileRow",
    "LogRow",
    "RunRow",
    "json_text",
    "new_log",
]

AppState = Literal["open", "disabled", "archived", "ownerless"]
"""Whether an app's key opens it: `open` does; `disabled` (its API is switched off) and `archived` (its workspace is)
are refused with 403, `ownerless` (its workspace has no owner) with 401."""

FINISHED_STATUSES: Final = frozenset({"succeeded", "failed", "stopped", "partial-succeeded"})
"""The statuses of a run that has come to an end, and so has `finished_at`."""

PUBLISHED_AT: Final = "2026-01-15 09:30:00.000000"
"""When the apps' workflows were published: the version of their runs."""

_NAMES: Final = uuid.UUID("5f1d2b0e-6c0a-4c55-9d0c-6d2f6f0b8a11")
"""Namespace of the ids that follow from a name, so that one name is one row however often it is added."""


WORKSPACE_ID: Final = str(uuid.uuid5(_NAMES, "workspace"))
"""The UUID of the workspace, which the API calls tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRow:
    """An app of the workspace, with its API key.

    Attributes:
        name: What the sandbox calls it; its handle in `Sandbox.keys` and `Sandbox.add_logs`.
        mode: `workflow`, `chat`, `advanced-chat`, `agent-chat` or `completion`.
        state: Whether its key opens it.
        published: Whether it has a workflow that can be run.
        max_active_requests: How many of its runs may be under way at once; 0 for any number.
        description: What `GET /info` says of it.
    """

    name: str
    api_key: str = field(repr=False)
    mode: str = "workflow"
    state: AppState = "open"
    published: bool = True
    max_active_requests: int = 0
    description: str = ""

    @property
    def id(self) -> str:
        """The app's UUID."""
        return str(uuid.uuid5(_NAMES, f"app:{self.name}"))

    @property
    def workflow_id(self) -> str:
        """The UUID of the app's published workflow."""
        return str(uuid.uuid5(_NAMES, f"workflow:{self.name}"))

    @property
    def draft_workflow_id(self) -> str:
        """The UUID of the draft that is edited; it cannot be run by its id."""
        return str(uuid.uuid5(_NAMES, f"draft:{self.name}"))


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A member of the workspace, who started a run from within Dify."""

    id: str
    name: str
    email: str

    @classmethod
    def of(cls, email: str, name: str = "") -> "AccountRow":
        """Make the account of this e-mail address."""
        return cls(str(uuid.uuid5(_NAMES, f"account:{email}")), name or email.partition("@")[0], email)


@dataclass(frozen=True, slots=True)
class EndUserRow:
    """Somebody outside the workspace, for whom a run was started.

    Attributes:
        type: `service-api`, `browser`, `mcp`, `trigger`, or any other text.
        session_id: The `user` given at run.
    """

    id: str
    type: str
    session_id: str

    @classmethod
    def of(
        cls,
        session_id: str,
        type: str = "service-api",  # noqa: A002 - the API's own word
        app: str = "main",
    ) -> "EndUserRow":
        """Make the end user of this session of an app."""
        place = "" if app == "main" else f"{app}:"
        return cls(str(uuid.uuid5(_NAMES, f"end_user:{place}{type}:{session_id}")), type, session_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run of a workflow.

    Attributes:
        version: The workflow's publish time as text.
        inputs: JSON text, ASCII-escaped: what `keyword` searches, keys and `sys.*` values included.
        outputs: JSON text like `inputs`, or None for a run that gave none.
        elapsed_time: Seconds.
        workflow_id: The workflow that ran; None for the one that the app has published.
    """

    id: str
    version: str
    status: str
    created_at: int
    finished_at: int | None
    triggered_from: str = "app-run"
    inputs: str = "{}"
    outputs: str | None = None
    error: str | None = None
    elapsed_time: float = 0.0
    total_tokens: int = 0
    total_steps: int | None = 0
    exceptions_count: int | None = 0
    workflow_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One line of the run log.

    Attributes:
        run: The run, or None when its row is gone.
        created_from: `service-api`, `web-app` or `installed-app`.
        created_by_role: `end_user` or `account`.
        creator: Who started the run, or None when that row is gone.
    """

    id: str
    created_at: int
    run: RunRow | None
    created_from: str
    created_by_role: str
    creator: AccountRow | EndUserRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A file that was uploaded.

    Attributes:
        size: Bytes.
        extension: Without a dot, in small letters; empty when the name has none.
        created_by: Id of the end user.
        sha256: Hash of the content, in hexadecimal digits: shows whether it arrived whole.
    """

    id: str
    name: str
    size: int
    extension: str
    mime_type: str
    created_by: str
    created_at: int
    sha256: str


DEFAULT_APPS: Final = (
    AppRow(name="main", api_key="app-sandbox-main"),
    AppRow(name="empty", api_key="app-sandbox-empty"),
    AppRow(name="unpublished", api_key="app-sandbox-unpublished", published=False),
    AppRow(name="chat", api_key="app-sandbox-chat", mode="chat"),
    AppRow(name="advanced-chat", api_key="app-sandbox-advanced-chat", mode="advanced-chat"),
    AppRow(name="agent-chat", api_key="app-sandbox-agent-chat", mode="agent-chat"),
    AppRow(name="completion", api_key="app-sandbox-completion", mode="completion"),
    AppRow(name="disabled", api_key="app-sandbox-disabled", state="disabled"),
    AppRow(name="archived", api_key="app-sandbox-archived", state="archived"),
    AppRow(name="ownerless", api_key="app-sandbox-ownerless", state="ownerless"),
)
"""The apps of a new sandbox. The generated logs belong to `main`."""


def json_text(value: object) -> str:
    """Give JSON text as the server stores it: everything beyond ASCII is escaped."""
    return json.dumps(value)


def new_log(
    *,
    created_at: int | datetime | None = None,
    status: str = "succeeded",
    session_id: str = "user-1",
    account: str | None = None,
    error: str | None = None,
    inputs: Mapping[str, object] | None = None,
    outputs: Mapping[str, object] | None = None,
    created_from: str | None = None,
    elapsed_time: float = 1.5,
    total_tokens: int = 120,
    total_steps: int | None = 3,
    id: str | None = None,  # noqa: A002 - the API's own word
    run_id: str | None = None,
) -> LogRow:
    """Make a log and its run. For anything odder, `dataclasses.replace` the result.

    Args:
        created_at: Epoch seconds or an aware datetime; the present second unless given.
        status: Status of the run, known or not.
        session_id: Session of the end user for whom the run was started.
        account: E-mail of the member who started it; given, there is no end user.
        error: Error text of the run.
        inputs: Inputs of the run; the server's own `sys.*` values are added.
        outputs: Outputs of the run.
        created_from: `service-api` for end users and `installed-app` for members, unless given.
        elapsed_time: Seconds that the run took.
        total_tokens: Tokens that it used.
        total_steps: Nodes that it ran.
        id: UUID of the log; a new one unless given.
        run_id: UUID of the run; a new one unless given.

    Raises:
        ValueError: If `created_at` is a datetime without an offset.
    """
    creator = EndUserRow.of(session_id) if account is None else AccountRow.of(account)
    user = session_id if isinstance(creator, EndUserRow) else creator.id
    second = _second(created_at)
    run = RunRow(
        id=run_id or str(uuid.uuid4()),
        version=PUBLISHED_AT,
        status=status,
        created_at=second,
        finished_at=second + int(elapsed_time) if status in FINISHED_STATUSES else None,
        inputs=json_text({**(inputs or {"query": "hello"}), "sys.files": [], "sys.user_id": user}),
        outputs=None if outputs is None else json_text(outputs),
        error=error,
        elapsed_time=elapsed_time if status in FINISHED_STATUSES else 0.0,
        total_tokens=total_tokens,
        total_steps=total_steps,
        exceptions_count=0 if error is None else 1,
    )
    return LogRow(
        id=id or str(uuid.uuid4()),
        created_at=second,
        run=run,
        created_from=created_from or ("service-api" if account is None else "installed-app"),
        created_by_role="end_user" if account is None else "account",
        creator=creator,
    )


def _second(moment: int | datetime | None) -> int:
    if moment is None:
        return int(time.time())
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError("created_at must be an aware datetime or epoch seconds")
        return int(moment.timestamp())
    return moment
