"""The commands that let others check the audit: signed anchors, and the bundle of a case."""

import asyncio
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.anchors import NoAnchor
from activities.bundle import check as checked
from starters import screen
from starters.anchors import NAME, anchors, public_key
from starters.commands.auditing import audit_app
from starters.life import stopped
from starters.refused import Refused
from starters.scheduling import period
from starters.shell import CaseName, Json, Shell, looking
from starters.signing import new_key, private_key, public_half
from workers.records import Records


@audit_app.command("anchor")
def anchor(
    *,
    every: Annotated[
        timedelta | None, typer.Option(parser=period, metavar="PT1H", help="Again so often, until Ctrl-C.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Sign where all chains stand, kept where CASEWORK_ANCHORS says: rewriting them is noticed from then on."""
    with looking() as it:
        key = private_key(it.settings.home, NAME) or new_key(it.settings.home, NAME)
        asyncio.run(_anchored(it, key, every, as_json=as_json))


async def _anchored(it: Shell[Records], key: Ed25519PrivateKey, every: timedelta | None, *, as_json: bool) -> None:
    async with stopped() as stop:
        while not stop.is_set():
            made = await asyncio.to_thread(anchors(it.settings, it.parts.audit).add, key)
            told = {**made.model_dump(exclude={"heads"}), "public_key": public_half(key)}
            if as_json:
                screen.print_json(told)
            else:
                screen.out.print(f"anchor {made.number}: {made.count} chains had grown; public key {public_half(key)}")
            if not every:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every.total_seconds())


@audit_app.command("export")
def export(
    case: CaseName,
    out: Annotated[Path, typer.Option("--out", metavar="BUNDLE.zip", help="Where to write it; not over a file.")],
) -> None:
    """Write a case's audit, opened, as a file that anybody can check with the installation's public key alone."""
    with looking() as it:
        row = it.case(case)
        try:
            data = anchors(it.settings, it.parts.audit).export(row.id)
        except NoAnchor as error:
            raise Refused(str(error)) from None
    try:
        with out.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise Refused(f"{out} exists: choose another name") from None
    screen.out.print(f"{screen.plain(str(out))}: the audit of {screen.short(row.id)}, in the clear")


@audit_app.command("check")
def check(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE.zip")],
    key: Annotated[str, typer.Option("--key", metavar="PUB", help="The public key in hexadecimal, or a file of it.")],
    *,
    as_json: Json = False,
) -> None:
    """Check a bundle against a public key: nothing else is needed, neither database nor network."""
    faults, held = checked(bundle, public_key(key))
    entries = len(held.get("entries", ()))
    if as_json:
        screen.print_json({"case": held.get("case"), "entries": entries, "faults": faults})
    for fault in () if as_json else faults:
        screen.out.print(f"[red]{screen.plain(bundle.name)}[/] {screen.plain(fault)}")
    if faults:
        sys.exit(1)
    if not as_json:
        to = held["anchor"]
        screen.out.print(
            f"[green]{entries} entries of {held['case']}[/]: anchored to entry {to['seq']} at {to['at'][:19]}"
        )
