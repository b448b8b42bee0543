"""What is agreed about a process: its owner, how far it is trusted, who is called when."""

from datetime import timedelta
from typing import Generic, Literal, TypeVar

from pydantic import model_validator

from schemas.message import Message, PersonId
from schemas.metrics import Metric
from schemas.policy import Policy

P = TypeVar("P", bound=Policy)


class Person(Message):
    """The only place where an id meets a name and an address."""

    id: PersonId
    name: str
    role: str
    contact: str


class EscalationStep(Message):
    """When something has been wrong for so long, this person is to be called, in this way: by people, as yet."""

    after: timedelta
    person: PersonId
    how: str


class Stakeholder(Message):
    who: str
    interest: str
    """What they want of the process, or what it does to them."""


class WorkStep(Message):
    """One box of the workflow map; `next` names the boxes that may follow, and without one the work ends there."""

    name: str
    who: str
    what: str
    next: tuple[str, ...] = ()


class DataItem(Message):
    """One kind of data that the process holds."""

    source: str
    fields: tuple[str, ...]
    sensitivity: Literal["public", "internal", "confidential", "personal"]
    retention: str
    system_of_record: str


class FailureMode(Message):
    failure: str
    response: str


class Charter(Message, Generic[P]):
    process: str
    purpose: str
    owner: PersonId
    autonomy: str
    """In plain words, which cases are written without a person."""
    people: tuple[Person, ...]
    policy: P
    escalation: tuple[EscalationStep, ...]
    stakeholders: tuple[Stakeholder, ...] = ()
    workflow: tuple[WorkStep, ...] = ()
    data: tuple[DataItem, ...] = ()
    failures: tuple[FailureMode, ...] = ()
    metrics: tuple[Metric, ...] = ()
    models: str = ""
    """Which models are asked, and what is retrieved for them."""
    oversight: str = ""
    monitoring: tuple[str, ...] = ()
    """What is watched, by whom, how often."""

    @model_validator(mode="after")
    def everybody_is_known(self) -> "Charter[P]":
        known = {person.id for person in self.people}
        named = {self.owner, *self.policy.approval.people, *(step.person for step in self.escalation)}
        if strangers := sorted(named - known):
            raise ValueError(f"people does not list {', '.join(strangers)}")
        return self

    @model_validator(mode="after")
    def the_map_leads_somewhere(self) -> "Charter[P]":
        for what, names in (
            ("workflow", [step.name for step in self.workflow]),
            ("metrics", [str(metric.name) for metric in self.metrics]),
        ):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{what} has {', '.join(twice)} more than once")
        known = {step.name for step in self.workflow}
        if lost := sorted({name for step in self.workflow for name in step.next} - known):
            raise ValueError(f"workflow leads to {', '.join(lost)}, which is none of its steps")
        return self
