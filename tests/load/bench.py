"""What a case costs, beside a bare workflow with the same number of activities: `make bench`.

Five things take turns on one embedded server, so that a busy machine slows them alike: `bare`, a workflow that does
nothing; `frame`, a case whose reading and checking are stubbed; `full`, a case as it is; `sealed`, the same under a
payload codec; `told`, the same with metrics and traces. Cost is told per case. Gauges are told apart, as they cost
nothing per case: `look_ms` is what one look at the tables of all these cases takes, every few seconds.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import psutil
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from activities.documents import Documents
from activities.model import Model
from activities.rules import Rules
from schemas.case import Checked, IngestRequest, ReadRequest
from schemas.invoice import FIELDS, InvoiceCheck
from schemas.proposal import Field, Proposal
from schemas.source import Document, Verdict
from starters.demo import SAMPLES
from starters.invoice_intake import INVOICE_INTAKE
from starters.launch import Launcher
from tests.activities.test_codec import key_file
from tests.desk import UNSAMPLED, charters
from tests.end_to_end.conftest import free_ports
from tests.load.bare import Bare, nothing
from workers.build import THREADS, Parts, build_worker, built
from workers.codec import KEY_BYTES
from workers.gauges import Gauges
from workers.server import embedded
from workers.settings import Settings
from workers.telemetry import _provider, runtime
from workers.temporal import connect

SAMPLE = (SAMPLES / "reinwerk-XR-2026-0208.xml").read_bytes()
AT_ONCE = 20
PATIENCE = 300
"""Seconds after which a round that does not end is a failure."""
ACTIONS = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    EventType.EVENT_TYPE_MARKER_RECORDED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
}
"""What Temporal counts as an action, as far as a case uses it."""


@dataclass(frozen=True)
class StubbedDocuments(Documents):
    @activity.defn(name="documents.ingest")
    def ingest(self, request: IngestRequest) -> Document:
        return Document(source=request.source, format="cii", verdict=Verdict())


@dataclass(frozen=True)
class StubbedModel(Model):
    @activity.defn(name="model.read_invoice")
    def read_invoice(self, request: ReadRequest) -> Proposal:
        values = dict.fromkeys(FIELDS, "1") | {"invoice_number": request.case[-12:]}
        fields = {name: Field(value=value, evidence="a stub", confidence=0.99) for name, value in values.items()}
        return Proposal(rung="embedded-xml", fields=fields)


@dataclass(frozen=True)
class StubbedRules(Rules):
    @activity.defn(name="rules.check_invoice")
    def check_invoice(self, request: InvoiceCheck) -> Checked:
        return Checked(draft=self.blobs.put(self._draft(request).model_dump_json().encode()))


def stubbed(parts: Parts) -> Parts:
    return replace(
        parts,
        documents=StubbedDocuments(**vars(parts.documents)),
        model=StubbedModel(**vars(parts.model)),
        rules=StubbedRules(**vars(parts.rules)),
    )


@dataclass
class Cost:
    """What some cases cost in one round: seconds in all, CPU milliseconds of everything but Temporal, and of it."""

    cases: int
    seconds: float
    cpu_ms: float
    server_cpu_ms: float


Run = Callable[[int], Awaitable[Sequence[WorkflowHandle[Any, Any]]]]
"""Starts so many, `AT_ONCE` at a time, and gives their handles."""


@dataclass
class Bench:
    client: Client
    server: psutil.Process
    runs: Mapping[str, Run]
    gauges: Gauges
    costs: dict[str, list[Cost]] = field(default_factory=dict)

    async def round(self, name: str, cases: int) -> None:
        """Start so many, wait until all have ended, and note what that cost."""
        own, server, begun = own_cpu(), cpu(self.server), monotonic()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(handle.result() for handle in await self.runs[name](cases)))
        seconds = monotonic() - begun
        cost = Cost(cases, seconds, (own_cpu() - own) * 1000, (cpu(self.server) - server) * 1000)
        self.costs.setdefault(name, []).append(cost)


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def own_cpu() -> float:
    """Of this process, which is worker and starter in one, and of its parser processes."""
    parsers = [child for child in psutil.Process().children() if "activities.parsing" in " ".join(child.cmdline())]
    return sum(map(cpu, (psutil.Process(), *parsers)))


@asynccontextmanager
async def bench_on(home: Path) -> AsyncIterator[Bench]:
    """A server, and a worker for each of the five."""
    port, ui_port = free_ports()
    shipped = charters(home / "charters", *UNSAMPLED)
    settings = Settings(home=home, port=port, ui_port=ui_port, person="bench", charters=shipped)
    numbers = count()
    async with AsyncExitStack() as stack:
        parts = stack.enter_context(built(settings))
        client = await connect(settings, await stack.enter_async_context(embedded(settings)))
        plain = await Client.connect(client.service_client.config.target_host)
        await stack.enter_async_context(
            Worker(
                plain,
                task_queue="bare",
                workflows=[Bare],
                activities=[nothing],
                activity_executor=stack.enter_context(ThreadPoolExecutor(THREADS)),
            )
        )

        async def bare(cases: int) -> Sequence[WorkflowHandle[Any, Any]]:
            room = asyncio.Semaphore(AT_ONCE)

            async def start() -> WorkflowHandle[Any, Any]:
                async with room:
                    return await plain.start_workflow(Bare.run, id=f"bare-{next(numbers)}", task_queue="bare")

            return await asyncio.gather(*(start() for _ in range(cases)))

        told = settings.model_copy(update={"otlp": stack.enter_context(elsewhere()), "metrics": "127.0.0.1:0"})
        stack.callback(_provider(told.otlp).shutdown)  # while its collector is there
        measured = runtime(told)
        assert measured
        telling = await connect(told, runtime=measured)
        keys = key_file(home, k1=os.urandom(KEY_BYTES))
        sealing = await connect(settings.model_copy(update={"codec_keys": keys}))

        async def cases_on(queue: str, parts: Parts, client: Client = client) -> Run:
            await stack.enter_async_context(build_worker(client, queue, parts))
            launcher = Launcher(client, parts, settings.model_copy(update={"task_queue": queue}), INVOICE_INTAKE)

            async def run(cases: int) -> Sequence[WorkflowHandle[Any, Any]]:
                paths = [home / f"{next(numbers):06}.xml" for _ in range(cases)]
                for path in paths:
                    path.write_bytes(SAMPLE.replace(b"XR-2026-0208", f"XR-{queue}-{path.stem}".encode()))
                return [client.get_workflow_handle(one.case) async for one in launcher.start_all(paths)]

            return run

        runs = {
            "bare": bare,
            "frame": await cases_on("frame", stubbed(parts)),
            "full": await cases_on("full", parts),
            "sealed": await cases_on("sealed", parts, sealing),
            "told": await cases_on("told", parts, telling),
        }
        gauges = Gauges(parts, measured.metric_meter, {}, ())
        yield Bench(plain, psutil.Process(int((home / "server.pid").read_text())), runs, gauges)


@contextmanager
def elsewhere() -> Iterator[str]:
    """A collector in a process of its own, so that its work is not counted as ours; its address."""
    with subprocess.Popen([sys.executable, "-m", "tests.collectors"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def size_of(client: Client, workflow_type: str, queue: str) -> dict[str, int]:
    """Events, actions and bytes of one history of this kind."""
    query = f"WorkflowType = '{workflow_type}' AND TaskQueue = '{queue}' AND ExecutionStatus = 'Completed'"
    async for found in client.list_workflows(query, limit=1):
        handle = client.get_workflow_handle(found.id, run_id=found.run_id)
        info = (await handle.describe()).raw_description.workflow_execution_info
        events = Counter([event.event_type async for event in handle.fetch_history_events()])
        actions = sum(number for kind, number in events.items() if kind in ACTIONS)
        return {"events": events.total(), "actions": actions, "history_bytes": info.history_size_bytes}
    raise LookupError(query)


async def measured(home: Path, rounds: int, cases: int) -> dict[str, dict[str, float]]:
    async with bench_on(home) as bench:
        for name in bench.runs:  # the first of each loads and compiles what all use
            await bench.round(name, AT_ONCE)
        bench.costs.clear()
        for _ in range(rounds):
            for name in bench.runs:
                await bench.round(name, cases)
        sizes = {
            "bare": await size_of(bench.client, "Bare", "bare"),
            "frame": await size_of(bench.client, INVOICE_INTAKE.name, "frame"),
            "full": await size_of(bench.client, INVOICE_INTAKE.name, "full"),
            "sealed": await size_of(bench.client, INVOICE_INTAKE.name, "sealed"),
            "told": await size_of(bench.client, INVOICE_INTAKE.name, "told"),
        }
        begun = monotonic()
        bench.gauges.look()
        look = {"look_ms": round((monotonic() - begun) * 1000, 1)}
    figures = {name: {**told(costs), **sizes[name]} for name, costs in bench.costs.items()}
    return {**figures, "told": {**figures["told"], **look}}


def told(costs: Sequence[Cost]) -> dict[str, float]:
    """The middle round counts: a machine that is busy for a moment spoils one of them only."""
    return {
        "cases_per_second": round(median(cost.cases / cost.seconds for cost in costs), 1),
        "ms_per_case": round(median(cost.seconds * 1000 / cost.cases for cost in costs), 1),
        "cpu_ms": round(median(cost.cpu_ms / cost.cases for cost in costs), 1),
        "server_cpu_ms": round(median(cost.server_cpu_ms / cost.cases for cost in costs), 1),
    }


def compared(figures: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    bare, frame, full, sealed, traced = (figures[name] for name in ("bare", "frame", "full", "sealed", "told"))
    return {
        **figures,
        "frame_throughput_of_bare": round(frame["cases_per_second"] / bare["cases_per_second"], 2),
        "sealed_throughput_of_full": round(sealed["cases_per_second"] / full["cases_per_second"], 2),
        "told_throughput_of_full": round(traced["cases_per_second"] / full["cases_per_second"], 2),
        "frame_cpu_ms_over_bare": round(frame["cpu_ms"] - bare["cpu_ms"], 1),
    }


def bench(rounds: int = 5, cases: int = 200) -> dict[str, Any]:
    # The server's program stands beside this Python.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as home:
        return compared(asyncio.run(measured(Path(home), rounds, cases)))


if __name__ == "__main__":
    print(json.dumps(bench(*map(int, sys.argv[1:])), indent=2))  # noqa: T201
