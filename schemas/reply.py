"""A reply to a message: what would be sent to whom, and what came of sending it."""

from typing import Literal

from schemas.audit import Audited
from schemas.message import Digest, Message

REPLY = "reply"
"""The field with which a person writes the reply anew; DROPPED as its value means that none is sent."""
DROPPED = "-"

Replies = Literal["never", "approved", "auto"]
"""never: what would be said is shown at most; approved: sent once a person has approved it; auto: sent either way."""


class Reply(Message):
    """A mail as it would be sent. Part of a frozen draft, so that what is sent is what was decided."""

    to: str
    subject: str
    text: str
    answers: str = ""
    """The Message-ID of the mail that it answers."""
    cites: tuple[str, ...] = ()
    """The passages of the knowledge base that it consists of."""


class SendRequest(Message):
    """`case:step` is the key of the mail, as of every write."""

    case: str
    draft: Digest
    step: str = "reply"

    @property
    def key(self) -> str:
        return f"{self.case}:{self.step}"


class Sent(Audited):
    """What came of it. Without a Message-ID the draft has no reply."""

    message_id: str = ""
