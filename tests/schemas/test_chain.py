"""The approval rules over any sequence of messages and instants, against minutes that are kept the slow way.

EXAMPLES says how many sequences each claim is tried on.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings

from schemas.approval import Channel, Decision, Withdrawal
from schemas.policy import Proof
from schemas.standing import Ask
from schemas.steps import Step
from schemas.turn import turns_of
from schemas.wait import Wait
from tests.schemas.chains import DAY, DRAFT, MAKER, MEMBERS, NOW, OTHER, OWNER, at
from tests.schemas.minutes import Hand, Minutes
from tests.schemas.sequences import CORRECTED, Act, Plan, plans, sequences


class Moment(NamedTuple):
    """One thing that happened, and what was so before and after; `counts` is what the minutes say of it."""

    kind: str
    before: Wait
    after: Wait
    accepted: bool
    counts: bool
    as_written: bool
    """Whether the wait stands as the minutes have it."""


@dataclass
class Play:
    """A wait and the minutes of it, as people and the clock act on both."""

    plan: Plan
    wait: Wait = field(default_factory=Wait)
    minutes: Minutes = field(default_factory=Minutes)
    now: datetime = NOW
    at_step: int = -1
    draft: str = DRAFT
    said: list[tuple[Decision, Proof | None]] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)

    def does(self, act: Act) -> None:
        self.now += timedelta(hours=act.hours)
        known = self.said[act.other % len(self.said)] if self.said else None
        if act.kind == "hear":
            self.said.append((self.message(act), act.proof))
            self.hears(*self.said[-1], act.channel)
        elif act.kind == "repeat" and known:
            self.hears(*known, act.channel)
        elif act.kind == "withdraw" and known and known[0].id:
            counts = self.minutes.withdraws(known[0].id)
            after, reply = self.wait.without(Withdrawal(id=known[0].id))
            self.becomes("withdraw", after, accepted=reply.accepted, counts=counts)
        elif act.kind == "strike" and act.other == 0 and self.wait.ask:
            self.minutes.strikes(act.by)
            self.becomes("strike", self.wait.struck((act.by,)))
        elif act.kind == "tick":
            self.minutes.looks_at_the_clock(self.now)
            self.becomes("tick", at(self.wait, self.now))
        elif act.kind in ("settle", "ask"):
            self.minutes.unsettled.clear()
            self.becomes("settle", self.wait.settle())
            if act.kind == "ask":
                self.goes_on(act)

    def message(self, act: Act) -> Decision:
        corrections = CORRECTED[act.odd % 4] if act.verb == "correct" else {"total": "9"} if act.odd == 11 else {}
        expires = self.now + timedelta(days=act.odd - 1) if act.proof == "signature" and act.odd != 5 else None
        return Decision(
            id="" if act.odd == 7 else f"d-{len(self.said)}" if act.odd else f"d-{act.other}",
            by=act.by,
            verdict=act.verb,
            draft=self.draft if act.draft == DRAFT else OTHER,
            corrections=corrections,
            note="" if act.odd == 3 else "why",
            step=act.step,
            to=act.to,
            seat=act.seat if act.verb == "delegate" else "",
            expires=expires,
        )

    def becomes(self, kind: str, wait: Wait, *, accepted: bool = True, counts: bool = True) -> None:
        as_written = self.standing_of(wait) == self.standing_of_minutes()
        self.moments.append(Moment(kind, self.wait, wait, accepted, counts, as_written))
        self.wait = wait

    def hears(self, decision: Decision, proof: Proof | None, channel: Channel) -> None:
        counts = self.minutes.lets(decision, self.now, channel, proof)
        after, reply = self.wait.hear(decision, self.now, channel, proof)
        self.becomes("hear", after, accepted=reply.accepted, counts=counts)

    def goes_on(self, act: Act) -> None:
        """Ask about the next step, or from the first one on about a corrected draft."""
        decision = self.wait.decision
        if self.wait.ask is None or (decision and decision.verdict == "correct"):
            self.draft, self.at_step = act.draft if self.wait.ask is None else f"{len(self.moments):064x}", 0
        elif decision and decision.verdict == "approve" and self.at_step + 1 < len(self.plan.chain):
            self.at_step += 1
        else:
            return
        ask = self.question(self.plan.chain[self.at_step])
        self.minutes.asks(ask, self.hands(self.plan.chain[self.at_step]))
        self.becomes("ask", self.wait.asked(ask))
        while True:
            early = self.minutes.next_early()
            heard, without = self.wait.heard_now()
            self.becomes("early", without, accepted=bool(heard), counts=early is not None)
            if early is None or not heard:
                return
            counts = self.minutes.lets(early, self.now, "signal", "asserted")
            after, reply = self.wait.hear(heard[0], self.now, "signal", "asserted")
            self.becomes("hear", after, accepted=reply.accepted, counts=counts)

    def question(self, step: Step) -> Ask:
        plan = self.plan
        turns = tuple(turn.without(plan.excluded) for turn in turns_of(step, plan.policy, MEMBERS, self.now))
        return Ask(
            draft=self.draft,
            step=step.name,
            turns=turns,
            owner=OWNER,
            submitter=MAKER,
            accepts=plan.accepts,
            keys=plan.keys,
            excluded=plan.excluded,
            delegates=("eve",),
            blocked=plan.blocked,
            fields=("currency", "total"),
        )

    def hands(self, step: Step) -> list[Hand]:
        """The same question's hands, from the step itself and what a policy grants when it says nothing."""

        def hand(voters: Sequence[str], until: datetime, *, own: bool = False, reminded: bool = False) -> Hand:
            seats = [(voter, [it for it in MEMBERS[voter] if it not in self.plan.excluded]) for voter in voters]
            counts = (step.rule, step.mandatory, step.veto) if own else ("any", (), ())
            return Hand(seats, until, *counts, reminded)

        own, due = [seat.voter for seat in step.voters], self.now + 3 * DAY
        hands = [hand(own, self.now + 1.5 * DAY, own=True), hand(own, due, own=True, reminded=True)]
        for number, level in enumerate(step.escalate, start=1):
            hands.append(hand(level.to, due + number * DAY))
        last = due + (len(step.escalate) + 4) * DAY
        return [*hands, hand((OWNER,), last)] if self.plan.on_deadline == "owner" else hands

    def standing_of(self, wait: Wait) -> tuple[object, ...]:
        votes = [(vote.by, vote.verdict) for vote in wait.votes]
        closing = wait.decision and (wait.decision.by, wait.decision.verdict)
        return wait.ask is None, wait.phase == "expired", wait.holders, closing, votes, wait.claimed, wait.stopped

    def standing_of_minutes(self) -> tuple[object, ...]:
        it = self.minutes
        votes = [(vote.by, vote.verdict) for vote in it.votes]
        closing = it.closing and (it.closing.by, it.closing.verdict)
        expired = it.ask is not None and not it.hands
        return it.ask is None, expired, tuple(it.holders), closing, votes, it.claimed, it.stopped


