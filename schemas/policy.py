"""The part of a charter that steers control flow.

It rides in the workflow input, whole: a run keeps the policy it began with.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Literal, Self

from pydantic import Field as Bounded
from pydantic import model_validator

from schemas.budget import Budget
from schemas.message import Digest, Message, PersonId
from schemas.proposal import Rung
from schemas.reply import Replies
from schemas.source import IntakeLimits
from schemas.steps import Patience, Seat, Step, Voter, is_group

Stage = Literal["shadow", "supervised", "autonomous"]
STAGES: tuple[Stage, ...] = ("shadow", "supervised", "autonomous")
"""From least to most trusted."""


Proof = Literal["signature", "code", "asserted"]
"""How somebody shows who they are: by their key, by a code sent to their own address, or not at all."""
Notice = Literal["assignment", "reminder", "breach", "outcome", "review"]


class ApprovalPolicy(Message):
    """Who may decide, how they prove who they are, and what happens when nobody does."""

    steps: tuple[Step, ...] = ()
    """One after the other; a case passes those that its values call for."""
    owner: PersonId
    """Decides alone when a step's own people and its escalations did not, and may hand a seat to somebody else."""
    on_deadline: Literal["reject", "owner"] = "owner"
    owner_patience: Patience = timedelta(days=4)
    """How long the owner has once a step is handed over; then the case expires."""
    accepts: tuple[Proof, ...] = Bounded(default=("asserted",), min_length=1)
    maker_checker: bool = False
    """Whoever submitted a case may not decide it."""
    self_confirmation: bool = True
    """Whoever corrected a draft may approve it too."""
    delegates: tuple[Voter, ...] = ()
    """To whom a voter may hand their seat, beside the other people of the step."""
    answer_patience: Patience = timedelta(days=2)
    """How long the clock stands still for an answer of the submitter."""
    notices: tuple[Notice, ...] = ()

    approvers: tuple[PersonId, ...] = ()
    """What there was before steps: one question, which any of these answers, in cases that are still open."""
    remind_after: Patience = timedelta(days=1)
    patience: Patience = timedelta(days=3)

    @model_validator(mode="after")
    def somebody_is_asked(self) -> Self:
        names = [step.name for step in self.steps]
        if bool(names) == bool(self.approvers):
            raise ValueError("an approval has steps (or, as in older charters, approvers), and not both")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"more than one step is called {', '.join(twice)}")
        return self

    @property
    def people(self) -> frozenset[str]:
        """Everybody it names, groups and roles left out."""
        voters = (self.owner, *self.approvers, *self.delegates, *(voter for step in self.steps for voter in step.named))
        return frozenset(voter for voter in voters if not is_group(voter))

    def steps_of(self, values: Mapping[str, str | None]) -> tuple[Step, ...]:
        """The steps that a case with these values passes; the owner's own when none of them is called for."""
        found = tuple(needed for step in self.steps if (needed := step.for_case(values)))
        return found or (Step(name="owner", voters=(Seat(voter=self.owner),), patience=self.owner_patience),)


class Policy(Message):
    """What is the same for every process; a process adds its own fields."""

    stage: Stage = "supervised"
    rungs: tuple[Rung, ...] = ("embedded-xml", "endpoint", "embedded-reader")
    autonomous_rungs: tuple[Rung, ...] = ()
    min_confidence: float = Bounded(default=0.9, ge=0, le=1)
    calibration: Digest | None = None
    """What 'casework calibrate' learnt, by the digest it tells. Confidences are then how likely fields are right, and
    its threshold holds where it is higher."""
    sample_share: float = Bounded(default=0, ge=0, le=1)
    """Of the cases that could go straight through, the share that a person sees all the same, at random."""
    limits: IntakeLimits = IntakeLimits()
    budget: Budget = Budget()
    approval: ApprovalPolicy

    @model_validator(mode="after")
    def a_correction_is_seen_again(self) -> Self:
        if "person" in self.autonomous_rungs:
            raise ValueError(
                "autonomous_rungs cannot name person: a corrected draft is always shown before it is written"
            )
        return self


class InvoicePolicy(Policy):
    auto_limits: Mapping[str, Decimal] = {}
    """Largest gross amount per currency that may be written without a person; a currency not named has none."""


Priority = Literal["low", "normal", "high"]


class Detail(Message):
    """Something that a request may state: how it is spelt, and the question to the submitter when it is missing."""

    pattern: str
    """A regular expression."""
    ask: str


class Category(Message):
    """A kind of request."""

    needs: tuple[str, ...] = ()
    """The details without which nobody can act on it."""
    priority: Priority = "normal"


class RequestPolicy(Policy):
    categories: Mapping[str, Category]
    details: Mapping[str, Detail] = {}
    languages: tuple[str, ...] = ("en",)
    """In which the examples are that the classifier was taught; a message in another one goes to a person."""
    urgent: tuple[str, ...] = ()
    """Words that make any request one of high priority."""
    replies: Replies = "never"
    knowledge: str = Bounded(default="", pattern="^[a-z0-9-]*$")
    """The folder of articles from which replies are composed."""
    support: float = Bounded(default=1, gt=0, le=1)
    """How far a passage must be like a message to answer it: a cosine, chosen on messages whose answer is known."""

    @model_validator(mode="after")
    def what_is_needed_is_known(self) -> Self:
        needed = {name for category in self.categories.values() for name in category.needs}
        if unknown := sorted(needed - self.details.keys()):
            raise ValueError(f"categories need {', '.join(unknown)}, which details does not have")
        for name, detail in self.details.items():
            try:
                re.compile(detail.pattern)
            except re.error as error:
                raise ValueError(f"the pattern of {name} is no regular expression: {error}") from None
        return self


class ContractPolicy(Policy):
    ours: tuple[str, ...] = ()
    """Our own companies as contracts name them: the other party is who the contract is with."""
    home_laws: tuple[str, ...] = ()
    """Governing laws that need no second look, as contracts name them."""
