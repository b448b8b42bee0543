"""Outgoing mail, over SMTP: one mail to one address, and what the mail server said of it."""

import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from ssl import create_default_context

from activities.failures import mail_refused, mail_unknown, mail_unsent

PATIENCE = 20
"""Seconds for each answer of the server."""
TAKEN, GO_ON, LASTING = 250, 354, 500


@dataclass(frozen=True)
class Post:
    """A mail server. A password is sent under TLS alone."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    """From the first byte on; else STARTTLS is used where it is offered."""

    def hand_over(self, mail: EmailMessage, address: str) -> None:
        """Return once the server has taken it. Raises mail.unsent (to be tried again), mail.refused or mail.unknown."""
        with self._server() as server, _unsent():
            _answered(server.mail(self.sender))
            _answered(server.rcpt(address))
            _answered(server.docmd("DATA"), GO_ON)
            lines = mail.as_bytes().removesuffix(b"\r\n").split(b"\r\n")
            dotted = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
            try:
                server.send(dotted + b"\r\n.\r\n")
                answer = server.getreply()
            except (OSError, smtplib.SMTPException):
                raise mail_unknown() from None
            _answered(answer)

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        kind: Callable[..., smtplib.SMTP] = smtplib.SMTP_SSL if self.tls else smtplib.SMTP
        with _unsent():
            server = kind(self.host, self.port, timeout=PATIENCE)
        try:
            with _unsent():
                server.ehlo_or_helo_if_needed()
                if not self.tls and server.has_extn("starttls"):
                    server.starttls(context=create_default_context())
                    server.ehlo()
                elif self.user and not self.tls:
                    raise mail_unsent("the mail server offers no TLS, without which no password is sent")
                if self.user:
                    server.login(self.user, self.password)
            yield server
        finally:
            # Whether it says goodbye changes nothing of what it said of the mail.
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()


def _answered(answer: tuple[int, bytes], wanted: int = TAKEN) -> None:
    """The words of the answer may name the address: only its number is told."""
    code = answer[0]
    if code == wanted or (wanted == TAKEN and code // 10 == TAKEN // 10):
        return
    raise mail_refused(code) if code >= LASTING else mail_unsent(f"the mail server answered {code}")


@contextmanager
def _unsent() -> Iterator[None]:
    """Whatever breaks before the last byte of a mail is handed over: it was not taken."""
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise mail_unsent(f"the mail server does not accept our password ({error.smtp_code})") from None
    except (OSError, smtplib.SMTPException) as error:
        raise mail_unsent(f"the mail server cannot be reached ({type(error).__name__})") from None
