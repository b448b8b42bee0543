"""Contract approval: who is asked, in which order, and what is written."""

from schemas.case import Outcome
from schemas.contract import Intake
from schemas.message import digest_of
from schemas.policy import ContractPolicy
from schemas.source import Source
from starters.contract_approval import CONTRACT_APPROVAL
from tests.desk import Case, Desk
from tests.word import docx, inserted, paragraph
from tests.workflows.scenarios import outcome_of
from workers.settings import Settings
from workflows.contract_approval import NAME

SMALL = {
    "parties": "This Agreement is between Aldermere Instruments GmbH and Tern Analytics Ltd (Supplier).",
    "term": "It is effective as of 1 March 2026 for an initial term of twelve months.",
    "value": "The total contract value is EUR 6,000.00.",
    "liability": "The Supplier's liability shall not exceed EUR 50,000.00.",
    "data": "The Supplier receives no personal data.",
    "law": "This Agreement is governed by the laws of Ireland.",
}
LARGE = {
    "value": "The total contract value is EUR 240,000.00.",
    "data": "The Supplier processes personal data under a data processing agreement.",
}
PENALTY = "The Customer shall pay a penalty of EUR 10,000 for each day of delay."


def contract(changes: dict[str, str] | None = None) -> bytes:
    return docx("".join(paragraph(text) for text in (SMALL | (changes or {})).values()))


async def start(desk: Desk, data: bytes) -> Case:
    policy: ContractPolicy = CONTRACT_APPROVAL.load_charter(Settings()).policy
    source = Source(digest=desk.parts.blobs.put(data), name="contract.docx", size=len(data))
    case = f"{NAME}/{digest_of(data)}-{desk.queue[:8]}"
    desk.parts.cases.open(case, source, "tester")
    return await desk.client.start_workflow(
        NAME,
        Intake(source=source, policy=policy, submitted_by="tester"),
        id=case,
        task_queue=desk.queue,
        result_type=Outcome,
    )


async def asked(desk: Desk, case: Case, step: str) -> set[str]:
    return set((await desk.at_step(case, step)).approvers)


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
