"""Two builds side by side, and the commands of deploy/runbooks/rolling-deploy.md on the real server."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.desk import CLEAN, OVER_LIMIT, PATIENCE, Case, Desk, policy
from tests.workflows.scenarios import outcome_of
from workers.build import build_worker, built
from workers.replay import replay
from workers.settings import Settings
from workers.temporal import plugin

TEMPORAL = Path(sys.executable).parent / "temporal"


async def make_current(desk: Desk, build: str) -> None:
    """As the runbook has it; the server knows a build a moment after its worker has asked for its first task."""
    address = desk.client.service_client.config.target_host
    words = ("worker", "deployment", "set-current-version", "--address", address, "--yes")
    async with asyncio.timeout(PATIENCE):
        while True:
            temporal = await asyncio.create_subprocess_exec(
                TEMPORAL, *words, "--deployment-name", desk.queue, "--build-id", build, stderr=asyncio.subprocess.PIPE
            )
            _, problem = await temporal.communicate()
            if temporal.returncode == 0:
                return
            assert any(word in problem for word in (b"pollers", b"not found", b"missing")), problem


async def builds(case: Case) -> list[str]:
    """The builds that took its steps, in the order in which they came."""
    events = (await case.fetch_history()).events
    took = [event.workflow_task_completed_event_attributes.deployment_version.build_id for event in events]
    return list(dict.fromkeys(build for build in took if build))


@pytest.fixture
async def desk(server: WorkflowEnvironment, tmp_path: Path) -> AsyncIterator[Desk]:
    client = await Client.connect(server.client.service_client.config.target_host, plugins=[plugin()])
    with built(Settings(home=tmp_path, ocr=False)) as parts:
        yield Desk(client, server.client, parts, uuid4().hex)


async def test_open_cases_go_over_to_the_build_that_is_made_current(desk: Desk) -> None:
    async with AsyncExitStack() as second, AsyncExitStack() as first:
        await first.enter_async_context(build_worker(desk.client, desk.queue, desk.parts, build="one"))
        await make_current(desk, "one")
        case = await desk.start(OVER_LIMIT, policy())
        await desk.asked(case)

        await second.enter_async_context(build_worker(desk.client, desk.queue, desk.parts, build="two"))
        before = await desk.start(CLEAN, policy(stage="supervised"))
        await desk.asked(before)
        await make_current(desk, "two")
        await first.aclose()
        for one in (case, before):
            await desk.decide(one, "approve")

        assert [(await outcome_of(one)).status for one in (case, before)] == ["applied", "applied"]
        assert [await builds(one) for one in (case, before)] == [["one", "two"], ["one", "two"]]
        assert not (await replay(await case.fetch_history())).failed
