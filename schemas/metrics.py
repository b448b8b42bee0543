"""What a process can be measured by: a closed set, so that a charter names only what the weekly review computes."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from schemas.message import Message

MetricName = Literal[
    "straight_through",
    "error_rate",
    "corrections",
    "cycle_hours_median",
    "cycle_hours_p90",
    "human_minutes",
    "cost",
    "breaches",
    "backlog",
]


class Meaning(NamedTuple):
    title: str
    words: str
    better: Literal["higher", "lower"] = "lower"


MEANINGS: Mapping[MetricName, Meaning] = {
    "straight_through": Meaning(
        "straight-through rate", "share of the cases ended that week that were applied without a person", "higher"
    ),
    "error_rate": Meaning(
        "error rate", "share of the random sample of straight-through cases that a person corrected or rejected"
    ),
    "corrections": Meaning("corrections", "fields corrected by people, per case that people decided"),
    "cycle_hours_median": Meaning("cycle time, median", "hours from the start of a case to its end"),
    "cycle_hours_p90": Meaning("cycle time, p90", "hours in which nine of ten cases end"),
    "human_minutes": Meaning(
        "human minutes",
        "estimate, not measured: of each act of a person, the time since the case was asked or since their act before, "
        "whichever is later, at most 10 minutes; per case ended",
    ),
    "cost": Meaning("cost", "of calls of model endpoints, in the currency of the settings, per case ended"),
    "breaches": Meaning("breaches", "cases of which a deadline passed that week"),
    "backlog": Meaning("backlog", "cases that are open when the week ends"),
}


class Metric(Message):
    """What success is: a target, and how it was before."""

    name: MetricName
    target: float
    baseline: float | None = None

    def met(self, value: float) -> bool:
        return value >= self.target if MEANINGS[self.name].better == "higher" else value <= self.target
