"""The durable human wait: hears people from the first task on, early, misspelt and malformed messages included."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from activities.audit import Audit
    from activities.cases import Cases
    from activities.directory import Directory
    from activities.threads import Threads
    from schemas.approval import ActsRequest, Decision
    from schemas.case import View, Waiting
    from schemas.message import Digest, Message
    from schemas.opening import CodeFor, CodesCheck, Recheck, StepOpening, Telling
    from schemas.policy import ApprovalPolicy, Notice, Stage
    from schemas.standing import Ask
    from schemas.start import Kept
    from schemas.steps import Step
    from schemas.wait import Wait
    from workflows.attributes import APPROVERS, DUE, STATUS
    from workflows.cancellation import finished
    from workflows.card import card
    from workflows.hearing import Hearing
    from workflows.notice import tell
    from workflows.options import TABLES


SETTLING = timedelta(milliseconds=200)
"""Between hearing a vote and acting on it: a withdrawal that the server holds behind it is delivered meanwhile."""
NEWER = "newer"
"""The signal by which the case of a later message in the same thread tells that it goes on with this one."""
KINDS: Mapping[str, Notice] = {
    "open": "assignment",
    "asking": "assignment",
    "reminded": "reminder",
    "escalated": "breach",
    "handed": "breach",
}
"""What people are told when a step comes to them in this phase."""


@dataclass(frozen=True)
class Asking:
    """What is asked: about which case, under which policy, and how the case would begin its history anew."""

    policy: ApprovalPolicy
    view: View
    stage: Stage
    submitter: str
    run: int
    fields: tuple[str, ...]
    again: Callable[[Wait, dict[str, int]], Message]


class Approval:
    """Built in a case's `__init__`, awaited between routing and writing.

    Handlers decide and return at once; what they heard is audited by the case itself, in `ask` and `record`.
    """

    def __init__(self) -> None:
        self._case = workflow.info().workflow_id
        self._heard = Hearing()
        self._shown: object = None
        self._told_of_newer = False
        self.superseded_by = ""
        """The case of a later message in the same thread, which goes on with this one: nobody is asked any more."""

    @property
    def _wait(self) -> Wait:
        return self._heard.wait

    @_wait.setter
    def _wait(self, wait: Wait) -> None:
        self._heard.wait = wait

    def seen(self, view: View) -> View:
        """A view with what people have said and claimed so far."""
        wait = self._wait
        return view.model_copy(update={"votes": wait.said, "questions": wait.questions, "claimed": wait.claimed})

    def agreed(self, draft: Digest) -> tuple[str, ...]:
        return self._wait.agreed(draft)

    def resume(self, kept: Kept | None) -> None:
        """Go on in a new history as things stood at the end of the one before."""
        self._heard.resume(kept.wait if kept else Wait(), kept.recorded if kept else {})

    def hear_of_newer(self, _: RawValue) -> None:
        """Handle the signal that a later message came in the same thread. It proves nothing: the tables tell."""
        self._told_of_newer = True

    async def ask(self, asking: Asking) -> Decision | None:
        """The decision that counted: the last yes, or the first no or correction.

        None when the last deadline came, or a newer case goes on with this one.

        One step after the other; a case that began before there were steps has one question.
        """
        assert asking.view.draft is not None
        draft, proposal = asking.view.draft, asking.view.proposal
        if not asking.policy.steps:
            blocked, fields = asking.view.blocked, asking.fields
            only = Ask.without_steps(draft, asking.policy, workflow.now(), blocked=blocked, fields=fields)
            return await self._step(asking, None if self._wait.is_at(draft, "") else only)
        # What can be read in two ways is not known: whoever it would concern in either of them is asked.
        read = proposal.fields if proposal else {}
        values = {name: None if field.alternatives else field.value for name, field in read.items()}
        decision = None
        for step in asking.policy.steps_of(values):
            if self._wait.has_passed(draft, step.name):
                continue
            ask = None if self._wait.is_at(draft, step.name) else await self._opened(asking, step)
            decision = await self._step(asking, ask)
            if decision is None or decision.verdict != "approve":
                break
        return decision

    async def _opened(self, asking: Asking, step: Step) -> Ask:
        """The question of a step, to the people who have a say in it as of now."""
        assert asking.view.draft is not None
        policy = asking.policy
        opening = StepOpening(case=self._case, step=step, policy=policy, at=workflow.now(), submitter=asking.submitter)
        opened = await finished(workflow.start_local_activity_method(Directory.open, opening, **TABLES))
        maker = {asking.submitter: "they submitted it"} if policy.maker_checker and asking.submitter else {}
        corrector = {} if policy.self_confirmation else dict.fromkeys(self._wait.correctors, "they corrected it")
        excluded = {**maker, **corrector, **opened.revoked}
        return Ask(
            draft=asking.view.draft,
            step=step.name,
            turns=tuple(turn.without(excluded) for turn in opened.turns),
            owner=policy.owner,
            submitter=asking.submitter,
            answer_patience=policy.answer_patience,
            accepts=policy.accepts,
            keys=opened.keys,
            excluded=excluded,
            delegates=opened.delegates,
            opening=self._wait.openings + 1,
            run=asking.run,
            blocked=asking.view.blocked,
            fields=asking.fields,
        )

    async def _step(self, asking: Asking, ask: Ask | None) -> Decision | None:
        """The vote that closed a step; None when its last turn has passed. Without an `ask` it goes on."""
        self._wait, self._shown = self._wait.asked(ask) if ask else self._wait, None
        while self._wait.phase != "expired" and not self.superseded_by:
            self._heard.hear_kept()
            await self._show(asking)
            await self._until_heard()
            await self.record()
            await self._look_for_newer()
            if self._wait.unsettled or self._wait.decision:
                await workflow.sleep(SETTLING, summary="settling")
                self._wait = self._wait.settle()
                await self.record()
                if not self._wait.settled:
                    continue
                if await self._still_stands():
                    break
            self._wait = self._wait.tick(workflow.now())
            waits = self._wait.phase != "expired" and not self._something_new and not self.superseded_by
            if waits and workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(args=[asking.again(self._wait, dict(self._heard.recorded))])
        return self._wait.decision

    @property
    def _something_new(self) -> bool:
        return self._heard.anything or self._told_of_newer

    async def _until_heard(self) -> None:
        """Until somebody says something, or this phase ends."""
        instant = self._wait.next_instant
        if self._something_new or instant is None:
            return
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._something_new, timeout=instant - workflow.now(), timeout_summary=self._wait.phase
            )

    async def _look_for_newer(self) -> None:
        if self._told_of_newer:
            self._told_of_newer = False
            newer = workflow.start_local_activity_method(Threads.newer, self._case, **TABLES)
            self.superseded_by = await finished(newer)
            if not self.superseded_by:
                self._heard.hear("signal", NEWER, None)

    async def _still_stands(self) -> bool:
        """Whether the step is still decided without those who lost the right to decide since it opened."""
        ask = self._wait.ask
        if ask is None or not ask.step:
            return True
        voters = tuple(vote.by for vote in self._wait.votes)
        recheck = Recheck(case=self._case, step=ask.step, voters=voters, keys=ask.keys)
        struck = await finished(workflow.start_local_activity_method(Directory.recheck, recheck, **TABLES))
        if struck.people:
            self._wait = self._wait.struck(struck.people)
        return self._wait.decision is not None

    async def record(self) -> None:
        """Audit what people did since the last time; a case does this once more before it ends."""
        while self._heard.anything:
            await self._check_codes()
            if acts := self._heard.taken():
                request = ActsRequest(case=self._case, acts=acts)
                await finished(workflow.start_local_activity_method(Audit.acts, request, **TABLES))

    async def _check_codes(self) -> None:
        """Hear what came with a code, now knowing whether it is right: only an activity has the key."""
        said, ask = tuple(self._heard.uncoded), self._wait.ask
        if not said or ask is None:
            return
        self._heard.uncoded.clear()
        place = {"case": self._case, "run": ask.run, "step": ask.step, "draft": ask.draft, "opening": ask.opening}
        codes = tuple((CodeFor(person=decision.by, **place), decision.code) for _, decision in said)
        check = CodesCheck(codes=codes)
        checked = await finished(workflow.start_local_activity_method(Directory.check_codes, check, **TABLES))
        for (channel, decision), right in zip(said, checked.right, strict=True):
            self._heard.hear(channel, "decide", decision, "code" if right else None)

    async def _show(self, asking: Asking) -> None:
        """Show the case to those who hold it now, and tell them, whenever that has changed."""
        wait = self._wait
        due = self._due
        if due is None or wait.shown == self._shown:  # decided meanwhile, or shown like this
            return
        self._shown = wait.shown
        view = self.seen(asking.view)
        workflow.set_current_details(card(wait, view))
        workflow.upsert_search_attributes(
            [STATUS.value_set("waiting"), APPROVERS.value_set(wait.waits_for), DUE.value_set(due)]
        )
        waiting = Waiting(
            case=self._case,
            phase=wait.phase,
            approvers=wait.waits_for,
            due=due,
            stage=asking.stage,
            view=view,
            step=wait.ask.step if wait.ask else "",
        )
        await finished(workflow.start_local_activity_method(Cases.waiting, waiting, **TABLES))
        await self._tell(asking.policy)

    @property
    def _due(self) -> datetime | None:
        """When those who are asked now lose their turn: while a question is open, whoever is to answer it."""
        return self._wait.next_instant if self._wait.question else self._wait.due

    async def _tell(self, policy: ApprovalPolicy) -> None:
        """Tell those who have to do something now; nobody is told the same thing twice."""
        ask, kind = self._wait.ask, KINDS.get(self._wait.phase)
        if ask is None or kind not in policy.notices:
            return
        asked = (ask.submitter or ask.owner,) if self._wait.question else self._wait.missing
        telling = Telling(
            case=self._case,
            kind=kind,
            people=asked,
            step=ask.step,
            draft=ask.draft,
            opening=ask.opening,
            run=ask.run,
            due=self._due,
            with_code="code" in policy.accepts,
            question=len(self._wait.questions) if self._wait.question else 0,
        )
        await tell(telling)
