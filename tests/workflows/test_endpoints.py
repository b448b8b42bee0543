"""Model endpoints that misbehave: every case ends, nothing is asked too often, and what failed is said."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from sqlmodel import Session, col, select
from temporalio.client import Client
from temporalio.common import Priority
from temporalio.testing import WorkflowEnvironment

from schemas.tables import ModelCall
from tests import request_desk
from tests.desk import ONLY_TEXT, Desk, policy
from tests.providers import MISBEHAVIOURS, Provider, providing
from tests.workflows.scenarios import outcome_of
from workers.build import build_worker, built
from workers.settings import Settings
from workers.temporal import plugin

UNUSABLE = ("truncated", "wrong-schema", "no-choices", "refusal", "no-json")
MOST_CALLS = 10
"""Of one case to one endpoint that wants fewer calls; five failures of another kind open its breaker."""


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing() as provider:
        yield provider


@pytest.fixture
async def desk(
    server: WorkflowEnvironment, tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    """A desk with an endpoint for each way to misbehave, and patience for five attempts."""
    monkeypatch.setattr("tests.desk.PATIENCE", 90)
    each = [{"name": how, "model": "small", "url": provider.url(how), "seconds": 1} for how in MISBEHAVIOURS]
    each.append({"name": "slow", "model": "small", "url": provider.url("slow"), "requests_per_minute": 120})
    (tmp_path / "models.yaml").write_text(yaml.safe_dump({"as_of": "2026-11-01", "endpoints": each}))
    client = await Client.connect(server.client.service_client.config.target_host, plugins=[plugin()], identity="tests")
    with built(Settings(home=tmp_path, ocr=False, models=tmp_path / "models.yaml")) as parts:
        queue = uuid4().hex
        async with build_worker(client, queue, parts):
            yield Desk(client, server.client, parts, queue)


async def test_every_case_ends_whatever_its_endpoint_does(desk: Desk, provider: Provider) -> None:
    async def settle(how: str) -> tuple[str, str, str]:
        asked = policy(rungs=(f"endpoint:{how}", "embedded-reader"))
        case = await desk.start(ONLY_TEXT, asked, key=how)
        row = await desk.asked(case)
        await desk.decide(case, "reject")
        proposal = desk.parts.cases.view(row).proposal
        assert proposal is not None
        return (await outcome_of(case)).status, proposal.rung, " ".join(row.reasons)

    ended = dict(zip(MISBEHAVIOURS, await asyncio.gather(*map(settle, MISBEHAVIOURS)), strict=True))

    assert {status for status, _, _ in ended.values()} == {"rejected"}
    assert {how: rung for how, (_, rung, _) in ended.items()} == {
        how: f"endpoint:{how}" if how in ("good", "busy") else "embedded-reader" for how in MISBEHAVIOURS
    }
    assert [how for how in UNUSABLE if "cannot be used" not in ended[how][2] and "no answer" not in ended[how][2]] == []
    assert {how: count for how, count in provider.asked.items() if count > MOST_CALLS} == {}
    assert {how: provider.asked[how] for how in (*UNUSABLE, "good", "expired-key")} == dict.fromkeys(
        (*UNUSABLE, "good", "expired-key"), 1
    )


async def test_request_whose_endpoint_fails_is_classified_without_it(desk: Desk) -> None:
    case = await request_desk.start(desk, request_desk.COMPLETE, rungs=("endpoint:broken", "embedded-reader"))

    outcome = await outcome_of(case)
    proposal = desk.parts.cases.view(desk.row(case)).proposal
    assert proposal is not None
    assert (outcome.status, proposal.rung, "endpoint:broken" in proposal.after) == ("applied", "embedded-reader", True)


async def test_urgent_case_is_asked_about_before_those_that_came_earlier(desk: Desk) -> None:
    slow = policy(rungs=("endpoint:slow",))
    others = await asyncio.gather(*(desk.start(ONLY_TEXT, slow, key=f"slow-{number}") for number in range(20)))
    urgent = await desk.start(ONLY_TEXT, slow, key="slow-urgent", priority=Priority(priority_key=1))
    for case in (*others, urgent):
        await desk.asked(case)

    asked_at = [
        event.event_time.ToDatetime(UTC)
        async for event in urgent.fetch_history_events()
        if event.activity_task_scheduled_event_attributes.task_queue.name.endswith("slow")
    ]
    with Session(desk.parts.engine) as session:
        calls = session.exec(select(ModelCall).order_by(col(ModelCall.at))).all()
    later = [call.case_id for call in calls if call.at > asked_at[0]]
    # Not before all of them: some the worker holds already, and the server keeps a queue in parts.
    assert later.index(urgent.id) < len(later) / 2
