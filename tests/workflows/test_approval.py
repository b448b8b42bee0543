"""The wait: whatever people send, whenever and however, is answered, recorded and does no harm."""

from contextlib import suppress

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowUpdateFailedError

from schemas.approval import MESSAGES_PER_PERSON, Reply, Withdrawal
from schemas.case import Outcome
from tests.desk import CLERK, DEPUTY, DISAGREEING, OVER_LIMIT, Case, Desk, approval, policy
from tests.workflows import scenarios
from tests.workflows.scenarios import outcome_of


@pytest.fixture
async def case(desk: Desk) -> Case:
    """One that waits for its approvers."""
    case = await desk.start(OVER_LIMIT, policy())
    await desk.asked(case)
    return case


async def test_decision_before_the_question_is_kept_for_its_own_draft_alone(desk: Desk) -> None:
    early = {"by": CLERK, "verdict": "approve", "draft": "0" * 64}
    case = await desk.start(OVER_LIMIT, policy(), signal=early)
    await desk.asked(case)

    row = desk.row(case)
    await desk.decide(case, "reject")

    assert row.status == "waiting"
    assert (await outcome_of(case)).status == "rejected"
    assert desk.heard(case) == [("person.decision", True), ("person.decision", True)]


async def test_decision_after_the_decision_is_refused_and_audited(desk: Desk, case: Case) -> None:
    first, second = desk.say(case, "approve"), desk.say(case, "reject", by=DEPUTY)

    # Both come at once: the second is heard while the first is being carried out.
    await case.signal("decide", first)
    await case.signal("decide", second)

    assert (await outcome_of(case)).status == "applied"
    assert sorted(desk.heard(case)) == [("person.decision", False), ("person.decision", True)]


async def test_decision_sent_twice_counts_once_and_is_answered_alike(desk: Desk, case: Case) -> None:
    said = desk.say(case, "correct", corrections={"supplier": "Brandt"})

    replies = [await case.execute_update("decide", said, id=f"try-{n}", result_type=Reply) for n in range(2)]
    await desk.asked(case, times=2)
    await desk.decide(case, "approve")

    await outcome_of(case)
    assert replies[0].accepted
    assert [link for link, _ in desk.acts(case)].count("rules.checked") == 2


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"by": "mallory"}, "may not decide"),
        ({"draft": "f" * 64}, "another draft"),
        ({"corrections": {"supplier": "x"}}, "takes no corrections"),
    ],
)
async def test_wrong_decision_is_refused_with_its_reason_and_audited(
    desk: Desk, case: Case, said: dict[str, object], reason: str
) -> None:
    reply = await desk.decide(case, "approve", **said)
    await desk.decide(case, "reject")
    await outcome_of(case)

    assert not reply.accepted
    assert reason in reply.reason
    assert desk.heard(case) == [("person.decision", False), ("person.decision", True)]


async def test_blocked_draft_cannot_be_approved(desk: Desk) -> None:
    case = await desk.start(DISAGREEING, policy())
    await desk.asked(case)

    reply = await desk.decide(case, "approve")

    assert not reply.accepted
    assert "correct it or reject it" in reply.reason
    await case.terminate()


@pytest.mark.parametrize("payload", ["approve", 7, None, b"\x00\xff", {"by": CLERK}, ["approve"]])
async def test_malformed_update_is_answered_and_audited(desk: Desk, case: Case, payload: object) -> None:
    reply = await case.execute_update("decide", payload, result_type=Reply)
    await desk.decide(case, "reject")
    await outcome_of(case)

    assert not reply.accepted
    assert desk.heard(case)[0] == ("person.unreadable", False)


async def test_misspelt_update_is_answered_and_audited(desk: Desk, case: Case) -> None:
    reply = await case.execute_update("aprove", desk.say(case, "approve"), result_type=Reply)
    await desk.decide(case, "reject")
    await outcome_of(case)

    assert "decisions go to 'decide'" in reply.reason
    assert desk.heard(case)[0] == ("person.misspelt", False)


