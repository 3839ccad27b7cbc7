"""Alembic's entry: one head, numbered, on SQLite and PostgreSQL. Run through `leima migrate`."""

from alembic import context
from sqlalchemy import Connection

from app.registry import metadata

LOCK_LIMIT = "4s"  # a migration waits no longer for a lock than tills can wait for an answer


def run(connection: Connection) -> None:
    """Run the migrations on a connection that the caller opened."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_LIMIT}'")
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=False, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
