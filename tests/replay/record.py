"""Record the history of every shape that a version lacks: `python -m tests.replay.record VERSION`.

After a change that means to change them that is the next version. Histories of earlier ones stay: cases that began with
them may still be open.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.conftest import server_options
from tests.desk import open_desk
from tests.workflows.beside import BESIDE
from tests.workflows.scenarios import SHAPES
from workers.temporal import plugin

HISTORIES = Path(__file__).parent / "histories"


async def main(version: str) -> None:
    folder = HISTORIES / version
    folder.mkdir(parents=True, exist_ok=True)
    async with await WorkflowEnvironment.start_time_skipping_v2(**server_options()) as server:
        client = await Client.connect(
            server.client.service_client.config.target_host, plugins=[plugin()], identity="tests"
        )
        for shape in (*SHAPES, *BESIDE):
            if (folder / f"{shape.__name__}.json").exists():
                continue
            with tempfile.TemporaryDirectory() as home:
                async with open_desk(client, server.client, Path(home)) as desk:
                    handle = await shape(desk)
                    await handle.result()
                    history = await handle.fetch_history()
            (folder / f"{shape.__name__}.json").write_text(history.to_json())
            print(f"{shape.__name__}: {len(history.events)} events")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
