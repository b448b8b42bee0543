"""Sending replies: each approved one at most once, and exactly once where the mail server's answer arrives.

SMTP knows no keys: after a lost answer or a killed worker nobody can tell whether a mail was taken. So an attempt is
written down before the mail is handed over, and what was begun and never ended is left to a person.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256

from sqlalchemy import Engine
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.audit import append
from activities.failures import MAIL_UNKNOWN, kept, mail_unknown, mail_unset
from activities.post import Post
from activities.store import Blobs, writing
from activities.threads import note_answer
from schemas.audit import Head
from schemas.case import Draft
from schemas.reply import Reply, SendRequest, Sent
from schemas.tables import ReplyRow

LINES = SMTP.clone(max_line_length=998, cte_type="7bit")
"""As long as SMTP allows: shorter ones would have the ids of mails broken apart."""


@dataclass(frozen=True)
class Replies:
    engine: Engine
    blobs: Blobs
    post: Post | None

    @activity.defn(name="replies.send")
    def send(self, request: SendRequest) -> Sent:
        """Send the reply of the frozen draft, if it has one; or tell that it was sent."""
        reply = Draft.model_validate_json(kept(self.blobs, request.draft, "the draft")).reply
        if reply is None:
            return Sent()
        if self.post is None:
            self._note(request, "failed", "mail.unset")
            raise mail_unset()
        mail = mail_of(reply, request, self.post.sender)
        if head := self._begun(request, mail["Message-ID"]):
            return Sent(message_id=mail["Message-ID"], head=head)
        try:
            self.post.hand_over(mail, reply.to)
        except ApplicationError as error:
            self._note(request, "begun" if error.type == MAIL_UNKNOWN else "failed", error.type or "")
            raise
        return Sent(message_id=mail["Message-ID"], head=self._note(request, "sent"))

    def _begun(self, request: SendRequest, message: str) -> Head | None:
        """Write down that it is about to be sent; the head of the audit if it was sent before."""
        with writing(self.engine, request.case) as session:
            row = session.get(ReplyRow, (request.key, request.draft))
            state = row.state if row else "new"
            body = {"key": request.key, "draft": request.draft, "attempt": activity.info().attempt, "state": state}
            head = append(session, request.case, "reply.begun", body)
            if state == "sent":
                return head
            if state == "begun":
                append(session, request.case, "reply.ended", {**body, "state": "begun", "error": MAIL_UNKNOWN})
            else:
                row = row or ReplyRow(key=request.key, draft=request.draft, state="begun", at=datetime.now(UTC))
                row.state = "begun"
                session.add(row)
                note_answer(session, message, request.case)
        if state == "begun":
            raise mail_unknown()
        return None

    def _note(self, request: SendRequest, state: str, error: str = "") -> Head:
        """Write down how it ended; what is still `begun` is not known."""
        with writing(self.engine, request.case) as session:
            if row := session.get(ReplyRow, (request.key, request.draft)):
                row.state = state
                session.add(row)
            body = {"key": request.key, "draft": request.draft, "state": state, "error": error}
            return append(session, request.case, "reply.ended", body)


def mail_of(reply: Reply, request: SendRequest, sender: str) -> EmailMessage:
    """The same draft gives the same mail, its Message-ID included: who gets two can tell that they are one."""
    mail = EmailMessage(policy=LINES)
    mail["From"], mail["To"], mail["Subject"] = sender, reply.to, reply.subject
    name = sha256(f"{request.key} {request.draft}".encode()).hexdigest()[:32]
    mail["Message-ID"] = f"<{name}@{sender.rpartition('@')[2]}>"
    if reply.answers:
        mail["In-Reply-To"] = mail["References"] = reply.answers
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content(reply.text)
    return mail
