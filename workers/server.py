"""The embedded Temporal server: the real one, on its own file, for trial and small single-machine use."""

import asyncio
import fcntl
import logging
import shutil
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import psutil
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.service import ConnectConfig, RPCError, ServiceClient

from workers.settings import Settings
from workers.troubles import ServerTrouble
from workflows.attributes import ALL

# facts of the dev server, measured: with its defaults SQLite makes it ten times slower, and a limiter makes every
# regular activity wait 48 ms.
TUNING = (
    *("--sqlite-pragma", "journal_mode=WAL"),
    *("--sqlite-pragma", "synchronous=NORMAL"),
    *("--dynamic-config-value", "matching.numTaskqueueReadPartitions=1"),
    *("--dynamic-config-value", "matching.numTaskqueueWritePartitions=1"),
    *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=100"),
    # Cases that it remembers, ended ones too: by default 128,000, which is more than a small machine has memory for.
    *("--dynamic-config-value", "history.hostLevelCacheMaxSize=1000"),
)
logger = logging.getLogger(__name__)
BREATH = 1
"""Seconds between starting the server again and looking at it again."""
PATIENCE = 30
"""Seconds until a server that does not answer is given up."""


@asynccontextmanager
async def embedded(settings: Settings) -> AsyncIterator[str]:
    """Run the server while inside, giving its address; its state stays in `home`."""
    with _alone(settings.home):
        _end_left_over(_note(settings))
        for port in (settings.port, settings.ui_port):
            _must_be_free(port)
        keeper = asyncio.ensure_future(_keep(settings, await _started(settings)))
        try:
            yield f"127.0.0.1:{settings.port}"
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper


async def _keep(settings: Settings, server: Process) -> None:
    """Start the server again whenever it ends by itself: workers find it again, and cases go on where they were."""
    try:
        while True:
            await server.wait()
            logger.warning("the Temporal server ended by itself; it is started again")
            with suppress(ServerTrouble):
                server = await _started(settings)
            await asyncio.sleep(BREATH)
    finally:
        await _ended(server)
        _note(settings).unlink(missing_ok=True)


async def _started(settings: Settings) -> Process:
    with (settings.home / "server.log").open("ab") as log:
        server = await asyncio.create_subprocess_exec(
            *_command(settings),
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us: the worker stops first, then the server
        )
    _note(settings).write_text(str(server.pid))
    try:
        await _answers(settings, server)
    except BaseException:
        await _ended(server)
        raise
    return server


async def _ended(server: Process) -> None:
    with suppress(ProcessLookupError):
        server.terminate()
    await server.wait()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One at a time on one home; the kernel lets go of the lock when we are killed."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerTrouble(
                f"casework is already running on {home}: use that one ('casework start', 'casework inbox'), stop it, "
                "or choose another folder with CASEWORK_HOME"
            ) from None
        yield


def _note(settings: Settings) -> Path:
    """Holds the server's pid while it runs."""
    return settings.home / "server.pid"


def _command(settings: Settings) -> list[str]:
    # A user's own `temporal` wins; the one from the wheel stands beside this Python.
    beside = Path(sys.executable).parent / "temporal"
    binary = shutil.which("temporal") or str(beside)
    if not Path(binary).exists():
        raise ServerTrouble("the temporal command is missing: run 'make install' again")
    attributes = [
        part for key in ALL for part in ("--search-attribute", f"{key.name}={INDEXED[key.indexed_value_type.name]}")
    ]
    return [
        *(binary, "server", "start-dev", "--ip", "127.0.0.1", "--log-level", "error", "--ui-disable-news-fetch"),
        *("--port", str(settings.port), "--ui-port", str(settings.ui_port)),
        *("--db-filename", str(settings.home / "temporal.db")),
        *(("--ui-codec-endpoint", settings.codec_endpoint) if settings.codec_endpoint else ()),
        *TUNING,
        *attributes,
    ]


INDEXED = {"KEYWORD": "Keyword", "KEYWORD_LIST": "KeywordList", "DATETIME": "Datetime"}


def _must_be_free(port: int) -> None:
    with socket.socket() as probe:
        # As the server itself will bind: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise ServerTrouble(
                f"port {port} is taken by another program: stop it, or choose others with "
                "CASEWORK_PORT and CASEWORK_UI_PORT"
            ) from None


def _end_left_over(note: Path) -> None:
    """End the server of a run that was killed: it holds the ports and the file."""
    with suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.TimeoutExpired):
        process = psutil.Process(int(note.read_text()))
        # A pid comes round again: only what was started as our server is ended.
        if "start-dev" in process.cmdline() and str(note.parent / "temporal.db") in process.cmdline():
            process.terminate()
            process.wait(PATIENCE)


async def _answers(settings: Settings, server: Process) -> None:
    """Wait until the server takes calls; an open port is not yet one that answers."""
    log = settings.home / "server.log"
    asked = ConnectConfig(target_host=f"127.0.0.1:{settings.port}")
    for _ in range(PATIENCE * 10):
        if server.returncode is not None:
            raise ServerTrouble(f"the Temporal server ended at once; its last words are in {log}")
        with suppress(RuntimeError, RPCError):
            client = await ServiceClient.connect(asked)
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
            return
        await asyncio.sleep(0.1)
    raise ServerTrouble(f"the Temporal server did not answer within {PATIENCE} s; see {log}")
