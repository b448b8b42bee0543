"""A workflow that does nothing, with as many activities as a straight-through case has."""

from datetime import timedelta

from temporalio import activity, workflow

REGULAR, LOCAL = 3, 2
"""Ingest, read and apply; check and close."""


@activity.defn
def nothing(number: int) -> int:
    return number


@workflow.defn
class Bare:
    @workflow.run
    async def run(self) -> None:
        for number in range(REGULAR):
            await workflow.execute_activity(nothing, number, start_to_close_timeout=timedelta(minutes=1))
        for number in range(LOCAL):
            await workflow.execute_local_activity(nothing, number, start_to_close_timeout=timedelta(minutes=1))
