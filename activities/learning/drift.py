"""Tests for drift between two sets of cases: pure functions.

Rules:
- a signal is tested when both sides have the minimum count, else it is told as untested;
- it has drifted when its effect is at least EFFECT, which is what matters, and its p-value holds at ALPHA among all
  that were tested in the same look (Holm), which is what chance does not explain. Looks are repeated daily over windows
  that overlap; ALPHA is for one look, and tests/activities/test_drift.py measures what comes of many;
- cases are taken as independent: a batch of one sender counts as many.
"""

from collections import Counter
from collections.abc import Sequence
from math import log, log1p

from schemas.drift import Signal
from schemas.observed import Observed

RECENT, REFERENCE = 30, 100
"""The fewest cases of each side."""
ALPHA = 0.001
EFFECT = {"PSI": 0.2, "KS": 0.2, "rate": 0.1}
KINDS = 10
"""Senders or categories that count by themselves; the others count together."""
EXPECTED = 5
OTHERS = "others"


def signals(reference: Sequence[Observed], recent: Sequence[Observed]) -> tuple[Signal, ...]:
    """What of the recent cases differs from the reference, every kind of signal in a fixed order."""
    both = (reference, recent)
    tested = (
        _mixed("verdicts", *([one.verdict for one in side if one.verdict] for side in both)),
        _mixed("document kinds", *([one.format for one in side if one.format] for side in both)),
        _spread("sizes", *([log1p(one.size) for one in side] for side in both)),
        _spread("confidence", *([one.confidence for one in side if one.confidence is not None] for side in both)),
        _rated("corrections", *([bool(one.corrected) for one in side if one.seen] for side in both)),
        _mixed("input mix", *([one.category for one in side if one.category] for side in both)),
        _spread("latency", *([time for one in side if (time := one.machine_seconds) is not None] for side in both)),
    )
    return _held(tested)


def psi(reference: Counter[str], recent: Counter[str]) -> float:
    """The population stability index; half a case is added to each kind, so that none is empty."""
    kinds = reference.keys() | recent.keys()
    n, m = (side.total() + len(kinds) / 2 for side in (reference, recent))
    shares = [((reference[kind] + 0.5) / n, (recent[kind] + 0.5) / m) for kind in kinds]
    return sum((now - was) * log(now / was) for was, now in shares)


def _mixed(name: str, reference: Sequence[str], recent: Sequence[str]) -> Signal:
    from scipy.stats import chi2_contingency  # a second, which only looking should cost

    told = Signal(name=name, measure="PSI", recent=len(recent), reference=len(reference))
    if _too_few(reference, recent):
        return told
    # Chosen by both sides together: chosen by the reference alone, its own chances would look like drift.
    both = Counter((*reference, *recent))
    least = EXPECTED * both.total() / min(len(reference), len(recent))
    kept = {kind for kind, n in both.most_common(KINDS) if n >= least}
    if 0 < sum(n for kind, n in both.items() if kind not in kept) < least and kept:
        kept.remove(min(kept, key=lambda kind: (both[kind], kind)))  # too few others: the smallest kind joins them
    was, now = (Counter(kind if kind in kept else OTHERS for kind in side) for side in (reference, recent))
    kinds = sorted(was.keys() | now.keys())
    p = chi2_contingency([[side[kind] for kind in kinds] for side in (was, now)]).pvalue if len(kinds) > 1 else 1.0
    return told.model_copy(update={"effect": psi(was, now), "p": float(p)})


def _spread(name: str, reference: Sequence[float], recent: Sequence[float]) -> Signal:
    from scipy.stats import ks_2samp

    told = Signal(name=name, measure="KS", recent=len(recent), reference=len(reference))
    if _too_few(reference, recent):
        return told
    found = ks_2samp(reference, recent, method="asymp")
    return told.model_copy(update={"effect": float(found.statistic), "p": float(found.pvalue)})


def _rated(name: str, reference: Sequence[bool], recent: Sequence[bool]) -> Signal:
    from scipy.stats import fisher_exact

    told = Signal(name=name, measure="rate", recent=len(recent), reference=len(reference))
    if _too_few(reference, recent):
        return told
    table = [[sum(side), len(side) - sum(side)] for side in (reference, recent)]
    effect = sum(recent) / len(recent) - sum(reference) / len(reference)
    return told.model_copy(update={"effect": effect, "p": float(fisher_exact(table).pvalue)})


def _too_few(reference: Sequence[object], recent: Sequence[object]) -> bool:
    return len(reference) < REFERENCE or len(recent) < RECENT


def _held(tested: Sequence[Signal]) -> tuple[Signal, ...]:
    """Holm: the smallest p-value must hold among all, the next among the others, until one does not."""
    order = sorted((one for one in tested if one.p is not None), key=lambda one: one.p or 0.0)
    drifted = set()
    for place, one in enumerate(order):
        if (one.p or 0.0) > ALPHA / (len(order) - place):
            break
        if abs(one.effect or 0.0) >= EFFECT[one.measure]:
            drifted.add(one.name)
    return tuple(one.model_copy(update={"drifted": one.name in drifted}) for one in tested)
