"""A pace for new cases: so many a minute, and so many open at once, whoever started them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

from activities.cases import Cases

LOOK = 0.5
"""Seconds between two looks for room."""


@dataclass
class Pace:
    """One at a time is let in, and is entered before the next one asks: so the bound holds whoever asks at once."""

    cases: Cases
    process: str
    per_minute: float
    most_open: int
    told: Callable[[Counter[str]], None] = lambda _: None
    """Told, while there is no room, how many cases stand where."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _next: float = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with self._turn:
            await asyncio.sleep(max(0.0, self._next - monotonic()))
            while (standing := await asyncio.to_thread(self.cases.under_way, self.process)).total() >= self.most_open:
                self.told(standing)
                await asyncio.sleep(LOOK)
            self.told(Counter())
            self._next = monotonic() + 60 / self.per_minute
            yield
