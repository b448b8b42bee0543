"""The commands that look at cases: all of them, those that wait for somebody, one."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, get_args

import typer

from schemas.case import OutcomeStatus
from starters import screen
from starters.errors import explained
from starters.shell import As, CaseName, Json, Shell, app, looking
from workers.records import Records

STANDINGS = ("started", "waiting", "writing", "closed", *get_args(OutcomeStatus))


@app.command()
def cases(
    *,
    status: Annotated[str, typer.Option(help=f"Only those that are {', '.join(STANDINGS)}.")] = "",
    summary: Annotated[
        bool, typer.Option("--summary", help="Only how many stand where, and how long they wait.")
    ] = False,
    labelled: Annotated[
        Path | None,
        typer.Option("--labelled", metavar="OUT.jsonl", help="Write what people approved as a labelled file."),
    ] = None,
    edge: Annotated[
        bool, typer.Option("--edge", help="Only ended cases that teach most, with why; --labelled writes just these.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List cases, newest first; those that are started, waiting or writing the longest first."""
    if status not in ("", *STANDINGS):
        raise typer.BadParameter(f"one of {', '.join(STANDINGS)}", param_hint="--status")
    with looking() as it:
        if summary:
            screen.print_summary(it.parts.cases.summary(datetime.now(UTC)), as_json=as_json)
            return
        if labelled:
            _write_labels(it, labelled, _edges(it) if edge else None, as_json=as_json)
            return
        if edge:
            _print_edges(_edges(it), limit, as_json=as_json)
            return
        counts = it.parts.cases.counts()
        rows = it.parts.cases.listing(status or None, limit)
    if as_json:
        screen.print_json([row.model_dump() for row in rows])
        return
    screen.out.print(
        screen.table_of(rows) if rows else "no cases yet: 'casework start invoice-intake FOLDER' starts some"
    )
    if not status and len(rows) < counts.total():
        screen.out.print(f"{len(rows)} of {counts.total()}; --limit shows more")


def _edges(it: Shell[Records]) -> dict[str, list[str]]:
    """The ended cases that are edge cases, newest first, and why."""
    from activities.learning.edges import reasons
    from activities.observing import Observing
    from starters.processes import PROCESSES

    observing = Observing(it.parts.cases, it.parts.audit)
    thresholds = {name: known.load_charter(it.settings).policy.min_confidence for name, known in PROCESSES.items()}
    rows = [row for row in it.parts.cases.listing("closed") if row.process in thresholds]
    found = {row.id: list(reasons(observing.one(row), thresholds[row.process])) for row in rows}
    return {case: why for case, why in found.items() if why}


def _print_edges(found: Mapping[str, Sequence[str]], limit: int, *, as_json: bool) -> None:
    if as_json:
        screen.print_json([{"case": case, "reasons": why} for case, why in found.items()])
        return
    table = screen.listing("case", "process", "why", wide="why")
    for case, why in list(found.items())[:limit]:
        table.add_row(screen.short(case), case.partition("/")[0], "; ".join(why))
    screen.out.print(table if found else "no edge case among those that ended")


def _write_labels(it: Shell[Records], file: Path, only: Collection[str] | None, *, as_json: bool) -> None:
    """Of invoices alone: no other process is evaluated on labels of fields as yet."""
    # Loaded here: those who only look are spared it.
    from starters.labels import write_labels
    from starters.processes import process_named
    from workflows.invoice_intake import NAME

    policy = process_named(NAME).load_charter(it.settings).policy
    count = write_labels(it, NAME, policy, file, only)
    if as_json:
        screen.print_json({"labelled": count, "file": str(file) if count else None})
    elif count:
        screen.out.print(f"{count} labelled documents in {file}, which 'casework evaluate {NAME}' reads")
    else:
        screen.out.print(f"nothing was written: no case of {NAME} was approved by a person yet")


@app.command()
def inbox(
    *,
    who: As = "",
    everybody: Annotated[bool, typer.Option("--all", help="What waits for anybody.")] = False,
    as_json: Json = False,
) -> None:
    """List what waits for you, nearest deadline first; for anybody, when you do not say who you are."""
    with looking() as it:
        me = "" if everybody else who or it.settings.person
        rows = [row for row in it.parts.cases.listing("waiting") if not me or me in row.approvers]
    if as_json:
        screen.print_json([row.model_dump() for row in rows])
    elif rows:
        screen.out.print(screen.table_of_waiting(rows))
        screen.out.print(f"\n{len(rows)} waiting; 'casework show CASE' shows one, with how to decide it")
    else:
        screen.out.print(f"nothing waits for {me}; what waits for others: --all" if me else "nothing waits for anybody")


@app.command()
def show(case: CaseName, *, as_json: Json = False) -> None:
    """Show a case: what was read, from which words, what was found, and how to decide."""
    with looking() as it:
        row = it.case(case)
        view, mail = it.parts.cases.view(row), it.parts.cases.mail(row)
        remarks = it.parts.audit.remarks(row.id)
        link = it.settings.ui_link(row.id)
    if as_json:
        told = {"view": view.model_dump(mode="json"), "mail": mail.model_dump() if mail else None, "link": link}
        screen.print_json({**row.model_dump(), **told, "remarks": remarks})
    else:
        screen.show_case(row, view, mail, link, remarks)


def main() -> None:
    with explained():
        app()
