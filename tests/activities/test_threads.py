"""What a conversation says: each word once, whatever its messages repeat, and nothing of what was erased."""

import pytest
from sqlalchemy import Engine

from activities.audit import Audit
from activities.cases import Cases
from activities.conversation import conversation_in
from activities.erasure import Eraser
from activities.store import Blobs
from activities.threads import Threads
from schemas.case import Closing, Outcome, View
from schemas.mail import Mail
from schemas.source import Source

FIRST, SECOND = "request-triage/first", "request-triage/second"
ASKED = Mail(subject="An order", sender="Ada <ada@finch-labs.example>", text="Where is it?", message_id="<1@a>")
QUOTING = """\
It is HL-20418.

On Monday Service wrote:
> Which order is it about?
Where is it?"""
ANSWER = Mail(subject="Re: An order", sender="ada@finch-labs.example", text=QUOTING, answers=("<1@a>",))


@pytest.fixture
def threads(engine: Engine, blobs: Blobs, audit: Audit) -> Threads:
    """With a first case that has ended, and a second one that goes on with it."""
    threads = Threads(cases := Cases(engine, blobs), audit)
    for case, mail in ((FIRST, ASKED), (SECOND, ANSWER)):
        threads.enter(case, mail, threads.root_of(mail))
        cases.open(case, Source(digest=blobs.put(mail.model_dump_json().encode()), name="mail", size=1), "tester")
    outcome = Outcome(status="rejected")
    cases.close(Closing(case=FIRST, outcome=outcome, view=View()))
    return threads


def answered(threads: Threads, blobs: Blobs) -> Source:
    data = ANSWER.model_dump_json().encode()
    return Source(digest=blobs.put(data), name="2.eml", size=len(data), thread=threads.before(FIRST, SECOND))


def test_what_a_message_repeats_is_said_once(threads: Threads, blobs: Blobs) -> None:
    said = conversation_in(blobs, answered(threads, blobs))

    own = [line for line in said.own.splitlines() if line]
    assert own == ["Re: An order", "It is HL-20418.", "On Monday Service wrote:"]
    assert said.text.count("Where is it?") == 1


def test_message_of_an_erased_case_is_gone_from_its_thread(threads: Threads, blobs: Blobs, audit: Audit) -> None:
    source = answered(threads, blobs)

    Eraser(audit, blobs).erase(FIRST, "privacy", "asked")

    assert "Where is it?" not in [one.text for one in conversation_in(blobs, source).earlier]
    assert threads.root_of(ANSWER) == ""


def test_case_is_gone_on_with_only_by_one_that_was_entered_with_its_message(threads: Threads, blobs: Blobs) -> None:
    third = "request-triage/third"
    threads.enter(third, ANSWER, FIRST)
    before = threads.newer(SECOND)
    data = b"{}"
    source = Source(digest=blobs.put(data), name="3.eml", size=len(data), thread=threads.before(FIRST, third))
    threads.cases.open(third, source, "tester")

    assert (before, threads.newer(SECOND), threads.newer(third)) == ("", third, "")
    assert [one.id for one in threads.later(SECOND)] == [third]


def test_without_its_sender_a_thread_is_looked_for_among_the_others_that_a_mail_names(
    threads: Threads, blobs: Blobs
) -> None:
    """Somebody else's mail of the same thread is named before one's own."""
    other = ASKED.model_copy(update={"sender": "eve@example.org", "message_id": "<9@e>"})
    threads.enter("request-triage/eve", other, "")
    source = Source(digest=blobs.put(other.model_dump_json().encode()), name="9.eml", size=1)
    threads.cases.open("request-triage/eve", source, "tester")

    assert threads.root_of(ANSWER.model_copy(update={"answers": ("<9@e>", "<1@a>")})) == FIRST
