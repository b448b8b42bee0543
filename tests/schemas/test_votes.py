"""The approval rules: what votes come to, which fit the question, and which are repeated or withdrawn."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from schemas.approval import Channel, Decision, Verb, Withdrawal
from schemas.policy import ApprovalPolicy
from schemas.standing import Ask
from schemas.wait import Wait
from tests.schemas.chains import (
    ANN,
    BEN,
    CEM,
    DAY,
    DRAFT,
    DUE,
    HANDED,
    LAWYERS,
    MOMENT,
    NOW,
    OTHER,
    OWNER,
    REMINDED,
    after,
    asked,
    at,
    hearing_kept,
    question,
    reply_to,
    says,
    step_of,
)

CHANNELS: tuple[Channel, ...] = ("update", "signal")
CORRECTION = {"total": "119.00"}


def verdict_of(wait: Wait) -> str | None:
    return wait.decision.verdict if wait.decision else None


def voted(*votes: tuple[str, Verb]) -> list[Decision]:
    return [says(verdict, by) for by, verdict in votes]


# Rules.


@pytest.mark.parametrize(
    ("rule", "votes", "verdict"),
    [
        ("any", [(ANN, "approve")], "approve"),
        ("any", [(CEM, "reject")], "reject"),
        ("all", [(ANN, "approve"), (BEN, "approve")], None),
        ("all", [(ANN, "approve"), (BEN, "approve"), (CEM, "approve")], "approve"),
        ("all", [(BEN, "reject")], "reject"),
        (2, [(ANN, "approve")], None),
        (2, [(ANN, "approve"), (CEM, "approve")], "approve"),
        (2, [(ANN, "reject")], None),
        (2, [(ANN, "reject"), (BEN, "approve"), (CEM, "approve")], "approve"),
        (2, [(ANN, "reject"), (BEN, "reject")], "reject"),
    ],
)
def test_rule_tells_how_many_must_agree(rule: object, votes: Sequence[tuple[str, Verb]], verdict: str | None) -> None:
    assert verdict_of(after(asked(ANN, BEN, CEM, rule=rule), *voted(*votes))) == verdict


@pytest.mark.parametrize("rule", ["any", 1, 2])
def test_step_is_not_approved_without_whoever_is_mandatory(rule: object) -> None:
    wait = after(asked(ANN, BEN, CEM, rule=rule, mandatory=(CEM,)), says(), says(by=BEN))

    assert [verdict_of(wait), verdict_of(after(wait, says(by=CEM)))] == [None, "approve"]


def test_no_of_whoever_is_mandatory_ends_the_step() -> None:
    assert verdict_of(after(asked(ANN, BEN, CEM, rule=1, mandatory=(CEM,)), says("reject", CEM))) == "reject"


def test_veto_ends_a_step_that_others_could_still_approve() -> None:
    assert verdict_of(after(asked(ANN, BEN, CEM, rule=1, veto=(CEM,)), says("reject", CEM))) == "reject"


def test_all_wants_another_person_for_each_voter() -> None:
    wait = after(asked(LAWYERS, LAWYERS, rule="all"), says(by="lea"))

    assert [verdict_of(wait), verdict_of(after(wait, says(by="lou")))] == [None, "approve"]


def test_correction_closes_a_step_that_wants_everybody() -> None:
    wait = after(asked(rule="all"), says("correct", corrections=CORRECTION))

    assert (verdict_of(wait), wait.holders, wait.next_instant) == ("correct", (), None)


def test_vote_may_be_changed_until_the_step_closes() -> None:
    changed = after(asked(ANN, BEN, CEM, rule=2), says("reject"), says("approve"), says(by=BEN))

    assert verdict_of(changed) == "approve"


def test_of_each_person_the_last_vote_counts_alone() -> None:
    assert after(asked(ANN, BEN, CEM, rule=2), says(id="d-1"), says(id="d-2")).decision is None


# What fits the question.


def test_vote_over_another_draft_does_not_count() -> None:
    reply = reply_to(asked(), says(draft=OTHER))

    assert not reply.accepted
    assert DRAFT[:12] in reply.reason


def test_vote_for_another_step_does_not_count() -> None:
    assert reply_to(asked(), says(step="two")).reason == "that is another step: the one to decide is one"


@pytest.mark.parametrize(
    ("decision", "accepted"),
    [(says(), False), (says("reject"), True), (says("correct", corrections=CORRECTION), True)],
    ids=["approve", "reject", "correct"],
)
def test_blocked_draft_is_corrected_or_rejected_not_approved(decision: Decision, accepted: bool) -> None:
    assert reply_to(asked(said={"blocked": True}), decision).accepted == accepted


@pytest.mark.parametrize(
    ("verdict", "corrections", "reason"),
    [
        ("correct", {}, "a correction names at least one field"),
        ("correct", {"totl": "1", **CORRECTION}, "no field is called totl: there are currency, total"),
        ("approve", CORRECTION, "approve takes no corrections: send them as correct, and approve the corrected draft"),
    ],
)
def test_correction_that_does_not_fit_is_refused_with_what_to_do(
    verdict: Verb, corrections: dict[str, str], reason: str
) -> None:
    assert reply_to(asked(), says(verdict, corrections=corrections)).reason == reason


def test_corrected_draft_is_asked_about_from_the_first_step_on() -> None:
    one, two = (question(step_of(ANN, name=name)) for name in ("one", "two"))
    passed = after(Wait().asked(one), says()).settle().asked(two)
    corrected = after(passed, says("correct", corrections=CORRECTION)).settle()

    again = corrected.asked(one.model_copy(update={"draft": OTHER}))

    assert (passed.has_passed(DRAFT, "one"), again.has_passed(OTHER, "one"), again.closed) == (True, False, False)


def test_draft_that_was_corrected_away_can_no_longer_be_approved() -> None:
    wait = after(asked(), says("correct", corrections=CORRECTION)).asked(question(step_of(ANN), draft=OTHER))

    assert not reply_to(wait, says()).accepted


@pytest.mark.parametrize("now", [NOW, REMINDED, DUE])
def test_question_without_steps_goes_on_with_the_clock_of_the_one_before(now: datetime) -> None:
    policy = ApprovalPolicy(approvers=(ANN,), owner=OWNER, patience=4 * DAY)
    before = at(Wait().asked(Ask.without_steps(DRAFT, policy, NOW, fields=("total",))), now)
    wait = after(before, says("correct", before.holders[0], corrections=CORRECTION), now=now)

    again = wait.asked(Ask.without_steps(OTHER, policy, NOW + 30 * DAY))

    assert (again.phase, again.next_instant, again.due) == (before.phase, before.next_instant, before.due)


# Repeats and withdrawals.

REPEATED = [
    says(),
    says("ask"),
    says("delegate", to=BEN),
    says("claim"),
    says("comment"),
    says("correct", corrections=CORRECTION),
]


@pytest.mark.parametrize("decision", REPEATED, ids=lambda decision: decision.verdict)
def test_same_again_gets_the_same_answer_and_changes_nothing(decision: Decision) -> None:
    wait = after(asked(), decision)

    again, reply = wait.hear(decision, HANDED if decision.verdict != "comment" else NOW, "update")

    assert (again, reply.accepted) == (wait, True)


def test_vote_that_was_changed_since_does_not_count_again_when_it_is_repeated() -> None:
    changed = after(asked(ANN, BEN, CEM, rule=2), says("reject"), says())

    again, reply = changed.hear(says("reject"), NOW, "update")

    assert (again, reply.accepted) == (changed, True)


def test_another_decision_under_the_same_id_is_refused_and_changes_nothing() -> None:
    wait = after(asked(rule="all"), says(id="d-1"))

    again, reply = wait.hear(says("reject", id="d-1"), NOW, "update")

    assert (again, reply.accepted) == (wait, False)


def test_decisions_without_an_id_are_never_taken_for_each_other() -> None:
    wait = after(asked(), says(id=""))

    assert reply_to(wait, says(id="")).reason == f"already decided by {ANN}"


@pytest.mark.parametrize("channel", CHANNELS)
def test_vote_its_sender_has_withdrawn_does_not_count_whenever_it_comes(channel: Channel) -> None:
    wait, _ = asked().without(Withdrawal(id="d-1"))

    assert not wait.hear(says(id="d-1"), DUE - MOMENT, channel)[1].accepted


def test_vote_withdrawn_before_anything_was_asked_never_counts() -> None:
    wait, _ = Wait().without(Withdrawal(id="d-1"))

    assert verdict_of(hearing_kept(wait.hear(says(id="d-1"), NOW, "signal")[0].asked(question(step_of(ANN))))) is None


def test_kept_vote_that_is_withdrawn_is_no_longer_kept() -> None:
    wait, reply = Wait().hear(says(id="d-1"), NOW, "signal")[0].without(Withdrawal(id="d-1"))

    assert (wait.kept, reply.accepted) == ((), True)


def test_withdrawal_stops_no_other_vote() -> None:
    wait, _ = asked().without(Withdrawal(id="d-1"))

    assert reply_to(wait, says(id="d-2")).accepted


def test_vote_that_has_settled_cannot_be_withdrawn() -> None:
    wait = after(asked(), says(id="d-1")).settle()

    again, reply = wait.without(Withdrawal(id="d-1"))

    assert (again, reply.accepted) == (wait, False)


def test_vote_that_has_not_settled_is_withdrawn_and_the_step_is_open_again() -> None:
    wait, reply = after(asked(), says(id="d-1")).without(Withdrawal(id="d-1"))

    assert (wait.closed, wait.settle().settled, reply.accepted) == (False, False, True)
