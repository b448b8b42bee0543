"""What a cancellation must not interrupt: a write under way is finished, and told of, first."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def unbroken(step: Awaitable[T]) -> T:
    """The step's result; a cancellation that comes meanwhile comes too late."""
    task = asyncio.ensure_future(step)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    return task.result()
