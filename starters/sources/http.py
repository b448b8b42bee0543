"""HTTP intake: POST a document with a token, and be told its cases. Sending the same again is harmless."""

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote

from starters.launch import Started
from starters.refused import Refused

RETRY_AFTER = 30
PATIENCE = 30
"""Seconds a connection may be silent."""
Take = Callable[[str, bytes], Sequence[Started]]
"""Start a document of this name. Raises Refused, or Busy."""
Answer = tuple[int, object]
"""A status, and what is said as JSON."""


class Busy(Exception):
    """Why it cannot be taken now: the sender should try again later."""


@dataclass(frozen=True)
class Door:
    """One process behind one token."""

    process: str
    token: str
    most: int
    take: Take


class _Handler(BaseHTTPRequestHandler):
    doors: Mapping[str, Door]
    timeout = PATIENCE

    def do_POST(self) -> None:
        process, _, name = self.path.strip("/").partition("/")
        status, told = self._refusal(process) or self._taken(self.doors[process], unquote(name) or "document")
        said = json.dumps(told).encode()
        self.send_response(status)
        for header, value in (("Content-Type", "application/json"), ("Content-Length", str(len(said)))):
            self.send_header(header, value)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.send_header("Retry-After", str(RETRY_AFTER))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(said)

    def _refusal(self, process: str) -> Answer | None:
        """What is wrong before anything is read. Of a door that is not there no more is told than of a wrong token."""
        door = self.doors.get(process)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        expected = door.token if door else next(iter(self.doors.values())).token
        if not hmac.compare_digest(token.encode(), expected.encode()) or door is None:
            return 401, {"problem": "no such process, or a wrong token: send Authorization: Bearer TOKEN"}
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return 411, {"problem": "say how long it is: Content-Length"}
        if not 0 < int(length) <= door.most:
            return 413, {"problem": f"send 1 to {door.most} bytes"}
        return None

    def _taken(self, door: Door, name: str) -> Answer:
        length = int(self.headers["Content-Length"])
        try:
            data = self.rfile.read(length)
        except OSError:  # it sent nothing more for so long
            data = b""
        if len(data) < length:
            return 400, {"problem": "the body ended early: send it again"}
        try:
            return _told(door.take(name, data))
        except Refused as refused:
            return 422, {"problem": str(refused)}
        except Busy as busy:
            return 503, {"problem": str(busy)}

    def log_message(self, *_: object) -> None:
        """A path may name a person."""


def serving(host: str, port: int, doors: Sequence[Door]) -> ThreadingHTTPServer:
    """Serve `POST /PROCESS` in threads, until it is shut down."""
    behind = {door.process: door for door in doors}
    server = ThreadingHTTPServer((host, port), type("Handler", (_Handler,), {"doors": behind}))
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def _told(started: Sequence[Started]) -> Answer:
    """201 when a case is new, 200 when all are known, 422 when none could be started."""
    cases = [{"case": one.case, "status": one.how} for one in started if one.case]
    problems = [f"{one.name}: {one.problem}" for one in started if one.how == "failed"]
    if not cases:
        return 422, {"problem": "; ".join(problems) or "nothing in it is a document"}
    new = any(one.how == "new" for one in started)
    return 201 if new else 200, {"cases": cases, "problems": problems}
