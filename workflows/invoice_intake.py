"""Invoice intake: read the document, check it, ask a person when unsure, write it once."""

import asyncio

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception
from temporalio.exceptions import TimeoutError as TookTooLong

with workflow.unsafe.imports_passed_through():
    from activities.cases import Cases
    from activities.crm import Crm
    from activities.documents import Documents
    from activities.model import Model
    from activities.rules import Rules
    from schemas.approval import Ask
    from schemas.case import ApplyRequest, Closing, IngestRequest, Outcome, OutcomeStatus, ReadRequest, Receipt, View
    from schemas.invoice import FIELDS, Intake, InvoiceCheck
    from schemas.policy import Policy
    from schemas.proposal import Proposal
    from schemas.routing import Route, refusal, route
    from schemas.source import Document
    from workflows.approval import Approval
    from workflows.attributes import APPROVERS, DUE, PROCESS, STAGE, STATUS
    from workflows.cancellation import unbroken
    from workflows.options import CHECK, CRM_WRITE, DOCUMENT, MODEL_CALL, TABLES
    from workflows.payload import parsed

NAME = "invoice-intake"


@workflow.defn(name=NAME)
class InvoiceIntake:
    def __init__(self) -> None:
        self.approval = Approval()
        self.case = workflow.info().workflow_id
        self.view = View()

    @workflow.run
    async def run(self, start: RawValue) -> Outcome:
        workflow.upsert_search_attributes([PROCESS.value_set(NAME), STATUS.value_set("started")])
        intake = parsed(start, Intake)
        if intake is None:
            outcome = self.outcome(
                "unprocessable", "the start input is not an intake: start cases with 'casework start'"
            )
        else:
            outcome = await self.outcome_of(intake)
        # In a task of its own, which a cancellation does not reach: what was done by now is what is told.
        return await unbroken(asyncio.create_task(self.end(outcome)))

    async def outcome_of(self, intake: Intake) -> Outcome:
        try:
            return await self.take_in(intake)
        except ActivityError as error:
            if not is_cancelled_exception(error):
                return self.outcome("failed", f"{error.activity_type} failed: {error.cause}")
        except asyncio.CancelledError:
            pass
        return self.outcome("failed", "cancelled in Temporal before anything was written")

    async def take_in(self, intake: Intake) -> Outcome:
        ingest = IngestRequest(case=self.case, source=intake.source, limits=intake.policy.limits)
        self.view = View(source=intake.source)
        document = await workflow.execute_activity_method(Documents.ingest, ingest, **DOCUMENT)
        self.view = View(source=intake.source, document=document)
        if refused := refusal(document.verdict):
            hostile = document.verdict.status == "hostile"
            return self.outcome("rejected" if hostile else "unprocessable", *refused.reasons)

        proposal = await self.read(document, intake.policy)
        chosen = await self.check(document, proposal, intake)
        decided_by = ""
        while chosen.kind == "review" and chosen.stage != "shadow":
            ask = Ask.on_clock(intake.policy.approval, workflow.now(), self.view, FIELDS)
            decision = await self.approval.ask(ask, self.view, chosen.stage)
            if decision is None:
                return self.outcome("expired", "nobody decided before the deadline", chosen=chosen)
            decided_by = decision.by
            if decision.verdict == "reject":
                return self.outcome("rejected", decision.note or "no reason given", chosen=chosen, by=decided_by)
            if decision.verdict == "approve":
                break
            proposal = proposal.corrected(decision.corrections, decision.by)
            chosen = await self.check(document, proposal, intake)

        if chosen.stage == "shadow":
            return self.outcome("shadowed", f"would be: {chosen.kind}", *chosen.reasons, chosen=chosen)
        assert self.view.draft is not None
        apply = ApplyRequest(case=self.case, draft=self.view.draft)
        receipt = await unbroken(workflow.start_activity_method(Crm.apply, apply, **CRM_WRITE))
        return self.outcome("applied", *chosen.reasons, chosen=chosen, by=decided_by, receipt=receipt)

    async def read(self, document: Document, policy: Policy) -> Proposal:
        """Ask the rungs in order; when one has failed for good, all others, and say so."""
        request = ReadRequest(case=self.case, document=document, rungs=policy.rungs)
        try:
            return await workflow.execute_activity_method(Model.read_invoice, request, **MODEL_CALL)
        except ActivityError as error:
            failed = failed_rung(error)
            if failed not in policy.rungs:
                raise
            rest = tuple(rung for rung in policy.rungs if rung != failed)
            again = ReadRequest(case=self.case, document=document, rungs=rest, after=f"{failed}: {error.cause}")
            return await workflow.execute_activity_method(Model.read_invoice, again, **MODEL_CALL)

    async def check(self, document: Document, proposal: Proposal, intake: Intake) -> Route:
        """Check what was read, freeze what would be written, and choose who decides."""
        request = InvoiceCheck(case=self.case, process=NAME, document=document, proposal=proposal, policy=intake.policy)
        checked = await workflow.execute_local_activity_method(Rules.check_invoice, request, **CHECK)
        chosen = route(document.verdict, proposal, checked.findings, intake.policy, checked.brake)
        workflow.upsert_search_attributes([STAGE.value_set(chosen.stage)])
        self.view = View(
            source=intake.source,
            document=document,
            proposal=proposal,
            findings=checked.findings,
            reasons=chosen.reasons,
            draft=checked.draft,
        )
        return chosen

    def outcome(
        self,
        status: OutcomeStatus,
        *reasons: str,
        chosen: Route | None = None,
        by: str = "",
        receipt: Receipt | None = None,
    ) -> Outcome:
        return Outcome(
            status=status,
            stage=chosen.stage if chosen else None,
            reasons=reasons,
            draft=self.view.draft,
            decided_by=by,
            receipt=receipt,
        )

    async def end(self, outcome: Outcome) -> Outcome:
        """Write the outcome down, and with it whatever people said too late."""
        await self.approval.record()
        status = STATUS.value_set(outcome.status)
        workflow.upsert_search_attributes([status, APPROVERS.value_unset(), DUE.value_unset()])
        closing = Closing(case=self.case, outcome=outcome, view=self.view)
        ended = await workflow.execute_local_activity_method(Cases.close, closing, **TABLES)
        await self.approval.record()
        return ended


def failed_rung(error: ActivityError) -> str:
    """Which rung could not answer; empty when the failure is not one of reading."""
    if isinstance(error.cause, ApplicationError) and error.cause.details:
        return str(error.cause.details[0])
    # Nothing else is waited for so long; a worker that is gone says no more than that.
    return "endpoint" if isinstance(error.cause, TookTooLong) else ""
