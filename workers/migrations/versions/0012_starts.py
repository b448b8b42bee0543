"""Which start inputs our starters entered; of cases from before, nobody knows."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0012", "0007"


def upgrade() -> None:
    with op.batch_alter_table("cases") as table:
        table.add_column(sa.Column("starts", sa.JSON(), nullable=True))
