"""Where notices arrive: an HTTP server and a mail server of our own, which answer as told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler
from threading import Condition
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers import free_port, serving

SECRET = "s3cret-in-the-address"


@dataclass
class Receiver:
    """Takes every notice, but for the first few, which it answers as `refusals` says; an empty one breaks off."""

    port: int
    refusals: list[int] = field(default_factory=list)
    attempts: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)
    changed: Condition = field(default_factory=Condition)

    @property
    def url(self) -> str:
        return f"json://user:{SECRET}@127.0.0.1:{self.port}/{SECRET}"

    def take(self, body: dict[str, Any]) -> int:
        with self.changed:
            self.attempts += 1
            if self.refusals:
                return self.refusals.pop(0)
            self.taken.append(body)
            self.changed.notify_all()
        return 200

    def wait(self, count: int, patience: float) -> list[dict[str, Any]]:
        """What was taken, once there is so much of it."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.taken) >= count, patience), "no notice came"
        return self.taken


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = receiver.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

    with serving(Handler, port) as taken:
        receiver = Receiver(taken)
        yield receiver


@dataclass
class Mailbox:
    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """What the first few are answered; an empty one breaks off once the mail is taken."""

    @property
    def smtp(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def url(self, to: str) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=casework@example.com&to={to}&mode=insecure&format=text"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if not answer or answer.startswith("2"):
            self.mails.append(mail)
        if not answer and server.transport:
            server.transport.close()
        return answer


@contextmanager
def mailing() -> Iterator[Mailbox]:
    mailbox = Mailbox(free_port())
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
