"""Totals: net, tax and gross of an invoice, by their labels and by net + tax = gross."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise, product
from typing import NamedTuple

from activities.parsing import amounts, labels
from activities.parsing.amounts import Amount, Mark
from activities.parsing.labels import Kind, Label
from activities.parsing.layout import EVIDENCE, Line
from schemas.proposal import Field

NAMES: dict[Kind, str] = {"net": "net_amount", "tax": "tax_amount", "gross": "gross_amount"}
AGREEMENT = 6.0
"""What net + tax = gross weighs against the strength of labels, of which the best has 3."""
CENT = Decimal("0.01")

_PROVEN, _PLAUSIBLE, _ALONE, _LABELLED = 0.7, 0.58, 0.42, 0.3
"""Where confidence begins: net + tax = gross holds; it does, but a tax of 0 proves little; there are no three to add;
it does not hold."""
_PER_STRENGTH = 0.11
_MOST = 0.96
_HIGHEST_RATE = Decimal("0.4")
_PER_KIND = 10
_LINES_BELOW = 4
_BELOW = 10**6
"""Where an amount stands that follows its label on a line of its own: behind everything on the label's line."""
_AMOUNTS_ONLY = re.compile(r"(?:\W|\d|EUR|USD|GBP|CHF|RM|Euros?|TTC)+", re.IGNORECASE)


class Candidate(NamedTuple):
    value: str
    strength: float
    line: int
    other: tuple[str, ...] = ()
    """What the same words could also mean."""

    @property
    def number(self) -> Decimal:
        return Decimal(self.value)


Candidates = dict[Kind, list[Candidate]]
Sums = dict[Kind, Candidate]


def read(lines: Sequence[Line]) -> dict[str, Field]:
    mark = amounts.decimal_mark(line.text for line in lines)
    candidates = _candidates(lines, mark)
    chosen, agree = _choose(candidates)
    if agree:
        proof = _PROVEN if chosen["tax"].number else _PLAUSIBLE
    else:
        proof = _LABELLED if len(chosen) == len(NAMES) else _ALONE
    if proof == _PROVEN:  # the three stand or fall together
        strength = sum(each.strength for each in chosen.values()) / len(chosen)
        chosen = {kind: each._replace(strength=strength) for kind, each in chosen.items()}
    fields = {NAMES[kind]: _field(candidate, lines, proof, candidates[kind]) for kind, candidate in chosen.items()}
    return fields | _derived(fields)


def labelled(lines: Sequence[Line], mark: Mark | None) -> list[tuple[Decimal, float, int]]:
    """Every amount beside or below words for a gross total: the value, the strength of the words, the line."""
    return [(each.number, each.strength, each.line) for each in _candidates(lines, mark)["gross"] if each.strength > 0]


def _candidates(lines: Sequence[Line], mark: Mark | None) -> Candidates:
    """Every amount beside a label, or below one that stands alone; and rows that add up by themselves."""
    found: Candidates = defaultdict(list)
    rates: list[Candidate] = []
    for index, line in enumerate(lines):
        spoken = list(amounts.find(line.text, mark))
        tags = labels.find(line.text)
        if not spoken and tags and tags[-1].kind != "none":
            below = _below(lines, index, mark)
            _row(found, below, index, labelled=tags[-1].kind == "gross")
            tags, spoken = tags[-1:], [amount._replace(start=_BELOW, end=_BELOW) for amount in below[:1]]
        else:
            _row(found, spoken, index, labelled=bool(tags) and tags[0].kind == "gross" and not tags[0].start)
        for tag, amount in _beside(tags, spoken):
            candidate = _candidate(amount, tag.strength, index)
            found[tag.kind].append(candidate)
            if tag.kind == "tax" and tag.strength < labels.EXPLICIT:
                rates.append(candidate)
    found["tax"].extend(_sums_of_rates(rates))
    found["gross"] = [each for each in found["gross"] if each.number] or list(_unlabelled(lines, mark))
    return {kind: _best(found[kind]) for kind in NAMES}


def _unlabelled(lines: Sequence[Line], mark: Mark | None) -> Iterator[Candidate]:
    """When no label is understood, the largest amount is a guess, and says so."""
    for index, line in enumerate(lines):
        for amount in amounts.find(line.text, mark):
            if amount.has_fraction and amount.value:
                yield _candidate(amount, -1, index)


def _candidate(amount: Amount, strength: float, line: int) -> Candidate:
    # A whole number beside a label is more often a count or a rate than an amount.
    strength -= 0 if amount.has_fraction else 1
    return Candidate(amount.readings[0], strength, line, amount.readings[1:])


def _below(lines: Sequence[Line], index: int, mark: Mark | None) -> list[Amount]:
    """The amounts of the lines that hold nothing else: the first, or three that add up."""
    found: list[Amount] = []
    for line in lines[index + 1 : index + 1 + _LINES_BELOW]:
        if not _AMOUNTS_ONLY.fullmatch(line.text):
            break
        found += amounts.find(line.text, mark)
    return found


