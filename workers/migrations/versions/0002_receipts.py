"""Receipts are invoices too, with neither a number nor the tax told apart."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    with op.batch_alter_table("crm_invoices") as table:
        for name in ("number", "net_amount", "tax_amount"):
            table.alter_column(name, existing_type=sa.String(), nullable=True)
