"""Starting request triage: a mail or a text is one case, whatever else differs each time it is sent."""

from pathlib import Path

import pytest

from schemas.case import Outcome
from schemas.message import digest_of
from starters.launch import Launcher, Started
from starters.mail import split
from starters.request_triage import REQUEST_TRIAGE
from tests.desk import Desk
from tests.workflows.scenarios import outcome_of
from workers.settings import Settings

MAIL = """\
From: Ada Finch <ada@finch-labs.example>
Subject: {subject}
Date: {date}
Message-ID: <{number}@mail.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=part

--part
Content-Type: text/plain; charset=utf-8

Where is our order HL-20418?
--part
Content-Type: application/pdf
Content-Disposition: attachment; filename=order.pdf

%PDF-1.4
--part--
"""


async def started(desk: Desk, *paths: Path) -> list[Started]:
    settings = Settings(task_queue=desk.queue)
    return [one async for one in Launcher(desk.client, desk.parts, settings, REQUEST_TRIAGE).start_all(paths)]


def mail(desk: Desk, folder: Path, number: int) -> Path:
    """Sent again, it has another date and number; each desk has a subject of its own, as all share one server."""
    path = folder / f"{number}.eml"
    date = f"Tue, 0{number} Jun 2026 09:00:00 +0200"
    path.write_text(MAIL.format(subject=f"Order {desk.queue}", date=date, number=number))
    return path


async def test_mail_is_one_case_and_what_came_with_it_is_told(desk: Desk, tmp_path: Path) -> None:
    left, case = await started(desk, mail(desk, tmp_path, 1))

    assert (left.how, left.part, case.how) == ("left out", "order.pdf", "new")


async def test_same_words_of_the_same_sender_join_their_case(desk: Desk, tmp_path: Path) -> None:
    _, first = await started(desk, mail(desk, tmp_path, 1))
    _, second = await started(desk, mail(desk, tmp_path, 2))

    assert first.case == second.case
    assert second.how in ("joined", "ended")


async def test_ended_case_is_sent_again_and_nothing_of_it_is_kept_anew(desk: Desk, tmp_path: Path) -> None:
    _, first = await started(desk, mail(desk, tmp_path, 1))
    handle = desk.client.get_workflow_handle(first.case, result_type=Outcome)
    await outcome_of(handle)
    again = mail(desk, tmp_path, 2)
    kept = split(again.read_bytes()).mail.model_dump_json().encode()

    (second,) = await started(desk, again)

    assert (second.case, second.how) == (first.case, "ended")
    with pytest.raises(FileNotFoundError):
        desk.parts.blobs.get(digest_of(kept))


async def test_text_is_a_message_too(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "form.txt"
    path.write_bytes(f"\ufeffPlease change our address. {desk.queue}".encode())

    (case,) = await started(desk, path)

    assert case.how == "new"