def _beside(tags: list[Label], spoken: list[Amount]) -> Iterator[tuple[Label, Amount]]:
    """The last amount between a label and the next: before it stand bases and rates."""
    for tag, following in pairwise([*tags, Label("none", 0, 10**9, 10**9)]):
        between = [amount for amount in spoken if tag.end <= amount.end and amount.start < following.start]
        if between and tag.kind != "none":
            yield tag, between[-1]


def _row(found: Candidates, spoken: list[Amount], line: int, *, labelled: bool) -> None:
    """Three amounts that add up by themselves."""
    if len(spoken) < len(NAMES):
        return
    net, tax, gross = (_candidate(amount, labels.EXPLICIT if labelled else 1, line) for amount in spoken[-3:])
    if tax.number and _add_up(net.number, tax.number, gross.number):
        found["net"].append(net)
        found["tax"].append(tax)
        found["gross"].append(gross)


def _add_up(net: Decimal, tax: Decimal, gross: Decimal) -> bool:
    """With a tax that a law could ask for: other sums in a table are coincidence."""
    return abs(net + tax - gross) <= CENT and bool(gross) and 0 <= tax / gross <= _HIGHEST_RATE


def _sums_of_rates(rates: list[Candidate]) -> Iterator[Candidate]:
    """Several rates, one under the other: what they come to is the tax, if net and gross confirm it."""
    block: list[Candidate] = []
    for rate in rates:
        block = [*block[-_PER_KIND:], rate] if block and rate.line - block[-1].line < _LINES_BELOW else [rate]
        if len(block) > 1:
            total = sum((each.number for each in block), Decimal(0))
            yield Candidate(str(total), 1, block[0].line)


def _best(candidates: list[Candidate]) -> list[Candidate]:
    """The strongest, one of each value: it gains by occurring again, and of equals the larger leads."""
    merged: dict[str, Candidate] = {}
    for candidate in candidates:
        for value in (candidate.value, *candidate.other):
            same = merged.get(value)
            strength = max(candidate.strength, same.strength) + 0.25 if same else candidate.strength
            others = tuple(other for other in (candidate.value, *candidate.other) if other != value)
            keep = candidate if same is None or candidate.strength >= same.strength else same
            merged[value] = keep._replace(value=value, strength=strength, other=others)
    return sorted(merged.values(), key=lambda each: (each.strength, abs(each.number)), reverse=True)[:_PER_KIND]


def _sums(net: Candidate, tax: Candidate, gross: Candidate) -> Sums:
    return {"net": net, "tax": tax, "gross": gross}


def _choose(candidates: Candidates) -> tuple[Sums, bool]:
    """The three that agree with the strongest labels, or else the strongest of each kind."""
    nothing = Candidate("0", 0, 0)
    agreeing = [
        (net.strength + tax.strength + gross.strength, gross.number, _sums(net, tax, gross))
        for net, tax, gross in product(*(candidates[kind] for kind in NAMES))
        if _add_up(net.number, tax.number, gross.number)
    ]
    strongest: Sums = {kind: found[0] for kind, found in candidates.items() if found}
    best = max(agreeing, key=lambda each: each[:2], default=None)
    if best and best[0] + AGREEMENT >= sum(strongest.get(kind, nothing).strength for kind in NAMES):
        return best[2], True
    return strongest, False


def _field(candidate: Candidate, lines: Sequence[Line], proof: float, rivals: list[Candidate]) -> Field:
    agree = proof > _ALONE
    confidence = max(0.1, min(_MOST, proof + _PER_STRENGTH * candidate.strength))
    rivalled = any(each.strength >= candidate.strength - 0.25 for each in rivals if each != candidate)
    alternatives = () if agree else candidate.other
    if alternatives or (rivalled and not agree):
        confidence = min(confidence, 0.5)
    line = lines[candidate.line]
    below = "" if any(character.isdigit() for character in line.text) else _words(lines[candidate.line + 1 :])
    return Field(
        value=candidate.value,
        evidence=(line.text + below)[:EVIDENCE],
        page=line.page,
        confidence=round(confidence, 2),
        alternatives=alternatives,
    )


def _words(below: Sequence[Line]) -> str:
    return "".join(f" {line.text}" for line in below[:_LINES_BELOW])


def _derived(fields: dict[str, Field]) -> dict[str, Field]:
    """The third of two that were read, marked as such: nothing confirms it."""
    missing = [name for name in NAMES.values() if name not in fields]
    if len(missing) != 1 or "gross_amount" in missing:
        return {}
    known = {name: Decimal(field.value or 0) for name, field in fields.items()}
    gross = known.pop("gross_amount")
    ((name, part),) = known.items()
    if not 0 <= part / gross <= 1:
        return {}
    field = Field(
        value=str(gross - part),
        evidence=f"not stated; derived as gross_amount {gross} - {name} {part}",
        page=fields[name].page,
        confidence=round(min(0.6, fields[name].confidence, fields["gross_amount"].confidence), 2),
    )
    return {missing[0]: field}
