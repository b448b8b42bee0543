"""Before a deploy: every open case is found and replayed, with the codec, and also one that somebody paused."""

import asyncio

from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest

from tests.desk import OVER_LIMIT, PATIENCE, Desk, policy
from workers.open_cases import open_cases
from workers.replay import replay


async def test_paused_case_is_among_the_open_ones_and_replays(desk: Desk) -> None:
    case = await desk.start(OVER_LIMIT, policy())
    await desk.asked(case)
    pause = PauseWorkflowExecutionRequest(
        namespace="default", workflow_id=case.id, identity="tests", reason="a look", request_id="1"
    )
    await desk.client.workflow_service.pause_workflow_execution(pause)
    async with asyncio.timeout(PATIENCE):  # the server's index follows when it has time
        while case.id not in [found async for found in open_cases(desk.client)]:
            pass

    replayed = await replay(await case.fetch_history())

    assert (replayed.history, replayed.problem) == (case.id, "")
