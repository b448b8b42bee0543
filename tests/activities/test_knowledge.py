"""Replies consist of passages of the knowledge base, need its support, and take nothing from a message."""

import json
from pathlib import Path

import pytest

from activities.knowledge import Bases, Knowledge, passages_of
from activities.replying import PHRASES, reply_to
from schemas.mail import Mail
from schemas.policy import RequestPolicy
from schemas.reply import Reply
from starters.request_triage import REQUEST_TRIAGE
from workers.settings import Settings

CHARTERED: RequestPolicy = REQUEST_TRIAGE.load_charter(Settings()).policy
POLICY = CHARTERED.model_copy(update={"replies": "approved"})
BASES = Bases(Settings().knowledge)
FOLDER = Settings().knowledge / POLICY.knowledge
DARK = "The display of SN-448121 stays dark after switching it on."
READ = {
    "sender": "ada@finch-labs.example",
    "language": "en",
    "category": "technical_fault",
    "serial_number": "SN-448121",
}


def composed(text: str, read: dict[str, str] = READ, **mail: str) -> Reply | None:
    return reply_to(Mail(subject="A fault", text=text, **mail), text, read, POLICY, BASES)


def test_validation_messages_are_answered_from_the_right_article_or_not_at_all() -> None:
    labelled = [json.loads(line) for line in (FOLDER / "validation.jsonl").read_text().splitlines()]
    base = Knowledge(FOLDER / "en", "en")
    found = [base.search(it["text"], POLICY.support) for it in labelled]
    cited = [hits[0].passage.id.partition("#")[0] if hits else None for hits in found]

    answered = [article == it["article"] for article, it in zip(cited, labelled, strict=True) if article]

    assert all(answered)
    assert len(answered) >= 0.8 * sum(it["article"] is not None for it in labelled)


@pytest.mark.parametrize(
    ("text", "read", "begins"),
    [
        (DARK, READ, "Dear customer,"),
        (f"hi there! {DARK}", READ, "Hi,"),
        (
            "Kann ich die unbenutzte Ware in der Verpackung zurückgeschickt haben? Rücksendung zu HL-20422.",
            {**READ, "language": "de"},
            "Guten Tag,",
        ),
    ],
    ids=["formal", "informal", "german"],
)
def test_reply_is_a_greeting_cited_passages_and_a_closing(text: str, read: dict[str, str], begins: str) -> None:
    reply = composed(text, read, message_id="<1@finch-labs.example>")

    assert reply is not None
    greeting, known, *body, closing = reply.text.split("\n\n")
    words, language = PHRASES[read["language"]], read["language"]
    known_passages = [
        f"{it.text} [{it.title}]" for path in (FOLDER / language).glob("*.md") for it in passages_of(path)
    ]
    assert (greeting, closing in words.closing, known in words.known) == (begins, True, True)
    assert body
    assert set(body) <= set(known_passages)
    assert (len(reply.cites), reply.answers) == (len(body), "<1@finch-labs.example>")


def test_what_is_missing_is_asked_for_before_anything_is_answered() -> None:
    reply = composed(DARK, {name: value for name, value in READ.items() if name != "serial_number"})

    assert reply is not None
    assert (POLICY.details["serial_number"].ask in reply.text, reply.cites) == (True, ())


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Our school class would like to visit your factory.", READ),
        (DARK, {**READ, "language": "fr"}),
        (DARK, {**READ, "sender": "no-reply@finch-labs.example"}),
        (DARK, {**READ, "sender": "ada@finch-labs.example\nBcc: eve@example.com"}),
        (DARK, {**READ, "reply": "-"}),
        (DARK, {name: value for name, value in READ.items() if name != "sender"}),
    ],
    ids=["no support", "no such language", "a machine", "a second header", "dropped by a person", "nobody"],
)
def test_no_reply_where_none_can_be_supported_or_sent(text: str, read: dict[str, str]) -> None:
    assert composed(text, read) is None


def test_machine_is_not_answered() -> None:
    mail = Mail(subject="A fault", text=DARK, automatic=True)

    assert reply_to(mail, DARK, READ, POLICY, BASES) is None


def test_article_without_a_title_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "prices.md").write_text("Prices are net.")

    with pytest.raises(ValueError, match=r"prices\.md has no title"):
        Knowledge(tmp_path, "en").search("prices", 0.1)
