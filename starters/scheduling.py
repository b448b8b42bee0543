"""What runs on a schedule of the Temporal server: set, set anew, or ended."""

from datetime import timedelta
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleSpec,
)
from temporalio.service import RPCError, RPCStatusCode

from schemas.message import Message

MONDAY = timedelta(days=4, hours=6)
"""From the first instant of 1970, a Thursday: what runs every seven days runs on Mondays at 06:00 UTC."""


def period(words: str) -> timedelta:
    try:
        return TypeAdapter(timedelta).validate_python(words)
    except ValidationError:
        raise typer.BadParameter("a period like P1D or PT6H") from None


Every = Annotated[
    timedelta | None, typer.Option(parser=period, metavar="P1D", help="From now on, so often; PT0S ends that.")
]


async def scheduled(
    client: Client, workflow: str, start: Message, queue: str, every: timedelta, name: str = ""
) -> ScheduleHandle | None:
    """Run it so often under this name, in place of what was scheduled; one still at it is not overtaken by the next."""
    name = name or workflow
    try:
        await client.get_schedule_handle(name).delete()
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
    if not every:
        return None
    action = ScheduleActionStartWorkflow(workflow, start, id=name, task_queue=queue)
    interval = ScheduleIntervalSpec(every, offset=MONDAY % every)
    return await client.create_schedule(name, Schedule(action=action, spec=ScheduleSpec(intervals=[interval])))
