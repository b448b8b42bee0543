"""Pictures of a calibration, for people: how reliable confidence is, and what risk which coverage costs."""

from pathlib import Path

from activities.learning.fitting import Learnt
from schemas.calibration import Scored, above, reliability, risk_coverage, upper_bound

READ, CALIBRATED, LIMIT = "#b35806", "#2166ac", "#555555"
SIZE = (6.4, 4.8)
BOUNDS = 60
"""Points of the bound's curve: each takes an exact test."""


def drawn(found: Learnt, folder: Path) -> list[Path]:
    """Write both as SVG into the folder."""
    return [_reliability(found, folder / "reliability.svg"), _risk_coverage(found, folder / "risk-coverage.svg")]


def _reliability(found: Learnt, path: Path) -> Path:
    figure, axes = _page("confidence", "share of right fields", "Reliability, of fields that taught nothing")
    axes.plot([0, 1], [0, 1], color=LIMIT, linewidth=1, linestyle="--", label="as it should be")
    for name, scored, colour in (("as read", found.read, READ), ("calibrated", found.calibrated, CALIBRATED)):
        told = reliability(scored)
        sizes = [20 + 300 * one.n / max(told.n, 1) for one in told.bins]
        x, y = [one.confidence for one in told.bins], [one.right for one in told.bins]
        label = f"{name}: ECE {told.ece:.3f}, {told.populated} populated bins"
        axes.scatter(x, y, s=sizes, color=colour, alpha=0.7, label=label)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.05)
    return _kept(figure, axes, path, "lower right")


def _risk_coverage(found: Learnt, path: Path) -> Path:
    figure, axes = _page("share of the clean cases taken, surest first", "share wrong", "Risk and coverage")
    choice = found.choice
    for name, scored, colour in (("as read", found.cases_read, READ), ("calibrated", found.cases, CALIBRATED)):
        points = risk_coverage(scored)
        axes.step([x for x, _ in points], [y for _, y in points], where="post", color=colour, label=name)
    bound = _bound(found.cases, choice.confidence)
    label = f"at most this, with {choice.confidence:.0%} confidence"
    axes.plot([x for x, _ in bound], [y for _, y in bound], color=CALIBRATED, linewidth=1, linestyle=":", label=label)
    axes.axhline(choice.risk, color=LIMIT, linewidth=1, linestyle="--", label=f"stated risk {choice.risk:.1%}")
    if choice.threshold is not None and choice.of:
        place = choice.taken / choice.of
        axes.axvline(place, color=LIMIT, linewidth=1, label=f"threshold {choice.threshold:.4f}: {place:.0%} taken")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, max(4 * choice.risk, 1.2 * max((y for _, y in risk_coverage(found.cases)), default=0)))
    return _kept(figure, axes, path, "upper left")


def _bound(cases: Scored, confidence: float) -> list[tuple[float, float]]:
    """The exact bound of each coverage taken by itself, which is what a threshold is proved by."""
    thresholds = sorted({sure for sure, _ in cases}, reverse=True)
    points = []
    for threshold in thresholds[:: max(1, len(thresholds) // BOUNDS)]:
        taken, errors = above(cases, threshold)
        points.append((taken / len(cases), upper_bound(errors, taken, confidence)))
    return points


def _page(x: str, y: str, title: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    from matplotlib.figure import Figure  # a second, which only drawing should cost

    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title)
    axes.grid(visible=True, alpha=0.3)
    return figure, axes


def _kept(figure, axes, path: Path, where: str) -> Path:  # type: ignore[no-untyped-def]  # noqa: ANN001
    axes.legend(loc=where, fontsize="small")
    figure.savefig(path, metadata={"Date": None})
    return path
