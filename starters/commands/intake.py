"""`casework intake`: takes documents in from where they arrive, until Ctrl-C. Run one beside the workers."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from http.server import ThreadingHTTPServer

from sqlalchemy.exc import DBAPIError
from temporalio.service import RPCError

from starters import screen
from starters.launch import Launcher, Started
from starters.life import stopped
from starters.mail import MAX_BYTES as MAX_MAIL
from starters.pace import Pace
from starters.processes import process_named
from starters.shell import Shell, app, shell
from starters.sources.folder import Folder
from starters.sources.http import Busy, Door, serving
from starters.sources.mailbox import Mailbox, NotLetIn
from starters.sources.port import Source
from workers.build import Parts
from workers.settings import BadSettings, Settings
from workers.sources import AnySource, FolderSettings, HttpSettings, MailboxSettings, sources
from workers.temporal import connect

UNLIMITED = 1e9
"""Cases a minute: sources are held back by what is open, not by a rate."""
TROUBLES = (OSError, RPCError, DBAPIError, TimeoutError)
ANSWER = 60
"""Seconds until who sends by HTTP is told to try again."""


@app.command()
def intake() -> None:
    """Take documents in from the folders, mailboxes and HTTP doors of CASEWORK_SOURCES, until Ctrl-C.

    What arrives stays where it is until its cases are entered; a source that is out of order is tried again.
    """
    with shell() as it:
        asyncio.run(_all(it, sources(it.settings)))


async def _all(it: Shell[Parts], known: Sequence[AnySource]) -> None:
    client, loop = await connect(it.settings), asyncio.get_running_loop()
    launchers = [Launcher(client, it.parts, _settings(it, one), process_named(one.process)) for one in known]
    async with stopped() as stop:
        pumps = [
            asyncio.create_task(_pump(one, source, launcher, stop))
            for one, launcher in zip(known, launchers, strict=True)
            if (source := _source(one, launcher))
        ]
        doors = [
            (one, _door(one, launcher, loop))
            for one, launcher in zip(known, launchers, strict=True)
            if isinstance(one, HttpSettings)
        ]
        servers = _served(doors)
        screen.out.print(f"taking in from {', '.join(one.name for one in known)}; Ctrl-C stops")
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([stopping, *pumps], return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        for server in servers:
            await asyncio.to_thread(server.shutdown)
        await asyncio.gather(*pumps)


def _settings(it: Shell[Parts], one: AnySource) -> Settings:
    """Who submitted a case is the person of the settings, or else the source."""
    return it.settings.model_copy(update={"person": it.settings.person or one.name})


def _most(launcher: Launcher) -> int:
    """A mail may hold a document as large as the charter accepts, and more."""
    limit: int = launcher.process.load_charter(launcher.settings).policy.limits.max_bytes
    return max(MAX_MAIL, limit)


def _source(one: AnySource, launcher: Launcher) -> Source | None:
    match one:
        case FolderSettings():
            return Folder(one.folder, _most(launcher), one.still_for)
        case MailboxSettings():
            password, boxes = one.password.get_secret_value(), (one.mailbox, one.done, one.refused)
            return Mailbox(one.host, one.port, one.user, password, one.encrypted, *boxes, _most(launcher))
    return None


async def _pump(one: AnySource, source: Source, launcher: Launcher, stop: asyncio.Event) -> None:
    """Look, take, and look again; what is out of order is told once, and tried again."""
    paced = replace(launcher, pace=Pace(launcher.parts.cases, one.process, UNLIMITED, one.max_open))
    told = ""
    while not stop.is_set():
        try:
            await _take_all(one, source, paced, stop)
            said = ""
        except NotLetIn as error:  # to try again and again would lock the account
            raise BadSettings(f"CASEWORK_SOURCES, source {one.name}: {error}") from None
        except TROUBLES as error:
            said = f"{one.name}: {error or type(error).__name__}"
        if said and said != told:
            screen.err.print(f"{screen.plain(said, 400)}; it is tried again, and nothing is lost")
        told = said
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), one.every)


async def _take_all(one: AnySource, source: Source, launcher: Launcher, stop: asyncio.Event) -> None:
    arrived = source.arrived()
    while not stop.is_set() and (it := await asyncio.to_thread(next, arrived, None)):
        started = [] if it.problem else await launcher.start_document(it.name, it.data)
        problems = [it.problem, *(f"{each.name}: {each.problem}" for each in started if each.how == "failed")]
        if why := "; ".join(filter(None, problems)):
            screen.err.print(f"{one.name}: {screen.plain(it.name)} is refused: {screen.plain(why, 400)}")
            await asyncio.to_thread(source.refused, it, why)
        else:
            await asyncio.to_thread(source.taken, it)


def _door(one: HttpSettings, launcher: Launcher, loop: asyncio.AbstractEventLoop) -> Door:
    async def take(name: str, data: bytes) -> Sequence[Started]:
        if launcher.parts.cases.under_way(one.process).total() >= one.max_open:
            raise Busy(f"{one.max_open} cases are open: send it again later")
        return await launcher.start_document(name, data)

    def taken(name: str, data: bytes) -> Sequence[Started]:
        try:
            return asyncio.run_coroutine_threadsafe(take(name, data), loop).result(ANSWER)
        except TROUBLES:
            raise Busy("it cannot be taken now: send it again later, that is harmless") from None

    return Door(one.process, one.token.get_secret_value(), _most(launcher), taken)


def _served(doors: Sequence[tuple[HttpSettings, Door]]) -> list[ThreadingHTTPServer]:
    """A server for each port: several processes may be behind one."""
    ports: dict[tuple[str, int], list[Door]] = {}
    for one, door in doors:
        ports.setdefault((one.host, one.port), []).append(door)
    try:
        return [serving(host, port, behind) for (host, port), behind in ports.items()]
    except OSError as error:
        raise BadSettings(f"CASEWORK_SOURCES: a door cannot be opened: {error.strerror}: choose another port") from None
