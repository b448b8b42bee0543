"""What the command shows: tables, cases and errors, with nothing from a document acting on the terminal."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from activities.audit import Remark
from schemas.case import Summary, View
from schemas.mail import Mail
from schemas.scoring import Miss
from schemas.source import Thread
from schemas.tables import CaseRow
from workflows.card import visible

if TYPE_CHECKING:
    from starters.launch import Started

# A pipe or a file has no width: give it room. Long lines are the terminal's to wrap, so that they can be copied whole.
WIDTH = None if sys.stdout.isatty() else 160
out = Console(highlight=False, soft_wrap=True, width=WIDTH)
err = Console(stderr=True, highlight=False, soft_wrap=True)

HOUR = timedelta(hours=1)
MAIL_LINES = 6
"""Lines of a mail's text that are shown of a case."""

COLOURS = {
    "applied": "green",
    "waiting": "yellow",
    "started": "cyan",
    "writing": "cyan",
    "shadowed": "cyan",
    "superseded": "cyan",
    "rejected": "red",
    "unprocessable": "red",
    "expired": "red",
    "failed": "bold red",
}


def plain(text: object, longest: int = 200) -> str:
    return escape(visible(str(text), longest))


def short(case: str) -> str:
    """Enough of a case's id to type: the process stands elsewhere, eight digits of its key suffice."""
    return case.rpartition("/")[2][:8]


def standing(row: CaseRow) -> str:
    return row.outcome or row.status


def span(time: timedelta) -> str:
    """Its length in one round number: `3d`, `2h`."""
    seconds = abs(time.total_seconds())
    unit, size = next(
        ((unit, size) for unit, size in (("d", 86400), ("h", 3600), ("min", 60)) if seconds >= size), ("s", 1)
    )
    return f"{seconds / size:.0f}{unit}"


def ago(instant: datetime) -> str:
    """How far an instant lies from now: `3d ago`, `in 2h`."""
    gone = datetime.now(UTC) - instant
    return f"{span(gone)} ago" if gone >= timedelta(0) else f"in {span(gone)}"


def print_json(value: object) -> None:
    """Machine-readable, on standard output alone, instants in ISO 8601."""
    print(json.dumps(value, default=lambda it: it.isoformat(), indent=2, ensure_ascii=False))  # noqa: T201


def print_summary(told: Summary, *, as_json: bool = False) -> None:
    share, median = told.straight_through_share, told.median_wait
    if as_json:
        hours = {"longest": told.waited[0] / HOUR if told.waited else None, "median": median / HOUR if median else None}
        counted = told.model_dump(exclude={"waited"})
        print_json({**counted, "straight_through_share": share, "waiting_hours": hours})
        return
    for name, count in sorted(told.standing.items(), key=lambda item: -item[1]):
        out.print(f"{count:6}  [{COLOURS.get(name, 'white')}]{name}[/]")
    out.print(f"{told.total:6}  in all")
    for title, counts in (("intake verdicts", told.verdicts), ("read by", told.rungs)):
        if counts:
            out.print(f"{title}: {', '.join(f'{count} {name}' for name, count in sorted(counts.items()))}")
    if share is not None:
        out.print(f"straight through: {told.straight_through} of the {told.settled} that ended or wait, {share:.0%}")
    if median is not None:
        out.print(f"waiting: {span(median)} in the median, {span(told.waited[0])} at most; {told.overdue} overdue")


def listing(*columns: str, wide: str) -> Table:
    """A table whose rows stay on one line each: the wide column gives way."""
    table = Table(box=None, pad_edge=False, expand=True)
    for name in columns:
        table.add_column(name, no_wrap=True, overflow="ellipsis", ratio=1 if name == wide else None)
    return table


def table_of(rows: Sequence[CaseRow]) -> Table:
    table = listing("case", "source", "standing", "why", "since", wide="why")
    for row in rows:
        colour = COLOURS.get(standing(row), "white")
        why = row.reasons[0] if row.reasons else ""
        more = f" (+{len(row.reasons) - 1})" if len(row.reasons) > 1 else ""
        since = ago(row.ended_at or row.asked_at or row.started_at)
        name = plain(row.source_name, 32)
        table.add_row(short(row.id), name, f"[{colour}]{standing(row)}[/]", plain(why, 90) + more, since)
    return table


def table_of_waiting(rows: Sequence[CaseRow]) -> Table:
    table = listing("case", "source", "with", "due", "why", wide="why")
    for row in rows:
        late = row.due is not None and row.due < datetime.now(UTC)
        due = f"[{'red' if late else 'white'}]{ago(row.due) if row.due else ''}[/]"
        name, why = plain(row.source_name, 32), plain("; ".join(row.reasons), 110)
        people = ", ".join(row.approvers)
        table.add_row(short(row.id), name, f"{row.step}: {people}" if row.step else people, due, why)
    return table


def fields_of(view: View) -> Table:
    table = listing("field", "value", "confidence", "read from", wide="read from")
    for name, field in view.proposal.fields.items() if view.proposal else ():
        page = f" (page {field.page})" if field.page else ""
        sure = view.confidences.get(name)
        confidence = f"{field.confidence:.2f}" if sure is None else f"{sure:.2f} (read {field.confidence:.2f})"
        table.add_row(name, plain(field.value or ""), confidence, plain(field.evidence, 70) + page)
    return table


