"""Every table, as workers/migrations leaves it. Instants are UTC; JSON columns hold dumps of messages."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Dialect, LargeBinary, UniqueConstraint
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class Instant(TypeDecorator[datetime]):
    """SQLite forgets time zones, PostgreSQL gives the session's: keep UTC, give UTC back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class ReplyRow(SQLModel, table=True):
    """A reply that is to be sent at most once: begun (whether it was taken is not known), sent, or failed."""

    __tablename__ = "replies"

    key: str = Field(primary_key=True)
    draft: str = Field(primary_key=True)
    state: str
    at: datetime = Field(sa_type=Instant)


class ThreadMessage(SQLModel, table=True):
    """A message of a thread, ours or its sender's: whoever answers it goes on with that thread."""

    __tablename__ = "thread_messages"

    id: str = Field(primary_key=True)
    """The sha256 of its Message-ID, or of the id of its case."""
    case_id: str = Field(index=True)
    thread: str = Field(index=True)
    """The case of the first message."""
    at: datetime = Field(sa_type=Instant)


class CaseRow(SQLModel, table=True):
    """The record of a case: for starts, listings and figures. Temporal is the engine and forgets sooner."""

    __tablename__ = "cases"

    id: str = Field(primary_key=True)
    process: str = Field(index=True)
    source: str = ""
    source_name: str = ""
    source_size: int = 0
    submitted_by: str = ""
    status: str = Field(default="started", index=True)
    """started, waiting (for people), writing (or waiting for the CRM to take it), closed."""
    stage: str = ""
    phase: str = ""
    step: str = ""
    outcome: str | None = Field(default=None, index=True)
    reasons: list[str] = Field(default_factory=list, sa_type=JSON)
    approvers: list[str] = Field(default_factory=list, sa_type=JSON)
    decided_by: str = ""
    record: str = ""
    due: datetime | None = Field(default=None, sa_type=Instant)
    draft: str | None = None
    view: str | None = None
    started_at: datetime = Field(sa_type=Instant)
    asked_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    runs: int = 1
    starts: list[str] | None = Field(default=None, sa_type=JSON)
    """The sha256 of each start input that a starter entered for the run to come, or under way; None: not known."""


class AuditEntry(SQLModel, table=True):
    """One AI act, human act or write. Only ever appended: triggers, made by the migrations, refuse anything else."""

    __tablename__ = "audit_entries"
    __table_args__ = (UniqueConstraint("case_id", "seq"),)

    id: str = Field(primary_key=True)
    case_id: str = Field(index=True)
    seq: int
    at: str
    kind: str
    sealed: bytes = Field(sa_type=LargeBinary)
    previous: str
    digest: str


class AuditHead(SQLModel, table=True):
    """The last entry of each chain: the row that two appending at once contend for."""

    __tablename__ = "audit_heads"

    case_id: str = Field(primary_key=True)
    seq: int
    digest: str


class CaseKey(SQLModel, table=True):
    """What seals the bodies of one case's entries. Without the key, in a row that stays, they are erased."""

    __tablename__ = "case_keys"

    case_id: str = Field(primary_key=True)
    key: bytes | None = Field(default=None, sa_type=LargeBinary)


class Approver(SQLModel, table=True):
    """Somebody who decides: the key that proves who they are, and the groups and roles they are in."""

    __tablename__ = "approvers"

    id: str = Field(primary_key=True)
    public_key: str | None = None
    groups: list[str] = Field(default_factory=list, sa_type=JSON)
    added_at: datetime = Field(sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)


class EndpointRow(SQLModel, table=True):
    """The breaker of a model endpoint, which all workers share: a dump of schemas.breaker.Breaker."""

    __tablename__ = "endpoints"

    name: str = Field(primary_key=True)
    breaker: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class ModelCall(SQLModel, table=True):
    """What a call of an endpoint came to, for budgets and figures; the audit has it too."""

    __tablename__ = "model_calls"

    id: str = Field(primary_key=True)
    endpoint: str = Field(index=True)
    process: str
    case_id: str = Field(index=True)
    question: str = Field(index=True)
    """The digest of all that was asked: who asks the same again is given the same answer."""
    at: datetime = Field(sa_type=Instant, index=True)
    seconds: float
    tokens_in: int = 0
    tokens_out: int = 0
    cost_micros: int = 0
    """In millionths of the currency of the settings."""
    failed: str = ""
    answer: str | None = None
    """Its digest in the blob store."""


class BrakeRow(SQLModel, table=True):
    __tablename__ = "brakes"

    process: str = Field(primary_key=True)
    stage_cap: str = "autonomous"
    min_confidence: float = 0
    reason: str = ""


class ReceiptRow(SQLModel, table=True):
    """What the CRM answered to each write: a repeat gets the same answer."""

    __tablename__ = "receipts"

    key: str = Field(primary_key=True)
    draft: str = Field(primary_key=True)
    record: str
    created: bool
    at: datetime = Field(sa_type=Instant)


class InvoiceClaim(SQLModel, table=True):
    """Which case first came with an invoice number of a supplier: two that come at once must see each other."""

    __tablename__ = "invoice_claims"

    party: str = Field(primary_key=True)
    number: str = Field(primary_key=True)
    ref: str


class CrmRecord(SQLModel):
    """What the embedded CRM's tables share: `ref` is how others find a record again."""

    id: int | None = Field(default=None, primary_key=True)
    ref: str = Field(unique=True)


class CrmParty(CrmRecord, table=True):
    __tablename__ = "crm_parties"

    name: str
    vat_id: str | None = None
    iban: str | None = None


class CrmInvoice(CrmRecord, table=True):
    __tablename__ = "crm_invoices"

    party: str = Field(foreign_key="crm_parties.ref", index=True)
    number: str | None = Field(index=True)
    issue_date: str
    currency: str
    net_amount: str | None
    tax_amount: str | None
    gross_amount: str
    lines: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON))


class CrmContract(CrmRecord, table=True):
    __tablename__ = "crm_contracts"

    party: str = Field(foreign_key="crm_parties.ref", index=True)
    ours: str
    start_date: str
    end_date: str | None = None
    term: str | None = None
    renewal: str | None = None
    renewal_term: str | None = None
    notice_period: str | None = None
    value: str | None = None
    currency: str | None = None
    liability_cap: str | None = None
    governing_law: str | None = None
    personal_data: str | None = None
    clauses: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON))


class CrmTicket(CrmRecord, table=True):
    __tablename__ = "crm_tickets"

    party: str | None = Field(default=None, foreign_key="crm_parties.ref", index=True)
    subject: str
    category: str | None = Field(default=None, index=True)
    priority: str
    language: str | None = None
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON))


class CrmActivity(CrmRecord, table=True):
    __tablename__ = "crm_activities"

    invoice: str | None = Field(default=None, foreign_key="crm_invoices.ref", index=True)
    contract: str | None = Field(default=None, foreign_key="crm_contracts.ref", index=True)
    ticket: str | None = Field(default=None, foreign_key="crm_tickets.ref", index=True)
    text: str
