"""The key of an erased case leaves its row behind, so that no later entry makes another."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    with op.batch_alter_table("case_keys") as table:
        table.alter_column("key", existing_type=sa.LargeBinary(), nullable=True)
