"""Reconciliation: what became in the CRM of what applied cases wrote there."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import Session, delete, update
from temporalio.client import ScheduleActionExecutionStartWorkflow
from temporalio.testing import ActivityEnvironment

from activities.reconciler import DIFFERS
from schemas.message import Message
from schemas.reconciliation import Page, Report
from schemas.tables import CrmActivity, CrmInvoice, CrmParty, ReceiptRow
from starters.demo import SAMPLES
from starters.scheduling import scheduled
from tests.desk import CLEAN, PATIENCE, Case, Desk, policy
from tests.workflows.scenarios import outcome_of
from workflows.reconciliation import NAME


@pytest.fixture
async def applied(desk: Desk) -> Case:
    case = await desk.start(CLEAN, policy())
    await outcome_of(case)
    return case


def change(desk: Desk, *statements: object) -> None:
    """What people do in the CRM, or in our own database."""
    with Session(desk.parts.engine) as session, session.begin():
        for statement in statements:
            session.exec(statement)  # type: ignore[call-overload]


async def reconcile(desk: Desk, start: Message | None = None) -> Report:
    report: Report = await desk.client.execute_workflow(
        NAME, start or Report(), id=f"{NAME}/{desk.queue}", task_queue=desk.queue, result_type=Report
    )
    return report


def told(report: Report) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.kind, one.how, one.fields) for one in report.differences]


async def test_what_stands_as_it_was_written_is_no_difference(desk: Desk, applied: Case) -> None:
    report = await reconcile(desk)

    assert (report.cases, report.found) == (1, 0)


async def test_deleted_record_is_told(desk: Desk, applied: Case) -> None:
    change(desk, delete(CrmActivity), delete(CrmInvoice))

    report = await reconcile(desk)

    assert told(report) == [("invoice", "deleted", ()), ("activity", "deleted", ())]
    assert {one.case for one in report.differences} == {applied.id}


async def test_changed_value_is_told_by_its_name(desk: Desk, applied: Case) -> None:
    change(desk, update(CrmInvoice).values(gross_amount="1.00"))

    assert told(await reconcile(desk)) == [("invoice", "changed", ("gross_amount",))]


async def test_applied_case_without_a_receipt_is_told_as_missing(desk: Desk, applied: Case) -> None:
    change(desk, delete(CrmActivity), delete(ReceiptRow))

    assert told(await reconcile(desk)) == [("activity", "missing", ())]


async def test_party_that_another_document_changed_is_no_difference(desk: Desk, applied: Case) -> None:
    change(desk, update(CrmParty).values(iban="DE02120300000000202051"))

    assert (await reconcile(desk)).found == 0


async def test_draft_that_is_gone_is_told_and_stops_nothing(desk: Desk, applied: Case) -> None:
    draft = desk.row(applied).draft
    assert draft is not None
    desk.parts.blobs.files.rm_file(desk.parts.blobs._path(draft))

    assert told(await reconcile(desk)) == [("draft", "unreadable", ())]


async def test_difference_is_audited_once_and_again_when_it_is_mended(desk: Desk, applied: Case) -> None:
    booked = desk.parts.crm.port.read("invoice", f"{applied.id}:apply")
    assert booked is not None
    for gross in ("1.00", "1.00", str(booked["gross_amount"])):
        change(desk, update(CrmInvoice).values(gross_amount=gross))
        await reconcile(desk)

    bodies = [body["differences"] for kind, body in desk.acts(applied) if kind == DIFFERS]
    assert [[one["fields"] for one in differences] for differences in bodies] == [[["gross_amount"]], []]
    assert desk.faults(applied, await outcome_of(applied)) == []


async def test_waiting_and_rejected_cases_are_left_alone(desk: Desk) -> None:
    case = await desk.start(CLEAN, policy(stage="supervised"))
    await desk.asked(case)

    assert (await reconcile(desk)).cases == 0
    await case.terminate()


async def test_pages_together_are_all_applied_cases(desk: Desk) -> None:
    xml = (SAMPLES / "reinwerk-XR-2026-0208.xml").read_text()
    for number in range(3):
        await outcome_of(await desk.start(xml.replace("2026-0208", f"2026-9{number}").encode(), policy()))
    pages: list[int] = []
    after = ""
    while not pages or after:
        page = ActivityEnvironment().run(desk.parts.reconciler.compare, Page(after=after, most=2))
        pages.append(page.cases)
        after = page.after

    assert pages == [2, 1]


async def test_schedule_runs_it(desk: Desk, applied: Case) -> None:
    handle = await scheduled(desk.client, NAME, Report(), desk.queue, timedelta(days=1), name=desk.queue)
    assert handle
    await handle.trigger()
    async with asyncio.timeout(PATIENCE):
        while not (done := (await handle.describe()).info.recent_actions):
            continue
    started = done[0].action
    assert isinstance(started, ScheduleActionExecutionStartWorkflow)
    report = await desk.client.get_workflow_handle(started.workflow_id, result_type=Report).result()
    await handle.delete()

    assert report.cases == 1
