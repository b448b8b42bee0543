"""The approval rules, each as a claim, and all of them over any sequence of messages and instants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.approval import Ask, Channel, Decision, Reply, Verb, Wait
from schemas.case import View
from schemas.message import digest_of
from schemas.policy import ApprovalPolicy
from schemas.routing import Finding

CLERK, DEPUTY, OWNER, STRANGER = "ap-clerk", "ap-deputy", "finance-lead", "mallory"
DRAFT, CORRECTED = digest_of(b"draft"), digest_of(b"corrected draft")
MOMENT = timedelta(microseconds=1)
NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
REMIND_AT, DUE, OWNER_DUE = NOW + timedelta(days=1), NOW + timedelta(days=3), NOW + timedelta(days=7)
QUESTION = Ask(
    draft=DRAFT,
    approvers=(CLERK, DEPUTY),
    owner=OWNER,
    remind_at=REMIND_AT,
    due=DUE,
    owner_due=OWNER_DUE,
    fields=("currency", "gross_amount"),
)
CORRECTION = {"gross_amount": "119.00"}
CHANNELS: tuple[Channel, ...] = ("update", "signal")


def asked(**changes: object) -> Wait:
    return Wait().asked(QUESTION.model_copy(update=changes))


def at(wait: Wait, now: datetime) -> Wait:
    """The wait once everything that falls due by then has happened."""
    while (later := wait.tick(now)) != wait:
        wait = later
    return wait


def says(verdict: Verb = "approve", by: str = CLERK, **said: object) -> Decision:
    return Decision.model_validate({"id": "d-1", "by": by, "verdict": verdict, "draft": DRAFT, **said})


def reply_to(wait: Wait, decision: Decision, now: datetime = NOW, channel: Channel = "update") -> Reply:
    return wait.hear(decision, now, channel)[1]


def decided(wait: Wait, decision: Decision, now: datetime = NOW) -> Wait:
    after, reply = wait.hear(decision, now, "update")
    assert reply.accepted
    return after


@pytest.mark.parametrize("channel", CHANNELS)
def test_nobody_decides_before_something_is_asked(channel: Channel) -> None:
    reply = reply_to(Wait(), says(), channel=channel)

    assert (reply.accepted, reply.reason) == (False, "nothing is waiting for a decision yet")


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_nobody_decides_after_it_is_decided(verdict: Verb) -> None:
    wait = decided(asked(), says(verdict))

    after, reply = wait.hear(says("reject", by=DEPUTY, id="d-2"), NOW, "signal")

    assert (after, reply.accepted, reply.reason) == (wait, False, f"already decided by {CLERK}")


@pytest.mark.parametrize("person", [CLERK, OWNER])
@pytest.mark.parametrize("channel", CHANNELS)
def test_nobody_decides_after_it_has_expired(person: str, channel: Channel) -> None:
    wait = at(asked(), OWNER_DUE)

    reply = reply_to(wait, says(by=person), OWNER_DUE, channel)

    assert (reply.accepted, reply.reason) == (False, "the deadline has passed and the case has expired")


@pytest.mark.parametrize("person", [CLERK, DEPUTY])
@pytest.mark.parametrize("now", [NOW, REMIND_AT, DUE - MOMENT])
def test_any_approver_decides_until_the_deadline(person: str, now: datetime) -> None:
    assert reply_to(at(asked(), now), says(by=person), now).accepted


@pytest.mark.parametrize("person", [OWNER, STRANGER, CLERK.upper()])
def test_those_who_do_not_hold_the_case_decide_nothing(person: str) -> None:
    reply = reply_to(asked(), says(by=person))

    assert not reply.accepted
    assert reply.reason == f"'{person}' may not decide this case: it is with {CLERK}, {DEPUTY}"


def test_owner_decides_once_the_case_is_handed_over() -> None:
    wait = at(asked(), DUE)

    after, reply = wait.hear(says(by=OWNER), OWNER_DUE - MOMENT, "update")

    assert (reply.accepted, after.decision) == (True, says(by=OWNER))


def test_approvers_lose_the_case_when_it_is_handed_over() -> None:
    reply = reply_to(at(asked(), DUE), says(), DUE, "signal")

    assert (reply.accepted, reply.reason) == (False, f"'{CLERK}' may not decide this case: it is with {OWNER}")


def test_decision_over_another_draft_does_not_count() -> None:
    reply = reply_to(asked(), says(draft=CORRECTED))

    assert not reply.accepted
    assert DRAFT[:12] in reply.reason


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_decision_its_sender_has_given_up_does_not_count(verdict: Verb, channel: Channel) -> None:
    reply = reply_to(asked(), says(verdict, expires=NOW), NOW, channel)

    assert (reply.accepted, reply.reason) == (
        False,
        "this came too late: its sender has been told that it was not taken",
    )


def test_decision_counts_until_its_sender_gives_it_up() -> None:
    assert reply_to(asked(), says(expires=NOW + MOMENT), NOW).accepted


def test_same_decision_again_is_accepted_again_and_changes_nothing() -> None:
    wait = decided(asked(), says())

    after, reply = wait.hear(says(), OWNER_DUE + MOMENT, "update")

    assert (after, reply.accepted) == (wait, True)


def test_another_decision_under_the_same_id_is_refused_and_changes_nothing() -> None:
    wait = decided(asked(), says("approve"))

    after, reply = wait.hear(says("reject"), NOW, "update")

    assert (after, reply.accepted) == (wait, False)


def test_decisions_without_an_id_are_never_taken_for_each_other() -> None:
    wait = decided(asked(), says(id=""))

    assert reply_to(wait, says(id="")).reason == f"already decided by {CLERK}"


def test_blocked_draft_cannot_be_approved() -> None:
    reply = reply_to(asked(blocked=True), says("approve"))

    assert (reply.accepted, reply.reason) == (
        False,
        "this draft cannot be written as it stands: correct it or reject it",
    )


@pytest.mark.parametrize(
    "decision", [says("reject"), says("correct", corrections=CORRECTION)], ids=["reject", "correct"]
)
def test_blocked_draft_can_be_corrected_or_rejected(decision: Decision) -> None:
    assert reply_to(asked(blocked=True), decision).accepted


def test_correction_names_at_least_one_field() -> None:
    assert reply_to(asked(), says("correct")).reason == "a correction names at least one field"


def test_correction_of_an_unknown_field_is_refused_with_the_names_there_are() -> None:
    reply = reply_to(asked(), says("correct", corrections={"gros_amount": "1", **CORRECTION}))

    assert (reply.accepted, reply.reason) == (
        False,
        "no field is called gros_amount: there are currency, gross_amount",
    )


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_corrections_ride_on_no_other_verdict(verdict: Verb) -> None:
    assert not reply_to(asked(), says(verdict, corrections=CORRECTION)).accepted


def test_correction_closes_the_question() -> None:
    wait = decided(asked(), says("correct", corrections=CORRECTION))

    assert (wait.closed, wait.holders, wait.next_instant) == (True, (), None)


def test_corrected_draft_is_asked_about_in_turn() -> None:
    wait = decided(asked(), says("correct", corrections=CORRECTION))

    again = wait.asked(QUESTION.model_copy(update={"draft": CORRECTED}))

    assert again.holders == (CLERK, DEPUTY)
    assert reply_to(again, says(draft=CORRECTED, id="d-2")).accepted


def test_draft_that_was_corrected_away_can_no_longer_be_approved() -> None:
    wait = decided(asked(), says("correct", corrections=CORRECTION))

    again = wait.asked(QUESTION.model_copy(update={"draft": CORRECTED}))

    assert not reply_to(again, says(draft=DRAFT, id="d-2")).accepted


@pytest.mark.parametrize("now", [NOW, REMIND_AT, DUE])
def test_corrected_draft_is_asked_about_on_the_same_clock(now: datetime) -> None:
    before = at(asked(), now)
    wait = decided(before, says("correct", by=before.holders[0], corrections=CORRECTION), now)
    month = timedelta(days=30)
    fresh_clock = {"remind_at": REMIND_AT + month, "due": DUE + month, "owner_due": OWNER_DUE + month}

    again = wait.asked(QUESTION.model_copy(update={"draft": CORRECTED, **fresh_clock}))

    assert (again.phase, again.next_instant, again.deadline) == (before.phase, before.next_instant, before.deadline)


def test_one_reminder_then_handed_over_then_expired() -> None:
    wait = asked()

    phases = [wait.phase]
    for now in (REMIND_AT, DUE, OWNER_DUE):
        wait = wait.tick(now)
        phases.append(wait.phase)

    assert phases == ["open", "reminded", "handed", "expired"]


@pytest.mark.parametrize(
    ("instant", "phase"),
    [(REMIND_AT, "open"), (DUE, "reminded"), (OWNER_DUE, "handed")],
    ids=["remind", "due", "owner"],
)
def test_nothing_happens_before_its_instant(instant: datetime, phase: str) -> None:
    assert at(asked(), instant - MOMENT).phase == phase


def test_without_an_owner_deadline_the_deadline_ends_it() -> None:
    assert at(asked(owner_due=None), DUE).phase == "expired"


def test_decided_case_does_not_move_on() -> None:
    wait = decided(asked(), says())

    assert at(wait, OWNER_DUE) == wait


def test_signal_that_meets_the_deadline_in_one_task_counts() -> None:
    assert reply_to(at(asked(), DUE - MOMENT), says(), DUE, "signal").accepted


def test_update_at_the_deadline_is_late_though_nothing_has_acted_on_the_deadline_yet() -> None:
    reply = reply_to(at(asked(), DUE - MOMENT), says(), DUE, "update")

    assert (reply.accepted, reply.reason) == (False, "the deadline has passed")


def test_owners_update_at_the_owners_deadline_is_late() -> None:
    assert not reply_to(at(asked(), DUE), says(by=OWNER), OWNER_DUE, "update").accepted


def test_question_starts_the_clock_of_its_policy() -> None:
    policy = ApprovalPolicy(
        approvers=(CLERK,),
        owner=OWNER,
        remind_after=timedelta(hours=5),
        patience=timedelta(hours=9),
        owner_patience=timedelta(hours=2),
    )

    ask = Ask.on_clock(policy, NOW, View(draft=DRAFT), ("currency",))

    hours = [(instant - NOW) / timedelta(hours=1) for instant in (ask.remind_at, ask.due, ask.owner_due or NOW)]
    assert hours == [5, 9, 11]


def test_reminder_never_comes_after_the_deadline() -> None:
    policy = ApprovalPolicy(approvers=(CLERK,), owner=OWNER, remind_after=timedelta(days=9), patience=timedelta(days=1))

    ask = Ask.on_clock(policy, NOW, View(draft=DRAFT), ())

    assert ask.remind_at == ask.due == NOW + timedelta(days=1)


def test_policy_that_rejects_at_the_deadline_asks_no_owner() -> None:
    policy = ApprovalPolicy(approvers=(CLERK,), owner=OWNER, on_deadline="reject")

    assert Ask.on_clock(policy, NOW, View(draft=DRAFT), ()).owner_due is None


def test_question_about_a_view_with_a_blocking_finding_is_blocked() -> None:
    view = View(draft=DRAFT, findings=(Finding(code="field.missing", severity="block", message="no currency"),))

    ask = Ask.on_clock(ApprovalPolicy(approvers=(CLERK,), owner=OWNER), NOW, view, ())

    assert ask.blocked


@dataclass(frozen=True)
class Step:
    """`ask` asks what may be asked now; `repeat` says the decision that counted again."""

    after: timedelta
    act: Literal["ask", "tick", "hear", "repeat"]
    draft: str
    blocked: bool
    hands_over: bool
    by: str
    saying: tuple[Verb, tuple[str, ...]]
    given_up: timedelta | None
    channel: Channel


class Moment(NamedTuple):
    """One step: what was so before, what came of it, and whether the rules let the decision count."""

    step: Step
    before: Wait
    after: Wait
    accepted: bool
    counts: bool


DUE_IN = timedelta(days=3)
HALF_DAYS = st.sampled_from([0, 0, 0, 1, 2, 6]).map(lambda halves: timedelta(hours=12 * halves))
SAYINGS: tuple[tuple[Verb, tuple[str, ...]], ...] = (
    ("approve", ()),
    ("reject", ()),
    ("correct", ("currency",)),
    ("correct", ("currency", "gross_amount")),
    ("correct", ()),
    ("correct", ("iban",)),
    ("approve", ("currency",)),
)
"""Verdicts with the fields they correct: those that fit first, then those that do not."""


def steps(*acts: str) -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        after=HALF_DAYS,
        act=st.sampled_from(acts),
        draft=st.sampled_from([DRAFT, DRAFT, DRAFT, CORRECTED]),
        blocked=st.booleans(),
        hands_over=st.booleans(),
        by=st.sampled_from([CLERK, CLERK, DEPUTY, OWNER, OWNER, STRANGER]),
        saying=st.sampled_from(SAYINGS),
        given_up=st.sampled_from([None, None, None, timedelta(0), timedelta(hours=1)]),
        channel=st.sampled_from(CHANNELS),
    )


ANY = st.lists(steps("ask", "tick", "hear", "hear", "hear", "repeat"), max_size=20)
STEPS = ANY | st.builds(lambda first, rest: [first, *rest], steps("ask"), ANY)


@dataclass
class Minutes:
    """The rules once more, kept the slow way: by what was asked, and when the clock was last looked at."""

    clock: Ask | None = None
    question: Ask | None = None
    seen: datetime = NOW
    decided: bool = False

    @property
    def holders(self) -> tuple[tuple[str, ...], datetime]:
        """Who held the case when the clock was last looked at, and until when."""
        assert self.clock is not None
        assert self.question is not None
        if self.seen < self.clock.due:
            return self.question.approvers, self.clock.due
        if self.clock.owner_due and self.seen < self.clock.owner_due:
            return (self.question.owner,), self.clock.owner_due
        return (), self.clock.due

    def let(self, decision: Decision, now: datetime, channel: Channel) -> bool:
        if self.question is None or self.decided:
            return False
        people, until = self.holders
        in_time = (channel == "signal" or now < until) and not (decision.expires and decision.expires <= now)
        fits = {
            "approve": not decision.corrections and not self.question.blocked,
            "reject": not decision.corrections,
            "correct": bool(decision.corrections) and set(decision.corrections) <= {"currency", "gross_amount"},
        }
        return in_time and decision.by in people and decision.draft == self.question.draft and fits[decision.verdict]


def play(steps: Sequence[Step]) -> list[Moment]:
    """The wait through all steps, and what the minutes say to each."""
    wait, minutes, now, moments = Wait(), Minutes(), NOW, []
    for number, step in enumerate(steps):
        now += step.after
        before, accepted, counts = wait, False, False
        if step.act == "ask" and (wait.ask is None or (wait.decision and wait.decision.verdict == "correct")):
            ask = QUESTION.model_copy(
                update={"draft": step.draft, "blocked": step.blocked, "remind_at": now + DUE_IN / 3}
            )
            ask = ask.model_copy(
                update={"due": now + DUE_IN, "owner_due": now + 2 * DUE_IN if step.hands_over else None}
            )
            minutes = Minutes(minutes.clock or ask, ask, minutes.seen if minutes.clock else now)
            wait = wait.asked(ask)
        elif step.act == "tick":
            wait = at(wait, now)
            minutes.seen = minutes.seen if minutes.decided else now
        elif step.act == "repeat" and wait.decision:
            wait, reply = wait.hear(wait.decision, now, step.channel)
            accepted = counts = reply.accepted
        elif step.act == "hear":
            decision = said_in(step, f"d-{number}", now)
            counts = minutes.let(decision, now, step.channel)
            wait, reply = wait.hear(decision, now, step.channel)
            accepted = reply.accepted
            minutes.decided = minutes.decided or counts
        moments.append(Moment(step, before, wait, accepted, counts))
    return moments


def said_in(step: Step, identity: str, now: datetime) -> Decision:
    verdict, corrected = step.saying
    return Decision(
        id=identity,
        by=step.by,
        verdict=verdict,
        draft=step.draft,
        corrections=dict.fromkeys(corrected, "EUR"),
        expires=None if step.given_up is None else now + step.given_up,
    )


LONG_AFTER = NOW + timedelta(days=1000)
sequences = settings(max_examples=300, deadline=None)


@sequences
@given(STEPS)
def test_no_invalid_decision_is_ever_accepted(steps: list[Step]) -> None:
    moments = play(steps)

    assert [moment for moment in moments if moment.accepted and not moment.counts] == []


@sequences
@given(STEPS)
def test_no_valid_decision_is_ever_lost(steps: list[Step]) -> None:
    moments = play(steps)

    heard = [moment for moment in moments if moment.counts and moment.step.act == "hear"]
    assert all(moment.accepted and moment.after.decision for moment in heard)


@sequences
@given(STEPS)
def test_refused_decision_changes_nothing(steps: list[Step]) -> None:
    moments = play(steps)

    refused = [moment for moment in moments if moment.step.act == "hear" and not moment.accepted]
    assert all(moment.after == moment.before for moment in refused)


@sequences
@given(STEPS)
def test_whatever_was_asked_ends_decided_or_expired_once_all_instants_have_passed(steps: list[Step]) -> None:
    moments = play(steps)

    last = at(moments[-1].after if moments else Wait(), LONG_AFTER)
    assert last.ask is None or last.decision is not None or last.phase == "expired"


@sequences
@given(STEPS)
def test_closed_wait_never_reopens_by_itself(steps: list[Step]) -> None:
    moments = play(steps)

    closed = [moment for moment in moments if moment.before.closed and moment.step.act != "ask"]
    assert all(moment.after == moment.before for moment in closed)
