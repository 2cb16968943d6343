"""Spans around what the SDK does: one for each run that is started, and one for each walk over the logs.

Requests have none of their own: an instrumentation of the HTTP library makes those, as children of these spans. There
are spans where OpenTelemetry's API is imported already, or `DIFY_OTEL` asks for them: to import it takes as long as to
import httpx. No span carries the key, and none inputs, outputs, or a server's text, unless
`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` asks for content.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import warnings
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast
from urllib.parse import urlsplit

from .._version import __version__
from . import names

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from opentelemetry import trace
    from opentelemetry.util.types import AttributeValue

    from .._http.config import Configuration
    from .._http.secrets import Secret
    from .._logs.walk import PageRequest
    from ..results import WorkflowRunResult

    Attributes = dict[str, AttributeValue]

T = TypeVar("T")

VARIABLE: Final = "DIFY_OTEL"
CONTENT_VARIABLE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
SETTINGS: Final = ("", "0", "1", "nodes")
CONTENT_SETTINGS: Final = frozenset({"true", "span_only", "span_and_event"})
PORTS: Final = {"http": 80, "https": 443}

LEFT: Final[deque[tuple[trace.Span, int]]] = deque()
"""Spans that ended where nothing may be waited for, in a finalizer or a signal handler, and when they did."""


class RunSpan(Protocol):
    """The span of a run that is started. What comes after its end is ignored."""

    is_awaited: bool
    """Whether the run is waited for even when its stream breaks: then only `result` and `settle` end the span."""

    def whole(self) -> contextlib.AbstractContextManager[None]:
        """Make it the current span until the `with` ends, and the span with it."""
        ...

    def active(self) -> contextlib.AbstractContextManager[None]:
        """Make it the current span for a while; an error ends it."""
        ...

    def reader(self, read: Callable[[bytes], T]) -> Callable[[bytes], T]:
        """What reads a result, and notes it."""
        ...

    def event(self, name: str, value: dict[str, Any]) -> None:
        """Note an event of the run's stream."""
        ...

    def failed(self, error: BaseException) -> None:
        """End it with an error."""
        ...

    def end(self) -> None:
        """End it."""
        ...

    def leave(self) -> None:
        """End it, possibly in a finalizer or a signal handler."""
        ...

    def settle(self, result: WorkflowRunResult | None, error: BaseException | None) -> None:
        """End it with what came of a run that was waited for."""
        ...


class NoSpan:
    """Stands for a span where there are none."""

    is_awaited = False

    def whole(self) -> contextlib.AbstractContextManager[None]:
        """See `RunSpan`."""
        return contextlib.nullcontext()

    def active(self) -> contextlib.AbstractContextManager[None]:
        """See `RunSpan`."""
        return contextlib.nullcontext()

    def reader(self, read: Callable[[bytes], T]) -> Callable[[bytes], T]:
        """See `RunSpan`."""
        return read

    def event(self, name: str, value: dict[str, Any]) -> None:
        """See `RunSpan`."""

    def failed(self, error: BaseException) -> None:
        """See `RunSpan`."""

    def end(self) -> None:
        """See `RunSpan`."""

    def leave(self) -> None:
        """See `RunSpan`."""

    def settle(self, result: WorkflowRunResult | None, error: BaseException | None) -> None:
        """See `RunSpan`."""


NO_SPAN: Final = NoSpan()


def run_span(configuration: Configuration, body: Mapping[str, Any], workflow_id: str | None) -> RunSpan:
    """A span for a run that is about to be started; `NO_SPAN` where there are none.

    Args:
        configuration: the client's options.
        body: the request's.
        workflow_id: the version of the workflow, where it was given.
    """
    setting, tracer = _tracer()
    return NO_SPAN if tracer is None else _RunSpan(tracer, configuration, body, workflow_id, nodes=setting == "nodes")


def walk_span(configuration: Configuration) -> WalkSpan | None:
    """A span for a walk, which begins with its first request; None where there are no spans."""
    tracer = _tracer()[1]
    return None if tracer is None else WalkSpan(tracer, configuration)


def _tracer() -> tuple[str, trace.Tracer | None]:
    """The setting, and what makes spans; None where there shall be none."""
    setting = os.environ.get(VARIABLE, "")
    if setting not in SETTINGS:
        warnings.warn(f"{VARIABLE} is {setting!r}, which is ignored: it can be '0', '1' or 'nodes'", stacklevel=5)
        setting = ""
    if setting == "0" or (not setting and "opentelemetry.trace" not in sys.modules):
        return setting, None
    try:
        from opentelemetry import trace  # noqa: PLC0415 - an extra, and loaded only where it is in use
    except ImportError:
        warnings.warn(
            f"{VARIABLE} is {setting!r}, and opentelemetry-api is not installed: pip install 'dify-workflow-sdk[otel]'",
            stacklevel=5,
        )
        return setting, None
    while LEFT:
        with contextlib.suppress(IndexError):  # another thread was faster
            span, end = LEFT.popleft()
            span.end(end)
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):  # nothing takes spans
        return setting, None
    return setting, provider.get_tracer(names.SCOPE, __version__, schema_url=names.SCHEMA_URL)


