"""Notices to people: that a case waits, still waits, was not decided in time, or has ended. Never what is in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.addresses import Addresses, BadAddresses
from activities.audit import Audit
from schemas.opening import Telling, Told
from schemas.policy import Notice

TITLES: Mapping[Notice, str] = {
    "assignment": "A case waits for your decision",
    "reminder": "A case still waits for your decision",
    "breach": "A case was not decided in time",
    "outcome": "A case has ended",
}
PATIENCE = timedelta(seconds=45)
"""For all addresses of a person together; the step itself has a minute."""
NO_ADDRESS = "no address"


@dataclass(frozen=True)
class Notices:
    addresses: Addresses
    audit: Audit
    link: Callable[[str, str], str]
    """Where a case is looked at: from its id and its namespace."""

    @activity.defn(name="notices.send")
    def send(self, telling: Telling) -> Told:
        """Send it to every address of the person; an attempt that repeats another leaves out those that have it."""
        (person,) = telling.people
        try:
            addresses = self.addresses.of(person)
        except BadAddresses as error:
            raise self._unsent(telling, str(error)) from None
        if not addresses:
            head = self.audit.record(telling.case, "notice.failed", _about(telling, problem=NO_ADDRESS))
            return Told(sent=False, problem=NO_ADDRESS, head=head)

        from apprise import Apprise

        body = self._body(telling)
        had = set(activity.info().heartbeat_details)
        for place, address in enumerate(addresses):
            one = Apprise([address])
            share = PATIENCE.total_seconds() / len(addresses)
            if place not in had and one.notify(body, _title(telling), body_format="text", timeout=share):
                had.add(place)
                activity.heartbeat(*had)
        if failed := len(set(range(len(addresses))) - had):
            raise self._unsent(telling, f"{failed} of {len(addresses)} addresses did not take it")
        head = self.audit.record(telling.case, "notice.sent", _about(telling, attempt=activity.info().attempt))
        return Told(sent=True, head=head)

    @activity.defn(name="notices.give_up")
    def give_up(self, telling: Telling) -> Told:
        problem = "given up: it could not be sent for too long"
        head = self.audit.record(telling.case, "notice.failed", _about(telling, problem=problem))
        return Told(sent=False, problem=problem, head=head)

    def _unsent(self, telling: Telling, problem: str) -> ApplicationError:
        """To be tried again. The audit has the first failure and the end of it; Temporal shows those in between."""
        if (attempt := activity.info().attempt) == 1:
            self.audit.record(telling.case, "notice.failed", _about(telling, problem=problem, attempt=attempt))
        return ApplicationError(problem, type="notices.unsent")

    def _body(self, telling: Telling) -> str:
        """What is asked, of which case, until when, and where to look: plain text."""
        step = f", step {telling.step}" if telling.step else ""
        outcome = f": {telling.outcome}" if telling.outcome else ""
        until = f" It can be decided until {telling.due.astimezone(UTC):%d %B %Y, %H:%M} UTC." if telling.due else ""
        lines = [
            f"{TITLES[telling.kind]}{step}{outcome}.{until}",
            "",
            f"Case: {telling.case}",
            f"In the Temporal UI: {self.link(telling.case, activity.info().namespace)}",
            f"In a terminal: casework show {telling.case}",
        ]
        return "\n".join(lines)


def _title(telling: Telling) -> str:
    process, _, key = telling.case.partition("/")
    return f"{TITLES[telling.kind]}: {process}/{key[:8]}"


def _about(telling: Telling, **more: object) -> Mapping[str, object]:
    """What the audit is told of it; with which words and to which address, nobody is."""
    told = telling.model_dump(mode="json", include={"kind", "step", "opening", "outcome"})
    return {**told, "person": telling.people[0], **more}
