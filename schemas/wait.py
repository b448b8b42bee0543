"""The approval rules as a pure state machine: no clock, no Temporal; instants come in.

Rules:
- A case is asked about one step at a time. A step goes from hand to hand by its turns; the last one ended, it expires.
- Nobody decides after it is decided, or after it has expired.
- What comes before anything is asked is kept, and heard when its very draft is asked about and its sender holds it.
  People cannot know a draft so early, but a reset sends everything that was said to the beginning of the new run.
- A vote counts when one of the people who hold the step makes it over exactly the draft that was asked about, and
  proves who they are as the policy wants it. Who has a key proves it by the key or a code, whatever else is accepted.
- The same decision again (same id) gets the same answer, and changes nothing.
- A vote may be changed until the step closes: the last one counts.
- A vote that its sender has withdrawn does not count, whenever it is delivered: the server delivers an update long
  after its sender has given up and been told that it was not taken. One that has been heard is withdrawn too, until
  it is settled: a worker that hung may hear it first, and the withdrawal a moment later.
- What cannot be written as it stands (blocked) can be corrected or rejected, not approved.
- A correction does not write anything: it closes the question, and the corrected draft is asked about in turn, from
  the first step on.
- A question to the submitter stops the clock until it is answered or its own time is up; three in a step.
- Who holds a seat hands it to somebody the policy or the step names; the owner can hand on anybody's.
- Where any one decides, one may claim the case: the others then wait until it is released or the next turn comes.
- A turn that nobody is left to decide passes at once.
- A queued message (a signal) that meets the deadline in one task counts: nobody can tell whether it was in time. A
  message that is answered at once (an update) is judged by the instant it is heard.

    idle --asked--> open --> reminded --> escalated ... --> handed --> expired     each at its turn's own instant
                     ^ask/answer: asking, and back to the same turn
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from schemas.approval import VOTES, Channel, Decision, Question, Reply, Verb, Withdrawal
from schemas.objections import objection
from schemas.policy import Proof
from schemas.standing import ZERO, Ask, Standing


class Wait(Standing):
    """The transitions. Every function returns a new wait."""

    def heard_now(self) -> tuple[tuple[Decision, ...], "Wait"]:
        """The first that was kept and can be heard by now, and the wait without it; call until there is none.

        One at a time: it may close the step, and what was said after it is then meant for the next one.
        """
        for place, kept in enumerate(self.kept):
            if self._is_heard_from(kept):
                return (kept,), self.having(kept=(*self.kept[:place], *self.kept[place + 1 :]))
        return (), self

    def _is_heard_from(self, kept: Decision) -> bool:
        """Whether this very draft and step are asked about, and whoever said it has the say in it by now."""
        ask, by, verdict = self.ask, kept.by, kept.verdict
        if ask is None or self.closed or kept.draft != ask.draft or kept.step not in ("", ask.step):
            return False
        if verdict == "answer":
            return self.question is not None and by in (ask.submitter, ask.owner)
        if verdict == "comment":
            return by in ask.everybody
        owners = verdict == "release" or (verdict == "delegate" and kept.seat)
        return by in self.holders or bool(by == ask.owner and owners)

    def asked(self, ask: Ask) -> "Wait":
        """Another question. One without steps goes on with the clock of the one before."""
        counted = (*self.counted, *self.votes)
        fresh = {"ask": ask, "turn": 0, "votes": (), "unsettled": frozenset(), "claimed": "", "counted": counted}
        if self.ask is not None and not ask.step:
            return self.having(**{**fresh, "ask": ask.model_copy(update={"turns": self.ask.turns}), "turn": self.turn})
        agreed = self.decision is not None and self.decision.verdict == "approve"
        same = self.ask is not None and self.ask.draft == ask.draft
        passed = (*self.passed, *((self.ask.step,) if self.ask and agreed else ())) if same else ()
        again = {"questions": (), "stopped": ZERO, "coded": frozenset(), "passed": passed}
        return self.having(**fresh, **again).passed_over()

    def tick(self, now: datetime) -> "Wait":
        """The next phase when its instant has come; call until nothing changes."""
        instant = self.next_instant
        if self.current is None or instant is None:
            return self
        if self.question is not None:
            return self._answered("nobody", "", now) if now >= instant else self
        return self._next_turn() if now >= instant or not self.current.can_be_met else self

    def settle(self) -> "Wait":
        return self.having(unsettled=frozenset())

    def struck(self, gone: Collection[str]) -> "Wait":
        """Without these people, whose right to decide was revoked."""
        if self.ask is None:
            return self
        turns = tuple(turn.without(gone) for turn in self.ask.turns)
        keys = {person: key for person, key in self.ask.keys.items() if person not in gone}
        excluded = {**self.ask.excluded, **dict.fromkeys(gone, "their right to was revoked")}
        delegates = tuple(person for person in self.ask.delegates if person not in gone)
        ask = self.ask.model_copy(update={"turns": turns, "keys": keys, "delegates": delegates, "excluded": excluded})
        left = {name: tuple(it for it in getattr(self, name) if it.by not in gone) for name in ("votes", "taken")}
        return self.having(ask=ask, claimed="" if self.claimed in gone else self.claimed, **left)

    def without(self, withdrawal: Withdrawal) -> tuple["Wait", Reply]:
        """What has settled stays; any other decision with this id does not count: heard, kept or still to come."""
        theirs = frozenset((withdrawal.id,))
        if theirs <= self.spent - self.unsettled - self.withdrawn:
            return self, Reply(accepted=False, reason="too late: the decision has been taken")
        votes, kept = (tuple(it for it in said if it.id != withdrawal.id) for said in (self.votes, self.kept))
        left = {"votes": votes, "kept": kept, "unsettled": self.unsettled - theirs}
        return self.having(**left, withdrawn=self.withdrawn | theirs), Reply(accepted=True)

    def hear(
        self, decision: Decision, now: datetime, channel: Channel, proof: Proof | None = "asserted"
    ) -> tuple["Wait", Reply]:
        """`proof` is what was found to be true of who it is from; None when what it came with is false."""
        if decision.id and decision.id in self.spent:
            same = decision in self.taken and decision.id not in self.withdrawn
            return self, Reply(accepted=same, reason="this decision was heard before")
        if self.ask is None and decision.id not in self.withdrawn:
            kept = "nothing is asked yet: it is kept, and counts if this very draft is asked about"
            return self.having(kept=(*self.kept, decision)), Reply(accepted=True, reason=kept)
        if reason := objection(self, decision, now, channel, proof):
            return self, Reply(accepted=False, reason=reason)
        changes: dict[str, object] = {
            "coded": self.coded | {decision.by} if proof == "code" and decision.verdict in VOTES else self.coded
        }
        if decision.id and decision.verdict != "comment":
            changes |= {"spent": self.spent | {decision.id}, "taken": (*self.taken, decision)}
        return EFFECTS[decision.verdict](self, decision, now).having(**changes), Reply(accepted=True)

    def _voted(self, decision: Decision, _now: datetime) -> "Wait":
        step = self.ask.step if self.ask else ""
        others = (vote for vote in self.votes if vote.by != decision.by)
        votes = (*others, decision.model_copy(update={"step": step}))
        return self.having(votes=votes, unsettled=self.unsettled | {decision.id})

    def _inquired(self, decision: Decision, now: datetime) -> "Wait":
        assert self.ask is not None
        question = Question(by=decision.by, note=decision.note, since=now, until=now + self.ask.answer_patience)
        return self.having(questions=(*self.questions, question))

    def _answered(self, by: str, answer: str, now: datetime) -> "Wait":
        """The clock goes on where it stood; it stood still no longer than the question had time."""
        question = self.questions[-1]
        answered = question.model_copy(update={"answered_by": by, "answer": answer})
        stood = max(min(now, question.until) - question.since, ZERO)
        return self.having(questions=(*self.questions[:-1], answered), stopped=self.stopped + stood)

    def _handed_on(self, decision: Decision, _now: datetime) -> "Wait":
        assert self.ask is not None
        seat = decision.seat or decision.by
        turns = (*self.ask.turns[: self.turn], *(it.handed(seat, decision.to) for it in self.ask.turns[self.turn :]))
        votes = tuple(vote for vote in self.votes if vote.by != seat)
        claimed = "" if self.claimed == seat else self.claimed
        after = self.having(ask=self.ask.model_copy(update={"turns": turns}), votes=votes, claimed=claimed)
        # Fewer people are left: a vote of before may decide now, and settles like one that was just heard.
        return after.having(unsettled=self.unsettled | {after.decision.id}) if after.decision else after

    def _next_turn(self) -> "Wait":
        """Into the next hands; a reminder leaves it in the same ones, and whoever claimed it has had their time."""
        after = self.having(turn=self.turn + 1, claimed="")
        if after.phase == "reminded" and after.current and after.current.can_be_met:
            return after
        counted = (*self.counted, *self.votes)
        return after.having(votes=(), unsettled=frozenset(), counted=counted).passed_over()

    def passed_over(self) -> "Wait":
        """Past the turns that nobody is left to decide."""
        after = self
        while after.current and not after.current.can_be_met:
            after = after.having(turn=after.turn + 1)
        return after

    def having(self, **changes: object) -> "Wait":
        """The same but for these."""
        return self.model_copy(update=changes)


EFFECTS: Mapping[Verb, Callable[[Wait, Decision, datetime], Wait]] = {
    **dict.fromkeys(VOTES, Wait._voted),  # noqa: SLF001  (the table is part of the machine)
    "comment": lambda wait, _decision, _now: wait,
    "ask": Wait._inquired,  # noqa: SLF001
    "answer": lambda wait, decision, now: wait._answered(decision.by, decision.note, now),  # noqa: SLF001
    "delegate": Wait._handed_on,  # noqa: SLF001
    "claim": lambda wait, decision, _now: wait.having(claimed=decision.by),
    "release": lambda wait, _decision, _now: wait.having(claimed=""),
}
"""What each thing that can be said does, once nothing speaks against it."""
