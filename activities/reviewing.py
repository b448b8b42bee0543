"""The weekly review: weeks recomputed from our records, and the report of the last one among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from temporalio import activity
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.audit import REVIEWS
from activities.observing import Observing
from activities.pages import Section, html, markdown
from schemas.case import Draft
from schemas.message import digest_of
from schemas.metrics import MEANINGS, MetricName
from schemas.observed import Observed
from schemas.review import (
    WEEK,
    Measured,
    Missed,
    MissedTarget,
    Review,
    Reviewed,
    answering,
    begin,
    case_of,
    measured,
    missed,
    sample,
    week_of,
)
from schemas.source import Source


@dataclass(frozen=True)
class Reviewing:
    observing: Observing
    reports: Path

    @activity.defn(name="review.write")
    def write(self, review: Review) -> Reviewed:
        """Write the report, as Markdown and as one HTML file with plots; what was missed is audited, and a case."""
        reviewed = self.of(review, datetime.now(UTC))
        title, sections = report(review, reviewed)
        self.reports.mkdir(parents=True, exist_ok=True)
        stem = self.reports / f"{review.process}-{reviewed.week}"
        files = {stem.with_suffix(".md"): markdown(title, sections), stem.with_suffix(".html"): html(title, sections)}
        for file, text in files.items():
            file.write_text(text)
        opened = self._opened(review, reviewed, title, files[stem.with_suffix(".md")]) if reviewed.missed else None
        reviewed = reviewed.model_copy(update={"files": tuple(map(str, files)), "opened": opened})
        last = reviewed.weeks[-1].model_dump(mode="json")
        told = {"measured": last, "missed": [one.model_dump(mode="json") for one in reviewed.missed]}
        self.observing.audit.record(f"{REVIEWS}{review.process}", "review.written", told)
        return reviewed

    def _opened(self, review: Review, reviewed: Reviewed, title: str, report: str) -> MissedTarget:
        """Enter the case, as a starter would; reviewed again, the week's case may be started with what is so now."""
        cases = self.observing.cases
        case = case_of(review.process, reviewed.week)
        source = Source(digest=cases.blobs.put(report.encode()), name=title, size=len(report))
        nothing = Draft(case=case, source=source.digest, records=(), main="")
        start = MissedTarget(
            source=source,
            policy=answering(review.owner),
            missed=tuple(map(_owed, reviewed.missed)),
            draft=cases.blobs.put(nothing.model_dump_json().encode()),
        )
        entered = digest_of(pydantic_data_converter.payload_converter.to_payload(start).data)
        if not cases.open(case, source, "", entered):
            cases.expect(case, entered)
        return start

    def of(self, review: Review, now: datetime) -> Reviewed:
        """Measure the week and those before it. Raises ValueError for a week that its year does not have."""
        last = begin(review.week) if review.week else begin(week_of(now - WEEK))
        begins = [last - place * WEEK for place in range(review.back, -1, -1)]
        cases = self.observing.of(review.process, begins[0], last + WEEK)
        weeks = []
        for since in begins:
            inside = [
                one for one in cases if one.started_at < since + WEEK and (not one.ended_at or one.ended_at >= since)
            ]
            found = measured(week_of(since), inside, self.observing.cost(review.process, since, since + WEEK))
            weeks.append(found.model_copy(update={"error_interval": interval(inside, since)}))
        return Reviewed(process=review.process, weeks=tuple(weeks), missed=missed(review.metrics, weeks[-1]))


def interval(cases: Sequence[Observed], since: datetime) -> tuple[float, float] | None:
    """Of the error rate, exact, with 95 % confidence; None when no sampled case was decided that week."""
    wrong, sampled = sample([one for one in cases if one.ended_at and since <= one.ended_at < since + WEEK])
    if not sampled:
        return None
    from scipy.stats import binomtest  # a second, which only reviewing should cost

    found = binomtest(wrong, sampled).proportion_ci(0.95, method="exact")
    return float(found.low), float(found.high)


def report(review: Review, reviewed: Reviewed) -> tuple[str, list[Section]]:
    last, before = reviewed.weeks[-1], reviewed.weeks[:-1]
    owed = [(_owed(one),) for one in reviewed.missed]
    rows = [_row(name, review, last, before[-1:] or ()) for name in MEANINGS]
    columns = ("metric", "this week", "the week before", "target", "baseline", "what it is")
    corrected = sorted(last.corrected.items(), key=lambda one: (-one[1], one[0]))
    known = [week.error_interval for week in reviewed.weeks[-1:] if week.error_interval]
    error = f" The error rate lies between {known[0][0]:.1%} and {known[0][1]:.1%} (95 %)." if known else ""
    return f"{review.process}, {last.week}", [
        Section("Targets", "" if owed else "No target that can be told was missed.", rows=owed),
        Section("Figures", f"{last.ended} cases ended, {last.sampled} of the random sample.{error}", columns, rows),
        Section("Corrections", "", ("field", "times"), [(field, str(times)) for field, times in corrected]),
        Section("Weeks", "", picture=drawn(review, reviewed.weeks)),
    ]


def _owed(one: Missed) -> str:
    return f"{MEANINGS[one.metric.name].title} is {one.value:.3g}, target {one.metric.target:g}."


def _row(name: MetricName, review: Review, last: Measured, before: Sequence[Measured]) -> tuple[str, ...]:
    metric = next((one for one in review.metrics if one.name == name), None)
    values = (last.values.get(name), before[0].values.get(name) if before else None)
    agreed = (metric.target, metric.baseline) if metric else (None, None)
    told = ("-" if value is None else f"{value:.3g}" for value in (*values, *agreed))
    return (MEANINGS[name].title, *told, MEANINGS[name].words)


def drawn(review: Review, weeks: Sequence[Measured]) -> str:
    """A small plot of each metric over the weeks, with its target, as SVG."""
    from matplotlib.figure import Figure  # a second, which only drawing should cost

    figure = Figure(figsize=(9, 8), layout="constrained")
    targets = {metric.name: metric.target for metric in review.metrics}
    for axes, name in zip(figure.subplots(3, 3).flat, MEANINGS, strict=True):
        told = [(week.week[5:], week.values[name]) for week in weeks if name in week.values]
        axes.plot([week for week, _ in told], [value for _, value in told], marker="o", color="#2166ac")
        if name in targets:
            axes.axhline(targets[name], color="#b35806", linestyle="--", linewidth=1)
        axes.set_title(MEANINGS[name].title, fontsize="small")
        axes.tick_params(labelsize=6)
        axes.set_ylim(bottom=0)
    file = StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    svg = file.getvalue()
    return svg[svg.index("<svg") :]
