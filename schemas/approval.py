"""The approval rules as a pure state machine: no clock, no Temporal; instants come in.

Rules:
- Nobody decides after it is decided, or after it has expired.
- A decision that comes before anything is asked is kept, and heard when its very draft is asked about. People cannot
  know a draft so early, but a reset sends everything that was said to the beginning of the new run.
- A decision counts when one of the people who hold the case makes it over exactly the draft that was asked about.
- A decision that its sender has withdrawn does not count, whenever it is delivered: the server delivers an update
  long after its sender has given up and been told that it was not taken. One that has been heard is withdrawn too,
  until it is settled: a worker that hung may hear it first, and the withdrawal a moment later.
- The same decision again (same id) gets the same answer, and changes nothing.
- What cannot be written as it stands (blocked) can be corrected or rejected, not approved.
- A correction does not write anything: it closes the question, and the corrected draft is asked about in turn, on
  the same clock.
- The case is announced anew at `remind_at`; at the deadline it expires or is handed to the owner, whose own deadline
  ends it.
- A queued message (a signal) that meets the deadline in one task counts: nobody can tell whether it was in time. A
  message that is answered at once (an update) is judged by the instant it is heard.

    idle --ask--> open --remind_at--> reminded --due--> handed --owner_due--> expired
                                          `----due (no owner deadline)--------^
A decision may be made in open, reminded and handed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field as Bounded
from pydantic import StringConstraints

from schemas.case import View
from schemas.message import Digest, Message
from schemas.policy import ApprovalPolicy

Phase = Literal["idle", "open", "reminded", "handed", "expired"]
Verb = Literal["approve", "reject", "correct"]
Channel = Literal["update", "signal"]

MESSAGES_PER_PERSON = 20
"""How many messages of one person a case records one by one; an approval needs one or two. What counts always is."""


class Decision(Message):
    """What a person says. `by` is asserted, not proven: see SECURITY.md."""

    id: str = Bounded(default="", max_length=100)
    by: str = Bounded(min_length=1, max_length=64)
    verdict: Verb
    draft: Digest
    note: str = Bounded(default="", max_length=2000)
    corrections: Mapping[str, Annotated[str, StringConstraints(max_length=500)]] = Bounded(default={}, max_length=50)


class Withdrawal(Message):
    """What a sender leaves who has not been answered in time; `id` is the decision's."""

    id: str = Bounded(min_length=1, max_length=100)


class Reply(Message):
    accepted: bool
    reason: str = ""


class Act(Message):
    """Something a person did to a case, heard or not understood, and what was answered."""

    kind: Literal["decision", "withdrawal", "unreadable", "misspelt", "flood"]
    channel: Channel
    reply: Reply
    by: str = ""
    decision: Decision | None = None
    detail: str = ""
    at_deadline: bool = False


class ActsRequest(Message):
    case: str
    acts: tuple[Act, ...]


class Ask(Message):
    """One question on its clock. Instants are absolute: whoever builds this has read the calendar."""

    draft: Digest
    approvers: tuple[str, ...]
    owner: str
    remind_at: datetime
    due: datetime
    owner_due: datetime | None = None
    """None: nobody is asked after `due`."""
    blocked: bool = False
    fields: tuple[str, ...] = ()
    """What a correction may name."""

    @classmethod
    def on_clock(cls, policy: ApprovalPolicy, now: datetime, view: View, fields: tuple[str, ...]) -> "Ask":
        """The question about a view's draft, its clock started now."""
        assert view.draft is not None
        due = now + policy.patience
        return cls(
            draft=view.draft,
            approvers=policy.approvers,
            owner=policy.owner,
            remind_at=min(now + policy.remind_after, due),
            due=due,
            owner_due=due + policy.owner_patience if policy.on_deadline == "owner" else None,
            blocked=view.blocked,
            fields=fields,
        )

    def misuse(self, decision: Decision) -> str:
        """Why the verdict does not fit the question, or empty."""
        unknown = sorted(set(decision.corrections) - set(self.fields))
        if decision.verdict == "correct" and not decision.corrections:
            return "a correction names at least one field"
        if decision.verdict == "correct" and unknown:
            return f"no field is called {', '.join(unknown)}: there are {', '.join(self.fields)}"
        if decision.verdict != "correct" and decision.corrections:
            return f"{decision.verdict} takes no corrections: send them as correct, and approve the corrected draft"
        if decision.verdict == "approve" and self.blocked:
            return "this draft cannot be written as it stands: correct it or reject it"
        return ""


