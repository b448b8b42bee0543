"""Notices at the wire: what they say, whom they reach, and what of them is told to nobody else."""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.addresses import Addresses, BadAddresses
from activities.audit import Audit
from activities.notices import Notices
from activities.proof import code_for
from schemas.message import digest_of
from schemas.opening import CodeFor, Telling, Told
from tests.receivers import SECRET, Mailbox, Receiver, mailing, receiving
from tests.servers import free_port
from workers.settings import Settings

CLERK, DEPUTY = "ap-clerk", "ap.deputy"
KEY, DRAFT = b"a key of codes", digest_of(b"a draft")
DUE = datetime(2026, 11, 26, 14, 30, tzinfo=UTC)
Send = Callable[..., Told]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mailing() as mailbox:
        yield mailbox


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "our people.yaml"


def write(file: Path, *addresses: tuple[str, str]) -> None:
    lines = [f"  - {url!r}:\n      - tag: {person}" for person, url in addresses]
    file.write_text("\n".join(["urls:", *lines, ""]))


@pytest.fixture
def send(file: Path, audit: Audit, case: str) -> Send:
    def send(person: str = CLERK, **about: object) -> Told:
        notices = Notices(Addresses(file), audit, Settings(ui_url="https://temporal.example.com/").ui_link, KEY)
        telling = {"case": case, "kind": "assignment", "people": (person,), "step": "legal", "due": DUE, **about}
        told = ActivityEnvironment().run(notices.send, Telling.model_validate(telling))
        assert isinstance(told, Told)
        return told

    return send


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """What a worker's log would hold at its most talkative; pytest's own look reaches past what is kept from it."""
    handler, root = logging.StreamHandler(StringIO()), logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield handler.stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def entries(audit: Audit, case: str) -> Callable[[], list[tuple[str, Mapping[str, object]]]]:
    return lambda: [(link.kind, body or {}) for link, body in audit.entries(case) if link.kind.startswith("notice.")]


def test_notice_tells_case_step_deadline_and_where_to_look(
    send: Send, file: Path, receiver: Receiver, case: str
) -> None:
    write(file, (CLERK, receiver.url))

    assert send().sent

    (notice,) = receiver.taken
    key = case.partition("/")[2]
    assert notice["title"] == f"A case waits for your decision: invoice-intake/{key[:8]}"
    assert notice["message"].splitlines() == [
        "A case waits for your decision, step legal. There is time until 26 November 2026, 14:30 UTC.",
        "",
        f"Case: {case}",
        f"In the Temporal UI: https://temporal.example.com/namespaces/default/workflows/invoice-intake%2F{key}",
        f"In a terminal: casework show {case}",
    ]


def test_mail_is_plain_text(send: Send, file: Path, mailbox: Mailbox, case: str) -> None:
    write(file, (CLERK, mailbox.url("ap@example.com")))

    send(kind="outcome", outcome="applied", step="", due=None)

    (mail,) = mailbox.mails
    assert (mail["To"], mail.get_content_type()) == ("ap@example.com", "text/plain")
    assert str(mail["Subject"]).startswith("A case has ended: invoice-intake/")
    assert mail.get_content().splitlines()[:3] == ["A case has ended: applied.", "", f"Case: {case}"]


def test_each_person_is_reached_at_every_address_of_theirs_and_no_other(
    send: Send, file: Path, receiver: Receiver, mailbox: Mailbox
) -> None:
    write(file, (CLERK, mailbox.url("ap@example.com")), (DEPUTY, receiver.url), (DEPUTY, mailbox.url("dd@example.com")))

    send(DEPUTY)

    assert [mail["To"] for mail in mailbox.mails] == ["dd@example.com"]
    assert len(receiver.taken) == 1


