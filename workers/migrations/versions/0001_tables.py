"""The first tables, and the triggers that keep the audit as it was written.

SQLite files older than the migrations have most of this already; on PostgreSQL a table of the same name is not ours.
"""

from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None

SQLITE_REFUSES = {
    "update": "BEFORE UPDATE ON audit_entries",
    "delete": "BEFORE DELETE ON audit_entries",
    # INSERT OR REPLACE deletes without asking the delete trigger.
    "replace": (
        "BEFORE INSERT ON audit_entries WHEN EXISTS (SELECT 1 FROM audit_entries AS old "
        "WHERE old.id = NEW.id OR (old.case_id = NEW.case_id AND old.seq = NEW.seq))"
    ),
}
POSTGRESQL_REFUSES = """
CREATE FUNCTION audit_entries_only_appended() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'audit entries are only ever appended' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_entries_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_only_appended();
"""

number = partial(sa.Column, type_=sa.Integer, nullable=False)
words = partial(sa.Column, type_=sa.String, nullable=False)
sealed = partial(sa.Column, type_=sa.LargeBinary, nullable=False)
json = partial(sa.Column, type_=sa.JSON, nullable=False)
instant = partial(sa.Column, type_=sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    _cases()
    _audit()
    _writes()
    _embedded_crm()
    _refuse_changes_of_the_audit()


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _table(name: str, *columns: sa.Column[Any] | sa.Constraint, indexed: tuple[str, ...] = ()) -> None:
    op.create_table(name, *columns, if_not_exists=_on_sqlite())
    for column in indexed:
        op.create_index(f"ix_{name}_{column}", name, [column], if_not_exists=_on_sqlite())


def _cases() -> None:
    _table(
        "cases",
        words("id", primary_key=True),
        words("process"),
        words("source"),
        words("source_name"),
        number("source_size"),
        words("submitted_by"),
        words("status"),
        words("stage"),
        words("phase"),
        words("outcome", nullable=True),
        json("reasons"),
        json("approvers"),
        words("decided_by"),
        words("record"),
        instant("due", nullable=True),
        words("draft", nullable=True),
        words("view", nullable=True),
        instant("started_at"),
        instant("asked_at", nullable=True),
        instant("ended_at", nullable=True),
        number("runs"),
        indexed=("process", "status", "outcome"),
    )


def _audit() -> None:
    _table(
        "audit_entries",
        words("id", primary_key=True),
        words("case_id"),
        number("seq"),
        words("at"),
        words("kind"),
        sealed("sealed"),
        words("previous"),
        words("digest"),
        sa.UniqueConstraint("case_id", "seq"),
        indexed=("case_id",),
    )
    _table("audit_heads", words("case_id", primary_key=True), number("seq"), words("digest"))
    _table("case_keys", words("case_id", primary_key=True), sealed("key"))


def _writes() -> None:
    _table(
        "brakes",
        words("process", primary_key=True),
        words("stage_cap"),
        sa.Column("min_confidence", sa.Float, nullable=False),
        words("reason"),
    )
    _table(
        "receipts",
        words("key", primary_key=True),
        words("draft", primary_key=True),
        words("record"),
        sa.Column("created", sa.Boolean, nullable=False),
        instant("at"),
    )
    _table("invoice_claims", words("party", primary_key=True), words("number", primary_key=True), words("ref"))


def _embedded_crm() -> None:
    _table(
        "crm_parties",
        number("id", primary_key=True),
        words("ref", unique=True),
        words("name"),
        words("vat_id", nullable=True),
        words("iban", nullable=True),
    )
    _table(
        "crm_invoices",
        number("id", primary_key=True),
        words("ref", unique=True),
        words("party"),
        words("number"),
        words("issue_date"),
        words("currency"),
        words("net_amount"),
        words("tax_amount"),
        words("gross_amount"),
        json("lines", nullable=True),
        sa.ForeignKeyConstraint(["party"], ["crm_parties.ref"]),
        indexed=("party", "number"),
    )
    _table(
        "crm_activities",
        number("id", primary_key=True),
        words("ref", unique=True),
        words("invoice"),
        words("text"),
        sa.ForeignKeyConstraint(["invoice"], ["crm_invoices.ref"]),
        indexed=("invoice",),
    )


def _refuse_changes_of_the_audit() -> None:
    if not _on_sqlite():
        op.execute(POSTGRESQL_REFUSES)
        return
    for name, act in SQLITE_REFUSES.items():
        op.execute(
            f"CREATE TRIGGER IF NOT EXISTS audit_entries_no_{name} {act} "
            "BEGIN SELECT RAISE(ABORT, 'audit entries are only ever appended'); END"
        )
