"""A collector of telemetry: takes OTLP over HTTP and keeps what came, as sent and as spans."""

import gzip
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Event

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.servers import serving

PATIENCE = 60


@dataclass
class Collector:
    url: str = ""
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    """The path and what came, unpacked."""

    def until(self, path: str) -> None:
        """Wait until something came there: metrics come every ten seconds."""
        last = time.monotonic() + PATIENCE
        while path not in {it for it, _ in self.bodies}:
            assert time.monotonic() < last, f"nothing came to {path}"
            time.sleep(0.1)

    @property
    def everything(self) -> bytes:
        return b"".join(body for _, body in self.bodies)

    @property
    def spans(self) -> list[Span]:
        asked = [ExportTraceServiceRequest.FromString(body) for path, body in self.bodies if path == "/v1/traces"]
        return [span for one in asked for of in one.resource_spans for it in of.scope_spans for span in it.spans]

    @property
    def logs(self) -> list[LogRecord]:
        asked = [ExportLogsServiceRequest.FromString(body) for path, body in self.bodies if path == "/v1/logs"]
        return [
            record for one in asked for of in one.resource_logs for it in of.scope_logs for record in it.log_records
        ]


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            packed = self.headers["Content-Encoding"] == "gzip"
            collector.bodies.append((self.path, gzip.decompress(body) if packed else body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Handler) as port:
        collector.url = f"http://127.0.0.1:{port}"
        yield collector


if __name__ == "__main__":
    with collecting() as collector:
        print(collector.url, flush=True)  # noqa: T201
        Event().wait()
