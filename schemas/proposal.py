"""What a reader says a document holds: fields with the words they were read from, and which rung answered."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field as Bounded
from pydantic import StringConstraints

from schemas.audit import Audited
from schemas.message import Digest, Message
from schemas.source import Box

RUNG = r"^(embedded-xml|embedded-reader|person|endpoint(:[a-z0-9][a-z0-9-]{0,30})?)$"
Rung = Annotated[str, StringConstraints(pattern=RUNG)]
"""One way to read. `endpoint:NAME` is one that the settings name; `endpoint` alone is the one called default."""


def endpoint_of(rung: Rung) -> str:
    """The name of the endpoint that a rung asks; empty when it asks none."""
    kind, _, name = rung.partition(":")
    return (name or "default") if kind == "endpoint" else ""


class Field(Message):
    """One value as read.

    `value` is canonical: ISO dates, plain decimals with a point, ISO 4217 codes. `evidence` is the words it was read
    from, on `page` (from 1), in the lines within `box`. `alternatives` are other readings of the same words:
    "03/04/2024" is two dates, "1,234" two amounts.
    """

    value: str | None = None
    evidence: str = ""
    page: int | None = None
    box: Box | None = None
    confidence: float = Bounded(default=0, ge=0, le=1)
    alternatives: tuple[str, ...] = ()
    likelihood: float | None = Bounded(default=None, exclude_if=lambda it: it is None)
    """How likely the model held these very words, where its endpoint tells: not how likely they are right."""
    seconded: bool | None = Bounded(default=None, exclude_if=lambda it: it is None)
    """Whether the embedded reader reads the same where a model was asked; None where it reads nothing."""


class Line(Message):
    """One line of an invoice; amounts are plain decimals, without tax."""

    description: str = ""
    quantity: str | None = None
    unit_price: str | None = None
    net_amount: str | None = None


class Clause(Message):
    """A clause that not every contract has, in its own words; without a page they do not stand in the document."""

    kind: str
    quote: str
    page: int | None = None
    box: Box | None = None


class Reading(Message):
    """What one rung found. A field that was not found is absent."""

    fields: Mapping[str, Field] = {}
    lines: tuple[Line, ...] = ()
    clauses: tuple[Clause, ...] = ()


class Proposal(Audited):
    """A reading and how it came about. Lines may be thousands, so they wait in the blob store as a JSON list.

    The rung `person` without fields means that no rung could read the document: a person enters it.
    """

    rung: Rung
    fields: Mapping[str, Field] = {}
    lines: Digest | None = None
    line_count: int = 0
    clauses: tuple[Clause, ...] = Bounded(default=(), exclude_if=lambda clauses: not clauses)
    """Left out where there is none: what stood in histories before there were contracts stands there unchanged."""
    model: str = ""
    prompt_version: str = ""
    tokens: int = 0
    seconds: float = 0
    after: str = ""
    """Why a better rung did not answer, or empty."""
    ask: str = ""
    """Nothing was read yet: this endpoint is to be asked, on its own queue, which keeps to its rate."""
    doubts: tuple[str, ...] = ()
    """Why a person is to look at it: an answer that could not be used, a budget used up."""
    warning: str = ""
    """What is running out, or empty."""

    def as_sure_as(self, confidences: Mapping[str, float]) -> "Proposal":
        """The same proposal, with these confidences where there are any."""
        if not confidences:
            return self
        fields = {
            name: field.model_copy(update={"confidence": confidences.get(name, field.confidence)})
            for name, field in self.fields.items()
        }
        return self.model_copy(update={"fields": fields})

    def corrected(self, corrections: Mapping[str, str], by: str) -> "Proposal":
        """The same proposal with a person's values in it: certain, and with the person as evidence."""
        theirs = {
            name: Field(value=value.strip() or None, evidence=f"entered by {by}", confidence=1)
            for name, value in corrections.items()
        }
        return self.model_copy(update={"rung": "person", "fields": {**self.fields, **theirs}})