def print_mail(mail: Mail, thread: Thread | None) -> None:
    """Who sent it, and how the text begins: evidence, with nothing in it acting on the terminal."""
    out.print(f"mail   {plain(mail.subject)}\n       from {plain(mail.sender)}, {plain(mail.date)}")
    lines = [line for line in mail.text.splitlines() if visible(line)]
    for line in lines[:MAIL_LINES]:
        out.print(f"       | {plain(line, 110)}")
    if len(lines) > MAIL_LINES:
        out.print(f"       | and {len(lines) - MAIL_LINES} lines more ('--json' has them)")
    if thread:
        out.print(f"thread goes on with {thread.case}; earlier messages read with it: {len(thread.messages)}")


def print_reply(view: View) -> None:
    """What would be sent, whole: it is approved as it stands."""
    if view.reply:
        out.print(f"\nreply to {plain(view.reply.to)}: {plain(view.reply.subject)}")
        for line in view.reply.text.splitlines():
            out.print(f"  | {plain(line, len(line) + 1)}", soft_wrap=True)


def print_said(view: View, remarks: Sequence[Remark]) -> None:
    """What people changed, voted, asked and remarked, so far."""
    changes = (f"{it.by} changed {it.field} from {it.was or '-'} to {it.now or '-'}" for it in view.changes)
    bullets("\nchanged since it was read", changes)
    bullets("\nvotes", [f"{it.step or 'only step'}: {it.by} {it.verdict} {it.note}".rstrip() for it in view.votes])
    asked = (
        f"{it.by} asks: {it.note}" + (f" ({it.answered_by}: {it.answer})" if it.answered_by else "")
        for it in view.questions
    )
    bullets("\nquestions", asked)
    bullets("\nremarks", [f"{it['by']}, {it['at']}: {it['note']}" for it in remarks])


def show_case(row: CaseRow, view: View, mail: Mail | None, link: str, remarks: Sequence[Remark] = ()) -> None:
    out.print(f"[bold]{plain(row.source_name or row.id)}[/]  {standing(row)}  stage {row.stage or '-'}")
    out.print(f"case   {row.id}\nsource {row.source_size} bytes, entered {ago(row.started_at)}, run {row.runs}")
    if mail:
        print_mail(mail, view.source.thread if view.source else None)
    if view.document:
        out.print(f"intake {view.document.format}, {view.document.page_count} pages, {view.document.verdict.status}")
    if view.proposal:
        tail = "".join(f"; {plain(said)}" for said in (view.proposal.after, view.proposal.warning) if said)
        out.print(f"read   by {view.proposal.rung} {plain(view.proposal.model)}{tail}\n")
        out.print(fields_of(view))
    bullets("\nreasons", row.reasons)
    bullets("\nfindings", [f"{finding.severity}: {finding.code} {finding.message}" for finding in view.findings])
    print_reply(view)
    print_said(view, remarks)
    if row.record:
        out.print(
            f"\nin the CRM as [bold]{plain(row.record)}[/]"
            + (f", decided by {row.decided_by}" if row.decided_by else "")
        )
    if row.status == "waiting":
        verbs = "reject|correct" if view.blocked else "approve|reject|correct"
        step = f"step {row.step}, " if row.step else ""
        out.print(f"\n{step}with {', '.join(row.approvers)}, due {ago(row.due) if row.due else '-'}; draft {row.draft}")
        out.print(
            f"decide: casework {escape(verbs)} {short(row.id)} --as {row.approvers[0] if row.approvers else 'YOU'}"
        )
        out.print("        or: delegate, claim, release, comment, ask")
        if view.claimed:
            out.print(f"{view.claimed} has claimed it")
        if row.phase == "asking":
            out.print("the clock stands still until the question is answered: casework answer")
    out.print(f"\n{link}")


def bullets(title: str, lines: Iterable[str]) -> None:
    for number, line in enumerate(lines):
        if number == 0:
            out.print(title)
        out.print(f"  - {plain(line)}")


def print_started(started: "Sequence[Started]", rows: Mapping[str, CaseRow], most: int = 40) -> None:
    """Each start on a line while they are few; always how many, what was left out, and each one that failed."""
    few = len(started) <= most
    for one in started if few else ():
        if one.case:
            out.print(f"{short(one.case)}  {one.how:8} {standing(rows[one.case]):13} {plain(one.name)}", soft_wrap=True)
        elif one.how == "left out":
            out.print(f"{'':8}  left out {'':13} {plain(one.name)}: {plain(one.problem)}", soft_wrap=True)
    for one in started:
        if one.how == "failed":
            err.print(f"[red]not started[/] {plain(one.name)}: {plain(one.problem, 600)}")
    out.print(", ".join(f"{count} {how}" for how, count in Counter(one.how for one in started).items()))
    left = Counter(one.problem for one in started if one.how == "left out")
    for why, count in () if few else left.most_common():
        out.print(f"  {count} left out: {plain(why)}")


def print_score(figures: Mapping[str, object], missed: Sequence[Miss]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in figures.items():
        shown = ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else value
        table.add_row(name.replace("_", " "), plain("cannot be told" if shown is None else shown, 400))
    out.print(table)
    for miss in missed:
        straight = "[red]straight through[/] " if miss.straight else ""
        out.print(f"line {miss.line} {plain(miss.source, 60)} {straight}{miss.field} ({miss.confidence:.2f})")
        out.print(f"    expected {plain(miss.expected)}\n    found    {plain(miss.found)}")
        out.print(f"    evidence {plain(miss.evidence)}")
