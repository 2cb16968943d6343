"""A collector of OpenTelemetry on loopback, which responds as a test says, and keeps the spans that it took."""

from __future__ import annotations

import gzip
import http.server
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Sequence


class ScriptedResponse(NamedTuple):
    """The response of the collector; with a status other than 200 it takes nothing."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Collector:
    """The collector; it responds to the first requests as given, and takes all others.

    Attributes:
        sizes: spans in each request.
        taken: how often each span was taken, by its trace's id.
        spans: the last one of each, by its trace's id.
        headers: of each request.
        paths: of each request.
    """

    def __init__(self, *responses: ScriptedResponse) -> None:
        self._responses = list(responses)
        self.sizes: list[int] = []
        self.taken: Counter[str] = Counter()
        self.spans: dict[str, Any] = {}
        self.services: set[str] = set()
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []

    def __enter__(self) -> Self:
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.headers.append({name.lower(): value for name, value in self.headers.items()})
                collector.paths.append(self.path)
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                response = collector.respond(body)
                self.send_response(response.status)
                for name, value in (*response.headers, ("Content-Length", str(len(response.body)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(response.body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def target(self) -> str:
        """Its address as a target of an export."""
        return f"otlp://127.0.0.1:{self._server.server_port}"

    def respond(self, body: bytes) -> ScriptedResponse:
        """The response to a request; its spans are kept where they are taken."""
        response = self._responses.pop(0) if self._responses else ScriptedResponse()
        request = ExportTraceServiceRequest.FromString(body)
        spans = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
        self.sizes.append(len(spans))
        if response.status == 200:
            self._keep(spans)
            self.services |= {
                attribute.value.string_value
                for resource in request.resource_spans
                for attribute in resource.resource.attributes
                if attribute.key == "service.name"
            }
        return response

    def _keep(self, spans: Sequence[Any]) -> None:
        for span in spans:
            self.taken[span.trace_id.hex()] += 1
            self.spans[span.trace_id.hex()] = span
