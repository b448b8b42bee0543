"""The approval rules: what is kept, who holds a step and until when, and who may no longer decide."""

from datetime import datetime

import pytest

from schemas.approval import Channel, Verb
from schemas.policy import ApprovalPolicy
from schemas.standing import Ask
from schemas.steps import Escalation
from schemas.wait import Wait
from tests.schemas.chains import (
    ANN,
    BEN,
    DAY,
    DRAFT,
    DUE,
    ESCALATED,
    HANDED,
    MAKER,
    MOMENT,
    NOW,
    OTHER,
    OWNER,
    REMINDED,
    STRANGER,
    after,
    asked,
    at,
    from_the_start,
    hearing_kept,
    question,
    reply_to,
    says,
    step_of,
)

CHANNELS: tuple[Channel, ...] = ("update", "signal")


def verdict_of(wait: Wait) -> str | None:
    return wait.decision.verdict if wait.decision else None


# Before anything is asked.


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_comes_before_anything_is_asked_is_kept_and_decides_nothing_yet(channel: Channel) -> None:
    wait, reply = Wait().hear(says(), NOW, channel)

    assert (reply.accepted, wait.kept, wait.decision) == (True, (says(),), None)


def test_what_was_kept_is_heard_when_its_very_draft_is_asked_about() -> None:
    assert verdict_of(from_the_start(says(), asks=[question(step_of(ANN))])) == "approve"


def test_what_was_kept_for_another_draft_stays_kept() -> None:
    wait = from_the_start(says(draft=OTHER), asks=[question(step_of(ANN))])

    assert (wait.kept, wait.decision) == ((says(draft=OTHER),), None)


def test_owners_early_vote_is_heard_once_the_owner_holds_the_step() -> None:
    wait = from_the_start(says(by=OWNER), asks=[question(step_of(ANN))])

    assert verdict_of(hearing_kept(at(wait, DUE))) == "approve"


def test_two_early_votes_of_one_person_that_name_no_step_count_in_one_step_each() -> None:
    first, second = (says(id=name) for name in ("d-1", "d-2"))
    asks = [question(step_of(ANN, name=name)) for name in ("one", "two")]

    wait = from_the_start(first, second, asks=asks)

    assert [(vote.step, vote.verdict) for vote in wait.said] == [("one", "approve"), ("two", "approve")]


def test_early_answer_waits_for_its_question() -> None:
    answer = says("answer", MAKER, note="the smaller one")

    wait = from_the_start(answer, says("ask"), asks=[question(step_of(ANN))])

    assert [(it.answered_by, it.answer) for it in wait.questions] == [(MAKER, "the smaller one")]


def test_everything_said_to_a_run_comes_to_the_same_votes_when_it_is_sent_to_a_fresh_one() -> None:
    one, two = question(step_of(ANN, BEN, rule="all"), delegates=("eve",)), question(step_of(ANN, BEN, name="two"))
    in_one = [says(), says("delegate", BEN, to="eve"), says("ask", "eve"), says("answer", MAKER), says(by="eve")]
    in_two = [says("reject", id="d-2")]
    lived = after(after(Wait().asked(one), *in_one).settle().asked(two), *in_two)

    again = from_the_start(*in_one, *in_two, asks=[one, two])

    assert again.said == lived.said


# After it is decided.


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_nobody_decides_after_it_is_decided(verdict: Verb) -> None:
    wait = after(asked(), says(verdict))

    heard, reply = wait.hear(says("reject", BEN), NOW, "signal")

    assert (heard, reply.accepted, reply.reason) == (wait, False, f"already decided by {ANN}")


@pytest.mark.parametrize("person", [ANN, OWNER])
@pytest.mark.parametrize("channel", CHANNELS)
def test_nobody_decides_after_it_has_expired(person: str, channel: Channel) -> None:
    _, reply = at(asked(), HANDED).hear(says(by=person), HANDED, channel)

    assert (reply.accepted, reply.reason) == (False, "the deadline has passed and the case has expired")


