"""`casework report`: a process's week against its charter, now or on a schedule that tells the owner."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from activities.observing import Observing
from activities.pages import Section
from activities.pages import html as as_html
from activities.reviewing import Reviewing, report
from schemas.charter import Charter
from schemas.review import Review, begin
from starters import screen
from starters.processes import PROCESSES, process_named
from starters.scheduling import Every, scheduled
from starters.shell import Json, app, looking
from workers.settings import Settings
from workers.temporal import connect
from workflows.weekly_review import NAME


@app.command("report")
def report_week(
    process: Annotated[str, typer.Argument(help=f"{' or '.join(PROCESSES)}; all without one.")] = "",
    *,
    week: Annotated[str, typer.Option("--week", metavar="2026-W47", help="Else the last that is over.")] = "",
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write it as one file, with plots.")
    ] = None,
    every: Every = None,
    as_json: Json = False,
) -> None:
    """Tell a week's figures against targets, baselines and the weeks before; on a schedule: --every P7D, Mondays."""
    chosen = [process_named(process)] if process else list(PROCESSES.values())
    if html and len(chosen) > 1:
        raise typer.BadParameter("one process a file: name it", param_hint="PROCESS")
    if week and every is not None:
        raise typer.BadParameter("a schedule tells of each week as it ends: leave --week out", param_hint="--week")
    with looking() as it:
        charters = [one.load_charter(it.settings) for one in chosen]
        reviews = [_review(one, week) for one in charters]
        if every is not None:
            asyncio.run(_schedule(it.settings, reviews, every))
            return
        reviewing = Reviewing(Observing(it.parts.cases, it.parts.audit), it.settings.home / "reports")
        found = [(review, reviewing.of(review, datetime.now(UTC))) for review in reviews]
    if as_json:
        screen.print_json([reviewed.model_dump(mode="json") for _, reviewed in found])
    for review, reviewed in () if as_json else found:
        title, sections = report(review, reviewed)
        if html:
            html.write_text(as_html(title, sections))
            screen.out.print(f"written to {html}")
        else:
            _print(title, sections)


def _print(title: str, sections: Sequence[Section]) -> None:
    screen.out.print(f"[bold]{screen.plain(title)}[/]")
    for section in (section for section in sections if section.rows or section.text):
        screen.out.print(f"\n{section.title}" + (f": {screen.plain(section.text, 500)}" if section.text else ""))
        if not section.columns:
            screen.bullets("", (row[0] for row in section.rows))
        elif section.rows:
            table = screen.listing(*section.columns, wide=section.columns[-1])
            for row in section.rows:
                table.add_row(*map(screen.plain, row))
            screen.out.print(table)


def _review(charter: Charter[Any], week: str) -> Review:
    try:
        review = Review(process=charter.process, owner=charter.owner, metrics=charter.metrics, week=week or None)
        if week:
            begin(week)
    except ValueError:
        raise typer.BadParameter("a week of its year, like 2026-W47", param_hint="--week") from None
    return review


async def _schedule(settings: Settings, reviews: Sequence[Review], every: timedelta) -> None:
    client = await connect(settings)
    for one in reviews:
        await scheduled(client, NAME, one, settings.task_queue, every, f"{NAME}/{one.process}")
        told = f"is reviewed every {screen.span(every)}, and {one.owner} told" if every else "is not reviewed any more"
        screen.out.print(f"{one.process} {told}")
