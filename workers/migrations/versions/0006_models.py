"""Model endpoints: their breakers, and what each call came to."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0006", "0005"


def upgrade() -> None:
    op.create_table(
        "endpoints",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("breaker", sa.JSON(), nullable=False),
    )
    op.create_table(
        "model_calls",
        sa.Column("id", sa.String(), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("endpoint", "process", "case_id", "question")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("tokens_in", "tokens_out", "cost_micros")),
        sa.Column("failed", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
    )
    for name in ("endpoint", "case_id", "question", "at"):
        op.create_index(f"ix_model_calls_{name}", "model_calls", [name])
