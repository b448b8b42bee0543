"""Invoice intake: read the document, check it, ask a person when unsure, write it once."""

import asyncio
from typing import NamedTuple

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, is_cancelled_exception

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


class Ending(NamedTuple):
    """How a case ends, before that is written down."""

    status: OutcomeStatus
    reasons: tuple[str, ...]
    chosen: Route | None = None
    by: str = ""
    receipt: Receipt | None = None


CANCELLED = Ending("failed", ("cancelled in Temporal before anything was written",))


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
            reason = "the start input is not an intake: start cases with 'casework start'"
            return await self.end(Ending("unprocessable", (reason,)))
        try:
            ending = await self.take_in(intake)
        except asyncio.CancelledError:
            ending = CANCELLED
        except ActivityError as error:
            failed = Ending("failed", (f"{error.activity_type} failed: {error.cause}",))
            ending = CANCELLED if is_cancelled_exception(error) else failed
        return await self.end(ending)

    async def take_in(self, intake: Intake) -> Ending:
        ingest = IngestRequest(case=self.case, source=intake.source, limits=intake.policy.limits)
        self.view = View(source=intake.source)
        document = await workflow.execute_activity_method(Documents.ingest, ingest, **DOCUMENT)
        self.view = View(source=intake.source, document=document)
        if refused := refusal(document.verdict):
            return Ending("rejected" if document.verdict.status == "hostile" else "unprocessable", refused.reasons)

        proposal = await self.read(document, intake.policy)
        chosen = await self.check(document, proposal, intake)
        decided_by = ""
        while chosen.kind == "review" and chosen.stage != "shadow":
            ask = Ask.on_clock(intake.policy.approval, workflow.now(), self.view, FIELDS)
            decision = await self.approval.ask(ask, self.view, chosen.stage)
            if decision is None:
                return Ending("expired", ("nobody decided before the deadline",), chosen)
            decided_by = decision.by
            if decision.verdict == "reject":
                return Ending("rejected", (decision.note or "no reason given",), chosen, decided_by)
            if decision.verdict == "approve":
                break
            proposal = proposal.corrected(decision.corrections, decision.by)
            chosen = await self.check(document, proposal, intake)

        if chosen.stage == "shadow":
            return Ending("shadowed", (f"would be: {chosen.kind}", *chosen.reasons), chosen)
        assert self.view.draft is not None
        apply = ApplyRequest(case=self.case, draft=self.view.draft)
        receipt = await unbroken(workflow.start_activity_method(Crm.apply, apply, **CRM_WRITE))
        return Ending("applied", chosen.reasons, chosen, decided_by, receipt)

    async def read(self, document: Document, policy: Policy) -> Proposal:
        """Ask the rungs in order; when that has failed for good, all but the endpoint, and say so."""
        request = ReadRequest(case=self.case, document=document, rungs=policy.rungs)
        try:
            return await workflow.execute_activity_method(Model.read_invoice, request, **MODEL_CALL)
        except ActivityError as error:
            if is_cancelled_exception(error) or "endpoint" not in policy.rungs:
                raise
            rest = tuple(rung for rung in policy.rungs if rung != "endpoint")
            again = ReadRequest(case=self.case, document=document, rungs=rest, after=f"endpoint: {error.cause}")
            return await workflow.execute_activity_method(Model.read_invoice, again, **MODEL_CALL)

    async def check(self, document: Document, proposal: Proposal, intake: Intake) -> Route:
        """Check what was read, freeze what would be written, and choose who decides."""
        request = InvoiceCheck(process=NAME, case=self.case, document=document, proposal=proposal, policy=intake.policy)
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

    async def end(self, ending: Ending) -> Outcome:
        """Write the outcome down, and with it whatever people said too late; nothing interrupts this."""
        await unbroken(asyncio.create_task(self.approval.record()))
        status, chosen = ending.status, ending.chosen
        workflow.upsert_search_attributes([STATUS.value_set(status), APPROVERS.value_unset(), DUE.value_unset()])
        outcome = Outcome(
            status=status,
            stage=chosen.stage if chosen else None,
            reasons=ending.reasons,
            draft=self.view.draft,
            decided_by=ending.by,
            receipt=ending.receipt,
        )
        closing = Closing(case=self.case, outcome=outcome, view=self.view)
        ended = await unbroken(workflow.start_local_activity_method(Cases.close, closing, **TABLES))
        await unbroken(asyncio.create_task(self.approval.record()))
        return ended
