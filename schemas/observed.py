"""What one case came to, as figures and the drift watch count it: nothing of what its document says."""

from collections.abc import Mapping
from datetime import datetime

from schemas.message import Message


class Handled(Message):
    """Somebody did something to a case."""

    by: str
    at: datetime


class Observed(Message):
    case: str
    started_at: datetime
    asked_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    decided_by: str = ""
    verdict: str = ""
    format: str = ""
    size: int = 0
    rung: str = ""
    confidence: float | None = None
    """Of the least sure field, as it was read first; None when nothing was."""
    confidences: Mapping[str, float] = {}
    """Of each field that was read."""
    category: str = ""
    """Of whom or about what it is, as the first digits of a digest: counted, never shown."""
    sampled: bool = False
    corrected: tuple[str, ...] = ()
    """The fields that people changed, each once."""
    acts: tuple[Handled, ...] = ()
    late: tuple[datetime, ...] = ()
    """When a deadline of it passed."""
    disagreed: bool = False
    """People voted both for and against it."""
    findings: tuple[str, ...] = ()
    refused_by_crm: bool = False

    @property
    def straight(self) -> bool:
        return self.outcome == "applied" and self.asked_at is None

    @property
    def seen(self) -> bool:
        """A person decided it, by approving what was read or by changing it."""
        return bool(self.decided_by) and self.outcome in ("applied", "rejected")

    @property
    def machine_seconds(self) -> float | None:
        """From its start until it was asked about or ended: people's time is none of it."""
        moved = self.asked_at or self.ended_at
        return (moved - self.started_at).total_seconds() if moved else None
