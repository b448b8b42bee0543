"""Threads: what answers a message joins its case, or goes on with the ticket that was filed of it."""

from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from schemas.case import Outcome
from schemas.reconciliation import Page
from starters.launch import Launcher
from starters.request_triage import REQUEST_TRIAGE
from tests.desk import Case, Desk
from tests.request_desk import SENDER, SERVICE, ticket
from tests.workflows.scenarios import outcome_of
from workers.settings import Settings

ASKED = "Where is our order? It should have been delivered on Monday."
ANSWER = "It is HL-20418, sorry."
QUOTED = f"> {ASKED}\n"


async def received(desk: Desk, folder: Path, text: str, answers: str = "", sender: str = SENDER) -> Case:
    """A mail, started as whoever runs the mailbox would; its id is its number in the folder."""
    number = len(list(folder.glob("*.eml"))) + 1
    headers = [f"From: {sender}", f"Subject: {desk.queue}", f"Message-ID: <{number}@{desk.queue}.example>"]
    headers += [f"In-Reply-To: {answers}", f"References: {answers}"] if answers else []
    path = folder / f"{number}.eml"
    path.write_text("\n".join(headers) + f"\n\n{text}\n")
    launcher = Launcher(desk.client, desk.parts, Settings(task_queue=desk.queue), REQUEST_TRIAGE)
    (started,) = [one async for one in launcher.start_all([path])]
    assert started.how == "new", started
    return desk.client.get_workflow_handle(started.case, result_type=Outcome)


def tickets(desk: Desk) -> list[str]:
    return desk.parts.crm.port.find("ticket", {"subject": desk.queue})


async def test_answer_takes_over_the_case_that_waits_for_it(desk: Desk, tmp_path: Path) -> None:
    first = await received(desk, tmp_path, ASKED)
    await desk.asked(first)

    second = await received(desk, tmp_path, f"{ANSWER}\n\n{QUOTED}", answers=f"<1@{desk.queue}.example>")

    taken, filed = await outcome_of(first), await outcome_of(second)
    assert (taken.status, second.id in taken.reasons[0], filed.status) == ("superseded", True, "applied")
    assert (filed.decided_by, tickets(desk)) == ("", [f"{first.id}:apply"])
    assert ticket(desk, first)["details"] == {"order_number": "HL-20418"}
    assert [desk.faults(case, outcome) for case, outcome in ((first, taken), (second, filed))] == [[], []]


async def test_answer_goes_on_with_the_ticket_that_was_filed(desk: Desk, tmp_path: Path) -> None:
    first = await received(desk, tmp_path, ASKED)
    await desk.asked(first)
    await desk.decide(first, "approve", by=SERVICE)
    await outcome_of(first)

    second = await received(desk, tmp_path, ANSWER, answers=f"<1@{desk.queue}.example>")

    outcome, filed = await outcome_of(second), ticket(desk, first)
    assert (outcome.status, outcome.decided_by, tickets(desk)) == ("applied", "", [f"{first.id}:apply"])
    assert (filed["category"], filed["details"]) == ("order_status", {"order_number": "HL-20418"})
    compared = ActivityEnvironment().run(desk.parts.reconciler.compare, Page())
    assert (compared.cases, compared.differences) == (2, ())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Please send us a quotation for 200 valves.", "order_status and quotation_request"),
        ("Our school class would like to visit your factory.", "category: confidence 0.00"),
    ],
    ids=["another category", "none"],
)
async def test_answer_that_wants_something_else_goes_to_a_person(
    desk: Desk, tmp_path: Path, text: str, why: str
) -> None:
    first = await received(desk, tmp_path, f"{ASKED} It is HL-20418.")
    await outcome_of(first)

    second = await received(desk, tmp_path, text, answers=f"<1@{desk.queue}.example>")

    row = await desk.asked(second)
    assert why in " ".join(row.reasons)
    assert ticket(desk, first)["category"] == "order_status"


async def test_answer_that_answers_nothing_leaves_the_thread_with_people(desk: Desk, tmp_path: Path) -> None:
    first = await received(desk, tmp_path, ASKED)
    await desk.asked(first)

    second = await received(desk, tmp_path, "Please hurry up!", answers=f"<1@{desk.queue}.example>")

    assert "category: confidence 0.00" in " ".join((await desk.asked(second)).reasons)


async def test_answer_from_another_address_begins_a_thread_of_its_own(desk: Desk, tmp_path: Path) -> None:
    first = await received(desk, tmp_path, f"{ASKED} It is HL-20418.")
    await outcome_of(first)

    text = "Where is our order HL-20999? It should have been delivered on Monday."
    second = await received(desk, tmp_path, text, f"<1@{desk.queue}.example>", sender="Eve <eve@example.org>")

    await outcome_of(second)
    assert ticket(desk, first)["details"] == {"order_number": "HL-20418"}
    assert tickets(desk) == [f"{first.id}:apply", f"{second.id}:apply"]


async def test_same_words_in_two_threads_are_two_messages(desk: Desk, tmp_path: Path) -> None:
    for text in (f"{ASKED} It is HL-20418.", f"{ASKED} It is HL-20419."):
        await outcome_of(await received(desk, tmp_path, text))

    answers = [await received(desk, tmp_path, "Thank you.", f"<{it}@{desk.queue}.example>") for it in (1, 2)]

    assert len({answer.id for answer in answers}) == len(answers)


async def test_word_of_a_newer_case_that_is_not_there_ends_nothing(desk: Desk, tmp_path: Path) -> None:
    case = await received(desk, tmp_path, ASKED)
    await desk.asked(case)

    await case.signal("newer")
    await desk.decide(case, "approve", by=SERVICE)

    outcome = await outcome_of(case)
    refused = [body for link, body in desk.parts.audit.entries(case.id) if link.kind == "person.misspelt"]
    assert (outcome.status, len(refused)) == ("applied", 1)


async def test_answer_goes_on_although_the_case_before_it_is_gone_from_temporal(desk: Desk, tmp_path: Path) -> None:
    first = await received(desk, tmp_path, ASKED)
    await desk.asked(first)
    await first.terminate()

    second = await received(desk, tmp_path, ANSWER, answers=f"<1@{desk.queue}.example>")

    assert (await outcome_of(second)).status == "applied"


async def test_answer_in_the_shadow_leaves_the_case_before_it_with_people(desk: Desk, tmp_path: Path) -> None:
    first = await received(desk, tmp_path, ASKED)
    await desk.asked(first)
    desk.parts.watching.brakes.pull("request-triage", "shadow", "looked at", "service-lead")

    second = await received(desk, tmp_path, ANSWER, answers=f"<1@{desk.queue}.example>")

    assert ((await outcome_of(second)).status, desk.row(first).status) == ("shadowed", "waiting")
    await desk.decide(first, "approve", by=SERVICE)
    assert (await outcome_of(first)).status == "applied"
