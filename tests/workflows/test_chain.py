"""A chain of steps: seven people, hours and days, and whatever comes between them."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus

from schemas.case import Outcome
from schemas.policy import ApprovalPolicy, InvoicePolicy
from schemas.steps import Escalation, Seat, Step
from tests.desk import CLERK, DEPUTY, DISAGREEING, OVER_LIMIT, OWNER, Case, Desk, approval, policy
from tests.workflows.scenarios import outcome_of
from tests.workflows.test_approval import reset_to_first_task

LEGAL, FINANCE, SECURITY, PRIVACY, PROCUREMENT = (
    "lee-legal",
    "fay-finance",
    "sol-security",
    "pia-privacy",
    "pat-procure",
)
BUSINESS, EXECUTIVE, STAND_IN, SECOND = "bo-business", "eve-executive", "sam-stand-in", "dee-deputy"
DAY = timedelta(days=1)


def seats(*voters: str) -> tuple[Seat, ...]:
    return tuple(Seat(voter=voter) for voter in voters)


def seven(**changes: object) -> InvoicePolicy:
    """Five side by side, then the business owner, who has somebody above, then the executive."""
    steps = (
        Step(
            name="experts",
            voters=seats(LEGAL, FINANCE, SECURITY, PRIVACY, PROCUREMENT),
            rule="all",
            veto=(LEGAL,),
            remind_after=DAY,
        ),
        Step(name="business", voters=seats(BUSINESS), patience=DAY, escalate=(Escalation(to=(SECOND,)),)),
        Step(name="executive", voters=seats(EXECUTIVE)),
    )
    return policy(
        approval=ApprovalPolicy.model_validate({"steps": steps, "owner": OWNER, "delegates": (STAND_IN,), **changes})
    )


def phases(desk: Desk, case: Case) -> list[tuple[str, str]]:
    """How the case was shown to people, in order, each once: step and phase."""
    shown = [(body["step"], kind.removeprefix("approval.")) for kind, body in desk.acts(case) if "approval." in kind]
    return list(dict.fromkeys(shown))


async def test_seven_people_a_reminder_a_delegation_a_breach_and_an_escalation(desk: Desk) -> None:
    case = await desk.start(OVER_LIMIT, seven())
    await desk.asked(case)
    for person in (LEGAL, FINANCE, SECURITY, PRIVACY):
        await desk.decide(case, "approve", by=person)
    await desk.forward(case, 1.1 * DAY)
    await desk.at_phase(case, "reminded")
    await desk.decide(case, "delegate", by=PROCUREMENT, to=STAND_IN)
    await desk.decide(case, "approve", by=STAND_IN)
    await desk.at_step(case, "business")
    await desk.forward(case, 1.1 * DAY)
    await desk.at_phase(case, "escalated")
    late = await desk.decide(case, "approve", by=BUSINESS)
    await desk.decide(case, "approve", by=SECOND)
    await desk.at_step(case, "executive")
    await desk.decide(case, "approve", by=EXECUTIVE)

    outcome = await outcome_of(case)
    assert outcome.status == "applied"
    assert outcome.decided_by.split(", ") == [LEGAL, FINANCE, SECURITY, PRIVACY, STAND_IN, SECOND, EXECUTIVE]
    assert not late.accepted
    assert phases(desk, case) == [
        ("experts", "open"),
        ("experts", "reminded"),
        ("business", "open"),
        ("business", "reminded"),
        ("business", "escalated"),
        ("executive", "open"),
    ]
    assert desk.faults(case, outcome) == []


async def test_chain_that_nobody_decides_goes_to_its_owner_and_expires(desk: Desk) -> None:
    case = await desk.start(OVER_LIMIT, seven(), hasty=True)

    outcome = await outcome_of(case)

    assert outcome.status == "expired"
    assert phases(desk, case) == [("experts", "open"), ("experts", "reminded"), ("experts", "handed")]


async def test_veto_ends_the_case_however_many_agree(desk: Desk) -> None:
    case = await desk.start(OVER_LIMIT, seven())
    await desk.asked(case)
    for person in (FINANCE, SECURITY, PRIVACY, PROCUREMENT):
        await desk.decide(case, "approve", by=person)
    await desk.decide(case, "reject", by=LEGAL, note="unlimited liability")

    outcome = await outcome_of(case)

    assert (outcome.status, outcome.reasons) == ("rejected", ("unlimited liability",))


async def test_correction_in_a_later_step_sends_the_new_draft_through_the_first_again(desk: Desk) -> None:
    steps = (Step(name="clerks", voters=seats(CLERK)), Step(name="deputies", voters=seats(DEPUTY)))
    case = await desk.start(OVER_LIMIT, policy(approval=approval().model_copy(update={"steps": steps})))
    await desk.at_step(case, "clerks")
    await desk.decide(case, "approve", by=CLERK)
    first = await desk.at_step(case, "deputies")
    await desk.decide(case, "correct", by=DEPUTY, corrections={"supplier": "Brandt"})
    again = await desk.at_step(case, "clerks", after=first.draft)
    await desk.decide(case, "approve", by=CLERK)
    await desk.at_step(case, "deputies")
    await desk.decide(case, "approve", by=DEPUTY)

    outcome = await outcome_of(case)

    view = desk.parts.cases.view(again)
    assert [(change.field, change.now, change.by) for change in view.changes] == [("supplier", "Brandt", DEPUTY)]
    assert (outcome.status, outcome.draft) == ("applied", again.draft)


async def test_question_to_the_submitter_stops_the_clock_until_it_is_answered(desk: Desk) -> None:
    case = await desk.start(OVER_LIMIT, policy(approval=approval(remind_after=2.9 * DAY)))
    first = await desk.asked(case)
    await desk.decide(case, "ask", note="Was this ordered?")
    asked = await desk.asked(case, times=2)
    await desk.forward(case, 1.5 * DAY)
    await desk.decide(case, "answer", by="tester", note="Yes, in May.")
    row = await desk.asked(case, times=3)
    await desk.decide(case, "approve")

    assert (await outcome_of(case)).status == "applied"
    assert asked.due is not None
    assert abs(asked.due - datetime.now(UTC) - 2 * DAY) < DAY / 24  # until the submitter is to answer
    assert first.due is not None
    assert row.due is not None
    assert row.due - first.due >= 1.5 * DAY
    assert [(it.note, it.answer) for it in desk.parts.cases.view(row).questions] == [
        ("Was this ordered?", "Yes, in May.")
    ]


async def test_neither_who_submitted_nor_who_corrected_decides_where_the_policy_wants_four_eyes(desk: Desk) -> None:
    four_eyes = approval(voters=seats(CLERK, DEPUTY, "tester"), maker_checker=True, self_confirmation=False)
    case = await desk.start(DISAGREEING, policy(approval=four_eyes))
    await desk.asked(case)
    submitter = await desk.decide(case, "reject", by="tester")
    await desk.decide(case, "correct", corrections={"gross_amount": "2748.90"})
    await desk.asked(case, times=2)
    corrector = await desk.decide(case, "approve")
    await desk.decide(case, "approve", by=DEPUTY)

    assert (await outcome_of(case)).decided_by == DEPUTY
    assert (submitter.accepted, corrector.accepted) == (False, False)


async def test_reset_of_a_chain_keeps_the_votes_of_every_step(desk: Desk) -> None:
    case = await desk.start(OVER_LIMIT, seven())
    await desk.asked(case)
    await desk.decide(case, "delegate", by=PROCUREMENT, to=STAND_IN)
    for person in (STAND_IN, LEGAL, FINANCE, SECURITY, PRIVACY):
        await desk.decide(case, "approve", by=person)
    await desk.at_step(case, "business")
    await desk.decide(case, "approve", by=BUSINESS)
    await desk.at_step(case, "executive")

    again = await reset_to_first_task(desk, case)
    await desk.asked(again)
    await desk.decide(again, "approve", by=EXECUTIVE)

    assert (await outcome_of(again)).status == "applied"


@pytest.mark.timeout(300)
async def test_comments_without_end_begin_the_history_anew_and_lose_nothing(busy_desk: Desk) -> None:
    desk = busy_desk
    case = await desk.start(OVER_LIMIT, seven())
    await desk.asked(case)
    await desk.decide(case, "approve", by=LEGAL)
    first = desk.client.get_workflow_handle(case.id, run_id=case.first_execution_run_id)
    people, sent = (FINANCE, SECURITY, PRIVACY, PROCUREMENT, STAND_IN, OWNER), Counter[str]()
    while (await first.describe()).status != WorkflowExecutionStatus.CONTINUED_AS_NEW:
        for person in people:
            # Answered one by one: a stream of signals that never stops keeps a history from being begun anew.
            assert (await desk.decide(case, "comment", by=person, note=f"remark {sent[person]}")).accepted
            sent[person] += 1
    for person in (FINANCE, SECURITY, PRIVACY, PROCUREMENT):
        await desk.decide(case, "approve", by=person)
    latest = desk.client.get_workflow_handle(case.id, result_type=Outcome)
    for step, person in (("business", BUSINESS), ("executive", EXECUTIVE)):
        await desk.at_step(latest, step)
        await desk.decide(latest, "approve", by=person)

    outcome = await outcome_of(latest)
    heard = Counter(remark["by"] for remark in desk.parts.audit.remarks(case.id))
    assert (outcome.status, outcome.decided_by.count(",")) == ("applied", 6)
    assert heard == sent


@pytest.mark.parametrize("person", [DEPUTY, OWNER])
async def test_claimed_case_is_left_alone_until_it_is_released(desk: Desk, person: str) -> None:
    case = await desk.start(OVER_LIMIT, policy())
    await desk.asked(case)
    await desk.decide(case, "claim")
    early = await desk.decide(case, "reject", by=DEPUTY)
    await desk.decide(case, "release", by=CLERK if person == DEPUTY else OWNER)
    await desk.decide(case, "approve", by=DEPUTY)

    assert (await outcome_of(case)).decided_by == DEPUTY
    assert "has claimed it" in early.reason
