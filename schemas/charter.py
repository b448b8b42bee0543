"""What is agreed about a process: its owner, how far it is trusted, who is called when."""

from datetime import timedelta
from typing import Generic, TypeVar

from pydantic import model_validator

from schemas.message import Message, PersonId
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


class Charter(Message, Generic[P]):
    process: str
    purpose: str
    owner: PersonId
    autonomy: str
    """In plain words, which cases are written without a person."""
    people: tuple[Person, ...]
    policy: P
    escalation: tuple[EscalationStep, ...]

    @model_validator(mode="after")
    def everybody_is_known(self) -> "Charter[P]":
        known = {person.id for person in self.people}
        named = {self.owner, *self.policy.approval.people, *(step.person for step in self.escalation)}
        if strangers := sorted(named - known):
            raise ValueError(f"people does not list {', '.join(strangers)}")
        return self
