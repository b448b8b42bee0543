"""Confidence: the signals there are of a field, and a calibration that turns them into how likely it is right."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import exp, fsum, log
from typing import Literal, get_args

from pydantic import Field as Bounded

from schemas.calibration import Choice
from schemas.finding import Finding
from schemas.message import Message
from schemas.proposal import Field, Rung
from schemas.source import Page

Quality = Literal["structured", "text", "scan"]
Signals = Mapping[str, float]
"""Numbers by name; one that is not there is 0."""
EXPOSURE = ("amount.over_limit", "amount.no_limit")
"""Findings of what the policy is willing to risk, which say nothing of how well a document was read."""
WHOLE = ""
"""The segment of everything."""
LARGEST = 100
"""Log-odds beyond which nothing changes, but exp overflows at last."""
PLACES = 4
EDGE = 0.005
"""Readers say 0 and 1 too lightly: nothing is taken for surer than this short of them."""


class Weights(Message):
    """A logistic model: what each signal adds to the log-odds of a field being right."""

    intercept: float
    signals: Mapping[str, float]
    right: int
    wrong: int
    """The fields it was fitted on."""


class Figures(Message):
    """Of the fields of documents that nothing was fitted on."""

    n: int
    ece: float
    auroc: float | None
    brier: float
    populated: int


class Calibration(Message):
    """What was learnt from labelled or decided cases. A policy names it by the digest of its JSON, so it never changes.

    Without segments there was too little to learn from, and confidences stand as the reader gave them.
    """

    process: str
    made_at: datetime
    labels: Literal["labelled", "decided"]
    fitted_on: int
    tested_on: int
    segments: Mapping[str, Weights] = {}
    read: Figures
    """As the reader gave them."""
    calibrated: Figures
    choice: Choice
    classifier: str = Bounded(default="", exclude_if=lambda classifier: not classifier)
    """The one whose answers these were: of another one it proves nothing."""

    def confidences(self, signals: Mapping[str, Signals]) -> dict[str, float]:
        return likely(self.segments, signals) if self.segments else {}


def likely(segments: Mapping[str, Weights], signals: Mapping[str, Signals]) -> dict[str, float]:
    """How likely each field is right, by its own segment or the narrowest one there is around it."""
    return {name: round(_likely(segments, name, of), PLACES) for name, of in signals.items()}


def _likely(segments: Mapping[str, Weights], name: str, signals: Signals) -> float:
    weights = next(segments[key] for key in segments_of(name, signals) if key in segments)
    odds = weights.intercept + fsum(weight * signals.get(key, 0.0) for key, weight in weights.signals.items())
    return 1 / (1 + exp(-min(max(odds, -LARGEST), LARGEST)))


def segments_of(name: str, signals: Signals) -> tuple[str, ...]:
    """The segments a field belongs to, narrowest first."""
    quality = next(quality for quality in get_args(Quality) if signals.get(f"quality {quality}"))
    return f"{quality}/{kind_of(name)}", kind_of(name), WHOLE


def kind_of(name: str) -> str:
    """Fields of one kind are misread in one way, and labelled together there are sooner enough of them."""
    if name.endswith("_amount"):
        return "amount"
    if name.endswith("_date"):
        return "date"
    return "name" if name == "supplier" or name.endswith("_party") else "code"


def quality_of(rung: Rung, pages: Iterable[Page]) -> Quality:
    if rung == "embedded-xml":
        return "structured"
    return "scan" if any(page.read_from == "ocr" for page in pages) else "text"


def signals_of(
    fields: Mapping[str, Field], rung: Rung, quality: Quality, findings: Sequence[Finding]
) -> dict[str, Signals]:
    """What there is to judge each field by that has a value."""
    read = {name: field for name, field in fields.items() if field.value is not None}
    weakest = min((field.confidence for field in read.values()), default=0.0)
    about = {finding.field for finding in findings if finding.severity != "info" and finding.code not in EXPOSURE}
    return {
        name: {
            "confidence": log_odds(field.confidence),
            "weakest field": log_odds(weakest),
            "evidence found": float(field.page is not None),
            "ambiguous": float(bool(field.alternatives)),
            "finding": float(name in about),
            f"kind {kind_of(name)}": 1.0,
            f"rung {rung}": 1.0,
            f"quality {quality}": 1.0,
            **_of_a_model(field),
        }
        for name, field in read.items()
    }


def _of_a_model(field: Field) -> Signals:
    """What is known of a model's answers alone, and there only sometimes."""
    signals: dict[str, float] = {}
    if field.likelihood is not None:
        signals |= {"likelihood": log_odds(field.likelihood), "likelihood known": 1.0}
    if field.seconded is not None:
        signals["seconded" if field.seconded else "contradicted"] = 1.0
    return signals


def log_odds(confidence: float) -> float:
    within = min(max(confidence, EDGE), 1 - EDGE)
    return log(within / (1 - within))
