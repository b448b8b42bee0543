"""The scheduled looks at a process: the weekly review and the drift watch, on a real server."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, col, select, update

from schemas.drift import Looked, Watch
from schemas.metrics import Metric
from schemas.review import Review, Reviewed
from schemas.tables import CaseRow
from tests.desk import CLEAN, OWNER, Desk, policy
from tests.workflows import scenarios
from tests.workflows.scenarios import outcome_of
from workflows import drift_watch, weekly_review

METRICS = (Metric(name="straight_through", target=0.9, baseline=0.1), Metric(name="corrections", target=2))
CHAIN = "review/invoice-intake"


@pytest.fixture
async def reviewed(desk: Desk) -> Reviewed:
    """A week in which one case went straight through and one was corrected, reviewed when it was over."""
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
    found: Reviewed = await desk.client.execute_workflow(
        weekly_review.NAME,
        Review(process="invoice-intake", owner=OWNER, metrics=METRICS),
        id=f"{weekly_review.NAME}/{desk.queue}",
        task_queue=desk.queue,
        result_type=Reviewed,
    )
    return found


async def test_review_measures_the_last_week_against_its_targets(reviewed: Reviewed) -> None:
    last = reviewed.weeks[-1]

    assert (last.ended, last.values["straight_through"], last.corrected) == (2, 0.5, {"gross_amount": 1})
    assert [one.metric.name for one in reviewed.missed] == ["straight_through"]


async def test_review_is_written_as_markdown_and_as_one_html_file_with_plots(reviewed: Reviewed) -> None:
    markdown, html = (Path(file).read_text() for file in reviewed.files)

    assert "straight-through rate is 0.5, target 0.9" in markdown
    assert "<svg" in html
    assert "straight-through rate is 0.5, target 0.9" in html
    assert "<script" not in html


async def test_what_was_missed_is_audited_and_the_chain_verifies(desk: Desk, reviewed: Reviewed) -> None:
    entries = [(link.kind, body or {}) for link, body in desk.parts.audit.entries(CHAIN)]

    (written,) = [body for kind, body in entries if kind == "review.written"]
    assert written["missed"] == [one.model_dump(mode="json") for one in reviewed.missed]
    assert desk.parts.audit.verify(CHAIN) == []


async def test_owner_is_told_which_targets_were_missed(desk: Desk, reviewed: Reviewed) -> None:
    handle = desk.client.get_workflow_handle(f"{weekly_review.NAME}/{desk.queue}")
    history = await handle.fetch_history()

    started = [
        event.start_child_workflow_execution_initiated_event_attributes
        for event in history.events
        if event.HasField("start_child_workflow_execution_initiated_event_attributes")
    ]
    (told,) = [one.input.payloads[0].data.decode() for one in started]
    assert OWNER in told
    assert f"{reviewed.week}, targets missed: straight_through" in told


@pytest.mark.parametrize(("workflow", "start"), [(weekly_review.NAME, {"week": "x"}), (drift_watch.NAME, 7)])
async def test_start_that_names_no_process_ends(desk: Desk, workflow: str, start: object) -> None:
    found = await desk.client.execute_workflow(
        workflow, start, id=f"{workflow}/{desk.queue}/odd", task_queue=desk.queue, result_type=object
    )

    assert found is None


async def test_drift_watch_looks_and_pulls_nothing_without_cases(desk: Desk) -> None:
    looked: Looked = await desk.client.execute_workflow(
        drift_watch.NAME,
        Watch(process="invoice-intake"),
        id=f"{drift_watch.NAME}/{desk.queue}",
        task_queue=desk.queue,
        result_type=Looked,
    )

    assert (looked.pulled, [one for one in looked.signals if one.tested]) == (False, [])
