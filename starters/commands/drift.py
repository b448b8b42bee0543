"""`casework drift`: how recent cases differ from those before, now or on a schedule that pulls the brake."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from activities.brakes import Brakes
from activities.observing import Observing
from activities.watching import Watching
from schemas.drift import Watch
from starters import screen
from starters.processes import PROCESSES, process_named
from starters.scheduling import Every, scheduled
from starters.shell import Json, app, looking
from workers.settings import Settings
from workers.temporal import connect
from workflows.drift_watch import NAME


@app.command()
def drift(
    process: Annotated[str, typer.Argument(help=" or ".join(PROCESSES))],
    *,
    every: Every = None,
    as_json: Json = False,
) -> None:
    """Compare the cases of the last week with the four before; on a schedule (--every P1D), drift pulls the brake."""
    watch = Watch(process=process_named(process).name)
    with looking() as it:
        if every is not None:
            asyncio.run(_schedule(it.settings, watch, every))
            return
        records = it.parts
        watching = Watching(Observing(records.cases, records.audit), records.audit, Brakes(records.engine))
        looked = watching.look(watch, datetime.now(UTC))
    if as_json:
        screen.print_json(looked.model_dump())
        return
    table = screen.listing("signal", "recent", "before", "measure", "effect", "p", "", wide="signal")
    for one in looked.signals:
        effect, p = ("" if value is None else f"{value:.3g}" for value in (one.effect, one.p))
        told = "drifted" if one.drifted else "" if one.tested else "too few cases to tell"
        table.add_row(one.name, str(one.recent), str(one.reference), one.measure, effect, p, told)
    screen.out.print(table)
    if looked.held:
        screen.out.print(f"the drift watch holds {process}: 'casework stage {process} --release REASON' lets it go")


async def _schedule(settings: Settings, watch: Watch, every: timedelta) -> None:
    name = f"{NAME}/{watch.process}"
    await scheduled(await connect(settings), NAME, watch, settings.task_queue, every, name)
    told = f"is watched for drift every {screen.span(every)}" if every else "is not watched any more"
    screen.out.print(f"{watch.process} {told}")
