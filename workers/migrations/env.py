"""What alembic runs to apply the steps, in the transaction that workers/database.py opened."""

from alembic import context
from sqlmodel import SQLModel

import schemas.tables  # noqa: F401  (registers the tables)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,  # SQLite changes a column by copying the table
)
with context.begin_transaction():
    context.run_migrations()
