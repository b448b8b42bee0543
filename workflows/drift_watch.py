"""The drift watch, on a schedule: whoever released a brake is not overruled for what they have seen."""

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from activities.watching import Watching
    from schemas.drift import Looked, Watch
    from workflows.options import RECORDS_LOOK
    from workflows.payload import parsed

NAME = "drift-watch"


@workflow.defn(name=NAME)
class DriftWatch:
    @workflow.run
    async def run(self, start: RawValue) -> Looked | None:
        """None when the start input names no process."""
        watch = parsed(start, Watch)
        return await workflow.execute_activity_method(Watching.act, watch, **RECORDS_LOOK) if watch else None
