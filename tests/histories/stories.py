"""Histories of the API: what a vendor may do to a document, and what an update has to make of it.

Each is written as edits of what is stored: of the seed page, or of the project's own document. A story is one update
or several in a row, each on what the one before left; in between, a person may do what the report asked for.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

DOCUMENTS = Path(__file__).parent.parent / "documents"
SEED_NAME = "get-workflows-logs.zh.md"
OWN_NAME = "ours-from-server-1.11.2-and-docs-2026-07.yaml"
NAMES = "spec/overlays/10-names.yaml"
CORRECTIONS = "spec/overlays/20-corrections-1.11.2.yaml"
ENGLISH = "spec/overlays/30-english.yaml"


class Edit(NamedTuple):
    """A piece of text, and what takes its place; it must be there as often as is said."""

    old: str
    new: str
    times: int = 1

    def made(self, text: str) -> str:
        """The text with the edit."""
        assert text.count(self.old) == self.times, (self.old, text.count(self.old))
        return text.replace(self.old, self.new)


class Update(NamedTuple):
    """One update.

    Attributes:
        edits: What the vendor did to the document that is stored.
        document: The document that is edited, by its stored name.
        name: The name of the file that the vendor gives.
        ready: Whether the update is made.
        verdict: What becomes of the API.
        step: The version step.
        changes: Some of what the report must list, as severity and place.
        vendor: What the verdict on the vendor's own document is, where it is another.
        said: What standard error says, among others; what the report says of overlays.
        overlays: What the report says of overlay actions: file and finding of each.
        before: What a person does to the project before: edits by file.
    """

    edits: tuple[Edit, ...] = ()
    document: str = SEED_NAME
    name: str = "newer.md"
    ready: bool = True
    verdict: str = "none"
    step: str = "none"
    changes: tuple[tuple[str, str], ...] = ()
    vendor: str = ""
    said: tuple[str, ...] = ()
    overlays: tuple[tuple[str, str], ...] = ()
    before: tuple[tuple[str, Edit], ...] = ()


def parameter(name: str, text: str, more: str = "") -> Edit:
    """Puts a parameter before `page` into the seed page."""
    return Edit(
        "        page:\n          schema:\n",
        f"        {name}:\n          schema:\n            - type: string\n{more}              description: {text}\n"
        "        page:\n          schema:\n",
    )


def action(target: str, reason: str, update: Any = None) -> str:
    """An overlay action; without an update it removes."""
    does = "remove: true" if update is None else f"update: {json.dumps(update)}"
    return f"  - target: {target}\n    description: {reason}\n    {does}\n"


def added(*actions: str) -> Edit:
    """Puts actions at the head of an overlay."""
    return Edit("\nactions:\n", "\nactions:\n" + "".join(actions))


# A second operation, as a page of its own behind the seed's.
LOG = {
    "openapi": "3.0.1",
    "info": {"title": "T", "version": "1"},
    "security": [{"ApiKeyAuth": []}],
    "components": {"securitySchemes": {"ApiKeyAuth": {"type": "http", "scheme": "bearer"}}},
    "paths": {
        "/workflows/logs/{log_id}": {
            "get": {
                "summary": "One log",
                "description": "Returns one log.",
                "parameters": [{"name": "log_id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {
                    "200": {
                        "description": "The log.",
                        "content": {
                            "application/json": {
                                "schema": {"type": "object", "properties": {"note": {"type": "string"}}}
                            }
                        },
                    }
                },
            }
        }
    },
}
SECOND_PAGE = f"# One log\n\n```yaml x.json get /workflows/logs/{{log_id}}\n{json.dumps(LOG)}\n```\n"
LOG_PATH = "$.paths['/workflows/logs/{log_id}'].get"
LOG_NAMED = (
    (NAMES, added(action(LOG_PATH, "Names it.", {"operationId": "get_workflow_log", "tags": ["logs"]}))),
    (
        ENGLISH,
        added(
            action(f"{LOG_PATH}.parameters[0].schema", "Describes it.", {"description": "The log's id."}),
            action(
                f"{LOG_PATH}.responses['200'].content['application/json'].schema.properties.note",
                "Describes it.",
                {"description": "A note."},
            ),
        ),
    ),
)

KEYWORD = "              description: （可选）关键字。\n"
ID = "          type: string\n          format: uuid\n"
CREATED_FROM = "        created_from:\n          type: "
STATUSES = "        - partial-succeeded\n        - paused\n    ErrorResponse:\n"
PRICE = "        price:\n          type: number\n          description: What the run cost.\n"
SEED_END = (DOCUMENTS / SEED_NAME).read_text("utf-8")[-40:]

STORIES: dict[str, tuple[Update, ...]] = {
    "the seed as it was": (Update(name=SEED_NAME),),
    "a field added, then removed again": (
        Update(
            (Edit("    EndUserSummaryCn:\n", f"{PRICE}    EndUserSummaryCn:\n"),),
            verdict="additive",
            step="minor",
            changes=(("additive", "GET /workflows/logs 200 data[].workflow_run.price"),),
        ),
        Update(
            (Edit(PRICE, ""),),
            verdict="breaking",
            step="major",
            changes=(("breaking", "GET /workflows/logs 200 data[].workflow_run.price"),),
        ),
    ),
    "a parameter added": (
        Update(
            (parameter("app_version", "Only logs of this version."),),
            ready=False,
            verdict="additive",
            step="minor",
            changes=(("additive", "GET /workflows/logs query app_version"),),
            said=("client.logs.list has no keyword for `app_version`", "spec/upstream/get-workflows-logs.zh.md:"),
        ),
    ),
    "a parameter renamed": (
        Update(
            (Edit("        keyword:\n", "        query:\n"),),
            ready=False,
            verdict="breaking",
            step="major",
            changes=(
                ("breaking", "GET /workflows/logs query keyword"),
                ("additive", "GET /workflows/logs query query"),
            ),
            said=("30-english.yaml:", "[?@.name == 'keyword'].schema", "matches nothing"),
            overlays=(("30-english.yaml", "matches nothing"),),
        ),
    ),
    "a parameter made required": (
        Update(
            (
                Edit(
                    "              description: （可选）关键字。\n",
                    "              required: true\n              description: 关键字。\n",
                ),
            ),
            ready=False,
            verdict="breaking",
            step="major",
            changes=(("breaking", "GET /workflows/logs query keyword"),),
            said=("client.logs.list takes `keyword` (query) of GET /workflows/logs as", "`keyword: str`"),
        ),
    ),
    "a status value added to the page, which our overlays have open": (
        Update(
            (Edit("                - running\n", "                - running\n                - queued\n"),),
            vendor="additive",
        ),
    ),
    "a status value removed from the page, which our overlays have open": (
        Update((Edit("                - running\n", ""),), vendor="breaking"),
    ),
    "a status value added": (
        Update(
            (Edit(STATUSES, STATUSES.replace("paused\n", "paused\n        - queued\n")),),
            OWN_NAME,
            "newer.yaml",
            verdict="additive",
            step="minor",
            changes=(
                ("additive", "GET /workflows/logs query status"),
                ("additive", "GET /workflows/logs 200 data[].workflow_run.status"),
            ),
        ),
        Update(
            (Edit("        - paused\n        - queued\n", "        - paused\n"),),
            OWN_NAME,
            OWN_NAME,
            verdict="breaking",
            step="major",
            changes=(
                ("breaking", "GET /workflows/logs query status"),
                ("additive", "GET /workflows/logs 200 data[].workflow_run.status"),
            ),
        ),
    ),
    "a field retyped from string to object": (
        Update(
            (
                Edit(
                    "        created_from:\n          type: string\n", "        created_from:\n          type: object\n"
                ),
            ),
            verdict="breaking",
            step="major",
            ready=False,
            changes=(("breaking", "GET /workflows/logs 200 data[].created_from"),),
            said=("created_from: 'web-app' is not of type 'object'", "Look at spec/overlays/30-english.yaml:"),
        ),
    ),
    "an operation added": (
        Update(
            (Edit(SEED_END, SEED_END + "\n\n" + SECOND_PAGE),),
            ready=False,
            verdict="additive",
            step="minor",
            changes=(("additive", "GET /workflows/logs/{log_id}"),),
            said=("the operationId is None", "10-names.yaml", "30-english.yaml"),
        ),
        Update(
            (Edit(SEED_END, SEED_END + "\n\n" + SECOND_PAGE),),
            ready=False,
            verdict="additive",
            step="minor",
            changes=(("additive", "GET /workflows/logs/{log_id}"),),
            said=("no method of client.logs calls it", "Add a method to AsyncLogs"),
            before=LOG_NAMED,
        ),
    ),
    "an operation removed": (
        Update(
            (Edit("  /site:\n", "  /page:\n"),),
            OWN_NAME,
            "newer.yaml",
            ready=False,
            verdict="breaking",
            step="major",
            changes=(("breaking", "GET /site"), ("additive", "GET /page")),
            said=("GET /site is not in the spec, and AsyncApp.site",),
        ),
    ),
    "a path parameter renamed": (
        Update(
            (
                Edit("  /workflows/tasks/{task_id}/stop:\n", "  /workflows/tasks/{task}/stop:\n"),
                Edit("        - name: task_id\n", "        - name: task\n"),
            ),
            OWN_NAME,
            "newer.yaml",
            ready=False,
            step="patch",
            changes=(("wording", "POST /workflows/tasks/{task}/stop path task"),),
            said=("x-our-path: '/workflows/tasks/{task_id}/stop'",),
        ),
        Update(
            (
                Edit("  /workflows/tasks/{task_id}/stop:\n", "  /workflows/tasks/{task}/stop:\n"),
                Edit("        - name: task_id\n", "        - name: task\n"),
            ),
            OWN_NAME,
            "newer.yaml",
            before=(
                (
                    NAMES,
                    added(
                        action(
                            "$.paths['/workflows/tasks/{task}/stop']",
                            "Our name for what it is.",
                            {"x-our-path": "/workflows/tasks/{task_id}/stop"},
                        )
                    ),
                ),
            ),
        ),
    ),
    "schemas all renamed": (Update((Edit("Cn", "En", 7), Edit("SummaryEn", "Summary", 4))),),
    "operation ids renamed": (
        Update(
            (Edit("operationId: get_app_site", "operationId: getChatWebAppSettings"),),
            OWN_NAME,
            "newer.yaml",
            ready=False,
            step="patch",
            changes=(("wording", "GET /site"),),
            said=("the operationId is 'getChatWebAppSettings'",),
        ),
        Update(
            (Edit("operationId: get_app_site", "operationId: getChatWebAppSettings"),),
            OWN_NAME,
            "newer.yaml",
            before=((NAMES, added(action("$.paths['/site'].get", "Ours.", {"operationId": "get_app_site"}))),),
        ),
    ),
    "servers changed": (
        Update(
            (
                Edit("    - url: '{api_base_url}'\n", "    - url: https://{api_base_url}\n"),
                Edit("          default: https://api.dify.ai/v1\n", "          default: api2.dify.ai/v1\n"),
            ),
        ),
    ),
    "everything loosened": (
        Update(
            (
                Edit(f"        id:\n{ID}", f"        id:\n{ID}".replace("format: uuid", "nullable: true"), 3),
                Edit("          type: number\n", "          type: number\n          nullable: true\n"),
                Edit("          type: boolean\n", "          type: boolean\n          nullable: true\n"),
            ),
            ready=False,
            verdict="breaking",
            step="major",
            changes=(
                ("breaking", "GET /workflows/logs 200 data[].id"),
                ("breaking", "GET /workflows/logs 200 data[].workflow_run.elapsed_time"),
            ),
            said=("$.components.schemas.*.properties.id.format", "matches nothing"),
            overlays=(("20-corrections-1.11.2.yaml", "matches nothing"),),
        ),
    ),
    "what our overlays say, said by the vendor": (
        Update(
            (
                Edit(
                    "              default: 1\n",
                    "              default: 1\n              minimum: 1\n              maximum: 99999\n",
                ),
            ),
            vendor="breaking",
            overlays=(("20-corrections-1.11.2.yaml", "says what the vendor says"),),
        ),
        Update(
            (parameter("created_by_account", "Only logs of this account."),),
            ready=False,
            vendor="additive",
            said=("adds what the vendor's document has now itself (query created_by_account)",),
            overlays=(
                ("20-corrections-1.11.2.yaml", "says what the vendor says"),
                ("20-corrections-1.11.2.yaml", "repeats the vendor"),
            ),
            step="patch",
        ),
    ),
}
