"""`casework status`: where all cases stand on one screen, what is wrong, and what to do about it."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Annotated, NamedTuple

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text
from sqlalchemy.exc import DBAPIError
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError

from activities.brakes import Brakes
from activities.crms.port import CrmError, CrmPort
from activities.endpoints.ledger import Ledger
from activities.learning.calibration import braked, named
from activities.overview import Overview, ProcessOverview
from schemas.budget import Budget, Spent
from schemas.message import Message
from schemas.policy import STAGES, Policy
from schemas.routing import Brake
from starters import screen
from starters.processes import PROCESSES
from starters.refused import Refused
from starters.shell import Json, app
from starters.stalled import Stall, stalls
from workers.crm import crm_of
from workers.database import NoDatabase
from workers.models import models
from workers.records import Records, opened
from workers.settings import Settings
from workers.temporal import connect
from workers.troubles import NoServer
from workflows.card import visible

EVERY = 2
"""Seconds between two looks."""
PATIENCE = 1.5
"""Seconds for whatever is asked beside the database."""
SLOW = timedelta(minutes=5)
"""A case that neither waits for people nor has moved on by then is worth a look."""
GRACE = timedelta(seconds=30)
"""A case entered less than that ago is not yet asked why it does not move."""
MOST = 20
"""Cases that are asked that, of each kind."""
DAY = timedelta(days=1)
REVIEWED = timedelta(days=8)
"""A week that is not reviewed by then is not going to be."""


class Trouble(NamedTuple):
    what: str
    do: str


class Standing(Message):
    """One process on the screen."""

    now: ProcessOverview
    week: ProcessOverview
    """Ended ones of seven days."""
    stage: str


class Look(NamedTuple):
    at: datetime
    processes: dict[str, Standing]
    troubles: list[Trouble]


@app.command()
def status(
    *,
    once: Annotated[bool, typer.Option("--once", help="Print it once; so it is too without a terminal.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Once, with exit status 1 when something is wrong.")] = False,
    as_json: Json = False,
) -> None:
    """Show where all cases stand, what is wrong and what to do, until Ctrl-C; ended ones are of a day."""
    settings = Settings.from_env()
    if sys.stdout.isatty() and not (once or check or as_json):
        with suppress(KeyboardInterrupt), Live(shown(looked(settings)), console=screen.out, screen=True) as live:
            while True:
                time.sleep(EVERY)
                live.update(shown(looked(settings)))
        return
    look = looked(settings)
    if as_json:
        screen.print_json(
            {
                "at": look.at,
                "processes": {name: one.model_dump() for name, one in look.processes.items()},
                "troubles": [trouble._asdict() for trouble in look.troubles],
            }
        )
    else:
        screen.out.print(shown(look))
    if check and look.troubles:
        sys.exit(1)


def looked(settings: Settings) -> Look:
    """Each look opens all anew: what was away at the last one may be there at this one."""
    now = datetime.now(UTC)
    try:
        with opened(settings) as records, crm_of(settings, records.engine) as port:
            overview, ledger = Overview(records.engine), Ledger(records.engine)
            standings, held = _standings(settings, records, overview, now), [*_held(settings, records, ledger)]
            stuck = overview.under_way(now - GRACE, MOST)
            services = [*_services(settings, port, stuck)]
            behind = [*_behind(standings, overview.unsent(now - DAY), now), *_unreviewed(overview, now)]
    except (NoDatabase, DBAPIError) as error:
        why = str(error.orig) if isinstance(error, DBAPIError) else str(error)
        away = Trouble(f"no case can be entered, read or decided: {why}", "look at CASEWORK_DATABASE_URL")
        return Look(now, {}, [away])  # the keys with which Temporal is asked are there too
    return Look(now, standings, [*services, *held, *behind])


def _standings(settings: Settings, records: Records, overview: Overview, now: datetime) -> dict[str, Standing]:
    today, week = overview.of_all(now - DAY, now), overview.of_all(now - 7 * DAY, now)
    return {
        name: Standing(now=one, week=week[name], stage=_stage(settings, records, name)) for name, one in today.items()
    }


def _stage(settings: Settings, records: Records, name: str) -> str:
    """What is in force: the charter's, unless the brake or its calibration says less."""
    try:
        policy: Policy = PROCESSES[name].load_charter(settings).policy
    except (KeyError, Refused):
        return "?"
    brake = braked(Brakes(records.engine).get(name), policy, named(records.blobs, policy.calibration))
    return min(policy.stage, brake.stage_cap, key=STAGES.index)


def _services(settings: Settings, port: CrmPort, cases: Sequence[str]) -> Iterator[Trouble]:
    """Whether all that a case needs answers; both are asked at once."""
    crm = within(PATIENCE, lambda: _crm(port))
    yield from _temporal(settings, cases)
    if why := crm():
        yield Trouble(f"{why}: cases wait for the CRM, and nothing is lost", "casework crm check")


def _temporal(settings: Settings, cases: Sequence[str]) -> Iterator[Trouble]:
    try:
        pollers, stalled = asyncio.run(asyncio.wait_for(_asked(settings, cases), PATIENCE))
    except (NoServer, TimeoutError):
        yield Trouble("no Temporal server answers: nothing moves, and nothing is lost", "casework up")
        return
    except RPCError as error:
        status = error.status.name.lower().replace("_", " ")
        yield Trouble(f"the Temporal server answers '{status}': nothing moves", "look at TEMPORAL_NAMESPACE")
        return
    if not pollers:
        yield Trouble(f"no worker asks for work on the queue {settings.task_queue}", "casework worker")
    for stall, count in stalled.most_common():
        yield Trouble(f"{count} of the {len(cases)} oldest cases wait: {stall.why}", help_for(stall))


