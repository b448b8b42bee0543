"""Heartbeats for every step that has a heartbeat timeout: a killed worker is noticed in seconds, not minutes."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class Heartbeats(Interceptor):
    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _Beating(next)


class _Beating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        timeout = activity.info().heartbeat_timeout
        if timeout is None:
            return await super().execute_activity(input)
        beat = asyncio.ensure_future(_beat(timeout / 3))
        try:
            return await super().execute_activity(input)
        finally:
            beat.cancel()


async def _beat(pause: timedelta) -> None:
    """A step that hangs beats too: its start-to-close timeout is what ends that."""
    while True:
        await asyncio.sleep(pause.total_seconds())
        activity.heartbeat()
