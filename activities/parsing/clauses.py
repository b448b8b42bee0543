"""Clauses that not every contract has, found by their words, each quoted; what is found is for a person to judge."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

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
_NO_CLAUSES: dict[ClauseKind, str] = {
    "exclusivity": r"\bnon-exclusive|nicht exklusiv",
    "unlimited-liability": r"(?:nothing|neither)[^.;]{0,80}\b(?:limit|exclu)|not unlimited",
    "penalty": r"no (?:contractual )?penalt|keine vertragsstrafe",
    "free-assignment": r"neither party may (?:assign|transfer)",
}
_NOT = {kind: re.compile(words, re.IGNORECASE) for kind, words in _NO_CLAUSES.items()}
RENEWS = re.compile(
    r"automatically[^.;]{0,60}\b(?:renew|extend|prolong)|(?:renew|extend)(?:s|ed)? automatically|"
    r"verlängert sich (?:der vertrag |dieser vertrag )?(?:automatisch|jeweils|stillschweigend|um)",
    re.IGNORECASE,
)


def read(said: Sequence[Sentence]) -> Iterator[Clause]:
    for kind, pattern in _CLAUSES.items():
        usual = _NOT.get(kind)
        found = (
            (it, match) for it in said if (match := pattern.search(it.text)) and not (usual and usual.search(it.text))
        )
        yield from (_clause(kind, sentence, match.start()) for sentence, match in islice(found, MOST))
    for sentence in said:
        match = RENEWS.search(sentence.text)
        period = periods.find(sentence.text[match.start() :]) if match else None
        if match and period and periods.months(period) > A_YEAR:
            yield _clause("long-renewal", sentence, match.start())


def _clause(kind: ClauseKind, sentence: Sentence, at: int) -> Clause:
    """From the beginning of its sentence, when that is near."""
    start = 0 if at < QUOTE // 2 else sentence.text.rfind(" ", 0, at - QUOTE // 4) + 1
    return Clause(kind=kind, quote=sentence.text[start : start + QUOTE], page=sentence.page)
