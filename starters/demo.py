"""The demo: the main job on sample invoices, contracts and messages, from an empty machine to an applied approval."""

import asyncio
from collections import Counter
from pathlib import Path

from rich.live import Live
from temporalio.client import Client

from schemas.approval import Reply
from schemas.case import UNDER_WAY
from schemas.tables import CaseRow
from starters.commands.auditing import heads_told, print_faults, verified
from starters.decide import decide, decision
from starters.launch import Launcher, Process, Started
from starters.life import running, stopped
from starters.screen import bullets, err, out, plain, short, standing, table_of
from starters.shell import Shell
from starters.signing import signed
from workers.build import Parts

SAMPLES = Path(__file__).parent / "samples" / "invoices"
CONTRACTS = Path(__file__).parent / "samples" / "contracts"
MESSAGES = Path(__file__).parent / "samples" / "messages"
LOOK = 0.2
"""Seconds between looks at the table."""
PATIENCE = 120
"""Seconds until the demo no longer waits for the cases to settle."""


async def demonstrate(it: Shell[Parts], invoices: Process, contracts: Process, requests: Process) -> None:
    async with stopped() as stop:
        job = asyncio.ensure_future(_job(it, invoices, contracts, requests))
        halt = asyncio.ensure_future(stop.wait())
        await asyncio.wait((job, halt), return_when=asyncio.FIRST_COMPLETED)
        halt.cancel()
        if not job.done():
            job.cancel()
            await asyncio.wait((job,))
            err.print("stopped; nothing is lost: 'make demo' goes on from here")
            return
        job.result()


async def _job(it: Shell[Parts], invoices: Process, contracts: Process, requests: Process) -> None:
    out.print("starting the embedded Temporal server and a worker")
    async with running(it.settings, it.parts) as client:
        rows = await _take_in(it, client, invoices, SAMPLES)
        approved = await _approve_one(it, client, rows)
        rows += await _take_in(it, client, contracts, CONTRACTS)
        rows += await _take_in(it, client, requests, MESSAGES)
        faults = verified(it, it.parts.audit.cases(), await heads_told(client))
        out.print("\n[bold]The audit[/]")
        print_faults(it.parts.audit.cases(), faults)
    _how_to_go_on(it, [row for row in rows if row.status == "waiting" and row.id != approved])


async def _take_in(it: Shell[Parts], client: Client, process: Process, folder: Path) -> list[CaseRow]:
    """Start a case for each sample, show them move until none is on its way, and tell how they stand."""
    out.print(f"\n[bold]{process.name}[/]")
    paths = sorted(folder.iterdir())
    launcher = Launcher(client, it.parts, it.settings, process)
    started = [one async for one in launcher.start_all(paths)]
    hows = Counter(one.how for one in started)
    known, left = hows["joined"] + hows["ended"], hows["left out"]
    out.print(
        f"{len(paths)} sample files: {hows['new']} new cases, {known} joined the case they already have, "
        f"{left} part of a mail left out\n"
    )
    cases = sorted((one for one in started if one.case), key=lambda one: one.source)
    deadline = asyncio.get_running_loop().time() + PATIENCE
    with Live(console=out, auto_refresh=False) as live:
        while True:
            rows = [row for one in cases if (row := it.parts.cases.get(one.case))]
            live.update(table_of(rows), refresh=True)
            settled = all(row.status not in UNDER_WAY for row in rows)
            if settled or asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(LOOK)
    _sum_up(rows, started)
    return rows


def _sum_up(rows: list[CaseRow], started: list[Started]) -> None:
    groups = (
        ("Applied", [row for row in rows if row.outcome == "applied"]),
        ("Waiting for a person", [row for row in rows if row.status == "waiting"]),
        ("Refused", [row for row in rows if row.outcome and row.outcome != "applied"]),
        ("Still on its way", [row for row in rows if row.status in UNDER_WAY]),
    )
    for title, members in groups:
        if members:
            out.print(f"\n[bold]{title}[/] ({len(members)})")
        for row in members:
            record = f" as {row.record}" if row.record else ""
            out.print(f"  {short(row.id)}  {plain(row.source_name)}{record}")
            for reason in row.reasons:
                out.print(f"            {plain(reason, 150)}")
    bullets("\nCould not be started", [f"{one.source}: {one.problem}" for one in started if one.how == "failed"])


async def _approve_one(it: Shell[Parts], client: Client, rows: list[CaseRow]) -> str | None:
    """Approve the first case that can be, as `casework approve` does, and see it applied; give its id."""
    out.print("\n[bold]A decision[/]")
    open_ = [row for row in rows if row.status == "waiting" and not it.parts.cases.view(row).blocked]
    if not open_:
        out.print("nothing is left to approve: what still waits must be corrected or rejected")
        return None
    row = min(open_, key=lambda row: len(row.reasons))
    person = row.approvers[0]
    out.print(f"casework approve {short(row.id)} --as {person}    ({plain(row.source_name)})")
    said = signed(it.settings, row, decision(row, person, "approve", draft=None))
    reply: Reply = await decide(client, it.parts, row, said)
    if not reply.accepted:
        out.print(f"[red]refused[/]: {plain(reply.reason)}")
        return None
    await asyncio.wait_for(client.get_workflow_handle(row.id).result(), PATIENCE)
    done = it.parts.cases.get(row.id) or row
    out.print(f"[green]accepted[/]; the case is now {standing(done)} as {done.record}, decided by {done.decided_by}")
    return row.id


def _how_to_go_on(it: Shell[Parts], waiting: list[CaseRow]) -> None:
    case = waiting[0].id if waiting else ""
    steps = [
        ("up", "server, worker and Temporal UI, until Ctrl-C; then, in another terminal:"),
        ("inbox", "what waits for a person"),
        *([(f"show {short(case)}", "one case: fields, evidence, findings, how to decide")] if case else []),
        ("start invoice-intake FOLDER", "your own invoices"),
    ]
    out.print(f"\n[bold]To go on[/] (what was started here is stopped; the cases are kept in {it.settings.home})")
    for command, about in steps:
        out.print(f"  .venv/bin/casework {command:28} {about}")
    if case:
        out.print(f"and that case in the Temporal UI, while it is up:\n  {it.settings.ui_link(case)}")
