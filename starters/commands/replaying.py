"""`casework replay`: histories against today's code, of one case, of a file, or of every open case before a deploy."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from temporalio.client import Client, WorkflowHistory

from starters import screen
from starters.refused import Refused
from starters.shell import Json, app, looking
from workers.codec import codec_of
from workers.open_cases import open_cases
from workers.replay import Replayed
from workers.replay import replay as run_again
from workers.settings import Settings
from workers.temporal import connect


@app.command()
def replay(
    histories: Annotated[
        list[str] | None, typer.Argument(metavar="CASE|FILE...", help="Open or ended cases, or history files.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--open", help="Every open case: before a deploy, with its code.")] = False,
    as_json: Json = False,
) -> None:
    """Run histories against today's code; where they part, name the event and the line."""
    if every == bool(histories):
        raise typer.BadParameter("name cases or files, or say --open")
    settings = Settings.from_env()
    results = asyncio.run(_open(settings) if every else _named(settings, histories or []))
    failed = [result for result in results if result.failed]
    if as_json:
        screen.print_json([result.model_dump() for result in results])
    else:
        _print(failed if every else results)
        if every:
            screen.out.print(f"{len(results) - len(failed)} of {len(results)} open cases replay")
    if failed:
        sys.exit(1)


def _print(results: list[Replayed]) -> None:
    for result in results:
        name = screen.plain(result.history)
        if not result.failed:
            screen.out.print(f"[green]replays[/]  {name} ({result.events} events)")
            continue
        screen.out.print(f"[red]diverges[/] {name}: {screen.plain(result.problem, 500)}")
        if result.event:
            screen.out.print(f"         history: {result.event}\n         code:    {result.line}")


async def _open(settings: Settings) -> list[Replayed]:
    client = await connect(settings)
    ids = [case async for case in open_cases(client)]
    with Progress(console=screen.err, transient=True) as progress:
        return [
            await run_again(await _history(client, case), client.data_converter.payload_codec)
            for case in progress.track(ids, description="replaying")
        ]


async def _named(settings: Settings, names: list[str]) -> list[Replayed]:
    codec = codec_of(settings) if settings.codec_keys else None
    return [await run_again(history, codec) async for history in _histories(settings, names)]


async def _histories(settings: Settings, names: list[str]) -> AsyncIterator[WorkflowHistory]:
    client = None
    for name in names:
        path = Path(name)
        if path.is_file():
            yield _recorded(path)
            continue
        with looking() as it:
            row = it.case(name)
            if it.parts.audit.erased(row.id):
                raise Refused(f"{row.id} was erased: nobody can read its history")
        client = client or await connect(settings)
        yield await _history(client, row.id)


async def _history(client: Client, case: str) -> WorkflowHistory:
    return await client.get_workflow_handle(case).fetch_history()


def _recorded(path: Path) -> WorkflowHistory:
    try:
        return WorkflowHistory.from_json(path.stem, path.read_text())
    except (ValueError, KeyError) as error:
        raise Refused(
            f"{path} is not a history in JSON ({type(error).__name__}): 'temporal workflow show -o json' writes one"
        ) from None
