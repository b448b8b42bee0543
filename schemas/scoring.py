"""Scoring: how what was read compares with what is known to be right, and how well confidence ranks the errors."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import NamedTuple

from schemas.message import Message
from schemas.proposal import Field

_DAY_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y%m%d")
_PLACES = 3


class Labelled(Message):
    """One line of a labelled file. A field expected to be null is one that the document does not state."""

    source: str | None = None
    text: str = ""
    expected: Mapping[str, str | None]


class Judged(Message):
    """What became of one labelled document.

    `confidence` is that of its least sure field. `clean` says that only confidence could keep it from going
    straight through; `straight` that it would.
    """

    verdict: str
    rung: str
    fields: Mapping[str, Field] = {}
    confidence: float = 0
    clean: bool = False
    straight: bool = False
    reasons: tuple[str, ...] = ()
    tokens: int = 0
    signals: Mapping[str, Mapping[str, float]] = {}
    """What there is to judge each field by, as `schemas.confidence` tells."""


class Miss(NamedTuple):
    line: int
    source: str
    field: str
    expected: str | None
    found: str | None
    evidence: str
    confidence: float
    straight: bool


class Score(Message):
    """The figures of one evaluation; shares of 1, of all `n` unless said otherwise. None: cannot be told."""

    n: int
    fields: Mapping[str, float]
    straight_through_rate: float
    straight_through_error_rate: float
    """Of the straight-through cases, those with an expected field wrong."""
    coverage_at_1: float
    coverage_at_5: float
    """What could go straight through at 1 % and 5 % error, the surest first."""
    auroc: float | None
    """How often a right field is surer than a wrong one."""
    verdicts: Mapping[str, int]
    rungs: Mapping[str, int]
    seconds: float


def same(name: str, expected: str | None, found: str | None) -> bool:
    """Equal as an amount or a date, by the field's name; else but for case, white space and punctuation."""
    if not expected or not found:
        return not expected and not found
    canonical = _canonical_by(name)
    return canonical(expected) == canonical(found)


def _canonical_by(name: str) -> Callable[[str], object]:
    if name.endswith("_amount"):
        return _amount
    return _day if name.endswith("_date") else _folded


def _folded(words: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", words).casefold())


def _amount(words: str) -> object:
    try:
        return Decimal(words.strip())
    except InvalidOperation:
        return _folded(words)


def _day(words: str) -> object:
    for form in _DAY_FORMATS:
        try:
            return datetime.strptime(words.strip(), form).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
    return _folded(words)


def misses(labelled: Sequence[Labelled], judged: Sequence[Judged]) -> list[Miss]:
    """Every expected field that was not found as expected."""
    found = []
    for number, (label, one) in enumerate(zip(labelled, judged, strict=True), 1):
        for name, expected in label.expected.items():
            field = one.fields.get(name, Field())
            if not same(name, expected, field.value):
                source = label.source or label.text[:40]
                told = (field.value, field.evidence, field.confidence, one.straight)
                found.append(Miss(number, source, name, expected, *told))
    return found


def score(labelled: Sequence[Labelled], judged: Sequence[Judged], seconds: float) -> Score:
    n = len(judged)
    missed = misses(labelled, judged)
    wrong = {miss.line for miss in missed}
    expected = Counter(name for label in labelled for name in label.expected)
    missing = Counter(miss.field for miss in missed)
    straight = [number for number, one in enumerate(judged, 1) if one.straight]
    clean = [(one.confidence, number in wrong) for number, one in enumerate(judged, 1) if one.clean]
    return Score(
        n=n,
        fields={name: round(1 - missing[name] / count, _PLACES) for name, count in expected.items()},
        straight_through_rate=_share(len(straight), n),
        straight_through_error_rate=_share(sum(number in wrong for number in straight), len(straight)),
        coverage_at_1=_share(coverage(clean, 0.01), n),
        coverage_at_5=_share(coverage(clean, 0.05), n),
        auroc=auroc(field_confidences(labelled, judged, missed)),
        verdicts=dict(sorted(Counter(one.verdict for one in judged).items())),
        rungs=dict(sorted(Counter(one.rung for one in judged).items())),
        seconds=round(seconds, _PLACES),
    )


def _share(part: int, whole: int) -> float:
    return round(part / whole, _PLACES) if whole else 0.0


def field_confidences(
    labelled: Sequence[Labelled], judged: Sequence[Judged], missed: Sequence[Miss]
) -> list[tuple[float, bool]]:
    """The confidence of each labelled field that was read, and whether it was wrong."""
    wrong = {(miss.line, miss.field) for miss in missed}
    return [
        (one.fields[name].confidence, (number, name) in wrong)
        for number, (label, one) in enumerate(zip(labelled, judged, strict=True), 1)
        for name in label.expected
        if name in one.fields and one.fields[name].value is not None
    ]


def coverage(scored: Sequence[tuple[float, bool]], risk: float) -> int:
    """How many of the surest may be taken with at most this share wrong; equally sure ones come together."""
    taken = errors = most = 0
    for _, group in groupby(sorted(scored, key=lambda one: -one[0]), key=lambda one: one[0]):
        together = [wrong for _, wrong in group]
        taken, errors = taken + len(together), errors + sum(together)
        most = taken if errors <= risk * taken else most
    return most


def auroc(scored: Sequence[tuple[float, bool]]) -> float | None:
    """The area under the ROC curve (Mann-Whitney, ties count half); None when nothing or everything is wrong."""
    wrong = sum(bad for _, bad in scored)
    right = len(scored) - wrong
    if not wrong or not right:
        return None
    below = area = 0.0
    for _, group in groupby(sorted(scored), key=lambda one: one[0]):
        together = [bad for _, bad in group]
        bad_here = sum(together)
        area += (len(together) - bad_here) * (below + bad_here / 2)
        below += bad_here
    return round(area / (wrong * right), _PLACES)
