"""What all tests share: real servers, a desk and a database for each test, and a skip that CI does not accept."""

import os
import shutil
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.databases import Postgres, serving_postgres
from tests.desk import Desk, open_desk
from workers.temporal import plugin
from workflows.attributes import ALL

# The console scripts that came with this Python: the Temporal server among them.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With REQUIRE_ALL=1 a skip is a failure, but for corpora that are not ours to ship, and what MAY_SKIP names."""
    report = yield
    allowed = ("shared/data", *filter(None, os.environ.get("MAY_SKIP", "").split(",")))
    required = not any(words in str(report.longrepr) for words in allowed)
    if report.skipped and os.environ.get("REQUIRE_ALL") == "1" and required:
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL is set, and this was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with ExitStack() as stack:
        try:
            postgres = stack.enter_context(serving_postgres())
        except (ImportError, OSError, ValueError) as error:
            pytest.skip(f"no PostgreSQL programs for this machine: {error}")
        yield postgres


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database: SQLite, unless the test is marked for another or for both."""
    kind = getattr(request, "param", "sqlite")
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'casework.db'}"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.fresh()


def server_options() -> dict[str, Any]:
    return {
        "dev_server_existing_path": shutil.which("temporal"),
        "dev_server_log_level": "error",
        "dev_server_extra_args": [
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
            "--dynamic-config-value",
            "frontend.WorkflowPauseEnabled=true",
            "--dynamic-config-value",
            "limit.historyCount.suggestContinueAsNew=150",
        ],
        "search_attributes": ALL,
        "plugins": [plugin()],
        "identity": "tests",
    }


@pytest.fixture(scope="session")
async def server() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping_v2(**server_options()) as environment:
        yield environment


@pytest.fixture
async def desk(server: WorkflowEnvironment, tmp_path: Path, database_url: str) -> AsyncIterator[Desk]:
    address = server.client.service_client.config.target_host
    client = await Client.connect(address, plugins=[plugin()], identity="tests")
    async with open_desk(client, server.client, tmp_path, database_url) as desk:
        yield desk


@pytest.fixture
async def busy_desk(server: WorkflowEnvironment, tmp_path: Path, database_url: str) -> AsyncIterator[Desk]:
    """For many cases at once: without a cache, the SDK lets local activities of several cases wait for one another."""
    client = await Client.connect(server.client.service_client.config.target_host, plugins=[plugin()])
    async with open_desk(client, server.client, tmp_path, database_url, rehearsal=False) as desk:
        yield desk
