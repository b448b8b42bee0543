"""Receipts: what tells a cash receipt from an invoice, and its total, proven by what was paid and given back."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from activities.parsing import amounts, totals
from activities.parsing.layout import EVIDENCE, Line
from schemas.proposal import Field

_WORDS = {
    "change": r"\bchange(?: due| amt)?\W{0,4}(?:$|rm|[$€£]|\d)"
    r"|\b(?:rückgeld|wechselgeld|à rendre)\b|\b(?:zurück|rendu)\W{0,3}(?:$|eur|\d)",
    "named": r"^\W{0,3}receipt\b|\breceipt ?(?:no|nr|#|:)|\bcash (?:sales?|bill|receipt)\b"
    r"|\bsimplified (?:tax )?invoice|kassen(?:bon|beleg)|\bbon-?nr|\bquittung|vereinfachte rechnung"
    r"|ticket de caisse|facture simplifiée|\breçu\b",
    "paid": r"^\W{0,3}(?:cash|bar|gegeben|visa|master ?card|girocard|ec-karte|carte bancaire|cb)\b|\btender(?:ed)?\b"
    r"|\bpaid amount|\bbar gegeben|\bespèces?\b|payment mode",
    "till": r"\b(?:cashier|kassierer|bediener|caissi[eè]r|counter|operator|served by|kasse|caisse)",
    "rounding": r"\bround(?:ing|ed)?\b|\brnd adj",
    "farewell": r"come again|goods sold|dank für ihren (?:einkauf|besuch)|merci de votre visite|cash refund",
    "table": r"^\W{0,3}(?:table|tisch|couverts?|pax|covers?|dine in|take ?away)\b",
    "tax table": r"\bgst ?(?:summary|analysis)|\btax summary|\bmwst-?(?:aufstellung|übersicht)",
    "clock": r"(?<![\d:])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\d:])",
}
_SIGNS = {name: re.compile(words, re.IGNORECASE) for name, words in _WORDS.items()}
"""What tills print and invoices seldom do."""
_ON_ACCOUNT = re.compile(
    r"\biban\b|\bdue date|payment terms|fällig|zahlungsziel|zahlbar (?:bis|innerhalb)|échéance|date limite",
    re.IGNORECASE,
)
"""Who is still to pay was handed an invoice."""
_FEWEST = 2
_CHANGE, _ROUNDING = _SIGNS["change"], _SIGNS["rounding"]
_LARGEST_ROUNDING = Decimal("0.05")
_MOST_SPOKEN = 300
_PAYMENT = re.compile(r"\b(?:cash|tender\w*|paid|payment|bar|gegeben|espèces?|visa|master)", re.IGNORECASE)

SETTLED, RECONCILED, ROUNDED = 3.0, 1.5, 2.5
"""What a total gains: it is what was paid less the change; the same far from the word for change; by its rounding."""
_CONFIDENCE = ((7.0, 0.97), (5.5, 0.96), (4.5, 0.94), (3.7, 0.92), (3.0, 0.85), (2.0, 0.65))
"""From which sum of signs on how sure a total is."""
_NEAR = 8
"""How many lines from the word for change the change is."""
_CLEAR = 1.0
_RIVALLED = 0.6


class Spoken(NamedTuple):
    value: Decimal
    line: int


class Total(NamedTuple):
    value: Decimal
    score: float
    line: int


def kind(lines: Sequence[Line]) -> Field | None:
    """Say `receipt` where at least two different signs of one agree, or three when nothing names it or its change."""
    found: dict[str, Line] = {}
    for line in lines:
        for name, words in _SIGNS.items():
            if name not in found and words.search(line.text):
                found[name] = line
    telling = [name for name in ("change", "named") if name in found]
    if len(found) < _FEWEST + (not telling) or any(_ON_ACCOUNT.search(line.text) for line in lines):
        return None
    line = found[telling[0]] if telling else next(iter(found.values()))
    confidence = 0.95 if len(found) > _FEWEST else 0.9
    return Field(value="receipt", evidence=line.text[:EVIDENCE], page=line.page, confidence=confidence)


def gross(lines: Sequence[Line]) -> Field | None:
    """The amount with most signs of being the total: its label, the payment, the rounding, and that it is repeated."""
    mark = amounts.decimal_mark(line.text for line in lines)
    labelled = totals.labelled(lines, mark)
    spoken = list(_spoken(lines, mark))
    scores: dict[Decimal, float] = defaultdict(float)
    places: dict[Decimal, int] = {}
    for value, strength, line in labelled:
        scores[value] = max(strength, scores[value])
        places.setdefault(value, line)
    for value, line, score in (*_settled(lines, spoken), *_rounded(lines, spoken, labelled)):
        scores[value] += score
        places.setdefault(value, line)
    times = Counter(each.value for each in spoken)
    ranked = sorted(
        (
            Total(value, score + min(1.0, 0.5 * (times[value] - 1)), places[value])
            for value, score in scores.items()
            if value > 0
        ),
        key=lambda each: (each.score, each.value),
        reverse=True,
    )
    return _field(ranked, lines) if ranked else None


def _spoken(lines: Sequence[Line], mark: amounts.Mark | None) -> Iterator[Spoken]:
    """The last amounts with cents, in their order: the totals of a receipt stand below its items."""
    found = [
        Spoken(abs(amount.value), index)
        for index, line in enumerate(lines)
        for amount in amounts.find(line.text, mark)
        if amount.has_fraction
    ]
    yield from found[-_MOST_SPOKEN:]


def _settled(lines: Sequence[Line], spoken: list[Spoken]) -> Iterator[tuple[Decimal, int, float]]:
    """Total, paid and change, one after the other; or apart, when the receipt speaks of change at all."""
    change = next((index for index, line in enumerate(lines) if _CHANGE.search(line.text)), None)
    if change is None:
        return
    proven: dict[Decimal, float] = {}
    for value, score in _adding_up(spoken, change):
        proven[value] = max(score, proven.get(value, 0))
    if (both := _paid_and_back(lines, spoken)) and (total := both[0] - both[1]) in {each.value for each in spoken}:
        proven[total] = SETTLED
    for value, score in proven.items():
        yield value, next(each.line for each in spoken if each.value == value), score


def _adding_up(spoken: list[Spoken], change: int) -> Iterator[tuple[Decimal, float]]:
    for total, paid, back in zip(spoken, spoken[1:], spoken[2:], strict=False):
        if total.value and total.value + back.value == paid.value:
            yield total.value, SETTLED if abs(back.line - change) <= _NEAR else RECONCILED


def _paid_and_back(lines: Sequence[Line], spoken: list[Spoken]) -> tuple[Decimal, Decimal] | None:
    """What stands beside or below the words for payment and for change."""
    at: dict[int, Decimal] = {}
    for each in spoken:
        at.setdefault(each.line, each.value)
    paid = back = None
    for index, line in enumerate(lines):
        value = at.get(index, at.get(index + 1))
        if value is None:
            continue
        if _CHANGE.search(line.text):
            back = value
        elif _PAYMENT.search(line.text) and (paid is None or value > paid):
            paid = value
    return (paid, back) if paid is not None and back is not None and paid > back else None


def _rounded(
    lines: Sequence[Line], spoken: list[Spoken], labelled: Sequence[tuple[Decimal, float, int]]
) -> Iterator[tuple[Decimal, int, float]]:
    """A total that is another total but for the rounding stated between them."""
    if not any(_ROUNDING.search(line.text) for line in lines):
        return
    roundings = {each.value for each in spoken if 0 < each.value <= _LARGEST_ROUNDING}
    before = {value: line for value, _, line in labelled}
    seen: set[Decimal] = set()
    for each in spoken:
        if each.value in seen or each.value % _LARGEST_ROUNDING:
            continue
        for value, line in before.items():
            if value % _LARGEST_ROUNDING and abs(value - each.value) in roundings and line <= each.line:
                seen.add(each.value)
                yield each.value, each.line, ROUNDED
                break


def _field(ranked: list[Total], lines: Sequence[Line]) -> Field:
    best, *others = ranked
    confidence = next((sure for least, sure in _CONFIDENCE if best.score >= least), 0.4)
    if others and best.score - others[0].score < _CLEAR:
        confidence = min(confidence, _RIVALLED)
    line = lines[best.line]
    return Field(value=str(best.value), evidence=line.text[:EVIDENCE], page=line.page, confidence=confidence)
