"""The drift watch: compares recent cases with those before, and pulls the brake itself. It never lets it go."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from temporalio import activity

from activities.audit import STAGE, Audit
from activities.brakes import Brakes
from activities.learning.drift import signals
from activities.observing import Observing
from schemas.drift import WATCHER, Looked, Watch


class Past(NamedTuple):
    """What became of the watch's own pulls."""

    held: bool
    accepted: datetime | None
    """Since when a person has taken cases as they now are for good: where the window they released began."""
    released: datetime | None


@dataclass(frozen=True)
class Watching:
    observing: Observing
    audit: Audit
    brakes: Brakes

    @activity.defn(name="drift.look")
    def act(self, watch: Watch) -> Looked:
        """Look, and hold the process at supervised when something has drifted: once, until a person releases it."""
        looked = self.look(watch, datetime.now(UTC))
        if looked.held or not any(one.drifted for one in looked.signals):
            return looked
        found = [one.model_dump(mode="json") for one in looked.signals if one.drifted]
        evidence = {"window": looked.since.isoformat(), "signals": found}
        self.brakes.pull(watch.process, "supervised", looked.reason, WATCHER, evidence=evidence)
        return looked.model_copy(update={"pulled": True})

    def look(self, watch: Watch, now: datetime) -> Looked:
        """Compare, and touch nothing.

        What a person released is good: those cases never pull the brake again, and are the reference from then on.
        """
        past = self._past(watch.process)
        since = max(now - watch.recent, past.released or now - watch.recent)
        first = max(since - watch.reference, past.accepted or since - watch.reference)
        seen = [one for one in self.observing.of(watch.process, first, now) if one.started_at >= first]
        found = signals(
            [one for one in seen if one.started_at < since], [one for one in seen if one.started_at >= since]
        )
        return Looked(process=watch.process, since=since, signals=found, held=past.held)

    def _past(self, process: str) -> Past:
        pulled: datetime | None = None
        accepted = released = None
        for link, body in self.audit.entries(f"{STAGE}{process}"):
            if link.kind == "brake.pulled" and body and body.get("by") == WATCHER:
                pulled = datetime.fromisoformat(str(body["window"]))
            elif link.kind == "brake.released" and pulled:
                accepted, released, pulled = pulled, datetime.fromisoformat(link.at), None
        return Past(held=pulled is not None, accepted=accepted, released=released)
