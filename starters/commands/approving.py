"""The commands of approvers: vote, correct, hand on, claim, comment, ask and answer."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from schemas.approval import Decision, Reply, Verb
from schemas.tables import CaseRow
from starters import screen
from starters.decide import decide, decision, queue
from starters.refused import Refused
from starters.shell import As, CaseName, Json, Shell, app, shell
from starters.signing import signed
from workers.build import Parts
from workers.temporal import connect

CaseNames = Annotated[list[str], typer.Argument(metavar="CASE...", help="Ids, or the first digits of keys.")]
Draft = Annotated[
    str,
    typer.Option("--draft", help="The draft you saw (its digest or the first digits); else the one that waits now."),
]
Note = Annotated[str, typer.Option("--note", help="Why; kept with the decision.")]
Words = Annotated[str, typer.Argument(metavar="WORDS", help="What you want to say; kept with the case.")]
Code = Annotated[str, typer.Option("--code", help="The code you were sent, when you have no key on this machine.")]
Queue = Annotated[bool, typer.Option("--queue", help="Leave it with the case, answered or not.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask: several cases at once, without a terminal.")]


@app.command()
def approve(  # noqa: PLR0913
    cases: CaseNames,
    *,
    who: As = "",
    draft: Draft = "",
    note: Note = "",
    code: Code = "",
    queued: Queue = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Approve drafts: each is written exactly as shown, once everybody who must agree has."""
    said = {"note": note, "code": code}
    _say("approve", cases, who, said, draft=draft, queued=queued, yes=yes, as_json=as_json)


