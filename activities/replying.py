"""Replies: a greeting, passages of the knowledge base as they stand, a closing; or a question for what is missing.

Nothing that the message says is in it but its subject: who writes a message cannot write the reply to it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from activities.knowledge import Bases, Found
from schemas.mail import Mail
from schemas.policy import RequestPolicy
from schemas.reply import DROPPED, REPLY, Reply
from schemas.triage import CATEGORY

ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63}){1,5}", re.ASCII | re.IGNORECASE)
MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,190}>")
NOBODY = re.compile(r"(?:no|do.?not).?reply|mailer-daemon|postmaster|bounce", re.IGNORECASE)
"""Addresses behind which there is nobody: two machines would answer each other for ever."""
LONGEST = 150


class Phrases(NamedTuple):
    """What stands around passages; each in a formal and in an informal way."""

    informal: re.Pattern[str]
    greeting: tuple[str, str]
    known: tuple[str, str]
    asks: tuple[str, str]
    closing: tuple[str, str]


PHRASES: Mapping[str, Phrases] = {
    "en": Phrases(
        informal=re.compile(r"\s*(?:hi|hey|hiya|heya|yo)\b", re.IGNORECASE),
        greeting=("Dear customer,", "Hi,"),
        known=("Thank you for your message. This is what applies:", "Thanks for your message. Here is how it works:"),
        asks=(
            "Thank you for your message. To help you, we need to know:",
            "Thanks for your message. To help, we need to know:",
        ),
        closing=("Yours sincerely,\nCustomer service", "Best wishes,\nCustomer service"),
    ),
    "de": Phrases(
        informal=re.compile(r"\s*(?:hi|hey|hallo|moin|servus)\b", re.IGNORECASE),
        greeting=("Guten Tag,", "Hallo,"),
        known=("vielen Dank für Ihre Nachricht. Es gilt:", "danke für die Nachricht. So geht es:"),
        asks=(
            "vielen Dank für Ihre Nachricht. Damit wir helfen können, fehlt uns:",
            "danke für die Nachricht. Damit wir helfen können, fehlt uns:",
        ),
        closing=("Mit freundlichen Grüßen\nIhr Kundenservice", "Viele Grüße\nder Kundenservice"),
    ),
}


def reply_to(message: Mail, text: str, values: Mapping[str, str], policy: RequestPolicy, bases: Bases) -> Reply | None:
    """What could be sent back; None where nothing supports an answer, or nobody can be answered.

    `text` is all that the message says, and `values` what was read of it or corrected by a person.
    """
    to, written = values.get("sender", ""), values.get(REPLY)
    if policy.replies == "never" or written == DROPPED or not ADDRESS.fullmatch(to):
        return None
    if message.automatic or NOBODY.search(to):
        return None
    found: Sequence[Found] = ()
    words = PHRASES.get(values.get("language", ""))
    if not written and words:
        category = policy.categories.get(values.get(CATEGORY, ""))
        missing = [policy.details[name].ask for name in category.needs if name not in values] if category else []
        if not missing:
            found = bases.of(policy.knowledge, values["language"]).search(text, policy.support)
        written = composed(words, message.text, missing, found)
    if not written:
        return None
    subject = " ".join(message.subject.split())[:LONGEST]
    return Reply(
        to=to,
        subject=subject if subject.casefold().startswith("re:") else f"Re: {subject or 'your message'}",
        text=written,
        answers=message.message_id if MESSAGE_ID.fullmatch(message.message_id) else "",
        cites=tuple(it.passage.id for it in found),
    )


def composed(words: Phrases, message: str, missing: Sequence[str], found: Sequence[Found]) -> str:
    """Nothing, when there is neither a question to ask nor a passage to cite."""
    if not missing and not found:
        return ""
    tone = 1 if words.informal.match(message) else 0
    if missing:
        body = [words.asks[tone], "\n".join(f"- {ask}" for ask in missing)]
    else:
        body = [words.known[tone], *(f"{it.passage.text} [{it.passage.title}]" for it in found)]
    return "\n\n".join((words.greeting[tone], *body, words.closing[tone]))
