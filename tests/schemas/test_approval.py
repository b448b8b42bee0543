"""The approval rules, each as a claim, and all of them over any sequence of messages and instants."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.approval import Ask, Channel, Decision, Reply, Verb, Wait, Withdrawal
from schemas.case import View
from schemas.finding import Finding
from schemas.message import digest_of
from schemas.policy import ApprovalPolicy

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
def test_decision_before_anything_is_asked_is_kept_and_decides_nothing_yet(channel: Channel) -> None:
    wait, reply = Wait().hear(says(), NOW, channel)

    assert reply == Reply(
        accepted=True, reason="nothing is asked yet: it is kept, and counts if this very draft is asked about"
    )
    assert (wait.kept_for(DRAFT), wait.decision) == ((says(),), None)


def test_kept_decision_is_for_its_very_draft_only() -> None:
    wait, _ = Wait().hear(says(draft=CORRECTED), NOW, "signal")

    assert (wait.kept_for(DRAFT), wait.kept_for(CORRECTED)) == ((), (says(draft=CORRECTED),))


def test_every_early_decision_is_kept_in_the_order_heard() -> None:
    first, second = says("approve", id="d-1"), says("reject", id="d-2")

    wait = Wait().hear(first, NOW, "signal")[0].hear(second, NOW, "update")[0]

    assert wait.kept_for(DRAFT) == (first, second)


def test_kept_decision_is_let_go_of_when_its_draft_is_asked_about() -> None:
    wait, _ = Wait().hear(says(), NOW, "signal")

    asked_now = wait.asked(QUESTION)

    assert (asked_now.kept, asked_now.closed) == ((), False)


def test_decision_kept_for_another_draft_stays_kept() -> None:
    wait, _ = Wait().hear(says(draft=CORRECTED), NOW, "signal")

    assert wait.asked(QUESTION).kept_for(CORRECTED) == (says(draft=CORRECTED),)


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
def test_decision_its_sender_has_withdrawn_does_not_count_whenever_it_comes(channel: Channel) -> None:
    wait, _ = asked().without(Withdrawal(id="d-1"))

    reply = reply_to(wait, says(id="d-1"), DUE - MOMENT, channel)

    assert reply == Reply(accepted=False, reason="its sender has withdrawn it: they were told that it was not taken")


def test_decision_withdrawn_before_anything_was_asked_never_counts() -> None:
    wait, _ = Wait().without(Withdrawal(id="d-1"))

    assert not reply_to(wait.asked(QUESTION), says(id="d-1")).accepted


def test_kept_decision_that_is_withdrawn_is_no_longer_kept() -> None:
    wait, _ = Wait().hear(says(id="d-1"), NOW, "signal")

    after, reply = wait.without(Withdrawal(id="d-1"))

    assert (after.kept_for(DRAFT), reply.accepted) == ((), True)


def test_withdrawal_stops_no_other_decision() -> None:
    wait, _ = asked().without(Withdrawal(id="d-1"))

    assert reply_to(wait, says(id="d-2")).accepted


def test_decision_that_has_counted_cannot_be_withdrawn() -> None:
    wait = decided(asked(), says(id="d-1")).settle()

    after, reply = wait.without(Withdrawal(id="d-1"))

    assert (after, reply) == (wait, Reply(accepted=False, reason="too late: the decision has been taken"))


def test_decision_that_has_not_settled_is_withdrawn() -> None:
    wait = decided(asked(), says(id="d-1"))

    after, reply = wait.without(Withdrawal(id="d-1"))

    assert (after.decision, after.settle().settled, reply.accepted) == (None, False, True)


def test_correction_that_settled_stays_known_when_the_corrected_draft_is_asked_about() -> None:
    correction = says("correct", id="d-1", corrections={"currency": "EUR"})
    settled = decided(asked(), correction).settle()
    assert settled.ask is not None
    wait = settled.asked(settled.ask.model_copy(update={"draft": "e" * 64}))

    _, repeated = wait.hear(correction, NOW, "update")
    _, withdrawn = wait.without(Withdrawal(id="d-1"))

    assert (repeated.accepted, withdrawn.accepted, wait.settled) == (True, False, False)


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


def test_expired_case_is_not_opened_by_another_question() -> None:
    expired = at(asked(), OWNER_DUE)

    assert expired.asked(QUESTION).closed


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
    """`repeat` says the decision that counted again; `withdraw` takes back what step `other` says."""

    after: timedelta
    act: str
    draft: str
    blocked: bool
    hands_over: bool
    by: str
    saying: tuple[Verb, tuple[str, ...]]
    other: int
    channel: Channel


class Moment(NamedTuple):
    """One thing that happened, what was so before and after, and whether the rules let the decision in it count."""

    act: str
    before: Wait
    after: Wait
    accepted: bool = False
    counts: bool = False


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
        draft=st.sampled_from([*[DRAFT] * 5, CORRECTED]),
        blocked=st.sampled_from([False, False, True]),
        hands_over=st.booleans(),
        by=st.sampled_from([*[CLERK] * 4, DEPUTY, OWNER, OWNER, STRANGER]),
        saying=st.sampled_from([*SAYINGS[:4], *SAYINGS]),
        other=st.integers(0, 5),
        channel=st.sampled_from(CHANNELS),
    )


ANY = st.lists(steps("ask", "tick", "hear", "hear", "hear", "repeat", "withdraw"), max_size=20)
STEPS = ANY | st.builds(lambda first, rest: [first, *rest], steps("ask"), ANY)


@dataclass
class Minutes:
    """The rules once more, kept the slow way: by what was asked, and when the clock was last looked at."""

    clock: Ask | None = None
    question: Ask | None = None
    seen: datetime = NOW
    decided: bool = False
    early: list[Decision] = field(default_factory=list)
    withdrawn: set[str] = field(default_factory=set)

    def asks(self, ask: Ask, now: datetime) -> list[Decision]:
        """Give what was said early about this very draft."""
        if self.clock is None:
            self.clock, self.seen = ask, now
        self.question, self.decided = ask, False
        about = [decision for decision in self.early if decision.draft == ask.draft]
        self.early = [decision for decision in self.early if decision.draft != ask.draft]
        return about

    def looks_at_the_clock(self, now: datetime) -> None:
        if not self.decided:
            self.seen = now

    def holders(self, clock: Ask, question: Ask) -> tuple[tuple[str, ...], datetime]:
        """Who held the case when the clock was last looked at, and until when."""
        if self.seen < clock.due:
            return question.approvers, clock.due
        if clock.owner_due and self.seen < clock.owner_due:
            return (question.owner,), clock.owner_due
        return (), clock.due

    def let(self, decision: Decision, now: datetime, channel: Channel) -> bool:
        """Whether it counts; from then on the case is decided."""
        if decision.id in self.withdrawn or self.decided:
            return False
        if self.clock is None or self.question is None:
            self.early.append(decision)
            return False
        people, until = self.holders(self.clock, self.question)
        fits = {
            "approve": not decision.corrections and not self.question.blocked,
            "reject": not decision.corrections,
            "correct": bool(decision.corrections) and set(decision.corrections) <= {"currency", "gross_amount"},
        }
        self.decided = (
            (channel == "signal" or now < until)
            and decision.by in people
            and decision.draft == self.question.draft
            and fits[decision.verdict]
        )
        return self.decided


@dataclass
class Play:
    """A wait and the minutes of it, as people and the clock act on both."""

    wait: Wait = field(default_factory=Wait)
    minutes: Minutes = field(default_factory=Minutes)
    now: datetime = NOW
    moments: list[Moment] = field(default_factory=list)

    def does(self, number: int, step: Step) -> None:
        self.now += step.after
        decision = self.wait.decision
        if step.act == "hear":
            self.hears(said_in(step, f"d-{number}"), step.channel)
        elif step.act == "ask" and (self.wait.ask is None or (decision and decision.verdict == "correct")):
            self.asks(step)
        elif step.act == "tick":
            self.minutes.looks_at_the_clock(self.now)
            self.becomes("tick", at(self.wait, self.now))
        elif step.act == "repeat" and decision:
            self.becomes("repeat", self.wait.hear(decision, self.now, step.channel)[0])
        elif step.act == "withdraw" and not (decision and decision.id == f"d-{step.other}"):
            withdrawn = f"d-{step.other}"
            self.minutes.withdrawn.add(withdrawn)
            self.becomes("withdraw", self.wait.without(Withdrawal(id=withdrawn))[0])

    def becomes(self, act: str, wait: Wait) -> None:
        self.moments.append(Moment(act, self.wait, wait))
        self.wait = wait

    def hears(self, decision: Decision, channel: Channel) -> None:
        counts, before = self.minutes.let(decision, self.now, channel), self.wait
        self.wait, reply = before.hear(decision, self.now, channel)
        self.moments.append(Moment("hear", before, self.wait, reply.accepted, counts))

    def asks(self, step: Step) -> None:
        ask = QUESTION.model_copy(
            update={
                "draft": step.draft,
                "blocked": step.blocked,
                "remind_at": self.now + DUE_IN / 3,
                "due": self.now + DUE_IN,
                "owner_due": self.now + 2 * DUE_IN if step.hands_over else None,
            }
        )
        kept, early = self.wait.kept_for(ask.draft), self.minutes.asks(ask, self.now)
        self.becomes("ask", self.wait.asked(ask))
        for decision in kept:
            self.hears(decision, "signal")
        for decision in early:
            if decision not in kept and self.minutes.let(decision, self.now, "signal"):
                self.moments.append(Moment("hear", self.wait, self.wait, accepted=False, counts=True))


def said_in(step: Step, identity: str) -> Decision:
    verdict, corrected = step.saying
    return Decision(
        id=identity, by=step.by, verdict=verdict, draft=step.draft, corrections=dict.fromkeys(corrected, "EUR")
    )


def play(steps: Sequence[Step]) -> list[Moment]:
    played = Play()
    for number, step in enumerate(steps):
        played.does(number, step)
    return played.moments


LONG_AFTER = NOW + timedelta(days=1000)
sequences = settings(max_examples=500, deadline=None)


@sequences
@given(STEPS)
def test_no_invalid_decision_is_ever_taken(steps: list[Step]) -> None:
    moments = play(steps)

    taken = [moment for moment in moments if moment.after.decision not in (None, moment.before.decision)]
    assert [moment for moment in taken if not moment.counts] == []


@sequences
@given(STEPS)
def test_no_valid_decision_is_ever_lost(steps: list[Step]) -> None:
    moments = play(steps)

    valid = [moment for moment in moments if moment.counts]
    assert [moment for moment in valid if not moment.accepted or moment.after.decision is None] == []


@sequences
@given(STEPS)
def test_refused_decision_changes_nothing(steps: list[Step]) -> None:
    moments = play(steps)

    refused = [moment for moment in moments if moment.act == "hear" and not moment.accepted]
    assert [moment for moment in refused if moment.after != moment.before] == []


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

    closed = [moment for moment in moments if moment.before.closed and moment.act != "ask"]
    standing = [(moment.before.phase, moment.before.ask, moment.before.decision) for moment in closed]
    assert [(moment.after.phase, moment.after.ask, moment.after.decision) for moment in closed] == standing
