"""The card: what the Temporal UI shows of a waiting case, as Markdown in which nothing from the document is markup."""

import re
import unicodedata

from schemas.approval import Wait
from schemas.case import View

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
    holders = ", ".join(f"`{holder}`" for holder in wait.holders) or "nobody"
    parts = [
        f"### {name}",
        f"**With {holders}**, {wait.phase}, due {wait.deadline:%Y-%m-%d %H:%M} UTC",
        "",
        *(f"- {escaped(reason)}" for reason in view.reasons),
        "",
        *_fields(view),
        "",
        *_findings(view),
        f"**Draft** `{wait.ask.draft}`",
        "",
        *_how(wait),
    ]
    return "\n".join(parts)


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


def _how(wait: Wait) -> list[str]:
    assert wait.ask is not None
    verbs = "reject or correct" if wait.ask.blocked else "approve, reject or correct"
    return [
        f"To {verbs}: send the update `decide` with",
        "```json",
        f'{{"by": "YOUR-ID", "verdict": "{"reject" if wait.ask.blocked else "approve"}", "draft": "{wait.ask.draft}"}}',
        "```",
        'A correction adds `"corrections": {"field": "value"}`; the corrected draft is then asked about.',
    ]
