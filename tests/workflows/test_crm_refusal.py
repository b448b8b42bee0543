"""An approved case that the CRM refuses: back to people, with the CRM's words, and nothing half-done unnoticed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from schemas.case import Draft
from schemas.tables import CaseRow
from tests.crms import SIMILAR, Refusing
from tests.desk import OVER_LIMIT, PATIENCE, Case, Desk, policy
from tests.workflows import scenarios
from tests.workflows.scenarios import outcome_of, with_crm


@dataclass(frozen=True)
class Back:
    """A case that was approved, refused, and asked about again."""

    desk: Desk
    case: Case
    first: CaseRow
    row: CaseRow


@pytest.fixture
async def back(desk: Desk) -> AsyncIterator[Back]:
    refusing = Refusing(desk.parts.crm.port, "RE-26-3310")
    refusing.may.set()
    async with with_crm(desk, refusing) as other:
        case = await other.start(OVER_LIMIT, policy())
        first = await other.asked(case)
        await other.decide(case, "approve")
        yield Back(other, case, first, await other.at_step(case, first.step, after=first.draft))
        await case.terminate() if (await case.describe()).close_time is None else None


async def test_person_is_asked_again_and_told_what_the_crm_says(back: Back) -> None:
    assert back.row.reasons[-1] == f"crm.refused: the CRM says: {SIMILAR}"


async def test_person_is_told_what_was_written_before_it_refused(back: Back) -> None:
    findings = {finding.code: finding.message for finding in back.desk.parts.cases.view(back.row).findings}

    assert findings["crm.left"] == "party/1 had been written to the CRM before it refused"


async def test_draft_that_is_asked_about_again_says_that_it_was_refused(back: Back) -> None:
    assert back.row.draft is not None
    draft = Draft.model_validate_json(back.desk.parts.blobs.get(back.row.draft))

    assert draft.refused == (SIMILAR,)


async def test_decision_about_the_draft_before_counts_no_more(back: Back) -> None:
    reply = await back.desk.decide(back.case, "approve", draft=back.first.draft)

    assert not reply.accepted


async def test_correction_that_the_crm_takes_is_applied_once(desk: Desk) -> None:
    case = await scenarios.refused_by_crm(desk)

    outcome = await outcome_of(case)

    assert outcome.status == "applied"
    assert [len(desk.parts.crm.port.find(kind, {})) for kind in ("party", "invoice", "activity")] == [1, 1, 1]


async def test_refused_case_that_is_rejected_says_what_stays_in_the_crm(back: Back) -> None:
    await back.desk.decide(back.case, "reject", note="it was booked by hand")

    outcome = await outcome_of(back.case)

    stays = "party/1 had been written to the CRM before it refused"
    assert (outcome.status, outcome.reasons) == ("rejected", ("it was booked by hand", stays))


async def test_words_of_the_crm_are_not_in_the_failure_that_history_tells(back: Back) -> None:
    failures = [
        event.activity_task_failed_event_attributes.failure.message
        async for event in back.case.fetch_history_events()
        if event.HasField("activity_task_failed_event_attributes")
    ]

    assert failures == ["the CRM refuses what was to be written"]


async def test_cancellation_while_the_crm_is_asked_is_heeded_and_says_what_stays(desk: Desk) -> None:
    refusing = Refusing(desk.parts.crm.port, "RE-26-3310")
    async with with_crm(desk, refusing) as other:
        case = await other.start(OVER_LIMIT, policy())
        await other.asked(case)
        await other.decide(case, "approve")
        assert await asyncio.to_thread(refusing.asked.wait, PATIENCE)
        await case.cancel()
        refusing.may.set()
        outcome = await outcome_of(case)

    stays = "party/1 had been written to the CRM before it refused"
    assert (outcome.status, outcome.reasons) == ("failed", ("cancelled in Temporal before all was written", stays))
