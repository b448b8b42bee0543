"""The overview: what an operator sees of all cases, from the tables alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from activities.audit import append
from activities.overview import Overview, ProcessOverview
from activities.store import writing
from schemas.tables import CaseRow
from tests.databases import both_databases

pytestmark = both_databases
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def enter(engine: Engine, name: str, **row: Any) -> None:
    """A row as it stands, and the entry that every case begins with."""
    with writing(engine, name) as session:
        session.add(CaseRow(id=name, process=name.partition("/")[0], **{"started_at": NOW - 2 * HOUR, **row}))
        append(session, name, "case.begun", {})


def test_open_and_ended_cases_are_counted_by_process(engine: Engine) -> None:
    enter(engine, "invoice-intake/1", started_at=NOW - 3 * HOUR)
    enter(engine, "invoice-intake/2", status="waiting", asked_at=NOW - HOUR, due=NOW + HOUR)
    enter(engine, "invoice-intake/3", status="waiting", asked_at=NOW - 2 * HOUR, due=NOW - HOUR)
    enter(engine, "invoice-intake/4", status="closed", outcome="applied", ended_at=NOW)
    enter(engine, "invoice-intake/5", status="closed", outcome="applied", ended_at=NOW, decided_by="ap-clerk")
    enter(engine, "invoice-intake/6", status="closed", outcome="rejected", ended_at=NOW - 30 * HOUR)
    enter(engine, "request-triage/1", status="closed", outcome="rejected", ended_at=NOW)

    assert Overview(engine).of_all(NOW - 24 * HOUR, NOW) == {
        "invoice-intake": ProcessOverview(
            under_way=1,
            under_way_since=NOW - 3 * HOUR,
            waiting=2,
            waiting_since=NOW - 2 * HOUR,
            next_due=NOW - HOUR,
            overdue=1,
            ended={"applied": 2},
            straight_through=1,
        ),
        "request-triage": ProcessOverview(ended={"rejected": 1}),
    }


def test_last_review_of_each_process_is_known(engine: Engine) -> None:
    for process in ("invoice-intake", "invoice-intake", "request-triage"):
        with writing(engine, process) as session:
            append(session, f"review/{process}", "review.written", {})
            append(session, f"review/{process}", "notice.sent", {})
    before = datetime.now(UTC)

    found = Overview(engine).reviewed(["invoice-intake", "request-triage", "contract-approval"])

    assert set(found) == {"invoice-intake", "request-triage"}
    assert all(before - HOUR < at <= before for at in found.values())


def test_case_that_is_being_written_waits_for_nobody(engine: Engine) -> None:
    enter(engine, "invoice-intake/1", status="writing", asked_at=NOW - 3 * HOUR, due=NOW - HOUR)

    assert Overview(engine).of_all(NOW, NOW) == {"invoice-intake": ProcessOverview(at_crm=1)}
    assert Overview(engine).under_way(NOW, 10) == ["invoice-intake/1"]
