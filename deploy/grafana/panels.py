"""What the dashboards show: each panel with its queries, for people who have never seen casework before."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

OURS = 'process=~"$process"'
WEEK = "offset 1w"
"""The same time a week ago: what is usual on this weekday."""


class Panel(NamedTuple):
    title: str
    words: str
    queries: Mapping[str, str]
    """By legend."""
    unit: str = "short"
    kind: Literal["graph", "number"] = "graph"
    alarming: float | None = None
    """A number from which it is shown in red."""


class Board(NamedTuple):
    """One dashboard; `one` is set where it is about one process at a time."""

    name: str
    title: str
    rows: Mapping[str, Sequence[Panel]]
    one: bool = False


def acts(kind: str, by: str = "result", window: str = "1h", result: str = ".*") -> str:
    """How many entries of a kind the audit was given within a window."""
    which = f'{OURS}, kind=~"{kind}", result=~"{result}"'
    return f"sum by ({by}) (increase(casework_acts_total{{{which}}}[{window}]))"


def gauge(name: str, by: str = "process", ago: str = "", **labels: str) -> str:
    """A gauge of our own: each worker tells it from the same tables, so this is one answer of however many."""
    which = ", ".join([OURS, *(f'{label}="{value}"' for label, value in labels.items())])
    return f"max by ({by}) ({name}{{{which}}} {ago})"


def quantile(share: float, name: str, by: str, which: str = "") -> str:
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({name}_bucket{{{which}}}[$__rate_interval])))"


def rate(name: str, by: str, which: str = "") -> str:
    return f"sum by ({by}) (rate({name}{{{which}}}[$__rate_interval]))"


def share(part: str, whole: str) -> str:
    """Nothing of nothing is no share, and no point on a graph."""
    return f"{part} / ({whole} > 0)"
