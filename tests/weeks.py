"""Weeks of a process as it always is, and what may change in one: what figures and the drift watch are tried on."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from schemas.observed import Observed

DAY = timedelta(days=1)
START = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""
SUPPLIERS = tuple(f"{number:012x}" for number in range(60))
Change = Callable[[Random], Mapping[str, Any]]


def case(random: Random, at: datetime) -> dict[str, Any]:
    """One case of a process with many small suppliers and few large ones, a third of its cases seen by people."""
    verdict = random.choices(("ok", "ambiguous", "missing", "hostile"), (90, 6, 3, 1))[0]
    asked = verdict != "ok" or random.random() < 0.3
    moved = at + timedelta(seconds=random.lognormvariate(1.0, 0.5))
    return {
        "case": f"invoice-intake/{random.getrandbits(64):016x}",
        "started_at": at,
        "asked_at": moved if asked else None,
        "ended_at": moved + timedelta(hours=random.expovariate(0.1)) if asked else moved,
        "outcome": "applied",
        "decided_by": "ap-clerk" if asked else "",
        "verdict": verdict,
        "format": random.choices(("pdf", "cii", "ubl", "image"), (70, 15, 10, 5))[0],
        "size": int(random.lognormvariate(11, 1)),
        "confidence": random.betavariate(20, 2),
        "category": random.choices(SUPPLIERS, [1 / (place + 1) for place in range(len(SUPPLIERS))])[0],
        "corrected": ("gross_amount",) if asked and random.random() < 0.15 else (),
    }


def days(
    random: Random, count: int, a_day: int, first: datetime = START, change: Change = lambda _: {}
) -> list[Observed]:
    """Cases of so many days, oldest first, fewer at the end of each week."""
    found = []
    for day in (first + number * DAY for number in range(count)):
        busy = a_day if day.weekday() < 5 else a_day // 4
        times = sorted(day + random.random() * DAY for _ in range(busy))
        found += [Observed(**{**case(random, at), **change(random)}) for at in times]
    return found