def test_decided_step_does_not_move_on() -> None:
    wait = after(asked(), says())

    assert at(wait, HANDED) == wait


# Who holds it, and until when.


@pytest.mark.parametrize("now", [NOW, REMINDED, DUE - MOMENT])
@pytest.mark.parametrize("person", [ANN, BEN])
def test_people_of_a_step_decide_until_they_lose_it(person: str, now: datetime) -> None:
    assert reply_to(at(asked(), now), says(by=person), now).accepted


@pytest.mark.parametrize("person", [OWNER, "dora", MAKER, STRANGER, ANN.upper()])
def test_those_who_do_not_hold_the_step_decide_nothing(person: str) -> None:
    reply = reply_to(asked(), says(by=person))

    assert (reply.accepted, reply.reason) == (False, f"'{person}' may not decide this case: it is with ann, ben")


def test_step_goes_to_a_reminder_each_escalation_and_the_owner_and_then_expires() -> None:
    levels = tuple(Escalation(to=(person,), patience=DAY) for person in ("dora", "eve"))
    wait = asked(escalate=levels)

    phases = [(wait.phase, wait.holders)]
    for instant in (REMINDED, DUE, ESCALATED, ESCALATED + DAY, HANDED + DAY):
        wait = wait.tick(instant)
        phases.append((wait.phase, wait.holders))

    own = (ANN, BEN)
    later = [("escalated", ("dora",)), ("escalated", ("eve",)), ("handed", (OWNER,)), ("expired", ())]
    assert phases == [("open", own), ("reminded", own), *later]


@pytest.mark.parametrize(
    ("instant", "phase"), [(REMINDED, "open"), (DUE, "reminded"), (ESCALATED, "escalated"), (HANDED, "handed")]
)
def test_nothing_happens_before_its_instant(instant: datetime, phase: str) -> None:
    assert at(asked(), instant - MOMENT).phase == phase


def test_one_of_those_it_was_escalated_to_decides_alone() -> None:
    wait = at(asked(rule="all"), DUE)

    assert verdict_of(after(wait, says(by="dora"), now=DUE)) == "approve"


def test_votes_of_before_an_escalation_do_not_decide_it() -> None:
    wait = at(after(asked(rule="all"), says()), DUE)

    assert (wait.decision, [vote.by for vote in wait.said]) == (None, [ANN])


def test_turn_that_nobody_can_decide_passes_at_once() -> None:
    wait = Wait().asked(question(step_of(ANN, "group:empty", rule="all")))

    assert (wait.phase, wait.holders) == ("handed", (OWNER,))


def test_policy_that_rejects_at_the_deadline_asks_no_owner() -> None:
    policy = ApprovalPolicy(approvers=(ANN,), owner=OWNER, on_deadline="reject", patience=4 * DAY)

    wait = Wait().asked(Ask.without_steps(DRAFT, policy, NOW))

    assert [at(wait, DUE - MOMENT).phase, at(wait, DUE).phase] == ["reminded", "expired"]


def test_reminder_never_comes_after_the_deadline() -> None:
    policy = ApprovalPolicy(approvers=(ANN,), owner=OWNER, remind_after=9 * DAY, patience=DAY)

    assert at(Wait().asked(Ask.without_steps(DRAFT, policy, NOW)), NOW + DAY).phase == "handed"


def test_signal_that_meets_the_deadline_in_one_task_counts() -> None:
    assert at(asked(), REMINDED).hear(says(), DUE, "signal")[1].accepted


def test_update_at_the_deadline_is_late_though_nothing_has_acted_on_the_deadline_yet() -> None:
    reply = reply_to(at(asked(), REMINDED), says(), DUE)

    assert (reply.accepted, reply.reason) == (False, "the deadline has passed")


def test_update_between_reminder_and_deadline_is_in_time_though_nothing_has_acted_on_the_reminder_yet() -> None:
    assert reply_to(asked(), says(), DUE - MOMENT).accepted
