"""Hearing: every message to a case, by update or signal, misspelt or malformed, is answered and noted at once."""

from collections import Counter
from collections.abc import Mapping, Sequence

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from activities.proof import signature_fits
    from schemas.approval import (
        MESSAGES_BEFORE_ASKED,
        MESSAGES_PER_PERSON,
        VOTES,
        Act,
        Channel,
        Decision,
        Reply,
        Withdrawal,
    )
    from schemas.policy import Proof
    from schemas.wait import Wait
    from workflows.payload import parsed

MESSAGES: Mapping[str, type[Decision | Withdrawal]] = {"decide": Decision, "withdraw": Withdrawal}
FLOOD = "too many messages: this case records no more of them"
UNREADABLE = "a decision needs by, draft and verdict: approve, reject, correct, or another thing that can be said"
CHECKING = "taken: the code is being checked, and 'casework show' tells what came of it"


class Hearing:
    """Sets the handlers, in a case's first task, and keeps how the wait stands after each message."""

    def __init__(self) -> None:
        self.wait = Wait()
        self.acts: list[Act] = []
        """What the audit has not been told yet."""
        self.uncoded: list[tuple[Channel, Decision]] = []
        """What came with a code that has not been checked yet."""
        self.recorded: Counter[str] = Counter()
        self._flooded: set[str] = set()
        # A history that goes on from another one takes over how things stood first: `resume` is called with that.
        self._ready = workflow.info().continued_run_id is None
        self._early: list[tuple[str, Sequence[RawValue]]] = []
        # Named, since the Temporal UI offers only what has a name; dynamic for everything else, misspelt or not.
        workflow.set_update_handler("decide", self._decide_update, validator=self._has_room_to_decide)
        workflow.set_signal_handler("decide", self._decide_signal)
        workflow.set_dynamic_update_handler(self._answered, validator=self._has_room)
        workflow.set_dynamic_signal_handler(self._queued)

    def resume(self, wait: Wait, recorded: Mapping[str, int]) -> None:
        """Go on as things stood when the history before this one ended, and hear what was sent meanwhile."""
        self.wait, self._ready = wait, True
        self.recorded.update(recorded)
        for name, args in self._early:
            self._queued(name, args)
        self._early.clear()

    @property
    def anything(self) -> bool:
        """Something was heard that the case has not dealt with."""
        return bool(self.acts or self.uncoded)

    def taken(self) -> tuple[Act, ...]:
        """What the audit is to be told, now in the caller's hands."""
        acts = tuple(self.acts)
        self.acts.clear()
        return acts

    def hear_kept(self) -> None:
        """Hear what came too early, now that it can count; it may be what makes more of it count."""
        while True:
            kept, self.wait = self.wait.heard_now()
            if not kept:
                return
            for decision in kept:
                self._take("signal", "decide", decision)

    def hear(
        self, channel: Channel, name: str, message: Decision | Withdrawal | None, proof: Proof | None = "asserted"
    ) -> Reply:
        """The one reducer: whatever was sent, and however, is answered and noted for the audit.

        A withdrawal is obeyed in any flood, since its sender tells a person that their decision was not taken.
        """
        after, act = self._act(channel, name, message, proof)
        bucket, flood = self._bucket(message, proof), self._is_flood(message, proof, after)
        if flood:
            reply = Reply(accepted=False, reason=FLOOD)
            if bucket not in self._flooded:
                self._flooded.add(bucket)
                self.acts.append(Act(kind="flood", channel=channel, reply=reply, by=bucket))
            if not isinstance(message, Withdrawal):
                return reply
        else:
            self.recorded[bucket] += 1
            self.acts.append(act)
        self.wait = after
        return act.reply

    async def _decide_update(self, raw: RawValue) -> Reply:
        return await self._answered("decide", [raw])

    def _decide_signal(self, raw: RawValue) -> None:
        self._queued("decide", [raw])

    def _has_room_to_decide(self, raw: RawValue) -> None:
        self._has_room("decide", [raw])

    def _has_room(self, name: str, args: Sequence[RawValue]) -> None:
        """Refuse a flood before it enters history; a refusal here leaves no event, so nothing may be counted."""
        message = _message(name, args)
        proof = self._proof(message)
        after, _ = self._act("update", name, message, proof)
        if self._is_flood(message, proof, after) and not isinstance(message, Withdrawal):
            raise ValueError(FLOOD)

    async def _answered(self, name: str, args: Sequence[RawValue]) -> Reply:
        if not self._ready:
            await workflow.wait_condition(lambda: self._ready)
        return self._take("update", name, _message(name, args))

    def _queued(self, name: str, args: Sequence[RawValue]) -> None:
        if self._ready:
            self._take("signal", name, _message(name, args))
        else:
            self._early.append((name, args))

    def _take(self, channel: Channel, name: str, message: Decision | Withdrawal | None) -> Reply:
        """Hear it; but what would count if its code is right waits until that is known."""
        proof = self._proof(message)
        if isinstance(message, Decision) and proof == "code" and self.wait.ask:
            _, reply = self.wait.hear(message, workflow.now(), channel, proof)
            if reply.accepted:
                self.uncoded.append((channel, message))
                return Reply(accepted=True, reason=CHECKING)
        return self.hear(channel, name, message, proof)

    def _proof(self, message: Decision | Withdrawal | None) -> Proof | None:
        """What a message proves of its sender, its code taken for right; a stranger's signature proves nothing."""
        if not isinstance(message, Decision):
            return "asserted"
        ask = self.wait.ask
        key = ask.keys.get(message.by) if ask else None
        if message.signature and ask and key:
            signed = message.signed(workflow.info().workflow_id, ask.run)
            return "signature" if signature_fits(key, signed, message.signature) else None
        return "code" if message.code else "asserted"

    def _is_flood(self, message: Decision | Withdrawal | None, proof: Proof | None, after: Wait) -> bool:
        """Somebody's share is used up. Anybody can send in another's name, so a vote that counts is none, ever."""
        counts = after.decision is not None and after.decision != self.wait.decision
        if counts or self._first_vote(after):
            return False
        full = self.wait.ask is None and self.recorded.total() >= MESSAGES_BEFORE_ASKED
        return full or self.recorded[self._bucket(message, proof)] >= MESSAGES_PER_PERSON

    def _first_vote(self, after: Wait) -> bool:
        return len(after.votes) > len(self.wait.votes)

    def _act(
        self, channel: Channel, name: str, message: Decision | Withdrawal | None, proof: Proof | None
    ) -> tuple[Wait, Act]:
        """What a message comes to: how the wait would stand after it, and what would be recorded."""
        if isinstance(message, Decision):
            now = workflow.now()
            after, reply = self.wait.hear(message, now, channel, proof)
            late = self.wait.late(now) and reply.accepted and message.verdict in VOTES
            told = {"by": message.by, "proof": proof, "decision": message.model_copy(update={"code": ""})}
            return after, Act(kind="decision", channel=channel, reply=reply, at_deadline=late, **told)
        if isinstance(message, Withdrawal):
            after, reply = self.wait.without(message)
            return after, Act(kind="withdrawal", channel=channel, reply=reply, detail=message.id)
        if name in MESSAGES:
            return self.wait, Act(kind="unreadable", channel=channel, reply=Reply(accepted=False, reason=UNREADABLE))
        why = f"nothing is called {name[:100]!r}: decisions go to 'decide'"
        return self.wait, Act(kind="misspelt", channel=channel, reply=Reply(accepted=False, reason=why))

    def _bucket(self, message: Decision | Withdrawal | None, proof: Proof | None) -> str:
        """Whose share of the messages this one uses.

        Everybody who has no say shares one, and so does whoever speaks in the name of somebody with a key without
        proving it. Before anything is asked nobody knows who has a say: those shares are apart, and end then.
        """
        if not isinstance(message, Decision):
            return ""
        ask = self.wait.ask
        if ask is None:
            return f"{message.by} (early)"
        proven = proof in ("signature", "code") or message.by not in ask.keys
        return message.by if proven and message.by in ask.everybody else ""


def _message(name: str, args: Sequence[RawValue]) -> Decision | Withdrawal | None:
    shape = MESSAGES.get(name)
    return parsed(args[0], shape) if shape and len(args) == 1 else None
