"""A real mail server of our own, in memory, on loopback."""

import imaplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.conftest import free_ports

USER, PASSWORD = "invoices", "a-password-nobody-may-see"
PATIENCE = 20


@dataclass(frozen=True)
class MailServer:
    port: int

    def open(self) -> imaplib.IMAP4:
        server = imaplib.IMAP4("127.0.0.1", self.port, timeout=PATIENCE)
        server.login(USER, PASSWORD)
        return server

    def put(self, *mails: bytes) -> None:
        with self.open() as server:
            for mail in mails:
                assert server.append("INBOX", "", imaplib.Time2Internaldate(time.time()), mail)[0] == "OK"

    def count(self, mailbox: str) -> int:
        with self.open() as server:
            status, (said,) = server.select(f'"{mailbox}"')
            return int(said or b"0") if status == "OK" else 0


@contextmanager
def mail_server() -> Iterator[MailServer]:
    port, _ = free_ports()
    command: list[str | Path] = [
        Path(sys.executable).parent / "pymap",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-tls",
    ]
    user = ["dict", "--demo-data", "--demo-user", USER, "--demo-password", PASSWORD]
    with subprocess.Popen([*command, *user], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield _answering(MailServer(port))
        finally:
            process.kill()


def _answering(server: MailServer) -> MailServer:
    last = time.monotonic() + PATIENCE
    while True:
        try:
            server.open().logout()
        except OSError:
            assert time.monotonic() < last
            time.sleep(0.1)
        else:
            return server