@app.command()
def reject(  # noqa: PLR0913
    cases: CaseNames,
    *,
    who: As = "",
    draft: Draft = "",
    note: Note = "",
    code: Code = "",
    queued: Queue = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Reject cases: nothing is written."""
    _say("reject", cases, who, {"note": note, "code": code}, draft=draft, queued=queued, yes=yes, as_json=as_json)


@app.command()
def correct(  # noqa: PLR0913
    case: CaseName,
    fields: Annotated[list[str], typer.Argument(metavar="FIELD=VALUE...", help="As in: gross_amount=119.00")],
    *,
    who: As = "",
    draft: Draft = "",
    note: Note = "",
    code: Code = "",
    queued: Queue = False,
    as_json: Json = False,
) -> None:
    """Correct fields: they are checked again, and the corrected draft then waits to be approved."""
    pairs = [field.partition("=") for field in fields]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise typer.BadParameter(f"{wrong[0]!r} is not FIELD=VALUE", param_hint="FIELD=VALUE")
    said = {"corrections": {name: value for name, _, value in pairs}, "note": note, "code": code}
    _say("correct", [case], who, said, draft=draft, queued=queued, as_json=as_json)


@app.command()
def delegate(  # noqa: PLR0913
    case: CaseName,
    to: Annotated[str, typer.Argument(metavar="TO", help="Who decides instead.")],
    *,
    seat: Annotated[str, typer.Option("--seat", help="Whose seat, when you own the process; else your own.")] = "",
    who: As = "",
    note: Note = "",
    code: Code = "",
    as_json: Json = False,
) -> None:
    """Hand your seat to somebody else; the owner of the process hands on anybody's."""
    _say("delegate", [case], who, {"to": to, "seat": seat, "note": note, "code": code}, as_json=as_json)


@app.command()
def claim(case: CaseName, *, who: As = "", code: Code = "", as_json: Json = False) -> None:
    """Claim a case that any one of you decides: the others wait until you release it."""
    _say("claim", [case], who, {"code": code}, as_json=as_json)


@app.command()
def release(case: CaseName, *, who: As = "", code: Code = "", as_json: Json = False) -> None:
    """Release a case that you have claimed; the owner of the process releases anybody's."""
    _say("release", [case], who, {"code": code}, as_json=as_json)


@app.command()
def comment(case: CaseName, words: Words, *, who: As = "", code: Code = "", as_json: Json = False) -> None:
    """Say something about a case to whoever looks at it."""
    _say("comment", [case], who, {"note": words, "code": code}, as_json=as_json)


@app.command()
def ask(case: CaseName, words: Words, *, who: As = "", code: Code = "", as_json: Json = False) -> None:
    """Ask whoever submitted the case; the clock stands still until the answer."""
    _say("ask", [case], who, {"note": words, "code": code}, as_json=as_json)


@app.command()
def answer(case: CaseName, words: Words, *, who: As = "", code: Code = "", as_json: Json = False) -> None:
    """Answer what you were asked about a case that you submitted."""
    _say("answer", [case], who, {"note": words, "code": code}, as_json=as_json)


def _say(  # noqa: PLR0913
    verdict: Verb,
    cases: Sequence[str],
    who: str,
    said: Mapping[str, object],
    *,
    draft: str = "",
    queued: bool = False,
    yes: bool = False,
    as_json: bool = False,
) -> None:
    """Say the same to each case, and fail unless all of them take it."""
    with shell() as it:
        rows, me = [it.case(case) for case in dict.fromkeys(cases)], it.person(who)
        if draft and len(rows) > 1:
            raise Refused("--draft names the draft of one case: say it to each by itself")
        meant = [signed(it.settings, row, decision(row, me, verdict, draft=_meant(row, draft), **said)) for row in rows]
        _confirmed(it, rows, verdict, yes=yes)
        replies = asyncio.run(_sent(it, rows, meant, queued=queued))
    if as_json:
        told = [{"case": row.id, **reply.model_dump()} for row, reply in zip(rows, replies, strict=True)]
        screen.print_json(told if len(told) > 1 else told[0])
    for row, reply in zip(rows, replies, strict=True) if not as_json else ():
        _print_reply(row, verdict, reply)
    if not all(reply.accepted for reply in replies):
        sys.exit(1)


async def _sent(it: Shell[Parts], rows: Sequence[CaseRow], meant: Sequence[Decision], *, queued: bool) -> list[Reply]:
    client = await connect(it.settings)
    send = queue if queued else decide
    return [await send(client, it.parts, row, said) for row, said in zip(rows, meant, strict=True)]


def _print_reply(row: CaseRow, verdict: Verb, reply: Reply) -> None:
    told = "[green]accepted[/]" if reply.accepted else "[red]refused[/]"
    screen.out.print(f"{told} {verdict} {screen.short(row.id)} {screen.plain(reply.reason)}")
    if reply.accepted and verdict == "correct":
        screen.out.print("the corrected draft is checked and waits in its turn: 'casework show' shows it")


def _meant(row: CaseRow, draft: str) -> str | None:
    """The whole digest of the draft named; a beginning can only mean the one that waits."""
    if not draft and row.status == "started":
        raise Refused("nothing waits to be decided yet: 'casework show' tells when, or name the draft with --draft")
    if not draft and row.status == "writing":
        raise Refused("it has been decided, and is being written to the CRM: nothing waits to be decided")
    if not draft or len(draft) == 64:  # noqa: PLR2004  (a sha256 in hexadecimal)
        return draft or None
    if row.draft and row.draft.startswith(draft):
        return row.draft
    raise Refused(f"that is another draft: the one to decide is {row.draft or 'not there yet'}")


def _confirmed(it: Shell[Parts], rows: Sequence[CaseRow], verdict: Verb, *, yes: bool) -> None:
    """At a terminal, show what is decided and ask. A script means what it says about one case, and says so of more."""
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if yes or (len(rows) == 1 and (verdict != "approve" or not terminal or rows[0].status != "waiting")):
        return
    if not terminal:
        raise Refused(f"{verdict} {len(rows)} cases at once: add --yes, or do it at a terminal, where each is shown")
    for row in rows:
        screen.out.print(
            f"\n[bold]{screen.plain(row.source_name)}[/]  {screen.short(row.id)}  draft {row.draft or '-'}"
        )
        screen.out.print(screen.fields_of(it.parts.cases.view(row)))
    typer.confirm(f"{verdict.capitalize()} {'these' if len(rows) > 1 else 'this draft'}?", abort=True)
