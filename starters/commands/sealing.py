"""The commands of what is sealed: erasing a case, and the codec server of the Temporal UI."""

import asyncio
from typing import Annotated

import typer

from activities.erasure import Eraser
from activities.threads import Threads
from starters import screen
from starters.life import stopped
from starters.refused import Refused
from starters.screen import out
from starters.shell import As, CaseName, Json, app, looking
from workers.codec import codec_of
from workers.codec_server import CodecServer, codec_server
from workers.settings import Settings


@app.command()
def erase(
    case: CaseName,
    *,
    why: Annotated[str, typer.Option("--why", help="The reason; it is audited.")],
    who: As = "",
    as_json: Json = False,
) -> None:
    """Forget what an ended case was about, for good; its id and outcome stay, and its audit still verifies."""
    with looking() as it:
        row, me = it.case(case), it.person(who)
        if row.status != "closed":
            raise Refused(f"{row.id} is still open: decide it first")
        later = [one.id for one in Threads(it.parts.cases, it.parts.audit).later(row.id)]
        count = Eraser(it.parts.audit, it.parts.blobs).erase(row.id, me, why)
        sealed = it.settings.codec_keys is not None
    if as_json:
        screen.print_json({"case": row.id, "blobs": count, "history_sealed": sealed, "later_in_thread": later})
        return
    out.print(
        f"{screen.short(row.id)} is erased, with {count} blobs; what stands in the CRM stays ({row.record or '-'})"
    )
    for one in later:
        out.print(f"{one} went on with it, and holds its words too: erase it as well")
    if not sealed:
        out.print(
            "its history in Temporal is not sealed: it can be read there until its retention ends, or "
            f"'temporal workflow delete --workflow-id {row.id}'"
        )


@app.command("codec-server")
def serve() -> None:
    """Open sealed payloads for the Temporal UI, for whoever has CASEWORK_CODEC_TOKEN, until Ctrl-C."""
    settings = Settings.from_env()
    with codec_server(settings, codec_of(settings)) as server:
        asyncio.run(_until_stopped(server))


async def _until_stopped(server: CodecServer) -> None:
    async with stopped() as stop:
        serving = asyncio.create_task(asyncio.to_thread(server.serve_forever))
        out.print(f"the codec server listens on http://127.0.0.1:{server.server_port}; Ctrl-C stops")
        await stop.wait()
        server.shutdown()
        await serving
