"""The commands of auditors: read a case's audit, and verify that nothing was altered."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from temporalio.client import Client

from activities.audit import OF_NO_CASE, Body
from schemas.audit import Fault, Head
from schemas.case import Outcome
from starters import screen
from starters.anchors import anchors, own_key, public_key
from starters.refused import Refused
from starters.shell import CaseName, Json, Shell, app, shell
from workers.build import Parts
from workers.temporal import connect
from workers.troubles import NoServer

audit_app = typer.Typer(no_args_is_help=True, help="Read the audit, and verify that nothing was altered.")
app.add_typer(audit_app, name="audit")

Told = dict[str, list[Head]]

DETAIL = (
    "rung",
    "model",
    "step",
    "verdict",
    "by",
    "proof",
    "kind",
    "person",
    "draft",
    "key",
    "status",
    "reply",
    "failed",
)
"""What of an entry's body fits on a line; --json shows it whole."""


@audit_app.command("show")
def show(case: CaseName, *, as_json: Json = False) -> None:
    """Show every AI act, human act and write of a case, in order."""
    with shell() as it:
        row = it.case(case)
        entries, erased = it.parts.audit.entries(row.id), it.parts.audit.erased(row.id)
        why = it.parts.audit.why_erased(row.id)
    if as_json:
        screen.print_json([{**link.model_dump(exclude={"sealed"}), "body": body} for link, body in entries])
        return
    table = screen.listing("seq", "at", "act", "what", "digest", wide="what")
    unreadable = "erased" if erased else "cannot be opened: it or its key was altered"
    for link, body in entries:
        told = unreadable if body is None else _detail(body)
        table.add_row(str(link.seq), link.at[:19], link.kind, told, link.digest[:12])
    screen.out.print(table)
    if why:
        screen.out.print(f"erased by {screen.plain(why['by'])}: {screen.plain(why['why'], 500)}")


def _detail(body: Body) -> str:
    said = body.get("decision")
    flat = {**body, **({"verdict": said.get("verdict")} if isinstance(said, dict) else {})}
    parts = []
    for name in DETAIL:
        if value := flat.get(name):
            told = value.get("reason") or "accepted" if isinstance(value, dict) else value
            parts.append(f"{name} {screen.plain(told, 60)}")
    return ", ".join(parts)


@audit_app.command("verify")
def verify(
    case: Annotated[str, typer.Argument(help="One case; else all of them.")] = "",
    *,
    against: Annotated[bool, typer.Option("--anchors", help="Against the signed anchors too.")] = False,
    key: Annotated[str, typer.Option("--key", metavar="PUB", help="Whose anchors; else those of this home.")] = "",
    as_json: Json = False,
) -> None:
    """Verify the chains, against the outcomes in Temporal too: any edited, removed or cut entry is named."""
    with shell() as it:
        names = [it.case(case).id] if case else it.parts.audit.cases()
        told = asyncio.run(_asked(it, names[0] if case else ""))
        anchored, wrong = _anchored(it, key) if against else ({}, [])
        faults = verified(it, names, told or {}, anchored if not case else {names[0]: anchored.get(names[0], [])})
        faults += [Fault(case="anchors", seq=0, problem=problem) for problem in wrong]
    if as_json:
        screen.print_json(
            {
                "cases": cases_of(names),
                "against_temporal": told is not None,
                "faults": [fault.model_dump() for fault in faults],
            }
        )
    else:
        print_faults(names, faults)
        if told is None:
            screen.out.print("no Temporal server answered: outcomes in histories were not compared")
    if faults:
        sys.exit(1)


def _anchored(it: Shell[Parts], key: str) -> tuple[Told, list[str]]:
    found = anchors(it.settings, it.parts.audit).heads(public_key(key) if key else own_key(it.settings))
    if not any(found):
        raise Refused(f"no anchor is kept in {it.settings.anchor_folder}: 'casework audit anchor' makes one")
    return found


def verified(it: Shell[Parts], cases: Sequence[str], told: Told, anchored: Told | None = None) -> list[Fault]:
    known, anchored = set(it.parts.audit.cases()), anchored or {}
    gone = [
        Fault(case=case, seq=1, problem=f"{where} has it, but the case is gone from every table")
        for where, heads in (("Temporal", told), ("an anchor", anchored))
        for case in sorted(set(heads) - known)
    ]
    heads = {case: [*told.get(case, []), *anchored.get(case, [])] for case in cases}
    return gone + [fault for case in cases for fault in it.parts.audit.verify(case, heads[case])]


def cases_of(chains: Sequence[str]) -> int:
    return sum(not chain.startswith(OF_NO_CASE) for chain in chains)


def print_faults(chains: Sequence[str], faults: Sequence[Fault]) -> None:
    for fault in faults:
        screen.out.print(f"[red]{fault.case}[/] entry {fault.seq} {fault.problem}")
    if not faults:
        count = cases_of(chains)
        screen.out.print(f"[green]the audit of {count} cases verifies[/]: nothing edited, removed or cut off")


async def _asked(it: Shell[Parts], only: str) -> Told | None:
    """What outcomes in Temporal tell; None when no server answers."""
    try:
        client = await connect(it.settings)
    except NoServer:
        return None
    return await heads_told(client, only)


async def heads_told(client: Client, only: str = "") -> Told:
    """The heads that outcomes carry, of all cases that Temporal still remembers or of one."""
    # Only the completed ones have an outcome; and the SDK cannot list paused ones.
    query = "ExecutionStatus = 'Completed' AND CaseworkProcess IS NOT NULL"
    told: Told = {}
    async for execution in client.list_workflows(f"{query} AND WorkflowId = '{only}'" if only else query):
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id, result_type=Outcome)
        outcome = await handle.result(follow_runs=False)
        if outcome.head:
            told.setdefault(execution.id, []).append(outcome.head)
    return told
