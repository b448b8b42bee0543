"""Calibration: how far a confidence can be relied on, and which threshold keeps a stated risk.

Cases are `(confidence, wrong)`. The risk of a threshold is the share of wrong ones among the cases at or above it.

Rules:
- a threshold is proved by an exact binomial test (Clopper-Pearson): given how many cases lie above a threshold that was
  fixed beforehand, the errors among them are binomial with its true risk;
- many thresholds are looked at and the error must hold for the one that is chosen, so they are tested in one fixed
  order until the first that fails (fixed-sequence testing). The first threshold with too high a true risk is then
  proved with a probability of at most 1 - confidence, and nothing after it is unless it is. No correction for the
  number of thresholds is due, and risk need not fall as confidence rises;
- the order may depend on anything but the cases that test it. `planned` learns it from other cases: which threshold has
  the best prospects comes first (at the very surest too few cases lie above to prove anything), then downwards;
- what cannot be proved is refused, with how many labels it would take.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import groupby
from math import ceil, exp, fsum, inf, lgamma, log, log1p

from schemas.message import Message

Scored = Sequence[tuple[float, bool]]

STEPS = 40
"""Thresholds that are tried at most."""
BINS = 10
MOST_ERRORS = 100
"""Refusals count no further: what needs more labels than this many errors leave room for will not be labelled."""


class Choice(Message):
    """A threshold that keeps the risk, with that confidence; or a refusal: what was seen at the best candidate."""

    risk: float
    confidence: float
    threshold: float | None = None
    candidate: float
    of: int
    """Cases that were there to test with, and could go straight through."""
    taken: int
    """Of those, the ones at or above the threshold, or the candidate."""
    errors: int
    bound: float
    """With this confidence, the share of errors is at most this."""
    needed: int | None = None
    """Decisions above the candidate that would do at the share of errors seen; None when no number would."""
    more_labels: int | None = None


class Bin(Message):
    low: float
    high: float
    n: int
    confidence: float
    right: float


class Reliability(Message):
    """How well confidence tells the share of right ones. Without its bins an error of calibration says little."""

    n: int
    ece: float
    brier: float
    populated: int
    """Bins of equal width that hold at least one in a hundred."""
    bins: tuple[Bin, ...]


def tail(errors: int, n: int, risk: float) -> float:
    """How likely at most this many of n are wrong at this risk."""
    if errors >= n or risk <= 0:
        return 1.0
    if risk >= 1 or errors < 0:
        return 0.0
    odds, none = log(risk) - log1p(-risk), n * log1p(-risk)
    ways = (lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) for k in range(errors + 1))
    return min(1.0, fsum(exp(way + none + k * odds) for k, way in enumerate(ways)))


def upper_bound(errors: int, n: int, confidence: float) -> float:
    """The exact one-sided bound of Clopper and Pearson on the true share of errors."""
    if errors >= n:
        return 1.0
    low, high = errors / n, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(errors, n, middle) > 1 - confidence else (low, middle)
    return high


def proves(errors: int, n: int, risk: float, confidence: float) -> bool:
    return n > 0 and tail(errors, n, risk) <= 1 - confidence


def decisions_for(errors: int, risk: float, confidence: float) -> int:
    """The fewest decisions that prove the risk with this many errors among them."""
    low = high = errors + 1
    while not proves(errors, high, risk, confidence):
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if proves(errors, middle, risk, confidence) else (middle + 1, high)
    return high


def needed(share: float, risk: float, confidence: float) -> int | None:
    """The fewest decisions that would prove the risk if this share of them were wrong; None when no number would do."""
    if share >= risk:
        return None
    # The more errors there may be, the larger a share of the decisions they may be.
    enough = bisect_left(
        range(MOST_ERRORS), True, key=lambda errors: share * decisions_for(errors, risk, confidence) <= errors
    )
    return decisions_for(enough, risk, confidence) if enough < MOST_ERRORS else None


def planned(learnt: Scored, testing: int, risk: float, confidence: float) -> tuple[float, ...]:
    """Thresholds in the order of testing on that many other cases, learnt from these; none when these are none."""
    candidates = _candidates(learnt)

    def prospect(threshold: float) -> float:
        taken, errors = above(learnt, threshold)
        n = round(testing * taken / len(learnt))
        allowed = _allowed(n, risk, confidence)
        # Half an error more than was seen: few cases without an error are no promise.
        return tail(allowed, n, min(1.0, (errors + 0.5) / (taken + 1))) if allowed >= 0 else 0.0

    def labels(threshold: float) -> float:
        taken, errors = above(learnt, threshold)
        return (needed(errors / taken, risk, confidence) or inf) * len(learnt) / taken

    prospects = [prospect(threshold) for threshold in candidates]
    if any(prospects):
        return tuple(candidates[prospects.index(max(prospects)) :])
    # What would take the fewest labels tells best what is lacking.
    best = min(candidates, key=labels, default=0.0)
    return tuple(candidate for candidate in candidates if candidate <= best)


def _candidates(learnt: Scored) -> list[float]:
    """Confidences at evenly spaced ranks, surest first."""
    ranked = sorted((confidence for confidence, _ in learnt), reverse=True)
    steps = min(STEPS, len(ranked))
    return list(dict.fromkeys(ranked[ceil(len(ranked) * step / steps) - 1] for step in range(1, steps + 1)))


def _allowed(n: int, risk: float, confidence: float) -> int:
    """The most errors among n that still prove the risk; -1 when none do."""
    errors = -1
    while errors + 1 < n and proves(errors + 1, n, risk, confidence):
        errors += 1
    return errors


def above(scored: Scored, threshold: float) -> tuple[int, int]:
    """How many are at least this sure, and how many of those are wrong."""
    taken = [wrong for confidence, wrong in scored if confidence >= threshold]
    return len(taken), sum(taken)


def chosen(scored: Scored, order: Sequence[float], risk: float, confidence: float, labels: int) -> Choice:
    """The last threshold proved before the first that is not. `labels` are all that were spent to test with these."""
    proved = None
    for threshold in order:
        taken, errors = above(scored, threshold)
        if not proves(errors, taken, risk, confidence):
            break
        proved = threshold
    candidate = order[0] if proved is None else proved
    taken, errors = above(scored, candidate)
    enough = needed(errors / taken if taken else 0.0, risk, confidence)
    more = max(1, ceil(enough * labels / taken) - labels) if enough and taken else None
    return Choice(
        risk=risk,
        confidence=confidence,
        threshold=proved,
        candidate=candidate,
        of=len(scored),
        taken=taken,
        errors=errors,
        bound=upper_bound(errors, taken, confidence),
        needed=enough if proved is None else None,
        more_labels=more if proved is None else None,
    )


def reliability(scored: Scored) -> Reliability:
    """The expected calibration error over bins of equal width, the Brier score, and the bins."""
    held: dict[int, list[tuple[float, bool]]] = {}
    for confidence, wrong in scored:
        held.setdefault(min(int(confidence * BINS), BINS - 1), []).append((confidence, not wrong))
    bins = tuple(
        Bin(
            low=place / BINS,
            high=(place + 1) / BINS,
            n=len(inside),
            confidence=fsum(confidence for confidence, _ in inside) / len(inside),
            right=sum(right for _, right in inside) / len(inside),
        )
        for place, inside in sorted(held.items())
    )
    n = len(scored)
    return Reliability(
        n=n,
        ece=fsum(one.n * abs(one.confidence - one.right) for one in bins) / n if n else 0.0,
        brier=fsum((confidence - (not wrong)) ** 2 for confidence, wrong in scored) / n if n else 0.0,
        populated=sum(100 * one.n >= n for one in bins),
        bins=bins,
    )


def risk_coverage(scored: Scored) -> list[tuple[float, float]]:
    """The share taken and the share of errors in it, threshold by threshold from the surest."""
    points, taken, errors = [], 0, 0
    for _, group in groupby(sorted(scored, key=lambda one: -one[0]), key=lambda one: one[0]):
        together = [wrong for _, wrong in group]
        taken, errors = taken + len(together), errors + sum(together)
        points.append((taken / len(scored), errors / taken))
    return points
