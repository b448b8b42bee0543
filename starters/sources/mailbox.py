"""A mailbox over IMAP: what lies in it is taken, and moved to one folder once its cases are entered, else another."""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from starters.sources.port import Arrived

PATIENCE = 60
"""Seconds for any one answer of the server."""


class NotLetIn(Exception):
    """The mail server does not accept the user or the password."""


@dataclass(frozen=True)
class Mailbox:
    host: str
    port: int
    user: str
    password: str
    encrypted: bool
    mailbox: str
    done: str
    refused_to: str
    most: int
    """Bytes: larger mails are refused unread."""

    def arrived(self) -> Iterator[Arrived]:
        """A key is UIDVALIDITY and UID: a mailbox that was made anew has other mails under the same numbers."""
        with self._open() as (server, validity):
            for uid in _said(server.uid("SEARCH", "UNDELETED")).decode().split():
                size = _number(_said(server.uid("FETCH", uid, "(RFC822.SIZE)")), b"RFC822.SIZE")
                key, name = f"{validity} {uid}", f"mail-{uid}.eml"
                if size > self.most:
                    yield Arrived(key, name, b"", f"{size} bytes, more than the {self.most} accepted")
                    continue
                _, answer = server.uid("FETCH", uid, "(BODY.PEEK[])")
                for part in answer:
                    if isinstance(part, tuple):
                        yield Arrived(key, name, part[1])

    def taken(self, one: Arrived) -> None:
        self._move(one, self.done)

    def refused(self, one: Arrived, why: str) -> None:  # noqa: ARG002  (told in the log; a mail has no room for it)
        self._move(one, self.refused_to)

    def _move(self, one: Arrived, where: str) -> None:
        """Copied first, then taken away: who dies in between has it twice there, and not lost."""
        known, _, uid = one.key.partition(" ")
        with self._open() as (server, validity):
            if validity != known:
                return
            server.create(_quoted(where))  # it says no when it is there
            if server.uid("COPY", uid, _quoted(where))[0] != "OK":
                raise OSError(f"{self.host} does not copy mails to {where}")
            server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")
            if (
                b"UIDPLUS" in _said(server.capability()).split()
            ):  # else whoever empties the mailbox does: EXPUNGE alone takes others too
                server.uid("EXPUNGE", uid)

    @contextmanager
    def _open(self) -> Iterator[tuple[imaplib.IMAP4, str]]:
        """The mailbox selected, and its UIDVALIDITY. What a server says of a login may quote it: it is not told."""
        kind: Any = imaplib.IMAP4_SSL if self.encrypted else imaplib.IMAP4
        more = {"ssl_context": ssl.create_default_context()} if self.encrypted else {}
        try:
            server: imaplib.IMAP4 = kind(self.host, self.port, timeout=PATIENCE, **more)
        except imaplib.IMAP4.error as error:
            raise OSError(f"{self.host} is no mail server: {error}") from None
        try:
            try:
                server.login(self.user, self.password)
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error:
                raise NotLetIn(f"{self.host} does not let {self.user} in: look at user and password") from None
            if server.select(_quoted(self.mailbox))[0] != "OK":
                raise OSError(f"{self.host} has no mailbox called {self.mailbox}")
            yield server, (server.response("UIDVALIDITY")[1][0] or b"0").decode()
        except imaplib.IMAP4.error as error:
            raise OSError(f"{self.host}: {error}") from None
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                server.logout()


def _said(answer: tuple[str, list[Any]]) -> bytes:
    return b" ".join(part for part in answer[1] if isinstance(part, bytes))


def _number(said: bytes, name: bytes) -> int:
    _, _, rest = said.partition(name + b" ")
    digits = rest.split(b" ")[0].rstrip(b")")
    return int(digits) if digits.isdigit() else 0


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