async def _asked(settings: Settings, cases: Sequence[str]) -> tuple[int, Counter[Stall]]:
    client = await connect(settings)
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=settings.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    found, stalled = await asyncio.gather(client.workflow_service.describe_task_queue(asked), stalls(client, cases))
    recent = datetime.now(UTC) - timedelta(minutes=2)
    return sum(poller.last_access_time.ToDatetime(UTC) > recent for poller in found.pollers), stalled


HELP = {
    "crm": "casework crm check",
    "model": "casework models status",
    "provider": "casework models status",
    "case": "run the same 'casework start' or 'casework backfill' again",
    "": "casework replay CASE names where its history and today's code part",
}


def help_for(stall: Stall) -> str:
    return HELP.get(stall.kind.partition(".")[0], "casework cases --status started, and the Temporal UI")


def _crm(port: CrmPort) -> str:
    try:
        described = port.describe()
    except CrmError as error:
        return f"the CRM: {error}"
    return f"the CRM does not fit: {'; '.join(described.faults)}" if described.faults else ""


def within(seconds: float, ask: Callable[[], str]) -> Callable[[], str]:
    """Begin to ask; what is given says the answer, or that there is none in time. Then nobody waits for it any more."""
    said: list[str] = []
    asking, until = Thread(target=lambda: said.append(ask()), daemon=True), time.monotonic() + seconds
    asking.start()

    def answer() -> str:
        asking.join(max(0.0, until - time.monotonic()))
        return said[0] if said else f"the CRM does not answer within {seconds:g} s"

    return answer


def _held(settings: Settings, records: Records, ledger: Ledger) -> Iterator[Trouble]:
    """What is held back on purpose, by people or by itself."""
    for endpoint in ledger.standing([one.name for one in models(settings)]):
        if endpoint.state != "closed":
            yield Trouble(f"endpoint {endpoint.name} is {endpoint.state}: {endpoint.why}", "casework models status")
    for name, process in PROCESSES.items():
        if (brake := Brakes(records.engine).get(name)) != Brake():
            yield Trouble(f"the brake of {name} is on ({brake.stage_cap}): {brake.reason}", f"casework stage {name}")
        try:
            budget: Budget = process.load_charter(settings).policy.budget
        except Refused as error:
            yield Trouble(str(error), f"mend it: until then no case of {name} is started")
            continue
        _, day = ledger.spent(f"{name}/")
        if said := budget.objection(Spent(), day) or budget.warning(Spent(), day):
            yield Trouble(f"{name}: {said}; beyond it people decide", "budget.day in its charter, or wait for 0:00 UTC")


def _behind(standings: dict[str, Standing], unsent: int, now: datetime) -> Iterator[Trouble]:
    for name, one in ((name, standing.now) for name, standing in standings.items()):
        if one.overdue:
            yield Trouble(f"{one.overdue} cases of {name} wait past their deadline", "casework inbox")
        if one.under_way_since and one.under_way_since < now - SLOW:
            since = screen.ago(one.under_way_since)
            yield Trouble(
                f"{one.under_way} cases of {name} are under way, the oldest entered {since}",
                "casework cases --status started",
            )
        if failed := one.ended.get("failed"):
            yield Trouble(f"{failed} cases of {name} failed within a day", "casework cases --status failed")
    if unsent:
        yield Trouble(f"notices of {unsent} cases were refused within a day", "look at CASEWORK_NOTICES")


def _unreviewed(overview: Overview, now: datetime) -> Iterator[Trouble]:
    for name, at in overview.reviewed(PROCESSES).items():
        if at < now - REVIEWED:
            why = f"the last review of a week of {name} is of {at:%Y-%m-%d}: is its schedule there, and does it fail?"
            yield Trouble(why, f"casework report {name} --every P7D")


def shown(look: Look) -> Group:
    columns = (
        "process",
        "stage",
        "under way",
        "at CRM",
        "waiting",
        "oldest",
        "next due",
        "ended",
        "straight",
        "7 days",
    )
    table = screen.listing(*columns, wide="ended")
    for name, standing in look.processes.items():
        one = standing.now
        ended = ", ".join(f"{count} {outcome}" for outcome, count in sorted(one.ended.items()))
        times = (screen.ago(at) if at else "" for at in (one.waiting_since, one.next_due))
        counts = (str(count) for count in (one.under_way, one.at_crm, one.waiting))
        table.add_row(name, standing.stage, *counts, *times, ended, straight(one), straight(standing.week))
    return Group(
        Text(f"casework  {look.at:%Y-%m-%d %H:%M:%S} UTC", style="bold"),
        table if look.processes else Text("no cases yet: 'casework start PROCESS FOLDER' starts some"),
        Text(""),
        *_told(look.troubles),
    )


def straight(one: ProcessOverview) -> str:
    """The share of those that ended about which nobody was asked and that were applied, as the weekly review has it."""
    ended = sum(one.ended.values())
    return f"{one.straight_through / ended:.0%}" if ended else ""


def _told(troubles: Sequence[Trouble]) -> Iterator[Text]:
    if not troubles:
        yield Text("nothing is wrong", style="green")
    for trouble in troubles:
        yield Text.assemble((visible(trouble.what, 300), "red"), f"\n    {trouble.do}")
