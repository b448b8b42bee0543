"""`casework status`: where all cases stand on one screen, what is wrong, and what to do about it."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Annotated, NamedTuple

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError

from activities.brakes import Brakes
from activities.crms.port import CrmError
from activities.overview import Overview, ProcessOverview
from schemas.routing import Brake
from starters import screen
from starters.processes import PROCESSES
from starters.shell import Json, Shell, app, shell
from workers.build import Parts
from workers.temporal import connect
from workers.troubles import NoServer

EVERY = 2
"""Seconds between two looks."""
PATIENCE = 1.5
"""Seconds for whatever is asked beside the database."""
SLOW = timedelta(minutes=5)
"""A case that neither waits for people nor has moved on by then is worth a look."""
DAY = timedelta(days=1)


class Trouble(NamedTuple):
    what: str
    do: str


class Look(NamedTuple):
    at: datetime
    processes: dict[str, ProcessOverview]
    troubles: list[Trouble]


@app.command()
def status(
    *,
    once: Annotated[bool, typer.Option("--once", help="Print it once; so it is too without a terminal.")] = False,
    as_json: Json = False,
) -> None:
    """Show where all cases stand, what is wrong and what to do, until Ctrl-C; ended ones are of a day."""
    with shell() as it:
        if as_json:
            look = looked(it)
            processes = {name: one.model_dump() for name, one in look.processes.items()}
            troubles = [trouble._asdict() for trouble in look.troubles]
            screen.print_json({"at": look.at, "processes": processes, "troubles": troubles})
        elif once or not sys.stdout.isatty():
            screen.out.print(shown(looked(it)))
        else:
            with suppress(KeyboardInterrupt), Live(shown(looked(it)), console=screen.out, screen=True) as live:
                while True:
                    time.sleep(EVERY)
                    live.update(shown(looked(it)))


def looked(it: Shell[Parts]) -> Look:
    now = datetime.now(UTC)
    processes = Overview(it.parts.engine).of_all(now - DAY, now)
    return Look(now, processes, [*_services(it), *_held(it), *_behind(processes, now)])


def _services(it: Shell[Parts]) -> Iterator[Trouble]:
    """Whether all that a case needs answers."""
    try:
        pollers = asyncio.run(asyncio.wait_for(_pollers(it), PATIENCE))
        if not pollers:
            yield Trouble(f"no worker asks for work on the queue {it.settings.task_queue}", "casework worker")
    except (NoServer, TimeoutError, RPCError):
        yield Trouble("no Temporal server answers: nothing moves, and nothing is lost", "casework up")
    if why := within(PATIENCE, lambda: _crm(it.parts)):
        yield Trouble(f"{why}: cases wait for the CRM, and nothing is lost", "casework crm check")


async def _pollers(it: Shell[Parts]) -> int:
    client = await connect(it.settings)
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=it.settings.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    found = await client.workflow_service.describe_task_queue(asked)
    recent = datetime.now(UTC) - timedelta(minutes=2)
    return sum(poller.last_access_time.ToDatetime(UTC) > recent for poller in found.pollers)


def _crm(parts: Parts) -> str:
    try:
        described = parts.crm.port.describe()
    except CrmError as error:
        return f"the CRM: {error}"
    return f"the CRM does not fit: {'; '.join(described.faults)}" if described.faults else ""


def within(seconds: float, ask: Callable[[], str]) -> str:
    """What it says, or that it says nothing in time; then nobody waits for it any more."""
    said: list[str] = []
    asking = Thread(target=lambda: said.append(ask()), daemon=True)
    asking.start()
    asking.join(seconds)
    return said[0] if said else f"the CRM does not answer within {seconds:g} s"


def _held(it: Shell[Parts]) -> Iterator[Trouble]:
    """What is held back on purpose, by people or by itself."""
    for endpoint in it.parts.ledger.standing([one.name for one in it.parts.models]):
        if endpoint.state != "closed":
            yield Trouble(f"endpoint {endpoint.name} is {endpoint.state}: {endpoint.why}", "casework models status")
    for process in PROCESSES:
        if (brake := Brakes(it.parts.engine).get(process)) != Brake():
            yield Trouble(
                f"the brake of {process} is on ({brake.stage_cap}): {brake.reason}", f"casework stage {process}"
            )


def _behind(processes: dict[str, ProcessOverview], now: datetime) -> Iterator[Trouble]:
    for name, one in processes.items():
        if one.overdue:
            yield Trouble(f"{one.overdue} cases of {name} wait past their deadline", "casework inbox")
        if one.at_crm:
            yield Trouble(
                f"{one.at_crm} cases of {name} are being written to the CRM, or wait for it", "casework crm check"
            )
        if one.under_way_since and one.under_way_since < now - SLOW:
            since = screen.ago(one.under_way_since)
            yield Trouble(
                f"{one.under_way} cases of {name} are under way, the oldest entered {since}",
                "casework cases --status started",
            )
        if failed := one.ended.get("failed"):
            yield Trouble(f"{failed} cases of {name} failed within a day", "casework cases")


def shown(look: Look) -> Group:
    table = screen.listing("process", "under way", "waiting", "oldest", "next due", "ended", "straight", wide="ended")
    for name, one in look.processes.items():
        ended = ", ".join(f"{count} {outcome}" for outcome, count in sorted(one.ended.items()))
        applied = one.ended.get("applied", 0)
        straight = f"{one.straight_through / applied:.0%}" if applied else ""
        times = (screen.ago(at) if at else "" for at in (one.waiting_since, one.next_due))
        table.add_row(name, str(one.under_way), str(one.waiting), *times, ended, straight)
    return Group(
        Text(f"casework  {look.at:%Y-%m-%d %H:%M:%S} UTC", style="bold"),
        table if look.processes else Text("no cases yet: 'casework start PROCESS FOLDER' starts some"),
        Text(""),
        *_told(look.troubles),
    )


def _told(troubles: Sequence[Trouble]) -> Iterator[Text]:
    if not troubles:
        yield Text("nothing is wrong", style="green")
    for trouble in troubles:
        yield Text.assemble((screen.plain(trouble.what, 300), "red"), f"\n    {trouble.do}")