class Wait(Message):
    """Where the wait stands. Every function returns a new one."""

    phase: Phase = "idle"
    ask: Ask | None = None
    decision: Decision | None = None
    kept: tuple[Decision, ...] = ()
    """Heard before their draft was asked about."""
    withdrawn: frozenset[str] = frozenset()
    """Ids of decisions that no longer count."""
    settled: bool = False
    """The decision stands: it is being acted upon."""
    counted: tuple[Decision, ...] = ()
    """What settled earlier questions of this case."""

    @property
    def closed(self) -> bool:
        return self.decision is not None or self.phase == "expired"

    @property
    def holders(self) -> tuple[str, ...]:
        """Who may decide now."""
        if self.ask is None or self.closed:
            return ()
        return (self.ask.owner,) if self.phase == "handed" else self.ask.approvers

    @property
    def next_instant(self) -> datetime | None:
        """When this phase ends by itself."""
        if self.ask is None or self.closed:
            return None
        return {"open": self.ask.remind_at, "reminded": self.ask.due, "handed": self.ask.owner_due}[self.phase]

    @property
    def deadline(self) -> datetime | None:
        """When those who hold the case lose it."""
        if self.ask is None or self.closed:
            return None
        return self.ask.owner_due if self.phase == "handed" else self.ask.due

    def kept_for(self, draft: Digest) -> tuple[Decision, ...]:
        return tuple(decision for decision in self.kept if decision.draft == draft)

    def asked(self, ask: Ask) -> "Wait":
        """The first question opens the clock; a later one (after a correction) goes on with it.

        What was kept for this draft is let go of: the caller, who took it with `kept_for`, has it heard now.
        """
        kept = tuple(decision for decision in self.kept if decision.draft != ask.draft)
        if self.ask is None:
            return self.model_copy(update={"phase": "open", "ask": ask, "kept": kept})
        same_clock = {name: getattr(self.ask, name) for name in ("remind_at", "due", "owner_due")}
        counted = (*self.counted, self.decision) if self.decision else self.counted
        update = {"ask": ask.model_copy(update=same_clock), "decision": None, "settled": False}
        return self.model_copy(update={**update, "kept": kept, "counted": counted})

    def without(self, withdrawal: Withdrawal) -> tuple["Wait", Reply]:
        """What has settled stays; any other decision with this id does not count: heard, kept or still to come."""
        ours = self.decision is not None and self.decision.id == withdrawal.id
        if (ours and self.settled) or any(decision.id == withdrawal.id for decision in self.counted):
            return self, Reply(accepted=False, reason="too late: the decision has been taken")
        update = {
            "decision": None if ours else self.decision,
            "kept": tuple(decision for decision in self.kept if decision.id != withdrawal.id),
            "withdrawn": self.withdrawn | {withdrawal.id},
        }
        return self.model_copy(update=update), Reply(accepted=True)

    def settle(self) -> "Wait":
        return self.model_copy(update={"settled": self.decision is not None})

    def tick(self, now: datetime) -> "Wait":
        """The next phase when its instant has come; call until nothing changes."""
        instant = self.next_instant
        if self.ask is None or instant is None or now < instant:
            return self
        after: Mapping[Phase, Phase] = {
            "open": "reminded",
            "reminded": "handed" if self.ask.owner_due else "expired",
            "handed": "expired",
        }
        return self.model_copy(update={"phase": after[self.phase]})

    def hear(self, decision: Decision, now: datetime, channel: Channel) -> tuple["Wait", Reply]:
        for earlier in (self.decision, *self.counted):
            if earlier is not None and decision.id and decision.id == earlier.id:
                return self, Reply(accepted=decision == earlier, reason="this decision was heard before")
        reason = self._refusal(decision, now, channel)
        if not reason and self.ask is None:
            kept = "nothing is asked yet: it is kept, and counts if this very draft is asked about"
            return self.model_copy(update={"kept": (*self.kept, decision)}), Reply(accepted=True, reason=kept)
        if reason:
            return self, Reply(accepted=False, reason=reason)
        return self.model_copy(update={"decision": decision}), Reply(accepted=True)

    def late(self, now: datetime) -> bool:
        """The deadline has come, though nothing has acted on it yet."""
        return self.deadline is not None and now >= self.deadline

    def _refusal(self, decision: Decision, now: datetime, channel: Channel) -> str:
        """Why this decision does not count, in words for the person who made it; empty when it does."""
        if decision.id in self.withdrawn:
            return "its sender has withdrawn it: they were told that it was not taken"
        if self.ask is None:
            return ""
        if self.decision is not None:
            return f"already decided by {self.decision.by}"
        if self.phase == "expired":
            return "the deadline has passed and the case has expired"
        if channel == "update" and self.late(now):
            return "the deadline has passed"
        if decision.by not in self.holders:
            held = ", ".join(self.holders)
            return f"{decision.by!r} may not decide this case: it is with {held}"
        if decision.draft != self.ask.draft:
            return f"that is another draft: the one to decide is {self.ask.draft[:12]}"
        return self.ask.misuse(decision)
