"""Deciding: what a person is told is what became of their word."""

from starters.decide import decide, queue
from tests.desk import OVER_LIMIT, Desk, policy
from tests.workflows.scenarios import outcome_of


async def test_decision_that_ended_the_case_is_never_told_to_have_come_too_late(desk: Desk) -> None:
    case = await desk.start(OVER_LIMIT, policy())
    row = await desk.asked(case)
    said, other = desk.say(case, "approve"), desk.say(case, "reject")
    await case.signal("decide", said)
    await outcome_of(case)

    replies = [await decide(desk.client, desk.parts, row, it) for it in (said, other)]
    queued = await queue(desk.client, desk.parts, row, other)

    assert [reply.accepted for reply in replies] == [True, False]
    assert replies[1].reason == "the case has ended (applied)"
    assert not queued.accepted
    assert desk.heard(case) == [("person.decision", True), ("person.decision", False)]
