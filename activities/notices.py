"""Notices to people: that a case waits, still waits, was not decided in time, or has ended. Never what is in it."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.addresses import Addresses, BadAddresses
from activities.audit import Audit
from activities.proof import code_for
from schemas.opening import CodeFor, Telling, Told
from schemas.policy import Notice

if TYPE_CHECKING:
    from apprise import NotifyBase

TITLES: Mapping[Notice, str] = {
    "assignment": "A case waits for your decision",
    "reminder": "A case still waits for your decision",
    "breach": "A case was not decided in time, and is yours to decide now",
    "outcome": "A case has ended",
    "review": "A week was reviewed",
}
QUESTION = "You are asked something about a case that you submitted"
PATIENCE = timedelta(seconds=30)
"""For all addresses of a person together; the step itself has a minute, and a worker that stops waits no longer."""
NO_ADDRESS = "no address"


@dataclass(frozen=True)
class Notices:
    addresses: Addresses
    audit: Audit
    link: Callable[[str, str], str]
    """Where a case is looked at: from its id and its namespace."""
    code_key: bytes

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

        title, body = _title(telling), self._body(telling)
        had = set(activity.info().heartbeat_details)
        marks = [self._mark(address) for address in addresses]
        for mark, address in zip(marks, addresses, strict=True):
            if mark not in had and _handed_over(address, title, body, PATIENCE / len(addresses)):
                had.add(mark)
                activity.heartbeat(*had)
        if failed := len(set(marks) - had):
            raise self._unsent(telling, f"{failed} of {len(addresses)} addresses did not take it")
        head = self.audit.record(telling.case, "notice.sent", _about(telling, attempt=activity.info().attempt))
        return Told(sent=True, head=head)

    @activity.defn(name="notices.give_up")
    def give_up(self, telling: Telling) -> Told:
        problem = "given up: it could not be sent for too long"
        head = self.audit.record(telling.case, "notice.failed", _about(telling, problem=problem))
        return Told(sent=False, problem=problem, head=head)

    def _mark(self, address: "NotifyBase") -> str:
        """What an address is remembered by between attempts: it says nothing of it to whoever reads the history."""
        url: str = address.url()  # type: ignore[no-untyped-call]
        return hmac.digest(self.code_key, url.encode(), "sha256").hex()[:16]

    def _unsent(self, telling: Telling, problem: str) -> ApplicationError:
        """To be tried again. The audit has the first failure and the end of it; Temporal shows those in between."""
        if (attempt := activity.info().attempt) == 1:
            self.audit.record(telling.case, "notice.failed", _about(telling, problem=problem, attempt=attempt))
        return ApplicationError(problem, type="notices.unsent")

    def _body(self, telling: Telling) -> str:
        """What is asked, of which case, until when, and where to look: plain text."""
        step = f", step {telling.step}" if telling.step else ""
        outcome = f": {telling.outcome}" if telling.outcome else ""
        until = f" There is time until {telling.due.astimezone(UTC):%d %B %Y, %H:%M} UTC." if telling.due else ""
        lines = (
            f"{_matter(telling)}{step}{outcome}.{until}",
            "",
            f"Case: {telling.case}",
            f"In the Temporal UI: {self.link(telling.case, activity.info().namespace)}",
            f"In a terminal: casework {'report' if telling.kind == 'review' else 'show'} {_named(telling)}",
            *self._code(telling),
        )
        return "\n".join(lines)

    def _code(self, telling: Telling) -> tuple[str, ...]:
        """It shows that whoever gives it reads what is sent to this person; so it is in the notice and nowhere else."""
        if not telling.with_code or telling.draft is None:
            return ()
        place = telling.model_dump(include={"case", "run", "step", "draft", "opening"})
        code = code_for(self.code_key, CodeFor(person=telling.people[0], **place))
        return ("", f"Your code: {code}", "It is yours alone, and good for this step and this draft.")


def _handed_over(address: "NotifyBase", title: str, body: str, patience: timedelta) -> bool:
    from apprise import Apprise

    try:
        return bool(Apprise([address]).notify(body, title, body_format="text", timeout=patience.total_seconds()))
    except Exception:  # noqa: BLE001  (whatever it says may quote the address)
        return False


def _matter(telling: Telling) -> str:
    return QUESTION if telling.question else TITLES[telling.kind]


def _named(telling: Telling) -> str:
    """What the command calls it: a case, or of a review the process."""
    return telling.case.partition("/")[2] if telling.kind == "review" else telling.case


def _title(telling: Telling) -> str:
    process, _, key = telling.case.partition("/")
    return f"{_matter(telling)}: {process}/{key[:8]}"


def _about(telling: Telling, **more: object) -> Mapping[str, object]:
    """What the audit is told of it; with which words and to which address, nobody is."""
    told = telling.model_dump(mode="json", include={"kind", "step", "opening", "question", "outcome"})
    return {**told, "person": telling.people[0], **more}
