"""The commands of operators and approvers: look at cases, decide them."""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from schemas.approval import Reply, Verb
from schemas.tables import CaseRow
from starters import screen
from starters.decide import decide, decision, queue
from starters.launch import Refused
from starters.life import ui_link
from starters.shell import As, CaseName, Json, Shell, app, shell
from workers.temporal import connect

Draft = Annotated[
    str,
    typer.Option("--draft", help="The draft you saw (its digest or the first digits); else the one that waits now."),
]
Note = Annotated[str, typer.Option("--note", help="Why; kept with the decision.")]
Queue = Annotated[bool, typer.Option("--queue", help="Leave the decision with the case, answered or not.")]


@app.command()
def cases(
    *,
    status: Annotated[str, typer.Option(help="Only those that are started, waiting or closed.")] = "",
    summary: Annotated[
        bool, typer.Option("--summary", help="Only how many stand where, and how long they wait.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """List cases, newest first."""
    if status not in ("", "started", "waiting", "closed"):
        raise typer.BadParameter("started, waiting or closed", param_hint="--status")
    with shell() as it:
        if summary:
            screen.print_summary(it.parts.cases.summary(datetime.now(UTC)), as_json=as_json)
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


@app.command()
def inbox(
    *,
    who: As = "",
    everybody: Annotated[bool, typer.Option("--all", help="What waits for anybody.")] = False,
    as_json: Json = False,
) -> None:
    """List what waits for you, nearest deadline first; for anybody, when you do not say who you are."""
    with shell() as it:
        me = "" if everybody else who or it.settings.person
        rows = [row for row in it.parts.cases.listing("waiting") if not me or me in row.approvers]
    if as_json:
        screen.print_json([row.model_dump() for row in rows])
    elif rows:
        screen.out.print(screen.table_of_waiting(rows))
        screen.out.print(f"\n{len(rows)} waiting; 'casework show CASE' shows one, with how to decide it")
    else:
        screen.out.print(f"nothing waits for {me or 'anybody'}")


@app.command()
def show(case: CaseName, *, as_json: Json = False) -> None:
    """Show a case: what was read, from which words, what was found, and how to decide."""
    with shell() as it:
        row = it.case(case)
        view, mail = it.parts.cases.view(row), it.parts.cases.mail(row)
        link = ui_link(it.settings, row.id)
    if as_json:
        told = {"view": view.model_dump(mode="json"), "mail": mail.model_dump() if mail else None, "link": link}
        screen.print_json({**row.model_dump(), **told})
    else:
        screen.show_case(row, view, mail, link)


@app.command()
def approve(
    case: CaseName, *, who: As = "", draft: Draft = "", note: Note = "", queued: Queue = False, as_json: Json = False
) -> None:
    """Approve the draft: it is written exactly as shown."""
    _say("approve", case, who, draft, note, {}, queued=queued, as_json=as_json)


@app.command()
def reject(
    case: CaseName, *, who: As = "", draft: Draft = "", note: Note = "", queued: Queue = False, as_json: Json = False
) -> None:
    """Reject the case: nothing is written."""
    _say("reject", case, who, draft, note, {}, queued=queued, as_json=as_json)


@app.command()
def correct(  # noqa: PLR0913
    case: CaseName,
    fields: Annotated[list[str], typer.Argument(metavar="FIELD=VALUE...", help="As in: gross_amount=119.00")],
    *,
    who: As = "",
    draft: Draft = "",
    note: Note = "",
    queued: Queue = False,
    as_json: Json = False,
) -> None:
    """Correct fields: they are checked again, and the corrected draft then waits to be approved."""
    pairs = [field.partition("=") for field in fields]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise typer.BadParameter(f"{wrong[0]!r} is not FIELD=VALUE", param_hint="FIELD=VALUE")
    _say("correct", case, who, draft, note, {name: value for name, _, value in pairs}, queued=queued, as_json=as_json)


def _say(  # noqa: PLR0913
    verdict: Verb,
    case: str,
    who: str,
    draft: str,
    note: str,
    corrections: dict[str, str],
    *,
    queued: bool,
    as_json: bool,
) -> None:
    with shell() as it:
        row, me = it.case(case), it.person(who)
        said = decision(row, me, verdict, draft=_meant(row, draft), note=note, corrections=corrections)
        _confirmed(it, row, verdict)

        async def send() -> Reply:
            client = await connect(it.settings)
            return await (queue if queued else decide)(client, it.parts, row, said)

        reply = asyncio.run(send())
    if as_json:
        screen.print_json({"case": row.id, **reply.model_dump()})
    else:
        answer = "[green]accepted[/]" if reply.accepted else "[red]refused[/]"
        screen.out.print(f"{answer} {verdict} {screen.short(row.id)} {screen.plain(reply.reason)}")
        if reply.accepted and verdict == "correct":
            screen.out.print("the corrected draft is checked and waits in its turn: 'casework show' shows it")
    if not reply.accepted:
        sys.exit(1)


def _meant(row: CaseRow, draft: str) -> str | None:
    """The whole digest of the draft named; a beginning can only mean the one that waits."""
    if not draft and row.status == "started":
        raise Refused("nothing waits to be decided yet: 'casework show' tells when, or name the draft with --draft")
    if not draft or len(draft) == 64:  # noqa: PLR2004  (a sha256 in hexadecimal)
        return draft or None
    if row.draft and row.draft.startswith(draft):
        return row.draft
    raise Refused(f"that is another draft: the one to decide is {row.draft or 'not there yet'}")


def _confirmed(it: Shell, row: CaseRow, verdict: Verb) -> None:
    """At a terminal, show what is decided and ask; scripts mean what they say."""
    if verdict == "approve" and sys.stdin.isatty() and sys.stdout.isatty() and row.status == "waiting":
        screen.out.print(screen.fields_of(it.parts.cases.view(row)))
        typer.confirm(f"Approve draft {row.draft[:12] if row.draft else ''}?", abort=True)