class _Span:
    """What both kinds have in common."""

    def __init__(self, tracer: trace.Tracer, configuration: Configuration, name: str, kind: str) -> None:
        from opentelemetry import trace  # noqa: PLC0415 - it has been loaded

        self._api = trace
        self._tracer = tracer
        self._name = name
        self._kind = trace.SpanKind[kind]
        parts = urlsplit(configuration.base_url)
        self._attributes: Attributes = {
            names.SERVER_ADDRESS: parts.hostname or "",
            names.SERVER_PORT: parts.port or PORTS.get(parts.scheme, 0),
        }
        self._span: trace.Span | None = None
        self._is_over = False

    def _started(self) -> trace.Span:
        if self._span is None:
            self._span = self._tracer.start_span(self._name, kind=self._kind, attributes=self._attributes)
        return self._span

    @contextlib.contextmanager
    def current(self) -> Generator[None]:
        """Make it the current span for a while."""
        from opentelemetry import context  # noqa: PLC0415 - it has been loaded

        token = context.attach(self._api.set_span_in_context(self._started()))
        try:
            yield
        finally:
            context.detach(token)

    def failed(self, error: BaseException) -> None:
        """End it with an error; with none where it was only left."""
        from .._http.lifetimes import EndedError  # noqa: PLC0415 - it has been loaded

        if isinstance(error, GeneratorExit | EndedError):
            self.leave()
        elif not self._is_over:
            self._set_error(type(error).__name__)
            self.end()

    def _set_error(self, kind: str, description: str | None = None) -> None:
        span = self._started()
        span.set_attribute(names.ERROR_TYPE, kind)
        span.set_status(self._api.Status(self._api.StatusCode.ERROR, description))

    def leave(self) -> None:
        """End it, possibly in a finalizer or a signal handler."""
        from .._http.frames import in_signal_handler, is_collecting  # noqa: PLC0415 - loaded when needed

        # What takes the span takes locks, and this thread may hold them where it was interrupted.
        if not self._is_over and self._span is not None and (is_collecting() or in_signal_handler()):
            self._is_over = True
            self._note_last(self._span)
            LEFT.append((self._span, time.time_ns()))
        self.end()

    def end(self) -> None:
        """End it."""
        if not self._is_over and self._span is not None:
            self._is_over = True
            self._note_last(self._span)
            self._span.end()

    def _note_last(self, span: trace.Span) -> None:
        """Set what is known at the end."""


