"""What scoring adds for requests: none of these as an answer, and how well confidence tells how often it is right."""

from collections.abc import Callable, Sequence
from random import Random

from schemas.message import Message
from schemas.proposal import Field
from schemas.scoring import Judged, Labelled, coverage
from schemas.triage import CATEGORY

BINS = 15
DRAWS, SEED = 200, 0
EDGE = 0.025
PLACES = 3

Interval = tuple[float, float]
Scored = Sequence[tuple[float, bool]]


class RequestScore(Message):
    """Shares of 1. Intervals hold 95 of 100 draws from the labelled messages; None: there is no such message."""

    in_scope_accuracy: float | None
    """Of the messages that some category wants, those given it."""
    none_recall: float | None
    """Of the messages that none wants, those told apart."""
    in_scope: int
    none: int
    ece: float
    """The expected calibration error of the answers, none of these included, in 15 bins of confidence."""
    populated_bins: int
    coverage_at_1_interval: Interval
    coverage_at_5_interval: Interval


def request_score(labelled: Sequence[Labelled], judged: Sequence[Judged]) -> RequestScore:
    answers = [one.fields.get(CATEGORY, Field()) for one in judged]
    wanted = [label.expected.get(CATEGORY) for label in labelled]
    right = [answer.value == want for answer, want in zip(answers, wanted, strict=True)]
    scope = [is_right for is_right, want in zip(right, wanted, strict=True) if want is not None]
    none = [is_right for is_right, want in zip(right, wanted, strict=True) if want is None]
    sure = [answer.confidence for answer in answers]
    together = list(zip(judged, right, strict=True))
    return RequestScore(
        in_scope_accuracy=_share(scope),
        none_recall=_share(none),
        in_scope=len(scope),
        none=len(none),
        ece=round(ece(list(zip(sure, right, strict=True))), PLACES + 1),
        populated_bins=len({_bin(one) for one in sure}),
        coverage_at_1_interval=_interval(together, lambda drawn: _covered(drawn, 0.01)),
        coverage_at_5_interval=_interval(together, lambda drawn: _covered(drawn, 0.05)),
    )


def ece(scored: Scored) -> float:
    """How far confidence is from the share that is right, on average over the answers."""
    apart = [0.0] * BINS
    for confidence, right in scored:
        apart[_bin(confidence)] += right - confidence
    return sum(map(abs, apart)) / len(scored)


def _bin(confidence: float) -> int:
    return min(int(confidence * BINS), BINS - 1)


def _share(right: Sequence[bool]) -> float | None:
    return round(sum(right) / len(right), PLACES) if right else None


def _covered(drawn: Sequence[tuple[Judged, bool]], risk: float) -> float:
    return coverage([(one.confidence, not right) for one, right in drawn if one.clean], risk) / len(drawn)


def _interval(
    together: Sequence[tuple[Judged, bool]], figure: Callable[[Sequence[tuple[Judged, bool]]], float]
) -> Interval:
    """By the bootstrap: the figure of as many messages, drawn from these with replacement, again and again."""
    chance = Random(SEED)  # noqa: S311 - no secret is drawn
    found = sorted(figure(chance.choices(together, k=len(together))) for _ in range(DRAWS))
    low, high = found[int(EDGE * DRAWS)], found[int((1 - EDGE) * DRAWS) - 1]
    return round(low, PLACES), round(high, PLACES)
