"""Drift: how a process's recent cases differ from those before, and what a look at it came to."""

from datetime import datetime, timedelta

from schemas.message import Message

WATCHER = "drift-watch"
"""Who pulls the brake, as the audit tells it."""


class Watch(Message):
    """Compare the last `recent` with the `reference` before it."""

    process: str
    recent: timedelta = timedelta(days=7)
    reference: timedelta = timedelta(days=28)


class Signal(Message):
    """One thing that was compared. `effect` is PSI, the KS distance or the difference of two rates."""

    name: str
    measure: str
    recent: int
    reference: int
    effect: float | None = None
    p: float | None = None
    drifted: bool = False
    """The effect is large enough to matter, and the p-value is small enough among all that were tested."""

    @property
    def tested(self) -> bool:
        return self.p is not None


class Looked(Message):
    process: str
    since: datetime
    """Where the recent cases begin."""
    signals: tuple[Signal, ...] = ()
    pulled: bool = False
    held: bool = False
    """The watch had pulled the brake before, and nobody has released it."""

    @property
    def reason(self) -> str:
        said = (f"{one.name} ({one.measure} {one.effect:.2f})" for one in self.signals if one.drifted)
        return f"drift of {', '.join(said)}"
