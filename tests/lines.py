"""A line that can be cut: an HTTP proxy that lets the other side do its work, and then may not pass on the answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from threading import Lock
from urllib.parse import urlsplit

from tests.servers import serving

Cuts = Callable[[str, str, bytes], bool]
PASSED_ON = ("Authorization", "X-Tryton-Context", "Accept-Language", "Content-Type")


@dataclass
class Line:
    """`cuts` is asked, once the other side has answered a method on a path with a body, whether the answer is lost."""

    url: str
    lost: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)


@contextmanager
def line(to: str, cuts: Cuts) -> Iterator[Line]:
    target = urlsplit(to)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            there = HTTPConnection(target.hostname or "", target.port, timeout=60)
            sent = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
            there.request(self.command, self.path, body, sent)
            answer = there.getresponse()
            said = answer.read()
            there.close()
            with made.lock:
                cut = cuts(self.command, self.path, body)
                if cut:
                    made.lost.append(f"{self.command} {self.path} {answer.status}")
            if cut:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name in ("Content-Type", "Retry-After"):
                if value := answer.getheader(name):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = do_DELETE = _pass  # noqa: N815

    with serving(Handler) as port:
        made = Line(f"http://127.0.0.1:{port}{target.path}")
        yield made
