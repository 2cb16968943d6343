"""Runs as spans of OpenTelemetry, made from the logs: for backends that no tracing of the server reaches.

>>> from dify_workflow.otel import spans
>>> for span in spans(client.logs.iter(created_at__after="1h"), app="shop"): ...

The same run always gives the same span, ids included, so that what is sent twice is there once. Needs the extra `otel`.
"""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING, Any, Final

from . import __version__
from ._extras import imported
from ._logs.detailed_log import DetailedLog
from ._runs.statuses import ENDED_STATUSES
from ._tracing import names
from ._tracing.spans import CONTENT_SETTINGS, CONTENT_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.util.types import AttributeValue

__all__ = ["spans"]

SERVICE: Final = "dify"
LONGEST_ERROR: Final = 500
"""Characters of a run's error that a span carries."""
HALF: Final = (1 << 64) - 1
SECONDS: Final = range(200_000, 1 << 33)
"""Seconds since 1970 that a span can begin in, whatever the zone."""
LONGEST_RUN: Final = 1e9
"""Seconds of the longest run that is believed."""


def spans(
    logs: Iterable[Any], *, app: str | None = None, time_shift: int | None = None, resource: Resource | None = None
) -> Iterator[ReadableSpan]:
    """The runs of logs as spans, one for each run that has ended; others are left out.

    The trace's id is the run's, a UUID. A span begins when the run was created, lasts as long as the run took, and has
    the status ERROR where it failed. It carries no inputs and outputs, unless the environment variable
    `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` is `true` and the logs come with details.

    Args:
        logs: logs, or logs with details, as `logs.iter` and `export.read` give them.
        app: the app's name, which the spans are named by.
        time_shift: seconds that displayed times are ahead of the true ones; that of the walk unless given.
        resource: what the spans are of; unless given, `service.name` is "dify" or what the `OTEL_` variables say.

    Raises:
        ImportError: the extra `otel` is not installed.
    """
    make = SpanMaker(app, resource)
    for log in logs:
        shift = getattr(logs, "time_shift", None) if time_shift is None else time_shift
        if (span := make.span(log, shift or 0)) is not None:
            yield span


class SpanMaker:
    """Makes spans of logs; see `spans`."""

    def __init__(self, app: str | None, resource: Resource | None = None) -> None:
        self._sdk = imported("opentelemetry.sdk.trace", "otel")
        self._api = imported("opentelemetry.trace", "otel")
        self._app = app
        self._resource = default_resource() if resource is None else resource
        scope = imported("opentelemetry.sdk.util.instrumentation", "otel").InstrumentationScope
        self._scope = scope(names.SCOPE, __version__, names.SCHEMA_URL)
        self._with_content = os.environ.get(CONTENT_VARIABLE, "").strip().lower() in CONTENT_SETTINGS

    def span(self, log: Any, time_shift: int) -> ReadableSpan | None:  # noqa: ANN401 - a server may send anything
        """The span of a log's run; None where it has not ended, or where the log does not say what run it is."""
        detail = log.run if isinstance(log, DetailedLog) else None
        log = log.log if isinstance(log, DetailedLog) else log
        run: Any = getattr(log, "workflow_run", None)
        if not isinstance(getattr(run, "id", None), str) or not run_has_ended(run):
            return None
        begun = _begun(run.created_at, log.created_at, time_shift)
        if begun is None:
            return None
        found = self._attributes(log, run)
        if self._with_content and detail is not None:
            found |= {names.INPUTS: _json(detail.inputs), names.OUTPUTS: _json(detail.outputs)}
        status = None
        if run.status == names.FAILED:
            found[names.ERROR_TYPE] = names.FAILED
            error = run.error[:LONGEST_ERROR] if isinstance(run.error, str) else ""
            status = self._api.Status(self._api.StatusCode.ERROR, str(_carried(error)) or None)
        start = begun * 10**9
        made: ReadableSpan = self._sdk.ReadableSpan(
            f"{names.INVOKE_WORKFLOW} {self._app}" if self._app else names.INVOKE_WORKFLOW,
            self._api.SpanContext(*ids_of(run.id), is_remote=False, trace_flags=self._api.TraceFlags(1)),
            resource=self._resource,
            attributes={name: _carried(value) for name, value in found.items() if isinstance(value, str | int)},
            kind=self._api.SpanKind.INTERNAL,
            status=status or self._api.Status(),
            start_time=start,
            end_time=start + _nanoseconds(run.elapsed_time),
            instrumentation_scope=self._scope,
        )
        return made

    def _attributes(self, log: Any, run: Any) -> dict[str, AttributeValue | None]:  # noqa: ANN401 - as above
        return {
            names.OPERATION: names.INVOKE_WORKFLOW,
            names.PROVIDER: names.PROVIDER_NAME,
            names.AGENT_NAME: self._app,
            names.AGENT_VERSION: run.version,
            names.RUN_ID: run.id,
            names.LOG_ID: log.id,
            names.STATUS: None if run.status is None else str(run.status),
            names.TOTAL_TOKENS: run.total_tokens,
            names.TOTAL_STEPS: run.total_steps,
            names.CREATED_FROM: log.created_from,
            names.USER: getattr(log.created_by_end_user, "session_id", None),
        }


def run_has_ended(run: Any) -> bool:  # noqa: ANN401 - as above
    """Whether a log's run has ended, so that it does not change any more."""
    return (isinstance(run.status, str) and run.status in ENDED_STATUSES) or run.finished_at is not None


def ids_of(run_id: str) -> tuple[int, int]:
    """The ids of the trace and the span of a run: the same ones, whenever they are computed."""
    try:
        trace = uuid.UUID(run_id).int
    except ValueError:  # no server sends one, but nothing is lost where one does
        trace = uuid.uuid5(uuid.NAMESPACE_URL, f"dify-workflow-run:{run_id}").int
    return trace, (trace ^ (trace >> 64)) & HALF or 1


def default_resource() -> Resource:
    """What spans are of: "dify", unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` say otherwise."""
    resources = imported("opentelemetry.sdk.resources", "otel")
    named: Resource = resources.Resource({"service.name": SERVICE}).merge(resources.OTELResourceDetector().detect())
    return named


def _begun(run_created: object, log_created: object, time_shift: int) -> int | None:
    """The true second in which a run began: servers may shift the time of the log alone, or that of both."""
    if type(log_created) is not int or log_created not in SECONDS:
        return run_created if type(run_created) is int and run_created in SECONDS else None
    true = log_created - time_shift
    if type(run_created) is not int or run_created not in SECONDS:
        return true
    return min((run_created, run_created - time_shift), key=lambda second: abs(second - true))


def _nanoseconds(elapsed: object) -> int:
    """How long a run took; 0 where that is not a time that a span can have."""
    return round(elapsed * 1e9) if isinstance(elapsed, int | float) and 0 < elapsed < LONGEST_RUN else 0


def _carried(value: str | int) -> str | int:
    """A value as a span can carry it: text without lone surrogates, and numbers of 64 bits."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value if abs(value) <= HALF >> 1 else str(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
