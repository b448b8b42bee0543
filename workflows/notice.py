"""A notice to one person: a workflow of its own, so that no case waits for it or takes it along when it ends."""

import asyncio
from contextlib import suppress

from temporalio import workflow
from temporalio.common import RawValue, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError, is_cancelled_exception
from temporalio.workflow import ActivityConfig

with workflow.unsafe.imports_passed_through():
    from activities.notices import Notices
    from schemas.opening import Telling, Told
    from workflows.options import NOTICE, TABLES, notices_queue
    from workflows.payload import parsed

NAME = "notice"


@workflow.defn(name=NAME)
class Notice:
    @workflow.run
    async def run(self, start: RawValue) -> Told:
        """Send it, or tell in the case's audit that it was given up; a notice never fails."""
        telling = parsed(start, Telling)
        if telling is None or len(telling.people) != 1:
            return Told(sent=False, problem="the start input is no notice to one person: a case starts these itself")
        options = ActivityConfig(**NOTICE, task_queue=notices_queue(workflow.info().task_queue))
        try:
            return await workflow.execute_activity_method(Notices.send, telling, **options)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
        return await workflow.execute_local_activity_method(Notices.give_up, telling, **TABLES)


async def tell(telling: Telling) -> None:
    """Start a notice for each of the people; returns as soon as all are started."""
    await asyncio.gather(*(_start(telling, person) for person in telling.people))


async def _start(telling: Telling, person: str) -> None:
    """A reset of the case goes through here again and finds the notices it sent; a rerun is another run, and tells."""
    run = workflow.info().first_execution_run_id
    draft = telling.draft[:12] if telling.draft else ""
    about = (telling.kind, telling.opening, telling.step, telling.question, telling.outcome, draft, person, run)
    with suppress(WorkflowAlreadyStartedError):
        await workflow.start_child_workflow(
            NAME,
            telling.model_copy(update={"people": (person,)}),
            id="/".join((telling.case, NAME, *(str(part) for part in about if part))),
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
            static_summary=f"{telling.kind} to {person}",
        )
