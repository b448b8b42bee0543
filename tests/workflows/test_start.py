"""Whoever reaches Temporal may start a case; only what a starter of ours entered is read and written."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from activities.documents import UNENTERED
from schemas.invoice import Intake
from schemas.message import digest_of
from schemas.source import Source
from starters.demo import SAMPLES
from starters.start_input import start_of
from tests.desk import CLEAN, Case, Desk, policy
from tests.workflows.scenarios import outcome_of

DATA = (SAMPLES / CLEAN).read_bytes()
SOURCE = Source(digest=digest_of(DATA), name=CLEAN, size=len(DATA))
OURS = Intake(source=SOURCE, policy=policy(), submitted_by="tester")
THEIRS = OURS.model_copy(update={"policy": policy(stage="autonomous", min_confidence=0.0)})


def entered(desk: Desk) -> str:
    desk.parts.blobs.put(DATA)
    case = desk.named("entered")
    desk.parts.cases.open(case, SOURCE, "tester", start_of(desk.client, OURS).digest)
    return case


async def of_no_starter(desk: Desk) -> Case:
    desk.parts.blobs.put(DATA)
    return await desk.start_with(desk.named("strange"), [OURS])


async def under_another_policy(desk: Desk) -> Case:
    return await desk.start_with(entered(desk), [THEIRS])


async def used_up(desk: Desk) -> Case:
    before = await desk.start_with(entered(desk), [OURS])
    await outcome_of(before)
    return await desk.start_with(before.id, [OURS])


@pytest.mark.parametrize(("start", "written"), [(of_no_starter, 0), (under_another_policy, 0), (used_up, 1)])
async def test_start_that_no_starter_entered_reads_and_writes_nothing(
    desk: Desk, start: Callable[[Desk], Awaitable[Case]], written: int
) -> None:
    case = await start(desk)

    outcome = await outcome_of(case)

    assert (outcome.status, outcome.reasons[-1]) == ("unprocessable", UNENTERED)
    assert [kind for kind, _ in desk.acts(case)][-2:] == ["start.refused", "case.ended"]
    assert len(desk.records()) == written
    assert desk.row(case).outcome == ("applied" if written else "unprocessable")


async def test_case_from_before_starts_were_entered_goes_on_while_it_is_open(desk: Desk) -> None:
    case = entered(desk)
    with desk.parts.engine.begin() as connection:
        connection.execute(text("UPDATE cases SET starts = NULL"))

    outcome = await outcome_of(await desk.start_with(case, [OURS]))

    assert outcome.status == "applied"
