"""Contract approval: read the contract, weigh it, ask whoever must sign it off, write it once."""

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from activities.contract_rules import ContractRules
    from activities.model import Model
    from schemas.case import Checked, Outcome
    from schemas.contract import FIELDS, ContractCheck, Intake
    from schemas.proposal import Proposal
    from schemas.source import Document
    from workflows.case import Case
    from workflows.options import CHECK

NAME = "contract-approval"


@workflow.defn(name=NAME)
class ContractApproval:
    def __init__(self) -> None:
        self.case = Case(NAME, FIELDS)

    @workflow.run
    async def run(self, start: RawValue) -> Outcome:
        return await self.case.run(start, Intake, self.take_in)

    async def take_in(self, intake: Intake) -> Outcome:
        async def check(document: Document, proposal: Proposal) -> Checked:
            request = ContractCheck(
                process=NAME, case=self.case.id, document=document, proposal=proposal, policy=intake.policy
            )
            return await workflow.execute_local_activity_method(ContractRules.check_contract, request, **CHECK)

        refused = await self.case.proposed(intake, Model.read_contract)
        return refused or await self.case.settled(intake, check)
