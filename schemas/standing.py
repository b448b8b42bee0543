"""How an approval stands: the question, what was said so far, and what follows from that."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from schemas.approval import Decision, Question, Vote
from schemas.message import Digest, Message
from schemas.policy import ApprovalPolicy, Proof
from schemas.steps import Seat, Step
from schemas.turn import Turn, turns_of

Phase = Literal["idle", "open", "reminded", "escalated", "handed", "asking", "expired"]
ZERO = timedelta(0)


class Ask(Message):
    """One question: about a draft, on one step. Instants are absolute: whoever builds this has read the calendar."""

    draft: Digest
    step: str = ""
    """Empty in cases that began before there were steps."""
    turns: tuple[Turn, ...]
    owner: str
    submitter: str = ""
    answer_patience: timedelta = timedelta(days=2)
    accepts: tuple[Proof, ...] = ("asserted",)
    keys: Mapping[str, str] = {}
    """The public key of each person who has one, as it stood when the step opened."""
    excluded: Mapping[str, str] = {}
    """Who may not decide, and why."""
    delegates: tuple[str, ...] = ()
    run: int = 1
    opening: int = 1
    """How often this case has asked anything, this time included: what codes are bound to."""
    blocked: bool = False
    fields: tuple[str, ...] = ()
    """What a correction may name."""

    @classmethod
    def without_steps(
        cls,
        draft: Digest,
        policy: ApprovalPolicy,
        now: datetime,
        *,
        blocked: bool = False,
        fields: tuple[str, ...] = (),
    ) -> "Ask":
        """The one question of a case that began before there were steps."""
        seats = tuple(Seat(voter=person) for person in policy.approvers)
        times = {"remind_after": policy.remind_after, "patience": policy.patience}
        step = Step(name="any", voters=seats).model_copy(update=times)
        members = {person: (person,) for person in (*policy.approvers, policy.owner)}
        turns = turns_of(step, policy, members, now)
        return cls(draft=draft, turns=turns, owner=policy.owner, blocked=blocked, fields=fields)

    @property
    def everybody(self) -> frozenset[str]:
        """Whoever has something to say here."""
        named = (self.owner, self.submitter, *self.delegates, *(it for turn in self.turns for it in turn.people))
        return frozenset(named) - {""}

    def misuse(self, decision: Decision) -> str:
        """Why what is said does not fit the question, or empty."""
        unknown = sorted(set(decision.corrections) - set(self.fields))
        if decision.verdict == "correct" and not decision.corrections:
            return "a correction names at least one field"
        if decision.verdict == "correct" and unknown:
            return f"no field is called {', '.join(unknown)}: there are {', '.join(self.fields)}"
        if decision.verdict != "correct" and decision.corrections:
            return f"{decision.verdict} takes no corrections: send them as correct, and approve the corrected draft"
        if decision.verdict == "approve" and self.blocked:
            return "this draft cannot be written as it stands: correct it or reject it"
        if decision.verdict in ("comment", "ask", "answer") and not decision.note.strip():
            return f"{decision.verdict} needs words: put them in the note"
        return ""


class Standing(Message):
    ask: Ask | None = None
    turn: int = 0
    """Which of the question's turns it is; past the last one, it has expired."""
    votes: tuple[Decision, ...] = ()
    """The last of each person who holds this turn, oldest first."""
    unsettled: frozenset[str] = frozenset()
    """Ids of votes that can still be withdrawn."""
    claimed: str = ""
    questions: tuple[Question, ...] = ()
    """What the submitter was asked in this step; the last one may be open."""
    stopped: timedelta = ZERO
    """How long the clock has stood still in this step."""
    kept: tuple[Decision, ...] = ()
    """Heard before they could count."""
    withdrawn: frozenset[str] = frozenset()
    """Ids of decisions that no longer count."""
    spent: frozenset[str] = frozenset()
    """Ids that were used."""
    coded: frozenset[str] = frozenset()
    """Whose code for this step was used."""
    counted: tuple[Decision, ...] = ()
    """The votes of earlier steps and questions of this case."""
    passed: tuple[str, ...] = ()
    """The steps that have approved this draft."""

    @property
    def phase(self) -> Phase:
        if self.ask is None:
            return "idle"
        if self.turn >= len(self.ask.turns):
            return "expired"
        return "asking" if self.question else self.ask.turns[self.turn].phase

    @property
    def current(self) -> Turn | None:
        return self.ask.turns[self.turn] if self.ask and self.turn < len(self.ask.turns) else None

    @property
    def question(self) -> Question | None:
        """The one that waits for its answer."""
        return self.questions[-1] if self.questions and not self.questions[-1].answered_by else None

    @property
    def decision(self) -> Decision | None:
        """The vote that closed the step."""
        return self.current.deciding(self.votes) if self.current else None

    @property
    def settled(self) -> bool:
        """The decision stands, and is acted upon."""
        return self.decision is not None and not self.unsettled

    @property
    def closed(self) -> bool:
        return self.phase == "expired" or self.decision is not None

    @property
    def holders(self) -> tuple[str, ...]:
        """Who may decide now."""
        return self.current.people if self.current and not self.closed else ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Those of the holders who have not voted."""
        voted = {vote.by for vote in self.votes}
        return tuple(person for person in self.holders if person not in voted)

    @property
    def next_instant(self) -> datetime | None:
        """When this phase ends by itself."""
        if self.current is None or self.closed:
            return None
        return self.question.until if self.question else self.current.until + self.stopped

    @property
    def due(self) -> datetime | None:
        """When those who hold the step lose it, if the clock does not stand still before."""
        if self.ask is None or self.current is None or self.closed:
            return None
        held = self.ask.turns[self.turn + (self.current.phase == "open")]
        return held.until + self.stopped

    @property
    def shown(self) -> tuple[object, ...]:
        """What people are shown of it: when this changes, they are told."""
        step = self.ask.step if self.ask else ""
        return (step, self.turn, self.phase, self.missing, self.due, self.claimed, len(self.questions))

    @property
    def said(self) -> tuple[Vote, ...]:
        """Every vote so far, earlier steps and questions first."""
        return tuple(
            Vote(step=vote.step, by=vote.by, verdict=vote.verdict, note=vote.note)
            for vote in (*self.counted, *self.votes)
        )

    @property
    def openings(self) -> int:
        """How often this case has asked anything."""
        return self.ask.opening if self.ask else 0

    def has_passed(self, draft: Digest, step: str) -> bool:
        return self.ask is not None and self.ask.draft == draft and step in self.passed

    def is_at(self, draft: Digest, step: str) -> bool:
        """Whether this very question is open."""
        ask = self.ask
        return ask is not None and (ask.draft, ask.step) == (draft, step) and not self.closed

    @property
    def correctors(self) -> frozenset[str]:
        return frozenset(vote.by for vote in (*self.counted, *self.votes) if vote.verdict == "correct")

    def agreed(self, draft: Digest) -> tuple[str, ...]:
        """Who has approved this draft, in the order of their votes."""
        yeses = (vote for vote in (*self.counted, *self.votes) if vote.verdict == "approve" and vote.draft == draft)
        return tuple(dict.fromkeys(vote.by for vote in yeses))

    def late(self, now: datetime) -> bool:
        """The deadline has come, though nothing has acted on it yet."""
        return self.question is None and self.due is not None and now >= self.due
