"""The card: what the Temporal UI shows of a waiting case, as Markdown in which nothing from the document is markup."""

import re
import unicodedata
from textwrap import wrap

from schemas.case import View
from schemas.wait import Wait

# Letters and marks that show nothing: fillers, the blank braille cell, joiners and variation selectors.
BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&:/@])")
LONGEST = 200


def visible(text: str, longest: int = LONGEST) -> str:
    """One line without control, direction-changing and other invisible characters, fit for a terminal."""
    shown = " ".join(
        "".join(char if unicodedata.category(char)[0] != "C" else " " for char in BLANK.sub("", text)).split()
    )
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def escaped(text: str) -> str:
    """`text` as it stands, with nothing in it that Markdown or HTML would act on."""
    return MARKUP.sub(r"\\\1", visible(text)).replace("\\<", "&lt;")


def card(wait: Wait, view: View) -> str:
    assert wait.ask is not None
    name = escaped(view.source.name) if view.source else "the case"
    missing = ", ".join(f"`{person}`" for person in wait.waits_for) or "nobody"
    step = f"Step `{wait.ask.step}`, with" if wait.ask.step else "With"
    parts = [
        f"### {name}",
        f"**{step} {missing}**, {wait.phase}, due {wait.due:%Y-%m-%d %H:%M} UTC",
        "",
        *(f"- {escaped(reason)}" for reason in view.reasons),
        "",
        *_said(view),
        *_fields(view),
        "",
        *_findings(view),
        *_reply(view),
        f"**Draft** `{wait.ask.draft}`",
        "",
        *_how(wait),
    ]
    return "\n".join(parts)


def _said(view: View) -> list[str]:
    """What people have said and changed so far."""
    changes = (
        f"`{change.by}` changed {escaped(change.field)}: {escaped(change.was or '-')} to {escaped(change.now or '-')}"
        for change in view.changes
    )
    votes = (
        f"`{vote.by}` {vote.verdict} ({vote.step or 'earlier'}) {escaped(vote.note)}".rstrip() for vote in view.votes
    )
    questions = (
        f"`{it.by}` asks: {escaped(it.note)}" + (f" `{it.answered_by}`: {escaped(it.answer)}" if it.answered_by else "")
        for it in view.questions
    )
    claimed = (f"`{view.claimed}` has claimed it",) if view.claimed else ()
    said = [f"- {line}" for line in (*changes, *votes, *questions, *claimed)]
    return ["**So far**", "", *said, ""] if said else []


def _fields(view: View) -> list[str]:
    if view.proposal is None or not view.proposal.fields:
        return ["No field could be read: correct the case by entering them."]
    rows = [
        f"| {escaped(name)} | {escaped(field.value or '')} | {field.confidence:.2f} | {escaped(field.evidence)} |"
        for name, field in view.proposal.fields.items()
    ]
    return [
        f"Read by **{view.proposal.rung}**",
        "",
        "| field | value | confidence | read from |",
        "|---|---|---|---|",
        *rows,
    ]


def _findings(view: View) -> list[str]:
    if not view.findings:
        return []
    return [
        "**Findings**",
        "",
        *(f"- {finding.severity}: `{finding.code}` {escaped(finding.message)}" for finding in view.findings),
        "",
    ]


def _reply(view: View) -> list[str]:
    if view.reply is None:
        return []
    lines = [escaped(line) for whole in view.reply.text.splitlines() for line in wrap(whole, LONGEST)]
    return [
        f"**Reply** that is sent to {escaped(view.reply.to)}: {escaped(view.reply.subject)}",
        "",
        *(f"> {line}\n>" for line in lines),
        "",
    ]


def _how(wait: Wait) -> list[str]:
    assert wait.ask is not None
    verbs = "reject or correct" if wait.ask.blocked else "approve, reject or correct"
    verdict = "reject" if wait.ask.blocked else "approve"
    code = ', "code": "THE-CODE-YOU-WERE-SENT"' if "code" in wait.ask.accepts else ""
    return [
        f"To {verbs}: send the update `decide` with",
        "```json",
        f'{{"by": "YOUR-ID", "verdict": "{verdict}", "draft": "{wait.ask.draft}"{code}}}',
        "```",
        'A correction adds `"corrections": {"field": "value"}`; the corrected draft is then asked about.',
        "Also: `comment` and `ask` (with a `note`), `delegate` (`to` whom), `claim` and `release`.",
    ]
