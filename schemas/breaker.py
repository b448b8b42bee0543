"""A circuit breaker, as a pure state machine: an endpoint that fails is left alone for a while. Instants come in.

    closed --half of the last calls failed--> open --after a while--> half-open: one call probes
       ^----------------------- it answered ------------------------------'  (it failed: open for twice as long)
    held by a person: until a person resumes it

All workers share one breaker for each endpoint. An answer that cannot be used is an answer: the endpoint is there.
"""

from datetime import datetime, timedelta
from typing import Literal

from schemas.message import Message

BreakerState = Literal["closed", "open", "half-open", "held"]
Answered = Literal["yes", "no", "refused", "busy"]
"""no: silence, a broken line, its own fault. refused: it was our key. busy: it is there, and wants fewer calls."""
WINDOW, ENOUGH = 10, 5
"""How many calls are looked at, and how many of them have to fail."""
FIRST, LONGEST = timedelta(seconds=30), timedelta(minutes=10)
PROBE = timedelta(minutes=3)
"""A probe that has not been told of by then was lost with its worker."""


class Breaker(Message):
    recent: tuple[bool, ...] = ()
    """Whether each of the last calls was answered, the newest last."""
    until: datetime | None = None
    """Open until then."""
    opened: int = 0
    """How often in a row: each time is twice as long."""
    probing: bool = False
    why: str = ""
    held: str = ""
    """By whom and why, when a person holds it."""

    def state(self, now: datetime) -> BreakerState:
        if self.held:
            return "held"
        if self.until is None:
            return "closed"
        return "open" if now < self.until else "half-open"

    def asked(self, now: datetime) -> "Breaker | None":
        """How it stands while a call is under way; None when none may be made."""
        state = self.state(now)
        if state == "half-open":
            return self.model_copy(update={"probing": True, "until": now + PROBE})
        return self if state == "closed" else None

    def told(self, answered: Answered, now: datetime, why: str = "") -> "Breaker":
        """How it stands once a call has ended. What was asked before it opened says nothing any more."""
        if answered == "busy" or (self.until and not self.probing):
            return self.model_copy(update={"probing": False, "until": now}) if self.probing else self
        if answered == "yes":
            recent = () if self.probing else (*self.recent, True)[-WINDOW:]
            return Breaker(recent=recent, held=self.held)
        recent = (*self.recent, False)[-WINDOW:]
        failed = recent.count(False)
        if self.probing or answered == "refused" or (failed >= ENOUGH and 2 * failed >= len(recent)):
            rest = LONGEST if answered == "refused" else min(FIRST * 2**self.opened, LONGEST)
            return Breaker(until=now + rest, opened=self.opened + 1, why=why, held=self.held)
        return self.model_copy(update={"recent": recent})
