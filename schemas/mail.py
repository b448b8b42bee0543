"""The e-mail a document came in: evidence beside the document, never read as one."""

from pydantic import Field

from schemas.message import Message


class Mail(Message):
    """What the sender's mail said of itself. Shown, never trusted: anybody can write anything into a mail."""

    subject: str = ""
    sender: str = ""
    date: str = ""
    """In ISO 8601 when it can be read, else as it was sent."""
    message_id: str = ""
    answers: tuple[str, ...] = Field(default=(), exclude_if=lambda answers: not answers)
    """The Message-IDs of the mails that it says it answers, the nearest first."""
    automatic: bool = Field(default=False, exclude_if=lambda automatic: not automatic)
    """A machine sent it: an answer would be answered by a machine again."""
    text: str = ""
    """The plain text, or the words of the HTML when there is none."""
