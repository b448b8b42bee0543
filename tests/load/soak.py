"""Whether anything grows while cases of all processes come and people decide: `make soak`, half an hour."""

import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import psutil

from starters.launch import Launcher
from starters.processes import PROCESSES
from tests.chaos.people import People
from tests.chaos.plan import planned
from tests.load.open_loop import come, loaded
from workers.build import built
from workers.temporal import connect

RATE = float(os.environ.get("RATE", "2"))
"""Cases a second."""
MINUTES = float(os.environ.get("MINUTES", "30"))
LOOKS = 60
"""How often memory and descriptors are looked at in all; the first third of the looks is the warm-up."""
GROWTH = 0.05
"""The most that memory may grow after the warm-up."""
MORE = 5
"""Descriptors more or less that are open at one moment rather than another: a request under way, a blob being read."""


class Look(NamedTuple):
    memory: float
    """Resident, in MB."""
    descriptors: float


async def look(processes: Mapping[str, psutil.Process], looks: list[dict[str, Look]]) -> None:
    while True:
        await asyncio.sleep(MINUTES * 60 / LOOKS)
        looks.append({name: Look(it.memory_info().rss / 1e6, it.num_fds()) for name, it in processes.items()})


def usual(looks: Sequence[Mapping[str, Look]], name: str) -> Look:
    """The medians of one process."""
    return Look(*(median(values) for values in zip(*(one[name] for one in looks), strict=True)))


def growth(looks: Sequence[Mapping[str, Look]], name: str) -> dict[str, Any]:
    """From the third of the looks after the warm-up to the last third."""
    third = len(looks) // 3
    before, after = usual(looks[third : 2 * third], name), usual(looks[2 * third :], name)
    return {
        "memory_mb": [round(before.memory), round(after.memory)],
        "growth": round(after.memory / before.memory - 1, 3),
        "descriptors": [before.descriptors, after.descriptors],
    }


async def soaked(home: Path) -> dict[str, Any]:
    plan = planned(1, int(RATE * MINUTES * 60), home / "in")
    with loaded(home, 1) as (settings, (server, up)), built(settings) as parts:
        client = await connect(settings)
        launchers = {name: Launcher(client, parts, settings, process) for name, process in PROCESSES.items()}
        people, over, looks = People(plan, client, parts), asyncio.Event(), list[dict[str, Look]]()
        at_work = asyncio.create_task(people.work(over))
        looking = asyncio.create_task(look({"server": server, "worker": up}, looks))
        due = await come([(launchers[it.file.parent.name], it.file) for it in plan.documents], RATE)
        looking.cancel()
        async with asyncio.timeout(600):
            while sum(sum(parts.cases.under_way(process).values()) for process in PROCESSES):  # noqa: ASYNC110
                await asyncio.sleep(1)
        over.set()
        await at_work
        outcomes = Counter(row.outcome for row in parts.cases.listing())
    told = {"rate": RATE, "minutes": MINUTES, "cases": len(due), "outcomes": dict(outcomes)}
    return {**told, **{name: growth(looks, name) for name in looks[0]}}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="soak") as home:
        told = asyncio.run(soaked(Path(home)))
    print(json.dumps(told))  # noqa: T201
    grew = [told[name]["growth"] > GROWTH for name in ("server", "worker")]
    opened = [told[name]["descriptors"][1] - told[name]["descriptors"][0] > MORE for name in ("server", "worker")]
    sys.exit(any(grew + opened))


if __name__ == "__main__":
    main()
