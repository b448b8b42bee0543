"""Clauses that not every contract has, found by their words, each quoted; what is found is for a person to judge."""

import re
from collections.abc import Iterator, Sequence

from activities.parsing import periods
from activities.parsing.sentences import Sentence
from schemas.contract import ClauseKind
from schemas.proposal import Clause

QUOTE = 300
MOST = 5
"""Of one kind; the first ones are enough to send somebody to the text."""
A_YEAR = 12

_PATTERNS: dict[ClauseKind, str] = {
    "unlimited-liability": r"(?:unlimited liab|liab\w+[^.;]{0,60}\b(?:unlimited|without limit|shall not be limited)|"
    r"haftet unbeschränkt|unbeschränkte haftung|haftung[^.;]{0,40}\bunbegrenzt)",
    "exclusivity": r"(?:exclusive (?:supplier|provider|right|licen\w+|distributor|purchas\w+)"
    r"|exclusively (?:from|through|to)|"
    r"on an exclusive basis|shall not (?:purchase|procure|obtain)[^.;]{0,60}\bany (?:other|third)"
    r"|ausschließlich (?:von|bei)|"
    r"exklusiv\w*)",
    "non-compete": r"(?:non-?compet|shall not[^.;]{0,60}\bcompet|compete with|wettbewerbsverbot|"
    r"konkurrenzverbot)",
    "penalty": r"(?:contractual penalt|penalty of|liquidated damages|pay a penalty|vertragsstrafe"
    r"|pauschalierter schadensersatz)",
    "unilateral-change": r"(?:(?:may|reserves the right to|is entitled to)[^.;]{0,60}\b(?:amend"
    r"|modify|change|vary|increase)\w*"
    r"[^.;]{0,80}\b(?:at any time|at its (?:sole )?discretion|unilateral"
    r"|without (?:the )?(?:prior )?(?:consent|notice))|"
    r"einseitig (?:zu )?(?:änder|anpass|erhöh))",
    "free-assignment": r"(?:may (?:freely )?(?:assign"
    r"|transfer)[^.;]{0,120}\bwithout (?:the )?(?:prior )?(?:written )?consent|"
    r"ohne zustimmung[^.;]{0,80}\b(?:abtreten|übertragen))",
    "audit": r"(?:right to audit|may audit|entitled to audit|audit rights?"
    r"|inspect[^.;]{0,40}\b(?:books|records|premises)|"
    r"prüfrecht|auditrecht|einsicht in die bücher)",
    "indemnity": r"(?:\bindemnif\w+|hold[^.;]{0,30}\bharmless|stellt[^.;]{0,80}\bfrei\b|freistellung)",
    "no-termination": r"(?:may not (?:be )?terminat|no right (?:to|of) terminat|irrevocabl\w+|not terminable|"
    r"kündigung[^.;]{0,30}\bausgeschlossen|unkündbar)",
}
_CLAUSES = {kind: re.compile(words, re.IGNORECASE) for kind, words in _PATTERNS.items()}
_NOT = re.compile(
    r"(?:\bnon-exclusive|nicht exklusiv|(?:nothing|neither)[^.;]{0,80}\b(?:limit|exclu)|no (?:contractual )?penalt|"
    r"keine vertragsstrafe|not unlimited|neither party may (?:assign|transfer))",
    re.IGNORECASE,
)
_RENEWS = re.compile(
    r"automatically[^.;]{0,30}\b(?:renew|extend)|(?:renew|extend)\w* automatically|verlängert sich", re.IGNORECASE
)


def read(said: Sequence[Sentence]) -> Iterator[Clause]:
    for kind, pattern in _CLAUSES.items():
        found = (it for it in said if pattern.search(it.text) and not _NOT.search(it.text))
        yield from (_clause(kind, sentence) for sentence, _ in zip(found, range(MOST), strict=False))
    for sentence in said:
        match = _RENEWS.search(sentence.text)
        period = periods.find(sentence.text[match.start() :]) if match else None
        if period and periods.months(period) > A_YEAR:
            yield _clause("long-renewal", sentence)


def _clause(kind: ClauseKind, sentence: Sentence) -> Clause:
    return Clause(kind=kind, quote=sentence.text[:QUOTE], page=sentence.page)
