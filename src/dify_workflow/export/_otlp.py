"""Exports to a collector of OpenTelemetry: each run that has ended is a span. See `dify_workflow.otel`.

A collector cannot say what it has, so the place to continue from is in a file of the caller's, if anywhere. Nothing
depends on it: a span that is sent twice is the same span.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from .._extras import imported
from .._http.retry import retry_after_seconds
from ..otel import SpanMaker
from ._files import StateFile, beside
from ._locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

    from ._targets import State

MOST_SPANS: Final = 512
"""Spans in one request."""
PATIENCE: Final = 300.0
"""Seconds for which an outage of the collector is waited out."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
OUTAGES: Final = frozenset({408, 429, 500, 502, 503, 504})
LONGEST_TEXT: Final = 300
"""Characters of a collector's text that a message has."""
TRACES: Final = "/v1/traces"
TOO_LARGE: Final = 413


class CollectorError(OSError):
    """The collector did not take spans.

    Attributes:
        rejected: spans that it rejected for good, while it took the others; 0 where it took none.
    """

    __module__ = "dify_workflow.export"

    def __init__(self, message: str, *, rejected: int = 0) -> None:
        super().__init__(message)
        self.rejected = rejected

    def __reduce__(self) -> tuple[Any, ...]:
        return _error, (str(self), self.rejected)


def _error(message: str, rejected: int) -> CollectorError:
    return CollectorError(message, rejected=rejected)


def endpoint_of(target: str) -> str | None:
    """The address that spans are sent to; None where the `OTEL_` variables say it.

    Raises:
        ValueError: it is not an address.
    """
    if re.fullmatch("otlps?:(?://)?", target):
        return None
    parts = urlsplit(re.sub("^otlp(s?):", r"http\1:", target))
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            "target must be an address without a user name, password or query: give OTEL_EXPORTER_OTLP_HEADERS"
        )
    try:
        is_address = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise ValueError(f"target must be an address such as 'otlp://collector:4318', got {target!r}")
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path if path.endswith(TRACES) else path + TRACES}"


class OTLPTarget:
    """A collector, over HTTP."""

    batch = MOST_SPANS

    def __init__(
        self, address: str, *, details: bool, apps: bool, excel: bool, state: Path | None, app: str | None
    ) -> None:
        del details, apps, excel
        self._app = app
        self._collector = Collector(endpoint_of(address))
        self._makers: dict[str | None, SpanMaker] = {}
        self._logs: list[tuple[str | None, Any]] = []
        self._lock = None if state is None else FileLock(beside(state, ".lock"))
        self._file = None if state is None else StateFile(state)
        self.can_update = state is not None

    def state(self) -> State | None:
        """See `Target`."""
        return None if self._file is None else self._file.read()

    def begin(self, state: State, *, restart: bool) -> None:
        """See `Target`."""
        del restart
        self._store(state)

    def resume(self, state: State) -> None:
        """See `Target`."""

    def add(self, app: str | None, log: Any) -> None:  # noqa: ANN401 - see `Target`
        """See `Target`."""
        self._logs.append((app, log))

    def commit(self, state: State) -> None:
        """See `Target`."""
        made: list[ReadableSpan] = []
        for app, log in self._logs:
            if app not in self._makers:
                self._makers[app] = SpanMaker(app or self._app)
            span = self._makers[app].span(log, state["time_shift"])
            if span is not None:
                made.append(span)
        for start in range(0, len(made), MOST_SPANS):
            self._collector.send(made[start : start + MOST_SPANS])
        self._logs.clear()
        self._store(state)

    def finish(self, state: State) -> None:
        """See `Target`."""
        self.commit(state)
        self._collector.check_all_taken()

    def close(self) -> None:
        """See `Target`."""
        self._collector.close()
        if self._lock is not None:
            self._lock.release()

    def _store(self, state: State) -> None:
        if self._file is not None:
            self._file.write(state)


class Collector:
    """What spans are sent to, by OpenTelemetry's own exporter, which reads the `OTEL_EXPORTER_OTLP_` variables.

    Args:
        endpoint: the address; None for what the variables say.
    """

    def __init__(self, endpoint: str | None) -> None:
        exporters = imported("opentelemetry.exporter.otlp.proto.http.trace_exporter", "otel")
        self._session: Any = imported("requests", "otel").Session()
        self._session.hooks["response"].append(self._note)
        self._exporter: Any = exporters.OTLPSpanExporter(endpoint=endpoint, session=self._session)
        self._last: Any = None
        self._host = endpoint or "OTEL_EXPORTER_OTLP_ENDPOINT"
        self._sent = self._rejected = 0
        self._reason = ""

    def _note(self, response: Any, *_: object, **__: object) -> None:  # noqa: ANN401 - of requests
        self._last = response
        self._host = response.url

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """Send spans. An outage is waited out.

        Raises:
            CollectorError: the collector does not take them.
        """
        deadline, pause = time.monotonic() + PATIENCE, FIRST_PAUSE
        while True:
            self._last = None
            outcome = self._exporter.export(spans)
            response = self._last
            if outcome.name == "SUCCESS":
                self._sent += len(spans)
                self._note_rejected(response)
                return
            if response is not None and response.status_code == TOO_LARGE and len(spans) > 1:
                half = len(spans) // 2
                self.send(spans[:half])
                self.send(spans[half:])
                return
            wait = pause
            if response is not None:
                if response.status_code not in OUTAGES:
                    raise CollectorError(self._refusal(response))
                wait = retry_after_seconds(response.headers) or pause
            if time.monotonic() + wait > deadline:
                what = "no response came" if response is None else self._refusal(response)
                raise CollectorError(f"{self._host}: {what}" if response is None else what)
            time.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)

    def check_all_taken(self) -> None:
        """Check that the collector rejected nothing.

        Raises:
            CollectorError: it did; everything else was taken.
        """
        if self._rejected:
            reason = f": {self._reason}" if self._reason else ""
            message = f"{self._host}: the collector rejected {self._rejected:,} of {self._sent:,} spans{reason}"
            raise CollectorError(message, rejected=self._rejected)

    def close(self) -> None:
        """Close its connections."""
        self._exporter.shutdown()
        self._session.close()

    def _note_rejected(self, response: Any) -> None:  # noqa: ANN401 - of requests
        """Note what a collector says in a response with a status of success: it may have taken only a part."""
        if response is None or not response.content:
            return
        rejected, reason = 0, ""
        if "json" in response.headers.get("content-type", ""):
            try:
                part: Any = json.loads(response.content).get("partialSuccess") or {}
                rejected, reason = int(part.get("rejectedSpans") or 0), str(part.get("errorMessage") or "")
            except (ValueError, AttributeError, TypeError):
                return
        else:
            service = imported("opentelemetry.proto.collector.trace.v1.trace_service_pb2", "otel")
            try:
                part = service.ExportTraceServiceResponse.FromString(response.content).partial_success
            except Exception:  # noqa: BLE001 - a collector may send any bytes, and has taken the spans
                return
            rejected, reason = part.rejected_spans, part.error_message
        self._rejected += rejected
        self._reason = reason[:LONGEST_TEXT] or self._reason

    def _refusal(self, response: Any) -> str:  # noqa: ANN401 - of requests
        text = f"{response.url}: the collector responded {response.status_code} {response.reason}"
        if response.status_code in {401, 403}:
            return f"{text}: check OTEL_EXPORTER_OTLP_HEADERS"
        if response.status_code in {404, 405}:
            return f"{text}: check the address, which ends in {TRACES}"
        return text