def play(plan: Plan, acted: Sequence[Act]) -> list[Moment]:
    played = Play(plan)
    for act in acted:
        played.does(act)
    return played.moments


LONG_AFTER = NOW + timedelta(days=1000)
EXAMPLES = int(os.environ.get("EXAMPLES", "400"))
tried = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@tried
@given(plans, sequences)
def test_nothing_invalid_is_ever_accepted(plan: Plan, acted: list[Act]) -> None:
    assert [moment for moment in play(plan, acted) if moment.accepted and not moment.counts] == []


@tried
@given(plans, sequences)
def test_nothing_valid_is_ever_refused(plan: Plan, acted: list[Act]) -> None:
    assert [moment for moment in play(plan, acted) if moment.counts and not moment.accepted] == []


@tried
@given(plans, sequences)
def test_case_always_stands_as_the_minutes_have_it(plan: Plan, acted: list[Act]) -> None:
    assert [moment for moment in play(plan, acted) if not moment.as_written] == []


@tried
@given(plans, sequences)
def test_what_is_refused_changes_nothing(plan: Plan, acted: list[Act]) -> None:
    assert [it for it in play(plan, acted) if not it.accepted and it.after != it.before] == []


@tried
@given(plans, sequences)
def test_whatever_was_asked_ends_decided_or_expired_once_all_instants_have_passed(plan: Plan, acted: list[Act]) -> None:
    last = at(play(plan, acted)[-1].after, LONG_AFTER)

    assert last.ask is None or last.decision is not None or last.phase == "expired"


@tried
@given(plans, sequences)
def test_closed_step_never_reopens_by_itself(plan: Plan, acted: list[Act]) -> None:
    moments = [it for it in play(plan, acted) if it.before.closed and it.kind in ("hear", "tick", "settle", "early")]

    standing = [(it.before.phase, it.before.ask, it.before.decision) for it in moments]
    assert [(it.after.phase, it.after.ask, it.after.decision) for it in moments] == standing
