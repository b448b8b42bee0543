"""Contracts in the embedded CRM; an activity hangs on an invoice or on a contract."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0005", "0004"

OPTIONAL = (
    "end_date",
    "term",
    "renewal",
    "renewal_term",
    "notice_period",
    "value",
    "currency",
    "liability_cap",
    "governing_law",
    "personal_data",
)


def upgrade() -> None:
    op.create_table(
        "crm_contracts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("ref", sa.String(), nullable=False, unique=True),
        sa.Column("party", sa.String(), sa.ForeignKey("crm_parties.ref"), nullable=False),
        sa.Column("ours", sa.String(), nullable=False),
        sa.Column("start_date", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=True) for name in OPTIONAL),
        sa.Column("clauses", sa.JSON(), nullable=True),
    )
    op.create_index("ix_crm_contracts_party", "crm_contracts", ["party"])
    with op.batch_alter_table("crm_activities") as table:
        table.alter_column("invoice", existing_type=sa.String(), nullable=True)
        table.add_column(sa.Column("contract", sa.String(), nullable=True))
        table.create_foreign_key("fk_crm_activities_contract", "crm_contracts", ["contract"], ["ref"])
        table.create_index("ix_crm_activities_contract", ["contract"])
