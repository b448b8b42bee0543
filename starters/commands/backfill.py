"""`casework backfill`: many documents in, at a pace, from where an earlier run left off."""

import asyncio
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from temporalio.service import RPCError

from starters import screen
from starters.files import files_in
from starters.launch import Launcher, Process, Started
from starters.pace import Pace
from starters.processes import PROCESSES, process_named
from starters.refused import Refused
from starters.shell import Json, Shell, app, shell
from workers.build import Parts
from workers.temporal import connect


@app.command()
def backfill(
    process: Annotated[str, typer.Argument(help=" or ".join(PROCESSES))],
    sources: Annotated[
        list[Path] | None, typer.Argument(metavar="SOURCE...", help="Files (.eml too), or folders of them.")
    ] = None,
    *,
    listed: Annotated[
        Path | None, typer.Option("--list", metavar="FILE", help="A path a line, relative to this file.")
    ] = None,
    rate: Annotated[float, typer.Option("--rate", metavar="N", min=0.1, help="New cases a minute at most.")] = 600,
    max_open: Annotated[
        int, typer.Option("--max-open", metavar="M", min=1, help="Cases of this process open at once at most.")
    ] = 200,
    as_json: Json = False,
) -> None:
    """Start many cases at a pace; stop it with Ctrl-C whenever you like, and run it again to go on.

    What has a case already costs a moment and no turn, so nothing is started twice. It waits while too many are open.
    """
    with shell() as it:
        paths = [*files_in(sources or []), *(_listed(listed) if listed else [])]
        if not paths:
            raise Refused("there is no file in what you named")
        started, trouble = asyncio.run(_backfilled(it, process_named(process), paths, rate, max_open))
        rows = {row.id: row for one in started if (row := it.parts.cases.get(one.case))}
    if as_json:
        screen.print_json(
            {
                "files": len(paths),
                "how": Counter(one.how for one in started),
                "standing": Counter(screen.standing(row) for row in rows.values()),
                "failed": [{"source": one.name, "problem": one.problem} for one in started if one.how == "failed"],
            }
        )
    else:
        screen.print_started(started, rows, most=0)
        standing = Counter(screen.standing(row) for row in rows.values())
        screen.out.print("now: " + ", ".join(f"{count} {where}" for where, count in standing.most_common()))
    if trouble:
        raise Refused(trouble)
    if any(one.how == "failed" for one in started):
        sys.exit(1)


def _listed(file: Path) -> list[Path]:
    """What is not there is told when its turn comes: it stops no other."""
    try:
        names = file.read_text().splitlines()
    except UnicodeDecodeError:
        raise Refused(f"{file} is no list of paths in UTF-8: name documents without --list") from None
    return [file.parent / name for name in names if name.strip()]


async def _backfilled(
    it: Shell[Parts], process: Process, paths: list[Path], rate: float, max_open: int
) -> tuple[list[Started], str]:
    """What became of each file, and what stopped us before the end."""
    started: list[Started] = []
    done: set[str] = set()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=screen.err, transient=True) as progress:
        task = progress.add_task("entering", total=len(paths))

        def told(standing: Counter[str]) -> None:
            """That there is no room, and who could make some."""
            full = f"{standing.total()} are open, {standing['waiting']} of them wait for people"
            progress.update(task, description=full if standing else "entering")

        pace = Pace(it.parts.cases, process.name, rate, max_open, told)
        launcher = Launcher(await connect(it.settings), it.parts, it.settings, process, pace=pace)
        try:
            async for one in launcher.start_all(paths):
                started.append(one)
                done.add(one.source)
                progress.update(task, completed=len(done))
        except asyncio.CancelledError:  # Ctrl-C: what was entered by now is told
            return started, f"stopped after {len(done)} of {len(paths)} files: the same command again goes on from here"
        except RPCError as error:
            return started, (
                f"the Temporal server went away ({error.status.name.lower()}): run the same command again when it is "
                "back, and it goes on from here"
            )
    return started, ""
