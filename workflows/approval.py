"""The durable human wait: hears people from the first task on, early, misspelt and malformed messages included."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from activities.audit import Audit
    from activities.cases import Cases
    from schemas.approval import MESSAGES_PER_PERSON, Act, ActsRequest, Ask, Channel, Decision, Reply, Wait, Withdrawal
    from schemas.case import View, Waiting
    from schemas.policy import Stage
    from workflows.attributes import APPROVERS, DUE, STATUS
    from workflows.cancellation import finished
    from workflows.card import card
    from workflows.options import TABLES
    from workflows.payload import parsed


MESSAGES: Mapping[str, type[Decision | Withdrawal]] = {"decide": Decision, "withdraw": Withdrawal}
SETTLING = timedelta(milliseconds=200)
"""Between hearing a decision and acting on it: a withdrawal that the server holds behind it is delivered meanwhile."""
FLOOD = "too many messages: this case records no more of them"
UNREADABLE = "a decision needs by, verdict (approve, reject or correct) and draft"


class Approval:
    """Built in a case's `__init__`, awaited between routing and writing.

    Handlers decide and return at once; what they heard is audited by the case itself, in `ask` and `record`.
    """

    def __init__(self) -> None:
        self._wait = Wait()
        self._acts: list[Act] = []
        self._recorded: Counter[str] = Counter()
        self._flooded: set[str] = set()
        # Named, since the Temporal UI offers only what has a name; dynamic for everything else, misspelt or not.
        workflow.set_update_handler("decide", self._decide_update, validator=self._has_room_to_decide)
        workflow.set_signal_handler("decide", self._decide_signal)
        workflow.set_dynamic_update_handler(self._answered, validator=self._has_room)
        workflow.set_dynamic_signal_handler(self._queued)

    async def ask(self, ask: Ask, view: View, stage: Stage) -> Decision | None:
        """The decision that counted, or None when the last deadline came first."""
        kept, self._wait = self._wait.kept_for(ask.draft), self._wait.asked(ask)
        for decision in kept:
            self._hear("signal", "decide", decision)
        await self._announce(view, stage)
        while self._wait.phase != "expired":
            await self._until_heard()
            await self.record()
            if self._wait.decision is not None:
                await workflow.sleep(SETTLING, summary="settling")
                self._wait = self._wait.settle()
                await self.record()
                if self._wait.settled:
                    break
                continue
            phase, self._wait = self._wait.phase, self._wait.tick(workflow.now())
            if self._wait.phase != phase:
                await self._announce(view, stage)
        return self._wait.decision

    async def _until_heard(self) -> None:
        """Until somebody says something, or this phase ends."""
        instant = self._wait.next_instant
        if self._acts or instant is None:
            return
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: bool(self._acts), timeout=instant - workflow.now(), timeout_summary=self._wait.phase
            )

    async def record(self) -> None:
        """Audit what people did since the last time; a case does this once more before it ends."""
        while acts := tuple(self._acts):
            request = ActsRequest(case=workflow.info().workflow_id, acts=acts)
            self._acts.clear()
            await finished(workflow.start_local_activity_method(Audit.acts, request, **TABLES))

    async def _announce(self, view: View, stage: Stage) -> None:
        """Show the case to those who hold it now."""
        wait = self._wait
        if wait.deadline is None:  # decided while the row was being written
            return
        workflow.set_current_details(card(wait, view))
        workflow.upsert_search_attributes(
            [STATUS.value_set("waiting"), APPROVERS.value_set(wait.holders), DUE.value_set(wait.deadline)]
        )
        waiting = Waiting(
            case=workflow.info().workflow_id,
            phase=wait.phase,
            approvers=wait.holders,
            due=wait.deadline,
            stage=stage,
            view=view,
        )
        await finished(workflow.start_local_activity_method(Cases.waiting, waiting, **TABLES))

    def _decide_update(self, raw: RawValue) -> Reply:
        return self._answered("decide", [raw])

    def _decide_signal(self, raw: RawValue) -> None:
        self._queued("decide", [raw])

    def _has_room_to_decide(self, raw: RawValue) -> None:
        self._has_room("decide", [raw])

    def _has_room(self, name: str, args: Sequence[RawValue]) -> None:
        """Refuse a flood before it enters history; a refusal here leaves no event, so nothing may be counted."""
        message = _message(name, args)
        after, _ = self._act("update", name, message)
        if self._is_flood(message, after) and not isinstance(message, Withdrawal):
            raise ValueError(FLOOD)

    def _answered(self, name: str, args: Sequence[RawValue]) -> Reply:
        return self._hear("update", name, _message(name, args))

    def _queued(self, name: str, args: Sequence[RawValue]) -> None:
        self._hear("signal", name, _message(name, args))

    def _hear(self, channel: Channel, name: str, message: Decision | Withdrawal | None) -> Reply:
        """The one reducer: whatever was sent, and however, is answered and noted for the audit.

        A withdrawal is obeyed in any flood, since its sender tells a person that their decision was not taken.
        """
        after, act = self._act(channel, name, message)
        bucket, flood = self._bucket(message), self._is_flood(message, after)
        if flood:
            reply = Reply(accepted=False, reason=FLOOD)
            if bucket not in self._flooded:
                self._flooded.add(bucket)
                self._acts.append(Act(kind="flood", channel=channel, reply=reply, by=bucket))
            if not isinstance(message, Withdrawal):
                return reply
        else:
            self._recorded[bucket] += 1
            self._acts.append(act)
        self._wait = after
        return act.reply

    def _is_flood(self, message: Decision | Withdrawal | None, after: Wait) -> bool:
        """Somebody's share is used up. Anybody can send in another's name, so a decision that counts is none, ever."""
        counts = after.decision is not None and after.decision != self._wait.decision
        return not counts and self._recorded[self._bucket(message)] >= MESSAGES_PER_PERSON

    def _act(self, channel: Channel, name: str, message: Decision | Withdrawal | None) -> tuple[Wait, Act]:
        """What a message comes to: how the wait would stand after it, and what would be recorded."""
        if isinstance(message, Decision):
            now = workflow.now()
            after, reply = self._wait.hear(message, now, channel)
            counted = {"by": message.by, "decision": message, "at_deadline": self._wait.late(now) and reply.accepted}
            return after, Act(kind="decision", channel=channel, reply=reply, **counted)
        if isinstance(message, Withdrawal):
            after, reply = self._wait.without(message)
            return after, Act(kind="withdrawal", channel=channel, reply=reply, detail=message.id)
        if name in MESSAGES:
            return self._wait, Act(kind="unreadable", channel=channel, reply=Reply(accepted=False, reason=UNREADABLE))
        why = f"nothing is called {name[:100]!r}: decisions go to 'decide'"
        return self._wait, Act(kind="misspelt", channel=channel, reply=Reply(accepted=False, reason=why))

    def _bucket(self, message: Decision | Withdrawal | None) -> str:
        """Whose share of the messages this one uses; everybody who has no say shares one."""
        people = (*self._wait.ask.approvers, self._wait.ask.owner) if self._wait.ask else ()
        return message.by if isinstance(message, Decision) and message.by in people else ""


def _message(name: str, args: Sequence[RawValue]) -> Decision | Withdrawal | None:
    shape = MESSAGES.get(name)
    return parsed(args[0], shape) if shape and len(args) == 1 else None
