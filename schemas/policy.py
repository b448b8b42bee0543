"""The part of a charter that steers control flow.

It rides in the workflow input, whole: a run keeps the policy it began with.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Literal, Self

from pydantic import Field as Bounded
from pydantic import model_validator

from schemas.message import Message, PersonId
from schemas.proposal import Rung
from schemas.source import IntakeLimits

Stage = Literal["shadow", "supervised", "autonomous"]
STAGES: tuple[Stage, ...] = ("shadow", "supervised", "autonomous")
"""From least to most trusted."""


class ApprovalPolicy(Message):
    """Who may decide, and what happens when nobody does. Durations count from the moment the question is asked."""

    approvers: tuple[PersonId, ...] = Bounded(min_length=1)
    owner: PersonId
    remind_after: timedelta = Bounded(default=timedelta(days=1), gt=timedelta(0))
    patience: timedelta = Bounded(default=timedelta(days=3), gt=timedelta(0))
    on_deadline: Literal["reject", "owner"] = "owner"
    owner_patience: timedelta = Bounded(default=timedelta(days=4), gt=timedelta(0))
    """How long the owner has once the case is handed over; then it expires."""


class Policy(Message):
    """What is the same for every process; a process adds its own fields."""

    stage: Stage = "supervised"
    rungs: tuple[Rung, ...] = ("embedded-xml", "endpoint", "embedded-reader")
    autonomous_rungs: tuple[Rung, ...] = ()
    min_confidence: float = Bounded(default=0.9, ge=0, le=1)
    limits: IntakeLimits = IntakeLimits()
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


class ContractPolicy(Policy):
    ours: tuple[str, ...] = ()
    """Our own companies as contracts name them: the other party is who the contract is with."""
    home_laws: tuple[str, ...] = ()
    """Governing laws that need no second look, as contracts name them."""
