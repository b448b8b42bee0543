"""A case: what is the same in every process, from a proposal to the outcome, and how it ends whatever happens."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception
from temporalio.exceptions import TimeoutError as TookTooLong
from temporalio.workflow import ActivityConfig

with workflow.unsafe.imports_passed_through():
    from activities.cases import Cases
    from activities.crm import Crm
    from activities.documents import Documents
    from activities.failures import CRM_REFUSED, UNUSABLE
    from schemas.approval import Decision
    from schemas.case import (
        ApplyRequest,
        Change,
        Checked,
        Closing,
        IngestRequest,
        Outcome,
        OutcomeStatus,
        ReadRequest,
        Receipt,
        Refusal,
        View,
    )
    from schemas.finding import Finding
    from schemas.message import Digest, digest_of
    from schemas.opening import Telling
    from schemas.policy import Policy
    from schemas.proposal import Proposal, Rung, endpoint_of
    from schemas.routing import Route, refusal, route, stops
    from schemas.source import Document
    from schemas.start import Kept, Start
    from schemas.wait import Wait
    from workflows.approval import Approval, Asking
    from workflows.attributes import APPROVERS, DUE, PROCESS, STAGE, STATUS
    from workflows.cancellation import unbroken
    from workflows.notice import tell
    from workflows.options import CRM_WRITE, DOCUMENT, MODEL_CALL, TABLES, endpoint_queue
    from workflows.payload import parsed

S = TypeVar("S", bound=Start)
Ingesting = Callable[[Documents, IngestRequest], Document]
Reading = Callable[[Any, ReadRequest], Proposal]
NOTHING: Mapping[str, str] = MappingProxyType({})
Check = Callable[[Document, Proposal], Awaitable[Checked]]


class Case:
    """Built in a workflow's `__init__`, which hands it its own steps: how to take in, read and check."""

    def __init__(self, process: str, fields: Sequence[str]) -> None:
        self.process = process
        self.fields = tuple(fields)
        self.id = workflow.info().workflow_id
        self.view = View()
        self.approval = Approval()
        self.chosen: Route | None = None
        self.start: Digest | None = None

    async def run(self, start: RawValue, shape: type[S], take_in: Callable[[S], Awaitable[Outcome]]) -> Outcome:
        workflow.upsert_search_attributes([PROCESS.value_set(self.process), STATUS.value_set("started")])
        intake, self.start = parsed(start, shape), digest_of(start.payload.data)
        if workflow.info().continued_run_id:
            self.approval.resume(intake.kept if intake else None)
        elif intake:  # what a run begins with is not for its starter to say
            intake = intake.model_copy(update={"kept": None})
        if intake is None:
            outcome = self.outcome(
                "unprocessable", "the start input is not an intake: start cases with 'casework start'"
            )
        else:
            outcome = await self._outcome_of(take_in(intake))
        # In a task of its own, which a cancellation does not reach: what was done by now is what is told.
        return await unbroken(asyncio.create_task(self._end(outcome, intake)))

    async def _outcome_of(self, work: Awaitable[Outcome]) -> Outcome:
        try:
            return await work
        except ActivityError as error:
            if not is_cancelled_exception(error):
                return self.outcome("failed", f"{error.activity_type} failed: {error.cause}")
        except asyncio.CancelledError:
            pass
        stays = left(self.view)
        return self.outcome(
            "failed", f"cancelled in Temporal before {'all' if stays else 'anything'} was written", *stays
        )

    async def proposed(
        self,
        intake: Start,
        reading: Reading,
        ingesting: Ingesting = Documents.ingest,
        patterns: Mapping[str, str] = NOTHING,
        categories: Sequence[str] = (),
    ) -> Outcome | None:
        """Take the document in and read it; an outcome when it is refused before it is read."""
        if intake.kept:
            self.view, self.chosen = intake.kept.view, intake.kept.route
            return None
        ingest = IngestRequest(case=self.id, source=intake.source, limits=intake.policy.limits, start=self.start)
        self.view = View(source=intake.source)
        document = await workflow.execute_activity_method(ingesting, ingest, **DOCUMENT)
        self.view = View(source=intake.source, document=document)
        if refused := refusal(document.verdict):
            hostile = document.verdict.status == "hostile"
            return self.outcome("rejected" if hostile else "unprocessable", *refused.reasons)
        about = ReadRequest(
            case=self.id,
            document=document,
            rungs=intake.policy.rungs,
            budget=intake.policy.budget,
            patterns=patterns,
            categories=tuple(categories),
        )
        proposal = await self._read(about, reading)
        self.view = self.view.model_copy(update={"proposal": proposal})
        return None

    async def settled(self, intake: Start, check: Check) -> Outcome:
        """Check what was read, ask people until it is decided, and write it."""
        chosen = self.chosen or await self._checked(intake.policy, check)
        while chosen.stage != "shadow":
            if chosen.kind == "review":
                decision = await self.approval.ask(self._asking(intake, chosen))
                self.view = self.approval.seen(self.view)
                if decision is None and (newer := self.approval.superseded_by):
                    told = f"its sender wrote again: {newer} goes on with it"
                    return self.outcome("superseded", told, *left(self.view))
                if decision is None:
                    return self.outcome("expired", "nobody decided before the deadline", *left(self.view))
                if decision.verdict == "reject":
                    note = decision.note or "no reason given"
                    return self.outcome("rejected", note, *left(self.view), by=decision.by)
                if decision.verdict != "approve":
                    self._correct(decision)
                    chosen = await self._checked(intake.policy, check)
                    continue
            assert self.view.draft is not None
            try:
                receipt = await self._apply(self.view.draft)
            except ActivityError as error:
                chosen = self._refused(error, chosen)
                continue
            approvers = self.approval.agreed(self.view.draft)
            return self.outcome("applied", *chosen.reasons, by=", ".join(approvers), receipt=receipt)
        return self.outcome("shadowed", f"would be: {chosen.kind}", *chosen.reasons)

    async def answered(self, start: Start, view: View) -> Outcome:
        """Ask people about what is no document, and has nothing to write: their answer is the outcome."""
        self.view = start.kept.view if start.kept else view
        self.chosen = Route(kind="review", stage="supervised", reasons=view.reasons)
        decision = await self.approval.ask(self._asking(start, self.chosen))
        self.view = self.approval.seen(self.view)
        if decision is None:
            return self.outcome("expired", "nobody answered before the deadline")
        status: OutcomeStatus = "applied" if decision.verdict == "approve" else "rejected"
        return self.outcome(status, decision.note or "no word was said", by=decision.by)

    async def _apply(self, draft: Digest) -> Receipt:
        apply = ApplyRequest(case=self.id, draft=draft)
        return await unbroken(workflow.start_activity_method(Crm.apply, apply, **CRM_WRITE))

    def _refused(self, error: ActivityError, chosen: Route) -> Route:
        """Back to people, with what the CRM said, when it is that; what failed otherwise has failed."""
        cause = error.cause
        if not isinstance(cause, ApplicationError) or cause.type != CRM_REFUSED or not cause.details:
            raise error
        refusal = Refusal.model_validate(cause.details[0])
        findings = (*self.view.findings, *findings_of(refusal))
        reasons = tuple(f"{it.code}: {it.message}" for it in findings if stops(it))
        self.chosen = Route(kind="review", stage=chosen.stage, reasons=reasons)
        told = {"findings": findings, "reasons": reasons, "draft": refusal.draft}
        self.view = self.view.model_copy(update=told)
        if workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError  # it came while the CRM was asked
        return self.chosen

    async def _read(self, request: ReadRequest, reading: Reading) -> Proposal:
        """Ask the rungs in order, each endpoint on its own queue; one that has failed for good is passed over."""
        queue = None
        while True:
            try:
                options = ActivityConfig(**MODEL_CALL, task_queue=queue)
                proposal = await workflow.execute_activity_method(reading, request, **options)
            except ActivityError as error:
                failed = rung_of(request) if isinstance(error.cause, TookTooLong) else failed_rung(error)
                if failed not in request.rungs:
                    raise
                rest = tuple(rung for rung in request.rungs if rung != failed)
                why = f"{failed}: {error.cause}"
                after = "; ".join(filter(None, (request.after, why)))
                # Silence may be passed over; an answer that could not be used says something of the document.
                doubts = (*request.doubts, why) if is_unusable(error) else request.doubts
                told = {"rungs": rest, "after": after, "asked": "", "doubts": doubts}
                request, queue = request.model_copy(update=told), None
                continue
            if not proposal.ask:
                return proposal
            queue = endpoint_queue(workflow.info().task_queue, proposal.ask)
            request = request.model_copy(update={"asked": proposal.ask, "after": proposal.after})

    async def _checked(self, policy: Policy, check: Check) -> Route:
        """Find what is wrong, freeze what would be written, and choose who decides."""
        document, proposal = self.view.document, self.view.proposal
        assert document is not None
        assert proposal is not None
        checked = await check(document, proposal)
        self.approval.superseded_by = checked.newer
        self.chosen = route(
            document.verdict, proposal.as_sure_as(checked.confidences), checked.findings, policy, checked.brake
        )
        workflow.upsert_search_attributes([STAGE.value_set(self.chosen.stage)])
        stays = tuple(finding for finding in self.view.findings if finding.code == LEFT)
        told = {
            "findings": (*checked.findings, *stays),
            "reasons": self.chosen.reasons,
            "draft": checked.draft,
            "confidences": checked.confidences,
            "reply": checked.reply,
        }
        self.view = self.view.model_copy(update=told)
        return self.chosen

    def _asking(self, intake: Start, chosen: Route) -> Asking:
        def again(wait: Wait, recorded: dict[str, int]) -> Start:
            kept = Kept(view=self.view, route=chosen, wait=wait, recorded=recorded)
            return intake.model_copy(update={"kept": kept})

        return Asking(
            intake.policy.approval, self.view, chosen.stage, intake.submitted_by, intake.run, self.fields, again
        )

    def _correct(self, decision: Decision) -> None:
        """The same proposal with a person's values in it, and what that changed."""
        assert self.view.proposal is not None
        before, corrected = self.view.proposal, self.view.proposal.corrected(decision.corrections, decision.by)
        changes = tuple(
            Change(field=name, was=was.value if was else None, now=corrected.fields[name].value, by=decision.by)
            for name in decision.corrections
            for was in (before.fields.get(name),)
        )
        told = {"proposal": corrected, "changes": (*self.view.changes, *changes)}
        self.view = self.view.model_copy(update=told)

    def outcome(self, status: OutcomeStatus, *reasons: str, by: str = "", receipt: Receipt | None = None) -> Outcome:
        return Outcome(
            status=status,
            stage=self.chosen.stage if self.chosen else None,
            reasons=reasons,
            draft=self.view.draft,
            decided_by=by,
            receipt=receipt,
        )

    async def _end(self, outcome: Outcome, intake: Start | None) -> Outcome:
        """Write the outcome down, and with it whatever people said too late."""
        await self.approval.record()
        status = STATUS.value_set(outcome.status)
        workflow.upsert_search_attributes([status, APPROVERS.value_unset(), DUE.value_unset()])
        closing = Closing(case=self.id, outcome=outcome, view=self.view)
        ended = await workflow.execute_local_activity_method(Cases.close, closing, **TABLES)
        await self.approval.record()
        if intake and "outcome" in intake.policy.approval.notices:
            told = (intake.submitted_by or intake.policy.approval.owner,)
            await tell(Telling(case=self.id, kind="outcome", people=told, outcome=outcome.status))
        return ended


