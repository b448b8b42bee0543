"""Request triage: tell what a message wants, ask a person unless that is sure, file a ticket once."""

from contextlib import suppress

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.documents import Documents
    from activities.replies import Replies
    from activities.request_rules import RequestRules
    from activities.requests import Requests
    from schemas.case import Checked, Outcome
    from schemas.proposal import Proposal
    from schemas.reply import REPLY, SendRequest
    from schemas.source import Document
    from schemas.triage import FIELDS, Intake, RequestCheck
    from workflows.approval import NEWER
    from workflows.cancellation import unbroken
    from workflows.case import Case
    from workflows.options import CHECK, MAIL

NAME = "request-triage"


@workflow.defn(name=NAME)
class RequestTriage:
    def __init__(self) -> None:
        self.case = Case(NAME, FIELDS)
        self.took_over = False
        workflow.set_signal_handler(NEWER, self.case.approval.hear_of_newer)

    @workflow.run
    async def run(self, start: RawValue) -> Outcome:
        return await self.case.run(start, Intake, self.take_in)

    async def take_in(self, intake: Intake) -> Outcome:
        async def check(document: Document, proposal: Proposal) -> Checked:
            request = RequestCheck(
                process=NAME, case=self.case.id, document=document, proposal=proposal, policy=intake.policy
            )
            checked = await workflow.execute_local_activity_method(RequestRules.check_request, request, **CHECK)
            await self.take_over(intake, checked)
            return checked

        details = intake.policy.details
        self.case.fields = (*FIELDS, *details)
        patterns = {name: detail.pattern for name, detail in details.items()}
        if intake.policy.replies != "never":
            self.case.fields = (*self.case.fields, REPLY)
        wanted = tuple(intake.policy.categories)
        refused = await self.case.proposed(intake, Requests.read, Documents.ingest_message, patterns, wanted)
        return refused or await self.replied(intake, await self.case.settled(intake, check))

    async def take_over(self, intake: Intake, checked: Checked) -> None:
        """Tell the open cases of the thread, once, that this one goes on with them; one in the shadow does not."""
        thread, self.took_over = intake.source.thread, self.took_over or intake.kept is not None
        if thread is None or self.took_over or "shadow" in (intake.policy.stage, checked.brake.stage_cap):
            return
        self.took_over = True
        for case in thread.open:
            with suppress(ApplicationError):  # one that has ended needs no word
                await workflow.get_external_workflow_handle(case).signal(NEWER)

    async def replied(self, intake: Intake, outcome: Outcome) -> Outcome:
        """Send the reply of the draft that was applied; where that fails, the outcome says so."""
        allowed = intake.policy.replies == "auto" or (intake.policy.replies == "approved" and outcome.decided_by)
        if outcome.status != "applied" or outcome.draft is None or not allowed:
            return outcome
        request = SendRequest(case=self.case.id, draft=outcome.draft)
        try:
            await unbroken(workflow.start_activity_method(Replies.send, request, **MAIL))
        except ActivityError as error:
            told = f"no reply was sent for sure: {error.cause}"
            return outcome.model_copy(update={"reasons": (*outcome.reasons, told)})
        return outcome
