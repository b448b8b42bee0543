"""The steps of an approval as a policy states them: who must agree, by which rule, in which cases, and until when."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Self

from pydantic import Field as Bounded
from pydantic import StringConstraints, field_validator, model_validator

from schemas.message import Message

Voter = Annotated[str, StringConstraints(pattern=r"^((group|role):)?[a-z0-9][a-z0-9._-]{0,63}$")]
"""A person's id, or `group:legal`, `role:executive`: any one of those whom the directory has in it."""
StepName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Rule = Literal["any", "all"] | Annotated[int, Bounded(ge=1, le=50)]
"""any: whoever decides first decides. all: another person for each voter. A number: so many people."""
Patience = Annotated[timedelta, Bounded(gt=timedelta(0), le=timedelta(days=3650))]
"""How long somebody has. Ten years at most: instants beyond the calendar would stop a case."""


def is_group(voter: str) -> bool:
    return ":" in voter


class Condition(Message):
    """Something about a case. What is not known of it counts as true: then more people look, not fewer."""

    field: str
    over: Mapping[str, Decimal] = {}
    """By currency; an amount in a currency that is not named counts as over."""
    one_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()

    @model_validator(mode="after")
    def it_asks_one_thing(self) -> Self:
        if sum(map(bool, (self.over, self.one_of, self.none_of))) != 1:
            raise ValueError("a condition has one of: over, one_of, none_of")
        return self

    def holds(self, values: Mapping[str, str | None]) -> bool:
        value = values.get(self.field)
        if value is None:
            return True
        if self.one_of:
            return value in self.one_of
        if self.none_of:
            return value not in self.none_of
        limit = self.over.get(values.get("currency") or "")
        try:
            # A comparison with NaN is no answer, and raises like any other word that is no number.
            return limit is None or Decimal(value) > limit
        except InvalidOperation:
            return True


class Seat(Message):
    """One voter of a step, and when they are needed."""

    voter: Voter
    when: tuple[Condition, ...] = ()


class Escalation(Message):
    """Who decides next when a step's people did not; any one of them alone."""

    to: tuple[Voter, ...] = Bounded(min_length=1)
    patience: Patience = timedelta(days=1)


class Step(Message):
    """One step of the chain. Durations count from the moment it opens."""

    name: StepName
    voters: tuple[Seat, ...] = Bounded(min_length=1)
    rule: Rule = "any"
    mandatory: tuple[Voter, ...] = ()
    """Voters without whose yes the step is not approved, however many others agree."""
    veto: tuple[Voter, ...] = ()
    """Voters whose no ends the step, however many others agree."""
    when: tuple[Condition, ...] = ()
    remind_after: Patience | None = None
    """None: half-way."""
    patience: Patience = timedelta(days=3)
    escalate: tuple[Escalation, ...] = ()

    @field_validator("voters", mode="before")
    @classmethod
    def a_name_is_a_seat(cls, voters: Any) -> Any:
        if not isinstance(voters, list | tuple):
            return voters
        return [{"voter": voter} if isinstance(voter, str) else voter for voter in voters]

    @model_validator(mode="after")
    def who_counts_also_votes(self) -> Self:
        voters = {seat.voter for seat in self.voters}
        if strangers := sorted({*self.mandatory, *self.veto} - voters):
            raise ValueError(f"{self.name}: mandatory or veto, but no voter of this step: {', '.join(strangers)}")
        people = [seat.voter for seat in self.voters if not is_group(seat.voter)]
        if twice := sorted({person for person in people if people.count(person) > 1}):
            raise ValueError(f"{self.name}: one person cannot hold two seats: {', '.join(twice)}")
        if self.remind_after and self.remind_after >= self.patience:
            raise ValueError(f"{self.name}: remind_after is not before the end of its patience, {self.patience}")
        if isinstance(self.rule, int) and self.rule > len(voters) and not any(map(is_group, voters)):
            raise ValueError(f"{self.name}: {self.rule} of {len(voters)} people cannot agree")
        return self

    @property
    def named(self) -> frozenset[str]:
        """Every voter this step may ask."""
        escalated = (voter for level in self.escalate for voter in level.to)
        return frozenset((*(seat.voter for seat in self.voters), *escalated))

    def for_case(self, values: Mapping[str, str | None]) -> "Step | None":
        """Give the step with the voters that a case with these values needs; None when it needs none of them."""
        seats = tuple(seat for seat in self.voters if _all_hold(seat.when, values))
        if not seats or not _all_hold(self.when, values):
            return None
        voters = {seat.voter for seat in seats}
        kept = {name: tuple(it for it in getattr(self, name) if it in voters) for name in ("mandatory", "veto")}
        rule = self.rule
        # Whoever this case does not need cannot agree either; how many people a group has, the directory knows.
        if isinstance(rule, int) and not any(map(is_group, voters)):
            rule = min(rule, len(voters))
        return self.model_copy(update={"voters": seats, "rule": rule, **kept})


def _all_hold(conditions: tuple[Condition, ...], values: Mapping[str, str | None]) -> bool:
    return all(condition.holds(values) for condition in conditions)