class _RunSpan(_Span):
    def __init__(
        self,
        tracer: trace.Tracer,
        configuration: Configuration,
        body: Mapping[str, Any],
        workflow_id: str | None,
        *,
        nodes: bool,
    ) -> None:
        name = names.INVOKE_WORKFLOW if workflow_id is None else f"{names.INVOKE_WORKFLOW} {workflow_id}"
        super().__init__(tracer, configuration, name, "CLIENT")
        self.is_awaited = False
        self._secret = configuration.api_key
        self._with_content = os.environ.get(CONTENT_VARIABLE, "").strip().lower() in CONTENT_SETTINGS
        self._nodes: dict[str, trace.Span] | None = {} if nodes else None
        self._attributes |= {names.OPERATION: names.INVOKE_WORKFLOW, names.PROVIDER: names.PROVIDER_NAME}
        if workflow_id is not None:
            self._attributes[names.WORKFLOW_ID] = workflow_id
        if isinstance(session := body.get("trace_session_id"), str):
            self._attributes[names.SESSION] = session
        if self._with_content:
            self._attributes[names.INPUTS] = _json(body.get("inputs"), self._secret)
        self._started()

    @contextlib.contextmanager
    def whole(self) -> Generator[None]:
        """See `RunSpan`."""
        with self.active():
            yield
        self.end()

    @contextlib.contextmanager
    def active(self) -> Generator[None]:
        """See `RunSpan`."""
        with self.current():
            try:
                yield
            except BaseException as error:
                self.failed(error)
                raise

    def reader(self, read: Callable[[bytes], T]) -> Callable[[bytes], T]:
        """See `RunSpan`."""

        def reading(content: bytes) -> T:
            result = read(content)
            self._note_result(result)
            return result

        return reading

    def event(self, name: str, value: dict[str, Any]) -> None:
        """See `RunSpan`."""
        if self._is_over:
            return
        data = _object(value.get("data"))
        if name == "workflow_started":
            self._note_ids(value, data)
        elif name == "workflow_finished":
            self._note_ids(value, data)
            self._note_outcome(data)
            self._end_now()
        elif name == "workflow_paused":
            self._started().set_attribute(names.STATUS, "paused")
        elif self._nodes is not None and name in {"node_started", "node_finished"}:
            self._note_node(self._nodes, name, data)

    def failed(self, error: BaseException) -> None:
        """See `RunSpan`."""
        if not self.is_awaited:
            super().failed(error)

    def end(self) -> None:
        """See `RunSpan`."""
        if not self.is_awaited:
            self._end_now()

    def leave(self) -> None:
        """See `RunSpan`."""
        if not self.is_awaited:
            super().leave()

    def settle(self, result: WorkflowRunResult | None, error: BaseException | None) -> None:
        """See `RunSpan`."""
        self.is_awaited = False
        if error is not None:
            self.failed(error)
        elif result is not None and not self._is_over:
            self._note_result(result)
        self.end()

    def _end_now(self) -> None:
        for span in (self._nodes or {}).values():
            span.end()
        self._nodes = None
        super().end()

    def _note_result(self, result: Any) -> None:  # noqa: ANN401 - whatever a reader gives
        if self._is_over or not self._started().is_recording() or not hasattr(result, "to_dict"):
            return
        value: dict[str, Any] = result.to_dict()
        data = _object(value.get("data"))
        self._note_ids(value, data)
        self._note_outcome(data)

    def _note_ids(self, value: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        span = self._started()
        _set(span, {names.RUN_ID: value.get("workflow_run_id"), names.TASK_ID: value.get("task_id")})
        workflow_id = data.get("workflow_id")
        if isinstance(workflow_id, str) and names.WORKFLOW_ID not in self._attributes:
            self._attributes[names.WORKFLOW_ID] = workflow_id
            span.set_attribute(names.WORKFLOW_ID, workflow_id)
            span.update_name(f"{names.INVOKE_WORKFLOW} {workflow_id}")

    def _note_outcome(self, data: Mapping[str, Any]) -> None:
        status = data.get("status")
        found = {
            names.STATUS: status,
            names.TOTAL_TOKENS: data.get("total_tokens"),
            names.TOTAL_STEPS: data.get("total_steps"),
        }
        if self._with_content:
            found[names.OUTPUTS] = _json(data.get("outputs"), self._secret)
        _set(self._started(), found)
        if status == names.FAILED:
            error = data.get("error") if self._with_content else None  # it may quote an input
            self._set_error(names.FAILED, self._secret.redact(error) if isinstance(error, str) else None)

    def _note_node(self, nodes: dict[str, trace.Span], name: str, data: Mapping[str, Any]) -> None:
        key = str(data.get("id") or data.get("node_id"))
        span = nodes.pop(key, None)
        if span is None:
            seconds = data.get("elapsed_time") if name == "node_finished" else 0
            begun = time.time_ns() - (int(seconds * 1e9) if isinstance(seconds, int | float) else 0)
            span = self._tracer.start_span(
                f"{names.NODE} {data.get('node_type')}",
                context=self._api.set_span_in_context(self._started()),
                start_time=begun,
            )
            shown = {names.NODE_ID: "node_id", names.NODE_TYPE: "node_type", names.NODE_TITLE: "title"}
            _set(span, {attribute: data.get(field) for attribute, field in shown.items()})
        if name == "node_started":
            nodes[key] = span
            return
        usage = _object(data.get("execution_metadata"))
        found = {
            names.STATUS: data.get("status"),
            names.TOTAL_TOKENS: usage.get("total_tokens"),
            names.TOTAL_PRICE: usage.get("total_price"),
            names.CURRENCY: usage.get("currency"),
        }
        if self._with_content:
            found[names.INPUTS] = _json(data.get("inputs"), self._secret)
            found[names.OUTPUTS] = _json(data.get("outputs"), self._secret)
        _set(span, found)
        if data.get("status") == names.FAILED:
            span.set_attribute(names.ERROR_TYPE, names.FAILED)
            span.set_status(self._api.Status(self._api.StatusCode.ERROR))
        span.end()


class WalkSpan(_Span):
    """The span of a walk over the logs.

    Attributes:
        rows: logs that it has given.
    """

    def __init__(self, tracer: trace.Tracer, configuration: Configuration) -> None:
        super().__init__(tracer, configuration, names.LOGS_ITER, "INTERNAL")
        self.rows = 0
        self._requests = self._sweep_requests = 0

    def count(self, request: PageRequest | str) -> None:
        """Note a request, for a page or, by its id, for a run."""
        self._requests += 1
        if not isinstance(request, str) and request.before is not None and request.before == request.after:
            self._sweep_requests += 1

    def _note_last(self, span: trace.Span) -> None:
        found = {names.ROWS: self.rows, names.REQUESTS: self._requests, names.SWEEP_REQUESTS: self._sweep_requests}
        _set(span, found)


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _set(span: trace.Span, found: Mapping[str, object]) -> None:
    """Set what is there, and what a span can carry."""
    for name, value in found.items():
        if isinstance(value, str | int | float):
            span.set_attribute(name, value)


def _json(value: object, secret: Secret) -> str:
    return secret.redact(json.dumps(value, ensure_ascii=False, default=str))
