"""The weekly review, on a schedule: measure, write the report, tell the owner; a missed target is a case of theirs."""

from contextlib import suppress

from temporalio import workflow
from temporalio.common import RawValue, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from activities.reviewing import Reviewing
    from schemas.opening import Telling
    from schemas.review import MISSED, Review, Reviewed, case_of
    from workflows.notice import tell
    from workflows.options import RECORDS_LOOK
    from workflows.payload import parsed

NAME = "weekly-review"


@workflow.defn(name=NAME)
class WeeklyReview:
    @workflow.run
    async def run(self, start: RawValue) -> Reviewed | None:
        """None when the start input names no process."""
        review = parsed(start, Review)
        if review is None:
            return None
        reviewed = await workflow.execute_activity_method(Reviewing.write, review, **RECORDS_LOOK)
        if reviewed.opened:
            with suppress(WorkflowAlreadyStartedError):
                await workflow.start_child_workflow(
                    MISSED,
                    reviewed.opened,
                    id=case_of(review.process, reviewed.week),
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                    parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                    static_summary=MISSED,
                )
            return reviewed
        outcome = f"{reviewed.week}, no target missed"
        chain = f"review/{review.process}"
        await tell(Telling(case=chain, kind="review", people=(review.owner,), outcome=outcome))
        return reviewed
