"""Replies are sent at most once, whatever the mail server says, does not say, or is never asked again."""

import multiprocessing
import os
import signal
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.audit import Audit
from activities.cases import Cases
from activities.post import Post
from activities.replies import Replies
from activities.store import Blobs
from activities.threads import Threads
from schemas.case import Draft
from schemas.mail import Mail
from schemas.reply import Reply, SendRequest, Sent
from schemas.source import Source
from tests.receivers import Mailbox, mailing

REPLY = Reply(
    to="ada@finch-labs.example",
    subject="Re: Grüße",
    text="Dear customer,\n\n.A line that begins with a dot, and ümlauts.\n",
    answers=f"<{'a' * 120}@finch-labs.example>",
)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mailing() as mailbox:
        yield mailbox


@pytest.fixture
def request_(blobs: Blobs, case: str) -> SendRequest:
    draft = Draft(case=case, source="0" * 64, records=(), main="", reply=REPLY)
    return SendRequest(case=case, draft=blobs.put(draft.model_dump_json().encode()))


@pytest.fixture
def replies(engine: Engine, blobs: Blobs, mailbox: Mailbox) -> Replies:
    return Replies(engine, blobs, Post("127.0.0.1", mailbox.port, "service@example.com"))


def send(replies: Replies, request: SendRequest) -> Sent:
    sent: Sent = ActivityEnvironment().run(replies.send, request)
    return sent


def states(audit: Audit, case: str) -> list[str]:
    return [str(body["state"]) for link, body in audit.entries(case) if body and link.kind == "reply.ended"]


def test_reply_is_sent_once_as_an_answer_in_its_thread(
    replies: Replies, mailbox: Mailbox, request_: SendRequest, audit: Audit
) -> None:
    first, again = send(replies, request_), send(replies, request_)

    (mail,) = mailbox.mails
    assert (mail["To"], mail["Subject"], mail["From"]) == (REPLY.to, REPLY.subject, "service@example.com")
    assert (mail["In-Reply-To"], mail["References"]) == (REPLY.answers, REPLY.answers)
    assert mail["Message-ID"] == first.message_id == again.message_id
    assert mail.get_content().replace("\r\n", "\n") == REPLY.text
    assert states(audit, request_.case) == ["sent"]


def test_what_answers_a_reply_goes_on_with_its_case(replies: Replies, engine: Engine, blobs: Blobs) -> None:
    threads, asked = Threads(cases := Cases(engine, blobs), Audit(engine)), Mail(sender=REPLY.to, text="Where is it?")
    case = "request-triage/1"
    message = Source(digest=blobs.put(asked.model_dump_json().encode()), name="1.eml", size=1)
    threads.enter(case, asked, "")
    cases.open(case, message, "tester")
    draft = Draft(case=case, source=message.digest, records=(), main="", reply=REPLY)

    sent = send(replies, SendRequest(case=case, draft=blobs.put(draft.model_dump_json().encode())))

    answer = Mail(sender=f"Ada <{REPLY.to}>", answers=("<unknown@example.com>", sent.message_id))
    assert threads.root_of(answer) == case
    assert threads.root_of(answer.model_copy(update={"sender": "eve@example.org"})) == ""


def test_busy_server_is_asked_again_and_takes_it_once(
    replies: Replies, mailbox: Mailbox, request_: SendRequest, audit: Audit
) -> None:
    mailbox.answers = ["451 later"]

    with pytest.raises(ApplicationError, match="451") as busy:
        send(replies, request_)
    send(replies, request_)

    assert (busy.value.non_retryable, len(mailbox.mails)) == (False, 1)
    assert states(audit, request_.case) == ["failed", "sent"]


def test_refusal_for_good_is_not_tried_again(replies: Replies, mailbox: Mailbox, request_: SendRequest) -> None:
    mailbox.answers = ["550 no such user"]

    with pytest.raises(ApplicationError, match="550") as refused:
        send(replies, request_)

    assert refused.value.non_retryable
    assert "user" not in str(refused.value)


def test_lost_answer_is_not_guessed_and_nothing_is_sent_twice(
    replies: Replies, mailbox: Mailbox, request_: SendRequest, audit: Audit
) -> None:
    mailbox.answers = [""]

    for _ in range(2):
        with pytest.raises(ApplicationError, match="not known") as unknown:
            send(replies, request_)
        assert unknown.value.non_retryable

    assert len(mailbox.mails) == 1
    assert set(states(audit, request_.case)) == {"begun"}


def test_worker_killed_between_the_answer_and_our_record_sends_nothing_twice(
    replies: Replies, mailbox: Mailbox, request_: SendRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Post.hand_over

    def killed(self: Post, *what: object) -> None:
        whole(self, *what)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGKILL)

    replies.engine.dispose()
    monkeypatch.setattr(Post, "hand_over", killed)
    worker = multiprocessing.get_context("fork").Process(target=send, args=(replies, request_))
    worker.start()
    worker.join(30)
    monkeypatch.undo()

    with pytest.raises(ApplicationError, match="not known"):
        send(replies, request_)
    assert (worker.exitcode, len(mailbox.mails)) == (-signal.SIGKILL, 1)


def test_nothing_listens_is_told_and_tried_again(replies: Replies, request_: SendRequest) -> None:
    nobody = Replies(replies.engine, replies.blobs, Post("127.0.0.1", 1, "service@example.com"))

    with pytest.raises(ApplicationError, match="cannot be reached") as away:
        send(nobody, request_)

    assert not away.value.non_retryable
    assert send(replies, request_).message_id
