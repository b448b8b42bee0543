"""The weekly review, on a schedule: measure, write the report, tell the owner."""

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from activities.reviewing import Reviewing
    from schemas.opening import Telling
    from schemas.review import Review, Reviewed
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
        missed = ", ".join(one.metric.name for one in reviewed.missed)
        outcome = f"{reviewed.week}, targets missed: {missed}" if missed else f"{reviewed.week}, no target missed"
        chain = f"review/{review.process}"
        await tell(Telling(case=chain, kind="review", people=(review.owner,), outcome=outcome))
        return reviewed
