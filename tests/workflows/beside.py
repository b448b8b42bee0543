"""What runs beside cases, each to its end: reviews of a week, looks of the drift watch, reconciliations, notices."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar
from uuid import uuid4

from sqlmodel import Session, col, select, update
from temporalio import activity
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from schemas.case import Outcome
from schemas.drift import Looked, Watch
from schemas.metrics import Metric
from schemas.opening import Telling, Told
from schemas.reconciliation import Report
from schemas.review import Review, Reviewed, case_of
from schemas.tables import CaseRow
from tests.desk import CLEAN, CLERK, OWNER, Desk, policy
from tests.workflows import scenarios
from tests.workflows.scenarios import outcome_of
from workflows import notice, reconciliation, watch, weekly_review
from workflows.options import notices_queue

R = TypeVar("R")
METRICS = (Metric(name="straight_through", target=0.9, baseline=0.1), Metric(name="corrections", target=2))
MET = (Metric(name="straight_through", target=0.1),)


async def week_reviewed(desk: Desk, metrics: Sequence[Metric] = METRICS) -> WorkflowHandle[object, Reviewed]:
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
    review = Review(process="invoice-intake", owner=OWNER, metrics=tuple(metrics))
    return await _run(desk, weekly_review.NAME, review, Reviewed)


async def week_reviewed_and_answered(desk: Desk) -> WorkflowHandle[object, Reviewed]:
    """The same, with the case that a missed target opens ended."""
    handle = await week_reviewed(desk)
    found = await handle.result()
    await desk.client.get_workflow_handle(case_of(found.process, found.week)).terminate()
    return handle


async def week_on_target(desk: Desk) -> WorkflowHandle[object, Reviewed]:
    return await week_reviewed(desk, MET)


async def target_missed(desk: Desk) -> WorkflowHandle[object, Outcome]:
    """The case that a missed target opens, answered by the owner."""
    found = await (await week_reviewed(desk)).result()
    handle = desk.client.get_workflow_handle(case_of(found.process, found.week), result_type=Outcome)
    await desk.asked(handle)
    await desk.decide(handle, "approve", by=OWNER, note="a second reader is hired")
    return handle


async def reconciled(desk: Desk) -> WorkflowHandle[object, Report]:
    await outcome_of(await desk.start(CLEAN, policy()))
    return await _run(desk, reconciliation.NAME, Report(), Report)


async def watched(desk: Desk) -> WorkflowHandle[object, Looked]:
    return await _run(desk, watch.NAME, Watch(process="invoice-intake"), Looked)


async def noticed(desk: Desk) -> WorkflowHandle[object, Told]:
    """A notice to somebody who has no address: it says so, and ends."""
    telling = Telling(case=f"notice-test/{desk.queue}", kind="assignment", people=(CLERK,))
    return await _run(desk, notice.NAME, telling, Told)


@activity.defn(name="notices.send")
async def refused_for_days(_: Telling) -> Told:
    raise ApplicationError("the time for attempts is over", non_retryable=True)


async def notice_given_up(desk: Desk) -> WorkflowHandle[object, Told]:
    """A notice that nobody took for as long as it was tried."""
    queue, records, threads = uuid4().hex, desk.parts.notices.give_up, ThreadPoolExecutor(1)
    telling = Telling(case=desk.named("given-up"), kind="breach", people=(CLERK,))
    sending = Worker(desk.client, task_queue=notices_queue(queue), activities=[refused_for_days])
    async with sending, Worker(desk.client, task_queue=queue, activities=[records], activity_executor=threads):
        return await _run(replace(desk, queue=queue), notice.NAME, telling, Told)


async def _run(desk: Desk, name: str, start: object, result: type[R]) -> WorkflowHandle[object, R]:
    handle: WorkflowHandle[object, R] = await desk.client.start_workflow(
        name, start, id=f"{name}/{desk.queue}", task_queue=desk.queue, result_type=result
    )
    await handle.result()
    return handle


BESIDE = (
    week_reviewed_and_answered,
    week_on_target,
    target_missed,
    reconciled,
    watched,
    noticed,
    notice_given_up,
)
