"""What runs beside cases, each to its end: a review of a week, a look of the drift watch, a notice."""

from datetime import timedelta
from typing import TypeVar

from sqlmodel import Session, col, select, update
from temporalio.client import WorkflowHandle

from schemas.drift import Looked, Watch
from schemas.metrics import Metric
from schemas.opening import Telling, Told
from schemas.review import Review, Reviewed, case_of
from schemas.tables import CaseRow
from tests.desk import CLEAN, CLERK, OWNER, Desk, policy
from tests.workflows import scenarios
from tests.workflows.scenarios import outcome_of
from workflows import notice, watch, weekly_review

R = TypeVar("R")
METRICS = (Metric(name="straight_through", target=0.9, baseline=0.1), Metric(name="corrections", target=2))


async def week_reviewed(desk: Desk) -> WorkflowHandle[object, Reviewed]:
    """A week in which one case went straight through and one was corrected, reviewed when it was over.

    All desks share a server, so the case that it opens is to be ended before another one reviews.
    """
    for case in (await desk.start(CLEAN, policy()), await scenarios.corrected(desk)):
        await outcome_of(case)
    with Session(desk.parts.engine) as session, session.begin():
        for row in session.exec(select(CaseRow)).all():
            moved = {
                name: at - timedelta(days=7)
                for name in ("started_at", "asked_at", "ended_at")
                if (at := getattr(row, name))
            }
            session.exec(update(CaseRow).where(col(CaseRow.id) == row.id).values(**moved))
    review = Review(process="invoice-intake", owner=OWNER, metrics=METRICS)
    return await _run(desk, weekly_review.NAME, review, Reviewed)


async def week_reviewed_and_answered(desk: Desk) -> WorkflowHandle[object, Reviewed]:
    """The same, with the case that a missed target opens ended."""
    handle = await week_reviewed(desk)
    found = await handle.result()
    await desk.client.get_workflow_handle(case_of(found.process, found.week)).terminate()
    return handle


async def watched(desk: Desk) -> WorkflowHandle[object, Looked]:
    return await _run(desk, watch.NAME, Watch(process="invoice-intake"), Looked)


async def noticed(desk: Desk) -> WorkflowHandle[object, Told]:
    """A notice to somebody who has no address: it says so, and ends."""
    telling = Telling(case=f"notice-test/{desk.queue}", kind="assignment", people=(CLERK,))
    return await _run(desk, notice.NAME, telling, Told)


async def _run(desk: Desk, name: str, start: object, result: type[R]) -> WorkflowHandle[object, R]:
    handle: WorkflowHandle[object, R] = await desk.client.start_workflow(
        name, start, id=f"{name}/{desk.queue}", task_queue=desk.queue, result_type=result
    )
    await handle.result()
    return handle


BESIDE = (week_reviewed_and_answered, watched, noticed)
