"""Fitting: what is learnt of confidence from cases whose fields are known to be right or wrong."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from schemas.calibration import Choice, Scored, chosen, planned, reliability
from schemas.confidence import Figures, Signals, Weights, likely, segments_of
from schemas.message import digest_of
from schemas.proposal import Field
from schemas.scoring import Judged, Labelled, auroc, same

FEWEST = 15
"""Of right and of wrong fields each: from fewer nothing is learnt of a segment, and the one around it stands for it."""
FEWEST_CASES = 100
"""Fewer are not parted in those that teach and those that test: all of them test the threshold there is."""
PLACES = 6


class Known(NamedTuple):
    """A field that was read, how sure the reader was of it, and whether wrongly."""

    name: str
    signals: Signals
    confidence: float
    wrong: bool


@dataclass(frozen=True)
class Example:
    """A case whose fields are known. `wrong` counts a field that was not read at all."""

    key: str
    known: tuple[Known, ...]
    judged: Judged
    wrong: bool

    def sure(self, segments: Mapping[str, Weights]) -> float:
        """The confidence of its least sure field, which is what a threshold asks for."""
        return min(likely(segments, self.judged.signals).values(), default=0.0) if segments else self.judged.confidence


class Answered(NamedTuple):
    """An answer that was as sure as it will be; `clean` where nothing but confidence could stop it."""

    key: str
    confidence: float
    wrong: bool
    clean: bool


K = TypeVar("K", Example, Answered)


class Learnt(NamedTuple):
    """What came of it, and what it was tested on: confidences as read and calibrated, of fields and of cases."""

    segments: Mapping[str, Weights]
    fitted_on: int
    tested_on: int
    read: Scored
    calibrated: Scored
    cases_read: Scored
    cases: Scored
    choice: Choice


def examples(labelled: Sequence[Labelled], judged: Sequence[Judged]) -> list[Example]:
    found = []
    for label, one in zip(labelled, judged, strict=True):
        wrong = {
            name for name, value in label.expected.items() if not same(name, value, one.fields.get(name, Field()).value)
        }
        known = (
            Known(name, one.signals[name], one.fields[name].confidence, name in wrong)
            for name in label.expected
            if name in one.signals
        )
        key = digest_of((label.source or label.text).encode())
        found.append(Example(key, tuple(known), one, bool(wrong)))
    return found


def learnt(known: Sequence[Example], threshold: float, risk: float, confidence: float) -> Learnt:
    """Fit on one half and test on the other, so that every figure is of cases that taught nothing.

    Who is in which half follows from the documents alone: the same labels give the same halves. `threshold` is what
    is tested where there are too few to look for one.
    """
    teaching, testing = _halves(known)
    segments = fitted([field for one in teaching for field in one.known])
    cases = _cases(testing, segments)
    order = planned(_cases(teaching, segments), len(cases), risk, confidence) or (threshold,)
    return Learnt(
        segments=segments,
        fitted_on=len(teaching),
        tested_on=len(testing),
        read=[(field.confidence, field.wrong) for one in testing for field in one.known],
        calibrated=_calibrated(testing, segments),
        cases_read=_cases(testing, {}),
        cases=cases,
        choice=chosen(cases, order, risk, confidence, len(known)),
    )


def proved(known: Sequence[Answered], threshold: float, risk: float, confidence: float) -> Learnt:
    """Look for a threshold in one half and test it on the other; nothing else is left to learn."""
    teaching, testing = _halves(known)
    cases, others = ([(one.confidence, one.wrong) for one in half if one.clean] for half in (testing, teaching))
    answers = [(one.confidence, one.wrong) for one in testing]
    order = planned(others, len(cases), risk, confidence) or (threshold,)
    return Learnt(
        segments={},
        fitted_on=len(teaching),
        tested_on=len(testing),
        read=answers,
        calibrated=answers,
        cases_read=cases,
        cases=cases,
        choice=chosen(cases, order, risk, confidence, len(known)),
    )


def _halves(known: Sequence[K]) -> tuple[Sequence[K], Sequence[K]]:
    """Those that teach and those that test, always the same ones of the same."""
    ranked = sorted(known, key=lambda one: one.key)
    return (ranked[::2], ranked[1::2]) if len(ranked) >= FEWEST_CASES else ([], ranked)


def figures(scored: Scored) -> Figures:
    told = reliability(scored)
    return Figures(
        n=told.n,
        ece=round(told.ece, PLACES),
        auroc=auroc(scored),
        brier=round(told.brier, PLACES),
        populated=told.populated,
    )


def _cases(known: Iterable[Example], segments: Mapping[str, Weights]) -> Scored:
    """Those that nothing but confidence could keep from going straight through."""
    return [(one.sure(segments), one.wrong) for one in known if one.judged.clean]


def _calibrated(known: Iterable[Example], segments: Mapping[str, Weights]) -> Scored:
    return [
        (likely(segments, {field.name: field.signals})[field.name] if segments else field.confidence, field.wrong)
        for one in known
        for field in one.known
    ]


def fitted(known: Sequence[Known]) -> dict[str, Weights]:
    """Fit a logistic model to each segment that has enough of both; none when there is too little altogether."""
    inside = defaultdict(list)
    for field in known:
        for segment in segments_of(field.name, field.signals):
            inside[segment].append(field)
    return {segment: _weights(fields) for segment, fields in sorted(inside.items()) if _enough(fields)}


def _enough(fields: Sequence[Known]) -> bool:
    wrong = sum(field.wrong for field in fields)
    return min(wrong, len(fields) - wrong) >= FEWEST


def _weights(fields: Sequence[Known]) -> Weights:
    from sklearn.linear_model import LogisticRegression  # two seconds, which only learning should cost

    names = sorted({name for field in fields for name in field.signals})
    rows = [[field.signals.get(name, 0.0) for name in names] for field in fields]
    model = LogisticRegression(max_iter=1000).fit(rows, [not field.wrong for field in fields])
    wrong = sum(field.wrong for field in fields)
    return Weights(
        intercept=round(float(model.intercept_[0]), PLACES),
        signals={name: round(float(weight), PLACES) for name, weight in zip(names, model.coef_[0], strict=True)},
        right=len(fields) - wrong,
        wrong=wrong,
    )
