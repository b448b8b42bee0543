"""The durable human wait: hears people from the first task on, early, misspelt and malformed messages included."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from activities.audit import Audit
    from activities.cases import Cases
    from schemas.approval import MESSAGES_PER_PERSON, Act, ActsRequest, Ask, Channel, Decision, Reply, Wait
    from schemas.case import View, Waiting
    from schemas.policy import Stage
    from workflows.attributes import APPROVERS, DUE, STATUS
    from workflows.card import card
    from workflows.options import TABLES


FLOOD = "too many messages: this case hears no more of them"
UNREADABLE = "a decision needs by, verdict (approve, reject or correct) and draft"


class Approval:
    """Built in a case's `__init__`, awaited between routing and writing.

    Handlers decide and return at once; what they heard is audited by the case itself, in `ask` and `record`.
    """

    def __init__(self) -> None:
        self._wait = Wait()
        self._acts: list[Act] = []
        self._heard: Counter[str] = Counter()
        workflow.set_update_handler("decide", self._answered, validator=self._has_room)
        workflow.set_dynamic_update_handler(self._misspelt_update)
        workflow.set_signal_handler("decide", self._queued)
        workflow.set_dynamic_signal_handler(self._misspelt_signal)

    async def ask(self, ask: Ask, view: View, stage: Stage) -> Decision | None:
        """The decision that counted, or None when the last deadline came first."""
        self._wait = self._wait.asked(ask)
        await self._announce(view, stage)
        while not self._wait.closed:
            instant = self._wait.next_instant
            assert instant is not None
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: bool(self._acts), timeout=instant - workflow.now(), timeout_summary=self._wait.phase
                )
            await self.record()
            phase, self._wait = self._wait.phase, self._wait.tick(workflow.now())
            if self._wait.phase != phase and not self._wait.closed:
                await self._announce(view, stage)
        return self._wait.decision

    async def record(self) -> None:
        """Audit what people did since the last time; a case does this once more before it ends."""
        while self._acts:
            acts, self._acts = tuple(self._acts), []
            request = ActsRequest(case=workflow.info().workflow_id, acts=acts)
            await workflow.execute_local_activity_method(Audit.acts, request, **TABLES)

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
        await workflow.execute_local_activity_method(Cases.waiting, waiting, **TABLES)

    def _has_room(self, raw: RawValue) -> None:
        """Refuse a flood before it enters history; a refusal here leaves no event, so nothing may be counted."""
        if self._heard[self._bucket(_parsed(raw))] >= MESSAGES_PER_PERSON:
            raise ValueError(FLOOD)

    def _answered(self, raw: RawValue) -> Reply:
        return self._hear("update", _parsed(raw))

    def _queued(self, raw: RawValue) -> None:
        self._hear("signal", _parsed(raw))

    def _misspelt_update(self, name: str, _args: Sequence[RawValue]) -> Reply:
        return self._hear("update", None, misspelt=name)

    def _misspelt_signal(self, name: str, _args: Sequence[RawValue]) -> None:
        self._hear("signal", None, misspelt=name)

    def _hear(self, channel: Channel, decision: Decision | None, misspelt: str = "") -> Reply:
        """The one reducer: whatever was sent, and however, is answered and noted for the audit."""
        bucket = self._bucket(decision)
        self._heard[bucket] += 1
        if self._heard[bucket] > MESSAGES_PER_PERSON:
            reply = Reply(accepted=False, reason=FLOOD)
            if self._heard[bucket] == MESSAGES_PER_PERSON + 1:
                self._acts.append(Act(kind="flood", channel=channel, by=bucket, reply=reply))
            return reply
        if decision is None:
            wrong = f"nothing is called {misspelt[:100]!r}: decisions go to 'decide'" if misspelt else UNREADABLE
            reply = Reply(accepted=False, reason=wrong)
            self._acts.append(Act(kind="misspelt" if misspelt else "unreadable", channel=channel, reply=reply))
            return reply
        now = workflow.now()
        late = self._wait.late(now)
        self._wait, reply = self._wait.hear(decision, now, channel)
        at_deadline = late and reply.accepted
        act = Act(
            kind="decision", channel=channel, by=decision.by, decision=decision, reply=reply, at_deadline=at_deadline
        )
        self._acts.append(act)
        return reply

    def _bucket(self, decision: Decision | None) -> str:
        """Whose share of the messages this one uses; everybody who has no say shares one."""
        ask = self._wait.ask
        return decision.by if decision and ask and decision.by in (*ask.approvers, ask.owner) else ""


def _parsed(raw: RawValue) -> Decision | None:
    """Any payload at all may arrive; what is not a decision is None."""
    try:
        decision: Decision = workflow.payload_converter().from_payload(raw.payload, Decision)
    except Exception:  # noqa: BLE001  (converters fail in as many ways as there are encodings)
        return None
    return decision
