"""The scheduled looks at a process: the weekly review and the drift watch, on a real server."""

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from temporalio.service import RPCError

from schemas.review import Reviewed, case_of
from tests.desk import OWNER, Desk
from tests.workflows.beside import target_missed, watched, week_on_target, week_reviewed
from tests.workflows.scenarios import outcome_of
from workflows import watch, weekly_review

CHAIN = "review/invoice-intake"


@pytest.fixture
async def reviewed(desk: Desk) -> AsyncIterator[Reviewed]:
    found = await (await week_reviewed(desk)).result()
    yield found
    with suppress(RPCError):  # it may have ended
        await desk.client.get_workflow_handle(case_of(found.process, found.week)).terminate()


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


async def test_missed_target_is_a_case_of_the_owner_whose_answer_is_kept(desk: Desk) -> None:
    case = await target_missed(desk)
    outcome = await outcome_of(case)

    assert (outcome.status, outcome.decided_by, outcome.reasons) == ("applied", OWNER, ("a second reader is hired",))
    (finding,) = desk.parts.cases.view(desk.row(case)).findings
    assert finding.message == "straight-through rate is 0.5, target 0.9."
    assert desk.faults(case, outcome) == []


async def test_week_that_met_its_targets_opens_no_case(desk: Desk) -> None:
    found = await (await week_on_target(desk)).result()

    assert (found.missed, found.opened) == ((), None)


@pytest.mark.parametrize(("workflow", "start"), [(weekly_review.NAME, {"week": "x"}), (watch.NAME, 7)])
async def test_start_that_names_no_process_ends(desk: Desk, workflow: str, start: object) -> None:
    found = await desk.client.execute_workflow(
        workflow, start, id=f"{workflow}/{desk.queue}/odd", task_queue=desk.queue, result_type=object
    )

    assert found is None


async def test_drift_watch_looks_and_pulls_nothing_without_cases(desk: Desk) -> None:
    looked = await (await watched(desk)).result()

    assert (looked.pulled, [one for one in looked.signals if one.tested]) == (False, [])
