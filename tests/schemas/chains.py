"""Questions, people and instants that the claims of the approval share."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from schemas.approval import Decision, Reply, Verb
from schemas.message import digest_of
from schemas.policy import ApprovalPolicy
from schemas.standing import Ask
from schemas.steps import Escalation, Step
from schemas.turn import turns_of
from schemas.wait import Wait

ANN, BEN, CEM, OWNER, MAKER, STRANGER = "ann", "ben", "cem", "owner", "maker", "mallory"
LAWYERS = "group:legal"
MEMBERS: Mapping[str, Sequence[str]] = {
    **{person: (person,) for person in (ANN, BEN, CEM, OWNER, "dora", "eve")},
    LAWYERS: ("lea", "lou"),
}
DRAFT, OTHER = digest_of(b"draft"), digest_of(b"another draft")
NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)
REMINDED, DUE, ESCALATED, HANDED = NOW + 2 * DAY, NOW + 4 * DAY, NOW + 5 * DAY, NOW + 8 * DAY
"""When the first reminder comes, and when its people, the escalation and the owner lose the step that `asked` opens."""


def step_of(*voters: str, **rules: object) -> Step:
    return Step.model_validate({"name": "one", "voters": voters, "patience": 4 * DAY, **rules})


def question(step: Step, **said: object) -> Ask:
    policy = ApprovalPolicy(steps=(step,), owner=OWNER, owner_patience=3 * DAY)
    turns = turns_of(step, policy, MEMBERS, NOW)
    ask = Ask(draft=DRAFT, step=step.name, turns=turns, owner=OWNER, submitter=MAKER, fields=("currency", "total"))
    return ask.model_copy(update=said)


def asked(*voters: str, said: Mapping[str, object] | None = None, **rules: object) -> Wait:
    """A wait whose step of these voters has just opened; it escalates to dora, and then to the owner."""
    escalate = (Escalation(to=("dora",), patience=DAY),)
    return Wait().asked(question(step_of(*(voters or (ANN, BEN)), **{"escalate": escalate, **rules}), **(said or {})))


def at(wait: Wait, now: datetime) -> Wait:
    """The wait once everything that falls due by then has happened."""
    while (later := wait.tick(now)) != wait:
        wait = later
    return wait


def says(verdict: Verb = "approve", by: str = ANN, **said: object) -> Decision:
    """What somebody says, each under an id of its own unless told otherwise."""
    named = {"id": f"{by}-{verdict}", "by": by, "verdict": verdict, "draft": DRAFT}
    return Decision.model_validate({**named, "note": "why", **said})


def reply_to(wait: Wait, decision: Decision, now: datetime = NOW) -> Reply:
    return wait.hear(decision, now, "update")[1]


def after(wait: Wait, *said: Decision, now: datetime = NOW) -> Wait:
    """The wait after people said this, all of it accepted."""
    for decision in said:
        wait, reply = wait.hear(decision, now, "update")
        assert reply.accepted, reply.reason
    return wait


def from_the_start(*said: Decision, asks: Sequence[Ask]) -> Wait:
    """A fresh wait that hears everything before anything is asked, as after a reset."""
    wait = Wait()
    for decision in said:
        wait = wait.hear(decision, NOW, "signal")[0]
    for ask in asks:
        wait = hearing_kept(wait.asked(ask))
    return wait


def hearing_kept(wait: Wait) -> Wait:
    while (found := wait.heard_now())[0]:
        (kept, wait) = found
        for decision in kept:
            wait = wait.hear(decision, NOW, "signal")[0]
    return wait.settle()