@pytest.mark.parametrize("payloads", [[], ["one", "two"]], ids=["none", "two"])
@pytest.mark.parametrize("name", ["decide", "withdraw", "aprove"])
async def test_messages_with_no_payload_or_too_many_do_not_stop_the_case(
    desk: Desk, case: Case, name: str, payloads: list[str]
) -> None:
    await case.signal(name, args=payloads)
    with suppress(WorkflowUpdateFailedError):
        await case.execute_update(name, args=payloads)

    await desk.decide(case, "approve")

    assert (await outcome_of(case)).status == "applied"
    assert desk.heard(case)[0][1] is False


async def test_flood_of_strangers_is_cut_and_approvers_are_still_heard(desk: Desk, case: Case) -> None:
    for _ in range(MESSAGES_PER_PERSON + 5):
        await case.signal("decide", "let me in")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await case.execute_update("decide", "let me in")

    await desk.decide(case, "approve")

    assert (await outcome_of(case)).status == "applied"
    kinds = [kind for kind, _ in desk.heard(case)]
    assert "too many messages" in str(refused.value.cause)
    assert (kinds.count("person.unreadable"), kinds.count("person.flood")) == (MESSAGES_PER_PERSON, 1)


async def test_flood_in_the_name_of_an_approver_does_not_lock_them_out(desk: Desk, case: Case) -> None:
    for _ in range(MESSAGES_PER_PERSON + 5):
        await case.signal("decide", desk.say(case, "approve", draft="f" * 64))

    reply = await desk.decide(case, "approve")

    assert reply.accepted
    assert (await outcome_of(case)).decided_by == CLERK


async def test_withdrawal_is_obeyed_in_a_flood(desk: Desk) -> None:
    case = await scenarios.withdrawn_in_a_flood(desk)

    outcome = await outcome_of(case)

    assert outcome.status == "rejected"
    assert ("person.decision", True) in desk.heard(case)


async def test_decision_withdrawn_before_it_is_delivered_does_not_count(desk: Desk, case: Case) -> None:
    given_up = desk.say(case, "approve")
    await case.signal("withdraw", Withdrawal(id=given_up.id))

    reply = await case.execute_update("decide", given_up, result_type=Reply)
    await desk.decide(case, "reject")

    assert not reply.accepted
    assert (await outcome_of(case)).status == "rejected"


async def test_reset_of_a_waiting_case_keeps_what_people_said(desk: Desk, case: Case) -> None:
    await case.signal("decide", desk.say(case, "approve", by="mallory"))
    await desk.decide(case, "correct", corrections={"supplier": "Brandt Messtechnik"})
    corrected = await desk.asked(case, times=2)

    again = await reset_to_first_task(desk, case)
    row = await desk.asked(again)
    await desk.decide(again, "approve")

    outcome = await outcome_of(again)
    assert (row.draft, outcome.draft) == (corrected.draft, corrected.draft)
    assert outcome.status == "applied"
    assert desk.faults(case, outcome) == []


async def test_reset_of_a_case_that_was_talked_about_a_lot_loses_no_vote(desk: Desk) -> None:
    case = await desk.start(OVER_LIMIT, policy(approval=approval(rule="all")))
    await desk.asked(case)
    for person in (CLERK, DEPUTY):
        for _ in range(MESSAGES_PER_PERSON - 5):
            await desk.decide(case, "comment", by=person, note="still looking")
    for person in (CLERK, DEPUTY):
        await desk.decide(case, "approve", by=person)
    await outcome_of(case)

    again = await reset_to_first_task(desk, case)

    assert (await outcome_of(again)).decided_by == f"{CLERK}, {DEPUTY}"


async def reset_to_first_task(desk: Desk, case: Case) -> Case:
    events = (await case.fetch_history()).events
    first = next(it.event_id for it in events if it.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    reset = await desk.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace="default",
            workflow_execution=WorkflowExecution(workflow_id=case.id),
            workflow_task_finish_event_id=first,
            reason="an operator's reset",
            request_id=case.id,
        )
    )
    return desk.client.get_workflow_handle(case.id, run_id=reset.run_id, result_type=Outcome)
