"""A conversation: a message, with what was said before it in its thread."""

from dataclasses import dataclass

from activities.failures import kept
from activities.store import Altered, Blobs
from schemas.mail import Mail
from schemas.source import Source

QUOTED = ">"


@dataclass(frozen=True)
class Conversation:
    earlier: tuple[Mail, ...]
    """Oldest first."""
    message: Mail

    @property
    def text(self) -> str:
        """All that was said, once: the words of the message, after those before it."""
        return "\n".join((*map(said_in, self.earlier), self.own)).strip()

    @property
    def own(self) -> str:
        """What the message says itself, without what it repeats of its thread."""
        if not self.earlier:
            return said_in(self.message)
        before = {line.strip() for one in self.earlier for line in said_in(one).splitlines()}
        lines = (line for line in said_in(self.message).splitlines() if line.strip() not in before)
        return "\n".join(line for line in lines if not line.lstrip().startswith(QUOTED)).strip()

    @property
    def first(self) -> Mail:
        return (*self.earlier, self.message)[0]


def conversation_in(blobs: Blobs, source: Source) -> Conversation:
    """What of it is still there: an erased case takes its message with it."""
    message = Mail.model_validate_json(kept(blobs, source.digest, "the message"))
    earlier = []
    for digest in source.thread.messages if source.thread else ():
        try:
            earlier.append(Mail.model_validate_json(blobs.get(digest)))
        except (FileNotFoundError, Altered):
            continue
    return Conversation(tuple(earlier), message)


def headers_in(blobs: Blobs, source: Source, message: Mail) -> Mail:
    """The message as it was sent, with its date and its Message-ID, where it was a mail."""
    return Mail.model_validate_json(kept(blobs, source.mail, "the mail")) if source.mail else message


def said_in(message: Mail) -> str:
    return f"{message.subject}\n{message.text}".strip()
