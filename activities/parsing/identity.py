"""What identifies an invoice: its number, its date of issue and what kind of document it is."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from activities.parsing import dates
from activities.parsing.layout import EVIDENCE, Line
from schemas.proposal import Field

_MOST = 0.95
_TITLE = 30
"""How far into a line, and half how long a line, words still are a title."""

_INVOICE = r"(?:\w{0,20}rechnungs?(?:korrektur)?|tax invoice|invoice|facture|avoir|factuur|gutschrift|credit note)"
_DETAIL = r"(?: des \w{1,20})?(?: ?\([^)]{1,40}\))?"
_NUMBER_WORD = r"(?:nummer|number|numéro|num\b\.?|nr\b\.?|no\b\.?|n[°º]|id\b|#)"
_TOKEN = r"(?P<token>#? ?(?=[\w./#-]{0,39}\d)[A-Z]{0,3}(?: (?=\d))?[A-Z0-9_](?:[\w./-]{0,38}\w)?)"  # noqa: S105 - no password
_NUMBERS = [
    (strength, re.compile(pattern, re.IGNORECASE))
    for strength, pattern in (
        (3, rf"(?:^|[^\w-]){_INVOICE}{_DETAIL}[ -]?{_NUMBER_WORD}[ :.#]{{0,4}}{_TOKEN}"),
        (3, rf"\b(?:beleg|document|doc|bill|receipt)[ -]?{_NUMBER_WORD}[ :.#]{{0,4}}{_TOKEN}"),
        (2.2, rf"(?:^|[^\w-]){_INVOICE}[ :]{{1,3}}(?:#\s?)?{_TOKEN}"),
        (0.5, rf"^{_NUMBER_WORD}[ :.]{{0,3}}{_TOKEN}$"),
    )
]
_NUMBER_LABEL = re.compile(
    rf"(?:^|[^\w-])(?:{_INVOICE}|beleg|document|doc|bill|receipt){_DETAIL}[ -]?{_NUMBER_WORD}[ :.]{{0,3}}$",
    re.IGNORECASE,
)
_ANOTHER = re.compile(r"(?:ursprung|original|bestell|order|storniert|zu|zur|liée|ref\w{0,9}|your) ?\W?$", re.IGNORECASE)

_ISSUED = re.compile(
    r"(?:rechnungs?|beleg|ausstellungs?|rechnung|invoice|bill|issue|facture|factuur|document|doc)[ -]?(?:dat[eu]m?)\b"
    r"|date (?:d.émission|de (?:la )?facture|of issue|of invoice)|\b(?:dated|issued)\b",
    re.IGNORECASE,
)
_TITLE_DATE = re.compile(rf"{_INVOICE}.{{0,60}}\b(?:vom|von|du|dated|of|le|date)\b", re.IGNORECASE)
_PLAIN_DATE = re.compile(r"\b(?:dat[eu]m?|le)\b", re.IGNORECASE)
_OTHER_DATE = re.compile(
    r"due|fällig|échéance|verval|liefer|leistung|deliver|livraison|bestell|order|commande|zahl|pay|règlement"
    r"|period|période|zeitraum|valuta|\bbis\b|until|from|expir|print|birth|auftrag|skonto|gemäß|\bper\b|start|end\b",
    re.IGNORECASE,
)
_TIME = re.compile(r"\W{0,4}\d{1,2} ?: ?\d\d")
_PLAIN = 2
"""The strength of a date that is called "date" and nothing else."""
_ONLY_DATE, _DATED = 0.96, 0.92
"""How sure a date is: the only one of a receipt, and one that its words or the time of day put before the others."""

_HEAD = 80
_KINDS = (
    (
        "credit-note",
        re.compile(
            r"^\W{0,3}(?:gutschrift(?! ?\(?selbst)|credit (?:note|memo)|avoir|storno\w{0,10})\b",
            re.IGNORECASE,
        ),
    ),
    (
        "invoice",
        re.compile(
            rf"\b{_INVOICE}(?!s?[ -]?(?:adress|anschrift|empfänger|address|to\b|recipient)|\W{{0,2}}pro[ -]?forma)",
            re.IGNORECASE,
        ),
    ),
    (
        "other",
        re.compile(
            r"\b(?:pro[ -]?forma|zahlungserinnerung|angebot|lieferschein|auftragsbestätigung|mahnung"
            r"|quotation|quote|purchase order|delivery note|order confirmation|statement|reminder|rappel"
            r"|devis|bon de (?:livraison|commande))\b",
            re.IGNORECASE,
        ),
    ),
)


def number(lines: Sequence[Line]) -> Field | None:
    found: dict[str, list[tuple[float, Line]]] = defaultdict(list)
    for index, line in enumerate(lines):
        for value, strength in _numbers(lines, index):
            found[value].append((strength, line))
    if not found:
        return None
    ranked = sorted(found.items(), key=lambda item: max(item[1], key=lambda each: each[0])[0], reverse=True)
    value, places = ranked[0]
    strength, line = max(places, key=lambda each: each[0])
    confidence = 0.36 + 0.19 * strength + (0.02 if len(places) > 1 else 0)
    if any(max(strength for strength, _ in others) >= strength for _, others in ranked[1:]):
        confidence -= 0.3
    return Field(
        value=value, evidence=line.text[:EVIDENCE], page=line.page, confidence=min(_MOST, round(confidence, 2))
    )


def _numbers(lines: Sequence[Line], index: int) -> Iterator[tuple[str, float]]:
    text = lines[index].text
    for strength, pattern in _NUMBERS:
        for match in pattern.finditer(text):
            token = match["token"].lstrip("# ")
            if not _ANOTHER.search(text[: match.start() + 1]) and not _is_date(token):
                yield token, strength
    if _NUMBER_LABEL.search(text) and index + 1 < len(lines):
        below = re.fullmatch(_TOKEN, lines[index + 1].text, re.IGNORECASE)
        if below and not _is_date(below["token"]):
            yield below["token"].lstrip("# "), 2.5


def _is_date(token: str) -> bool:
    return any(day.end - day.start == len(token) for day in dates.find(token, None))


def issue_date(lines: Sequence[Line], *, receipt: bool = False) -> Field | None:
    """The date of issue. On a receipt any date is likely that one: surely the only one, or one with the time of day."""
    order = dates.order_in(line.text for line in lines)
    found: dict[str, list[tuple[float, dates.Day, Line]]] = defaultdict(list)
    before = ""
    for line in lines:
        for day in dates.find(line.text, order):
            strength = _date_strength(before, line.text[: day.start])
            strength += 0.5 if receipt and _TIME.match(line.text[day.end :]) else 0
            found[day.value].append((strength, day, line))
        before = line.text
    if not found:
        return None
    best = {value: max(places, key=lambda each: each[0]) for value, places in found.items()}
    ranked = sorted(best.values(), key=lambda each: each[0], reverse=True)
    strength, day, line = ranked[0]
    confidence = 0.45 + 0.16 * strength + (0.02 if len(found[day.value]) > 1 else 0)
    if receipt and strength >= 1:
        confidence = _ONLY_DATE if len(ranked) == 1 else max(confidence, _DATED)
    elif strength >= _PLAIN and all(other < 1 for other, _, _ in ranked[1:]):
        confidence = max(confidence, _DATED)
    if len(ranked) > 1 and ranked[1][0] >= strength:
        confidence -= 0.3
    if day.other:
        confidence = min(confidence, 0.5)
    return Field(
        value=day.value,
        evidence=line.text[max(0, day.start - 80) : day.end][:EVIDENCE],
        page=line.page,
        confidence=round(max(0.1, min(_MOST, confidence)), 2),
        alternatives=(day.other,) if day.other else (),
    )


def _date_strength(before: str, ahead: str) -> float:
    """What the words before a date say of it; those of the line above count when it begins its line."""
    words = (ahead if sum(map(str.isalpha, ahead)) > len("vom ") else f"{before} {ahead}")[-90:]
    if _ISSUED.search(words[-40:]):
        return 3
    if title := _TITLE_DATE.search(words):
        return 0 if _OTHER_DATE.search(title[0]) else 3
    if _OTHER_DATE.search(words[-40:]):
        return 0
    return _PLAIN if _PLAIN_DATE.search(words[-25:]) else 1


def document_type(lines: Sequence[Line]) -> Field | None:
    """What the head calls itself. A title is sure, and so is the word "invoice" where no other kind is spoken of."""
    named = {kind: at for kind, words in _KINDS if (at := _first(lines, words))}
    other, invoice = named.get("other"), named.get("invoice")
    if other and invoice and other < invoice and _is_title(lines, other) and ":" not in lines[other[0]].text:
        del named["invoice"]  # a reminder, say, names the invoice it is about; a label only refers to the other
    for value, at in named.items():
        line = lines[at[0]]
        sure = _is_title(lines, at) or (value == "invoice" and len(named) == 1)
        return Field(value=value, evidence=line.text[:EVIDENCE], page=line.page, confidence=0.9 if sure else 0.6)
    return None


def _is_title(lines: Sequence[Line], at: tuple[int, int]) -> bool:
    index, start = at
    return start < _TITLE and len(lines[index].text) < 2 * _TITLE


def _first(lines: Sequence[Line], words: re.Pattern[str]) -> tuple[int, int] | None:
    """The line, and where in it."""
    matches = ((index, words.search(line.text)) for index, line in enumerate(lines[:_HEAD]))
    return next(((index, match.start()) for index, match in matches if match), None)
