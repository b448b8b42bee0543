"""Contract approval: who is asked, in which order, and what is written."""

from tests.contract_desk import LARGE, PENALTY, SMALL, asked, contract, start
from tests.desk import Desk
from tests.word import docx, inserted, paragraph
from tests.workflows.scenarios import outcome_of


async def test_a_small_contract_is_signed_off_by_its_owner_and_by_legal(desk: Desk) -> None:
    case = await start(desk, contract())

    first = await asked(desk, case, "business")
    await desk.decide(case, "approve", by="business-owner")
    second = await asked(desk, case, "review")
    await desk.decide(case, "approve", by="legal")

    outcome = await outcome_of(case)
    assert (first, second) == ({"business-owner"}, {"legal"})
    assert (outcome.status, outcome.decided_by) == ("applied", "business-owner, legal")
    assert desk.faults(case, outcome) == []


async def test_a_large_contract_with_personal_data_is_signed_off_by_all_seven(desk: Desk) -> None:
    case = await start(desk, contract(LARGE))
    await asked(desk, case, "business")
    await desk.decide(case, "approve", by="business-owner")

    reviewers = await asked(desk, case, "review")
    for person in sorted(reviewers):
        await desk.decide(case, "approve", by=person)
    last = await asked(desk, case, "executive")
    await desk.decide(case, "approve", by="executive")

    assert reviewers == {"legal", "finance", "procurement", "security", "privacy"}
    assert last == {"executive"}
    assert (await outcome_of(case)).status == "applied"


async def test_a_no_of_legal_ends_it_and_nothing_is_written(desk: Desk) -> None:
    case = await start(desk, contract(LARGE))
    await asked(desk, case, "business")
    await desk.decide(case, "approve", by="business-owner")
    await asked(desk, case, "review")

    await desk.decide(case, "reject", by="legal", note="the cap is too low")

    assert (await outcome_of(case)).status == "rejected"
    assert desk.parts.crm.port.find("contract", {}) == []


async def test_clauses_and_tracked_changes_are_shown_and_what_is_shown_is_written(desk: Desk) -> None:
    body = "".join(paragraph(text) for text in SMALL.values()) + paragraph(inserted(PENALTY))
    case = await start(desk, docx(body))

    row = await desk.at_step(case, "business")
    await desk.decide(case, "approve", by="business-owner")
    await asked(desk, case, "review")
    await desk.decide(case, "approve", by="legal")
    await outcome_of(case)

    assert any(reason.startswith("intake: tracked changes") for reason in row.reasons)
    assert any(PENALTY in reason for reason in row.reasons)
    written = desk.parts.crm.port.read("contract", f"{case.id}:apply")
    assert written is not None
    assert written["clauses"] == [{"kind": "penalty", "quote": PENALTY, "page": 1}]
