"""Request triage: tell what a message wants, ask a person unless that is sure, file a ticket once."""

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from activities.documents import Documents
    from activities.request_rules import RequestRules
    from activities.requests import Requests
    from schemas.case import Checked, Outcome
    from schemas.proposal import Proposal
    from schemas.source import Document
    from schemas.triage import FIELDS, Intake, RequestCheck
    from workflows.case import Case
    from workflows.options import CHECK

NAME = "request-triage"


@workflow.defn(name=NAME)
class RequestTriage:
    def __init__(self) -> None:
        self.case = Case(NAME, FIELDS)

    @workflow.run
    async def run(self, start: RawValue) -> Outcome:
        return await self.case.run(start, Intake, self.take_in)

    async def take_in(self, intake: Intake) -> Outcome:
        async def check(document: Document, proposal: Proposal) -> Checked:
            request = RequestCheck(
                process=NAME, case=self.case.id, document=document, proposal=proposal, policy=intake.policy
            )
            return await workflow.execute_local_activity_method(RequestRules.check_request, request, **CHECK)

        details = intake.policy.details
        self.case.fields = (*FIELDS, *details)
        patterns = {name: detail.pattern for name, detail in details.items()}
        refused = await self.case.proposed(intake, Requests.read, Documents.ingest_message, patterns)
        return refused or await self.case.settled(intake, check)
