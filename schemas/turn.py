"""A turn: who holds a step until when, what they must come to, and what they have come to."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from schemas.approval import Decision
from schemas.message import Message
from schemas.policy import ApprovalPolicy
from schemas.steps import Rule, Step


class Seated(Message):
    """A voter, and the people who may speak as that voter."""

    voter: str
    people: tuple[str, ...]


class Turn(Message):
    phase: Literal["open", "reminded", "escalated", "handed"]
    seats: tuple[Seated, ...]
    until: datetime
    rule: Rule = "any"
    mandatory: tuple[str, ...] = ()
    veto: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(person for seat in self.seats for person in seat.people))

    @property
    def can_be_met(self) -> bool:
        return self.met(self.people)

    def met(self, agreed: Collection[str]) -> bool:
        """Whether it is approved when these people, and nobody else, agree."""
        if not all(self._speaks(voter, agreed) for voter in self.mandatory):
            return False
        counted = [person for person in self.people if person in agreed]
        if self.rule == "all":
            return bool(self.seats) and _all_filled([seat.people for seat in self.seats], counted)
        return len(counted) >= (1 if self.rule == "any" else self.rule)

    def deciding(self, votes: Sequence[Decision]) -> Decision | None:
        """The vote that closes the turn; `votes` has one of each person, oldest first.

        A correction closes it, since it makes another draft; so does the first word where any one decides, and a no of
        somebody with a veto. Else a no closes it once the others cannot meet the rule without that person.
        """
        votes = [vote for vote in votes if vote.by in self.people]
        noes = [vote for vote in votes if vote.verdict == "reject"]
        for vote in votes:
            final = self.rule == "any" or any(self._speaks(voter, (vote.by,)) for voter in self.veto)
            if vote.verdict == "correct" or (vote.verdict == "reject" and final):
                return vote
        if noes and not self.met([person for person in self.people if person not in {vote.by for vote in noes}]):
            return noes[-1]
        yeses = [vote for vote in votes if vote.verdict == "approve"]
        return yeses[-1] if yeses and self.met([vote.by for vote in yeses]) else None

    def without(self, gone: Collection[str]) -> "Turn":
        return self._with_people(dict.fromkeys(gone, ()))

    def handed(self, person: str, to: str) -> "Turn":
        return self._with_people({person: (to,)})

    def _with_people(self, changed: Mapping[str, tuple[str, ...]]) -> "Turn":
        seats = tuple(
            seat.model_copy(
                update={
                    "people": tuple(
                        dict.fromkeys(new for person in seat.people for new in changed.get(person, (person,)))
                    )
                }
            )
            for seat in self.seats
        )
        return self.model_copy(update={"seats": seats})

    def _speaks(self, voter: str, people: Collection[str]) -> bool:
        """Whether one of these people may speak as this voter."""
        return any(person in people for seat in self.seats if seat.voter == voter for person in seat.people)


def _all_filled(seats: Sequence[Sequence[str]], people: Collection[str]) -> bool:
    """Whether each seat can have a person of its own: a matching, grown seat by seat along augmenting paths."""
    taken: dict[str, int] = {}

    def fill(seat: int, tried: set[str]) -> bool:
        for person in seats[seat]:
            if person in people and person not in tried:
                tried.add(person)
                if person not in taken or fill(taken[person], tried):
                    taken[person] = seat
                    return True
        return False

    return all(fill(seat, set()) for seat in range(len(seats)))


def turns_of(
    step: Step, policy: ApprovalPolicy, members: Mapping[str, Sequence[str]], opened: datetime
) -> tuple[Turn, ...]:
    """The turns of a step: its own people, reminded half-way, then each escalation, then the owner.

    `members` names the people of each voter. Durations are plain here; with a business calendar, this is what changes.
    """
    due = opened + step.patience
    own = {
        "seats": tuple(Seated(voter=seat.voter, people=tuple(members.get(seat.voter, ()))) for seat in step.voters),
        "rule": step.rule,
        "mandatory": step.mandatory,
        "veto": step.veto,
    }
    turns = [
        Turn(phase="open", until=min(opened + (step.remind_after or step.patience / 2), due), **own),
        Turn(phase="reminded", until=due, **own),
    ]
    levels: list[tuple[Literal["escalated", "handed"], Sequence[str], timedelta]] = [
        ("escalated", level.to, level.patience) for level in step.escalate
    ]
    if policy.on_deadline == "owner":
        levels.append(("handed", (policy.owner,), policy.owner_patience))
    for phase, voters, patience in levels:
        due += patience
        seats = tuple(Seated(voter=voter, people=tuple(members.get(voter, ()))) for voter in voters)
        turns.append(Turn(phase=phase, seats=seats, until=due))
    return tuple(turns)
