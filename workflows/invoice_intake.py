"""Invoice intake: read the document, check it, ask a person when unsure, write it once."""

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from activities.model import Model
    from activities.rules import Rules
    from schemas.case import Checked, Outcome
    from schemas.invoice import FIELDS, Intake, InvoiceCheck
    from schemas.proposal import Proposal
    from schemas.source import Document
    from workflows.case import Case
    from workflows.options import CHECK

NAME = "invoice-intake"


@workflow.defn(name=NAME)
class InvoiceIntake:
    def __init__(self) -> None:
        self.case = Case(NAME, FIELDS)

    @workflow.run
    async def run(self, start: RawValue) -> Outcome:
        return await self.case.run(start, Intake, self.take_in)

    async def take_in(self, intake: Intake) -> Outcome:
        async def check(document: Document, proposal: Proposal) -> Checked:
            request = InvoiceCheck(
                process=NAME, case=self.case.id, document=document, proposal=proposal, policy=intake.policy
            )
            return await workflow.execute_local_activity_method(Rules.check_invoice, request, **CHECK)

        refused = await self.case.proposed(intake, Model.read_invoice)
        return refused or await self.case.settled(intake, check)
