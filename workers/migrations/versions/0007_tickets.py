"""Tickets in the embedded CRM; an activity may hang on one."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0007", "0006"


def upgrade() -> None:
    op.create_table(
        "crm_tickets",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("ref", sa.String(), nullable=False, unique=True),
        sa.Column("party", sa.String(), sa.ForeignKey("crm_parties.ref"), nullable=True),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=True),
    )
    op.create_index("ix_crm_tickets_party", "crm_tickets", ["party"])
    op.create_index("ix_crm_tickets_category", "crm_tickets", ["category"])
    with op.batch_alter_table("crm_activities") as table:
        table.add_column(sa.Column("ticket", sa.String(), nullable=True))
        table.create_foreign_key("fk_crm_activities_ticket", "crm_tickets", ["ticket"], ["ref"])
        table.create_index("ix_crm_activities_ticket", ["ticket"])
