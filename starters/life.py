"""Running things until told to stop: the embedded server with a worker, or a worker alone."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from temporalio.client import Client
from temporalio.runtime import Runtime

from starters.processes import PROCESSES
from starters.screen import out
from workers.build import Parts, build_worker
from workers.gauges import Gauges, gauging
from workers.server import embedded
from workers.settings import Settings
from workers.telemetry import expecting, logging_as, runtime
from workers.temporal import connect


@asynccontextmanager
async def running(settings: Settings, parts: Parts) -> AsyncIterator[Client]:
    """The embedded server with a worker on it."""
    async with embedded(settings) as address:
        measured = runtime(settings)
        client = await connect(settings, address, measured)
        async with (
            build_worker(client, settings.task_queue, parts, cached_cases=settings.cached_cases),
            _told(settings, parts, client, measured),
        ):
            yield client


async def up(settings: Settings, parts: Parts) -> None:
    async with stopped() as stop, running(settings, parts):
        ui = f"http://127.0.0.1:{settings.ui_port}"
        out.print(f"casework is up: Temporal on 127.0.0.1:{settings.port}, its UI on {ui}")
        out.print(f"state is kept in {settings.home}; Ctrl-C stops, and open cases wait for the next start")
        await stop.wait()
        out.print("stopping: steps under way are finished first; Ctrl-C again leaves at once")


async def work(settings: Settings, parts: Parts) -> None:
    async with stopped() as stop:
        measured = runtime(settings)
        client = await connect(settings, runtime=measured)
        async with (
            build_worker(client, settings.task_queue, parts, cached_cases=settings.cached_cases, build=settings.build),
            _told(settings, parts, client, measured),
        ):
            build = f" as build {settings.build}, once it is current" if settings.build else ""
            out.print(f"working on the task queue {settings.task_queue}{build}; Ctrl-C stops")
            await stop.wait()


def _told(settings: Settings, parts: Parts, client: Client, measured: Runtime) -> AbstractAsyncContextManager[None]:
    """Gauges, where somebody reads them; and logs as the settings say."""
    logging_as(settings)
    if not (settings.metrics or settings.otlp):
        return nullcontext()
    expecting(measured, client.namespace, settings.task_queue, PROCESSES)
    budgets = {name: process.load_charter(settings).policy.budget for name, process in PROCESSES.items()}
    endpoints = tuple(one.name for one in parts.models)
    return gauging(Gauges(parts, measured.metric_meter, budgets, endpoints))


@asynccontextmanager
async def stopped() -> AsyncIterator[asyncio.Event]:
    """An event that Ctrl-C and SIGTERM set, instead of ending us in the middle of something; twice ends us anyway."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def heard() -> None:
        if stop.is_set():
            os._exit(1)  # as good as kill -9, which costs nothing but a step done again
        stop.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, heard)
    try:
        yield stop
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)