LEFT = "crm.left"
"""Of a draft that the CRM refused some records were written before: until the case is applied, somebody must know."""


def findings_of(refusal: Refusal) -> Iterator[Finding]:
    yield Finding(code=CRM_REFUSED, severity="review", message=f"the CRM says: {refusal.words}")
    if refusal.written:
        message = f"{', '.join(refusal.written)} had been written to the CRM before it refused"
        yield Finding(code=LEFT, severity="warn", message=message)


def left(view: View) -> Sequence[str]:
    """What stands in the CRM of a case that was not applied."""
    return tuple(dict.fromkeys(finding.message for finding in view.findings if finding.code == LEFT))


def failed_rung(error: ActivityError) -> str:
    """Which rung could not answer; empty when it does not say."""
    details = error.cause.details if isinstance(error.cause, ApplicationError) else ()
    return str(details[0]) if details else ""


def is_unusable(error: ActivityError) -> bool:
    return isinstance(error.cause, ApplicationError) and error.cause.type == UNUSABLE


def rung_of(request: ReadRequest) -> Rung:
    """The rung that a request is about when it is gone without a word: a worker that is gone says no more than that.

    Before endpoints had queues of their own, nothing else was waited for so long.
    """
    asked = (rung for rung in request.rungs if request.asked and endpoint_of(rung) == request.asked)
    return next(asked, "endpoint")
