"""What a cancellation must not interrupt: a write under way is finished, and told of, first."""

import asyncio
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def unbroken(step: asyncio.Task[T]) -> T:
    """The result of a step that was started; a cancellation that comes meanwhile comes too late."""
    while not step.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(step)
    return step.result()


async def finished(step: asyncio.Task[T]) -> T:
    """The result of a step that was started; a cancellation that comes meanwhile waits until it is done."""
    try:
        return await asyncio.shield(step)
    except asyncio.CancelledError:
        await unbroken(step)
        raise
