"""The `casework` command: running things, starting cases, replaying them."""

import asyncio
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from temporalio.service import RPCError

from schemas.case import UNDER_WAY
from starters import screen
from starters.commands import (
    anchoring,
    approvers,
    approving,
    auditing,
    backfill,
    calibrate,
    charter,
    crm,
    drift,
    evaluate,
    intake,
    models,
    people,
    replaying,
    report,
    sealing,
    shown,
    stage,
    status,
)
from starters.contract_approval import CONTRACT_APPROVAL
from starters.demo import demonstrate
from starters.errors import explained
from starters.files import files_in
from starters.invoice_intake import INVOICE_INTAKE
from starters.launch import Launcher, Process, Started
from starters.life import up as stay_up
from starters.life import work
from starters.processes import PROCESSES, process_named
from starters.refused import Refused
from starters.request_triage import REQUEST_TRIAGE
from starters.shell import As, CaseName, Json, Shell, app, shell
from workers.build import Parts
from workers.temporal import connect

__all__ = [
    "anchoring",
    "app",
    "approvers",
    "approving",
    "auditing",
    "backfill",
    "calibrate",
    "charter",
    "crm",
    "drift",
    "evaluate",
    "intake",
    "main",
    "models",
    "people",
    "replaying",
    "report",
    "sealing",
    "shown",
    "stage",
    "status",
]


@app.command()
def demo() -> None:
    """Run the main job on sample invoices, contracts and messages: server, worker, cases, an approval, the audit."""
    with shell() as it:
        asyncio.run(demonstrate(it, INVOICE_INTAKE, CONTRACT_APPROVAL, REQUEST_TRIAGE))


@app.command()
def up() -> None:
    """Run the embedded Temporal server and a worker, until Ctrl-C."""
    with shell() as it:
        asyncio.run(stay_up(it.settings, it.parts))


@app.command()
def worker() -> None:
    """Run a worker alone, on the server that TEMPORAL_ADDRESS names or the embedded one, until Ctrl-C."""
    with shell() as it:
        asyncio.run(work(it.settings, it.parts))


@app.command()
def start(
    process: Annotated[str, typer.Argument(help=" or ".join(PROCESSES))],
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="Files (.eml too), or folders of them.")],
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until each case has ended or waits for a person.")] = False,
    urgent: Annotated[bool, typer.Option("--urgent", help="Before other cases, wherever they queue.")] = False,
    as_json: Json = False,
) -> None:
    """Start a case for each document, those in e-mails too; the same bytes twice join the first case."""
    with shell() as it:
        paths = files_in(sources)
        if not paths:
            raise Refused("there is no file in what you named")
        started, trouble = asyncio.run(_start(it, process_named(process), paths, wait=wait, urgent=urgent))
        rows = {row.id: row for one in started if (row := it.parts.cases.get(one.case))}
    if as_json:
        told = (
            {**vars(one), "standing": screen.standing(rows[one.case]) if one.case in rows else None} for one in started
        )
        screen.print_json(list(told))
    else:
        screen.print_started(started, rows)
    if trouble:
        raise Refused(trouble)
    if any(one.how == "failed" for one in started):
        sys.exit(1)


async def _start(
    it: Shell[Parts], process: Process, paths: list[Path], *, wait: bool, urgent: bool
) -> tuple[list[Started], str]:
    """What was started, and what stopped us before the end."""
    started: list[Started] = []
    done: set[str] = set()
    launcher = Launcher(await connect(it.settings), it.parts, it.settings, process, urgent=urgent)
    with Progress(console=screen.err, transient=True) as progress:
        task = progress.add_task("starting", total=len(paths))
        try:
            async for one in launcher.start_all(paths):
                started.append(one)
                done.add(one.source)
                progress.update(task, completed=len(done))
        except RPCError as error:
            return started, (
                f"the Temporal server went away ({error.status.name.lower()}) when {len(done)} of {len(paths)} files "
                "were started: their cases are kept. Run the same command again when it is back: nothing is started "
                "twice"
            )
        if wait:
            cases = {one.case for one in started if one.case}
            waiting = progress.add_task("under way", total=len(cases))
            await settled(it.parts, cases, lambda done: progress.update(waiting, completed=done))
    return started, ""


async def settled(parts: Parts, cases: Collection[str], moved: Callable[[int], None] = lambda _: None) -> None:
    """Return when none of these is on its way; the table of cases tells, so this costs the server nothing."""
    quiet, before = 0, -1
    while under_way := [case for case in cases if (row := parts.cases.get(case)) and row.status in UNDER_WAY]:
        quiet = quiet + 1 if len(under_way) == before else 0
        before = len(under_way)
        moved(len(cases) - before)
        if quiet == QUIET:
            screen.err.print("nothing has moved for a while: is a worker running ('casework up' or 'casework worker')?")
        await asyncio.sleep(POLL)


POLL, QUIET = 0.25, 160
"""Seconds between looks, and looks without a change until we wonder aloud."""


@app.command()
def rerun(
    case: CaseName,
    *,
    why: Annotated[str, typer.Option("--why", help="The reason; it is audited.")],
    who: As = "",
    as_json: Json = False,
) -> None:
    """Run an ended case again, on the same bytes, under today's charter."""
    with shell() as it:
        row, me = it.case(case), it.person(who)
        if (process := PROCESSES.get(row.process)) is None:
            raise Refused(f"{row.id} was opened by a weekly review: the next review opens one if it is still needed")

        async def again() -> None:
            await Launcher(await connect(it.settings), it.parts, it.settings, process).rerun(row, me, why)

        asyncio.run(again())
    if as_json:
        screen.print_json({"case": row.id, "run": row.runs + 1})
    else:
        screen.out.print(f"{screen.short(row.id)} runs again, run {row.runs + 1}")


def main() -> None:
    with explained():
        app()
