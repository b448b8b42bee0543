"""The weekly review: what a process's metrics were in a week, against what its charter set out. Pure.

Weeks are those of ISO 8601, in UTC. Cases count in the week in which they ended; open ones in the backlog alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import median, quantiles
from typing import Annotated

from pydantic import StringConstraints

from schemas.message import Digest, Message, PersonId
from schemas.metrics import Metric, MetricName
from schemas.observed import Observed
from schemas.policy import ApprovalPolicy, Policy
from schemas.start import Start
from schemas.steps import Seat, Step

Week = Annotated[str, StringConstraints(pattern=r"^\d{4}-W\d{2}$")]
ATTENTION = timedelta(minutes=10)
"""The most that one act is taken to have cost."""
WEEK = timedelta(days=7)


class Review(Message):
    """What is to be reviewed; it stands in the schedule as the charter said when the schedule was set."""

    process: str
    owner: PersonId
    metrics: tuple[Metric, ...] = ()
    week: Week | None = None
    """None: the last that is over."""
    back: int = 8
    """How many weeks before it are told beside it."""


class Measured(Message):
    """One week. A metric that nothing can be said of is absent."""

    week: Week
    ended: int = 0
    values: Mapping[MetricName, float] = {}
    error_interval: tuple[float, float] | None = None
    """Of the error rate, exact (Clopper-Pearson), with 95 % confidence, both sides."""
    sampled: int = 0
    corrected: Mapping[str, int] = {}
    """Corrections by field."""


class Missed(Message):
    metric: Metric
    value: float


class MissedTarget(Start):
    """What a review case starts with: the report, and the draft that approving it accepts, which writes nothing."""

    missed: tuple[str, ...]
    """In words."""
    draft: Digest


class Reviewed(Message):
    process: str
    weeks: tuple[Measured, ...]
    """Oldest first; the last is the one reviewed."""
    missed: tuple[Missed, ...] = ()
    files: tuple[str, ...] = ()
    opened: MissedTarget | None = None
    """The case in which the owner answers for what was missed."""

    @property
    def week(self) -> str:
        return self.weeks[-1].week


MISSED = "missed-target"
"""The process of review cases; their key names week and process."""


def case_of(process: str, week: Week) -> str:
    return f"{MISSED}/{week}-{process}"


def answering(owner: PersonId) -> Policy:
    """The owner has a week to say what is done about it, and is told so."""
    step = Step(name="owner", voters=(Seat(voter=owner),), patience=WEEK)
    return Policy(approval=ApprovalPolicy(steps=(step,), owner=owner, notices=("assignment", "reminder", "breach")))


def week_of(instant: datetime) -> Week:
    year, week, _ = instant.astimezone(UTC).isocalendar()
    return f"{year}-W{week:02}"


def begin(week: Week) -> datetime:
    """Its Monday, 00:00 UTC. Raises ValueError for a week that its year does not have."""
    day = date.fromisocalendar(int(week[:4]), int(week[6:]), 1)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def measured(week: Week, cases: Sequence[Observed], cost: float) -> Measured:
    """`cases` are all that were open at some time in the week, `cost` is of its model calls."""
    since = begin(week)
    until = since + WEEK
    ended = [one for one in cases if one.ended_at and since <= one.ended_at < until]
    seen = [one for one in ended if one.seen]
    hours = [(one.ended_at - one.started_at).total_seconds() / 3600 for one in ended if one.ended_at]
    corrected = Counter(field for one in seen for field in one.corrected)
    wrong, sampled = sample(ended)
    values: dict[MetricName, float] = {
        "breaches": sum(any(since <= at < until for at in one.late) for one in cases),
        "backlog": sum(one.started_at < until and (one.ended_at is None or one.ended_at >= until) for one in cases),
    }
    if ended:
        values["straight_through"] = sum(one.straight for one in ended) / len(ended)
        values["cycle_hours_median"] = median(hours)
        values["cycle_hours_p90"] = quantiles(hours, n=10, method="inclusive")[-1] if len(hours) > 1 else hours[0]
        values["human_minutes"] = attention(cases, since, until).total_seconds() / 60 / len(ended)
        values["cost"] = cost / len(ended)
    if seen:
        values["corrections"] = corrected.total() / len(seen)
    if sampled:
        values["error_rate"] = wrong / sampled
    return Measured(week=week, ended=len(ended), values=values, sampled=sampled, corrected=dict(corrected))


def sample(cases: Sequence[Observed]) -> tuple[int, int]:
    """Of the random sample that people decided: how many were wrong, and how many there are."""
    drawn = [one for one in cases if one.sampled and one.seen]
    return sum(one.outcome == "rejected" or bool(one.corrected) for one in drawn), len(drawn)


def attention(cases: Sequence[Observed], since: datetime, until: datetime) -> timedelta:
    """An estimate of people's time: nobody measures how long they look, so an act counts from whatever came before."""
    acts = sorted((act.at, act.by, one.asked_at or one.started_at) for one in cases for act in one.acts)
    before: dict[str, datetime] = {}
    total = timedelta()
    for at, by, asked in acts:
        if since <= at < until:
            total += min(ATTENTION, max(timedelta(), at - max(asked, before.get(by, asked))))
        before[by] = at
    return total


def missed(metrics: Sequence[Metric], found: Measured) -> tuple[Missed, ...]:
    """The targets that the week's figures did not meet; what cannot be told misses nothing."""
    values = ((metric, found.values.get(metric.name)) for metric in metrics)
    return tuple(
        Missed(metric=metric, value=value) for metric, value in values if value is not None and not metric.met(value)
    )
