"""How long cases take when they come at a given rate, whatever became of those before: `make load`.

Open loop: each case has an instant at which it comes, and its latency counts from then, so that a system that falls
behind cannot hide it by slowing down whoever asks.
"""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil

from starters.command import settled
from starters.demo import SAMPLES
from starters.invoice_intake import INVOICE_INTAKE
from starters.launch import Launcher
from tests.desk import UNSAMPLED, charters
from tests.end_to_end.conftest import House, free_ports, listen
from tests.load.bench import cpu
from workers.build import built
from workers.settings import Settings
from workers.temporal import connect

AUTO = (SAMPLES / "kade-koffie-KK-2026-0311.xml").read_text(), "KK-2026-0311"
WAITS = (SAMPLES / "reinwerk-XR-2026-0208.xml").read_text(), "XR-2026-0208"
BETWEEN = "auto_limits: {EUR: 5000", "auto_limits: {EUR: 2000"
"""The one goes straight through under this limit, the other waits for a person."""
DRAIN = 600
"""Seconds after which what has not ended never will."""


def made(folder: Path, count: int, kind: tuple[str, str]) -> list[Path]:
    text, number = kind
    folder.mkdir(parents=True)
    files = [folder / f"{place:06}.xml" for place in range(count)]
    for file in files:
        file.write_text(text.replace(number, f"{folder.name}-{file.stem}"))
    return files


@contextmanager
def loaded(home: Path, workers: int) -> Iterator[tuple[Settings, list[psutil.Process]]]:
    """The embedded server and so many workers, and the processes of all."""
    port, ui_port = free_ports()
    shipped = charters(home / "charters", *UNSAMPLED)
    charter = shipped / f"{INVOICE_INTAKE.name}.yaml"
    charter.write_text(charter.read_text().replace(*BETWEEN))
    env = {"CASEWORK_HOME": home / "home", "CASEWORK_PORT": port, "CASEWORK_UI_PORT": ui_port}
    more = {"CASEWORK_CHARTERS": shipped, "CASEWORK_OCR": 0, "CASEWORK_PERSON": "load"}
    house = House(home / "home", {**os.environ, **{name: str(value) for name, value in {**env, **more}.items()}})
    with ExitStack() as stack:
        stack.callback(house.kill_server)  # after whoever would start it again
        up = stack.enter_context(house.running())
        others = [stack.enter_context(house.running("worker")) for _ in range(workers - 1)]
        for process in (up, *others):
            listen(process)
        server = int((house.home / "server.pid").read_text())
        pids = (server, up.pid, *(process.pid for process in others))
        yield Settings.from_env(house.env), [psutil.Process(pid) for pid in pids]


async def come(ones: Sequence[tuple[Launcher, Path]], rate: float) -> dict[str, datetime]:
    """Start each case at its instant, whether or not those before have been started; the instants by case."""
    begun, clock = datetime.now(UTC), time.monotonic()
    due: dict[str, datetime] = {}

    async def start(place: int, launcher: Launcher, file: Path) -> None:
        async for one in launcher.start_all([file]):
            due[one.case] = begun + timedelta(seconds=place / rate)

    async with asyncio.TaskGroup() as group:
        for place, (launcher, file) in enumerate(ones):
            await asyncio.sleep(max(0.0, clock + place / rate - time.monotonic()))
            group.create_task(start(place, launcher, file))
    return due


async def measured(home: Path, rate: float, seconds: int, workers: int, waiting: int = 0) -> dict[str, Any]:
    """Latencies of cases that come at this rate while so many others wait for people."""
    with loaded(home, workers) as (settings, processes), built(settings) as parts:
        launcher = Launcher(await connect(settings), parts, settings, INVOICE_INTAKE)
        background = [one.case async for one in launcher.start_all(made(home / "W", waiting, WAITS))]
        await settled(parts, background)
        await settled(parts, await come([(launcher, file) for file in made(home / "warm", 40, AUTO)], rate))
        before = sum(map(cpu, processes))
        due = await come([(launcher, file) for file in made(home / "A", int(rate * seconds), AUTO)], rate)
        over = datetime.now(UTC)
        async with asyncio.timeout(DRAIN):
            await settled(parts, due)
        rows = [row for case in due if (row := parts.cases.get(case))]
        took = [(row.ended_at - due[row.id]).total_seconds() for row in rows if row.ended_at]
        cuts = quantiles(took, n=100)
        return {
            "rate": rate,
            "workers": workers,
            "waiting": waiting,
            "cases": len(took),
            "not applied": sum(row.outcome != "applied" for row in rows),
            "p50": round(cuts[49], 2),
            "p95": round(cuts[94], 2),
            "p99": round(cuts[98], 2),
            "behind at the end": sum(row.ended_at is not None and row.ended_at > over for row in rows),
            "cpu_ms": round((sum(map(cpu, processes)) - before) * 1000 / len(took)),
        }


def main() -> None:
    rates = [float(rate) for rate in os.environ.get("RATES", "4,8,12").split(",")]
    workers = [int(count) for count in os.environ.get("WORKERS", "1,2").split(",")]
    waiting = [int(count) for count in os.environ.get("WAITING", "1,1000").split(",")]
    seconds = int(os.environ.get("SECONDS", "60"))
    runs = [(rate, seconds, count, 0) for count in workers for rate in rates]
    runs += [(rates[0], seconds, workers[0], count) for count in waiting]
    for rate, long, count, others in runs:
        with tempfile.TemporaryDirectory(prefix="load") as home:
            print(json.dumps(asyncio.run(measured(Path(home), rate, long, count, others))), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