@pytest.mark.parametrize("person", ["all", "always", "ap", "ap-clerk-2"])
def test_no_name_reaches_the_address_of_another(send: Send, file: Path, receiver: Receiver, person: str) -> None:
    write(file, (CLERK, receiver.url))

    assert send(person).problem == "no address"
    assert receiver.attempts == 0


def test_code_reaches_its_owner_and_stands_nowhere_else(
    case: str, send: Send, file: Path, receiver: Receiver, entries: Callable[[], object], logged: StringIO
) -> None:
    write(file, (CLERK, receiver.url))

    told = send(with_code=True, draft=DRAFT, opening=1)

    code = code_for(KEY, CodeFor(case=case, person=CLERK, step="legal", draft=DRAFT, opening=1))
    assert f"Your code: {code}" in receiver.taken[0]["message"].splitlines()
    assert code not in f"{told} {entries()} {logged.getvalue()}"


def test_refused_notice_is_for_another_attempt_and_does_not_tell_the_address(
    send: Send, file: Path, receiver: Receiver, entries: Callable[[], object], logged: StringIO
) -> None:
    receiver.refusals = [503]
    write(file, (CLERK, receiver.url))

    with pytest.raises(ApplicationError) as failure:
        send()

    assert (str(failure.value), failure.value.non_retryable) == (
        "notices.unsent: 1 of 1 addresses did not take it",
        False,
    )
    assert SECRET not in f"{failure.value!r} {failure.value.__cause__} {entries()} {logged.getvalue()}"


def test_address_that_cannot_be_reached_is_for_another_attempt(send: Send, file: Path) -> None:
    write(file, (CLERK, f"json://127.0.0.1:{free_port()}"))

    with pytest.raises(ApplicationError, match="did not take it"):
        send()


def test_audit_tells_who_was_told_what_and_who_was_not(
    send: Send, file: Path, receiver: Receiver, entries: Callable[[], object]
) -> None:
    write(file, (CLERK, receiver.url))

    send()
    send(DEPUTY, kind="breach")

    told = {"step": "legal", "opening": 0, "question": 0, "outcome": ""}
    assert entries() == [
        ("notice.sent", {"kind": "assignment", "person": CLERK, "attempt": 1, **told}),
        ("notice.failed", {"kind": "breach", "person": DEPUTY, "problem": "no address", **told}),
    ]


def test_mended_address_counts_at_once(send: Send, file: Path, receiver: Receiver) -> None:
    write(file, (CLERK, f"json://127.0.0.1:{free_port()}"))
    with pytest.raises(ApplicationError):
        send()

    write(file, (CLERK, receiver.url))

    assert send().sent


BAD = {
    "half YAML": f"urls:\n  - json://{SECRET}@127.0.0.1:\n - - x",
    "an unknown service": f"urls:\n  - json://127.0.0.1:1\n  - nosuch://{SECRET}:\n      - tag: ap-clerk\n",
    "prose": f"the password is {SECRET}",
    "nothing": "",
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_file_that_is_not_understood_is_refused_without_quoting_it(
    file: Path, content: str | bytes, logged: StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(content.encode() if isinstance(content, str) else content)

    with pytest.raises(BadAddresses, match="our people") as refusal:
        Addresses(file).check()

    assert SECRET not in f"{refusal.value!r} {logged.getvalue()} {''.join(capfd.readouterr())}"


def test_file_that_is_missing_is_refused(file: Path) -> None:
    with pytest.raises(BadAddresses, match="No such file"):
        Addresses(file).check()


UNDERSTOOD = {
    "people.conf": "ap-clerk=json://127.0.0.1:1\n",
    "people.yaml": "urls:\n  - json://127.0.0.1:1:\n      - tag: a.b\n",
}


@pytest.mark.parametrize(("name", "content"), UNDERSTOOD.items(), ids=UNDERSTOOD)
def test_file_that_is_understood_is_not_refused(tmp_path: Path, name: str, content: str) -> None:
    file = tmp_path / name
    file.write_text(content)

    Addresses(file).check()
