"""A case from draft to outcome: what would be written, what the CRM answered, how it ended."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field as Bounded
from pydantic import JsonValue

from schemas.approval import Question, Vote
from schemas.audit import Audited
from schemas.budget import Budget
from schemas.finding import Finding
from schemas.message import Digest, Message
from schemas.policy import Stage
from schemas.proposal import Proposal, Rung
from schemas.reply import Reply
from schemas.routing import Brake
from schemas.source import Document, IntakeLimits, Source

OutcomeStatus = Literal["applied", "rejected", "expired", "unprocessable", "failed", "shadowed", "superseded"]
"""shadowed: everything was done but the writing, because the stage is shadow. superseded: the case of a later message
in the same thread goes on with it."""


UNDER_WAY = frozenset(("started", "writing"))
"""The status of a case that has not ended, and about which nobody is asked."""


class Record(Message):
    """One record on the other side, found again by `ref`, which is unique there.

    `links` name other records of the same draft by their ref: {"party": "party:DE123456789"}.
    """

    kind: Literal["party", "invoice", "contract", "ticket", "activity"]
    ref: str
    values: Mapping[str, JsonValue] = {}
    links: Mapping[str, str] = {}


class Draft(Message):
    """Exactly what would be written. Frozen as bytes; the digest of those bytes is what is shown, approved and applied.

    Records stand in the order of writing, what is linked to first. The receipt names `main`.
    """

    case: str
    source: Digest
    records: tuple[Record, ...]
    main: str
    refused: tuple[str, ...] = ()
    """What the CRM has said against these records: who approves them again does so knowing that."""
    reply: Reply | None = Bounded(default=None, exclude_if=lambda reply: reply is None)
    """What is sent to whoever sent the message, once the records are written."""


class Checked(Audited):
    """What checking a proposal gave: findings, the frozen draft, and the brake as it stood."""

    findings: tuple[Finding, ...] = ()
    draft: Digest
    brake: Brake = Brake()
    confidences: Mapping[str, float] = Bounded(default={}, exclude_if=lambda confidences: not confidences)
    """How likely each field is right, by the calibration; of those that are not named the reader alone tells."""
    reply: Reply | None = Bounded(default=None, exclude_if=lambda reply: reply is None)
    newer: str = Bounded(default="", exclude_if=lambda newer: not newer)
    """The case that goes on with this one by now."""


class Receipt(Audited):
    """What the CRM answered. The same key and the same draft always give the same receipt."""

    key: str
    draft: Digest
    record: str
    created: bool


class Refusal(Message):
    """What the CRM said against a draft, and the draft that says so itself: only that can be approved from now on."""

    words: str
    draft: Digest
    written: tuple[str, ...] = ()
    """The CRM's ids of what was written before: it stays."""


class Change(Message):
    """What a correction made of a field."""

    field: str
    was: str | None = None
    now: str | None = None
    by: str


class View(Message):
    """What a person is shown of a case: kept in the blob store, so that a listing needs no worker."""

    source: Source | None = None
    document: Document | None = None
    proposal: Proposal | None = None
    findings: tuple[Finding, ...] = ()
    reasons: tuple[str, ...] = ()
    draft: Digest | None = None
    votes: tuple[Vote, ...] = ()
    questions: tuple[Question, ...] = ()
    claimed: str = ""
    changes: tuple[Change, ...] = ()
    """Corrections since the document was read, oldest first."""
    confidences: Mapping[str, float] = Bounded(default={}, exclude_if=lambda confidences: not confidences)
    """What the proposal's confidences were taken for, by a calibration."""
    reply: Reply | None = Bounded(default=None, exclude_if=lambda reply: reply is None)
    """The reply that the draft holds."""

    @property
    def blocked(self) -> bool:
        """It cannot be written as it stands: correct or reject it."""
        return any(finding.severity == "block" for finding in self.findings)


class Outcome(Audited):
    status: OutcomeStatus
    stage: Stage | None = None
    reasons: tuple[str, ...] = ()
    draft: Digest | None = None
    decided_by: str = ""
    """A person id, or empty when nobody was asked."""
    receipt: Receipt | None = None


class IngestRequest(Message):
    case: str
    source: Source
    limits: IntakeLimits
    start: Digest | None = None
    """The sha256 of the input that the case was started with; cases from before it was asked for have none."""


class ReadRequest(Message):
    """`after` says why the rungs before these did not answer."""

    case: str
    document: Document
    rungs: tuple[Rung, ...]
    after: str = ""
    asked: str = ""
    """The endpoint on whose queue this stands: it alone is asked."""
    budget: Budget = Budget()
    doubts: tuple[str, ...] = ()
    """Why a person is to look at it, whatever is read from here on."""
    patterns: Mapping[str, str] = Bounded(default={}, exclude_if=lambda patterns: not patterns)
    """Fields that a policy describes by how they are spelt."""
    categories: tuple[str, ...] = Bounded(default=(), exclude_if=lambda categories: not categories)
    """What a message may want."""


class ApplyRequest(Message):
    """`case:step` is the key of the write. It never holds a run id: a reset or a rerun must find the same records."""

    case: str
    step: str = "apply"
    draft: Digest

    @property
    def key(self) -> str:
        return f"{self.case}:{self.step}"


class Waiting(Message):
    """A case waits for a person, or waits differently from now on."""

    case: str
    phase: str
    approvers: tuple[str, ...]
    due: datetime
    stage: Stage
    view: View
    step: str = ""


class Closing(Message):
    case: str
    outcome: Outcome
    view: View


class Summary(Message):
    """How all cases stand, counted."""

    total: int
    standing: Mapping[str, int]
    """Outcomes of the closed, status of the others."""
    verdicts: Mapping[str, int]
    rungs: Mapping[str, int]
    """Who read the cases that were read."""
    settled: int
    """Cases that ended or wait for a person."""
    straight_through: int
    """Of those, the ones that were applied without a person."""
    waited: tuple[timedelta, ...]
    """How long each waiting case has been waiting, longest first."""
    overdue: int

    @property
    def straight_through_share(self) -> float | None:
        return self.straight_through / self.settled if self.settled else None

    @property
    def median_wait(self) -> timedelta | None:
        return self.waited[len(self.waited) // 2] if self.waited else None
