"""The e-mail a document came in: evidence beside the document, never read as one."""

from schemas.message import Message


class Mail(Message):
    """What the sender's mail said of itself. Shown, never trusted: anybody can write anything into a mail."""

    subject: str = ""
    sender: str = ""
    date: str = ""
    """In ISO 8601 when it can be read, else as it was sent."""
    message_id: str = ""
    text: str = ""
    """The plain text, or the words of the HTML when there is none."""
