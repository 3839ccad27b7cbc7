"""Bring a database to the newest schema, and what migrations share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.core.db import Database

FOLDER = Path(__file__).parents[2] / "migrations"


def config() -> Config:
    """Return Alembic's settings; there is no alembic.ini."""
    settings = Config()
    settings.set_main_option("script_location", str(FOLDER))
    settings.set_main_option("path_separator", "os")
    return settings


def upgrade(database: Database) -> None:
    """Run what is missing, in one transaction.

    SQLite cannot rebuild a table that others point to while it minds foreign keys, and cannot stop minding them inside
    a transaction: they are off for this connection, and all are checked before the commit.

    Raises:
        RuntimeError: a migration left a row that points to nothing; nothing of it was kept.
    """
    settings = config()
    with database.engine.connect() as connection, _unminded(connection), connection.begin():
        # A migration writes the rows of every brand, which the walls of the demo and the tests would refuse.
        settings.attributes["connection"] = connection.execution_options(finds_brand=True)
        command.upgrade(settings, "head")
        if database.is_sqlite and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
            raise RuntimeError(f"a row of {lost[0]} points to no row of {lost[2]}")


def refuse_changes(*tables: str) -> None:
    """Make the database itself refuse UPDATE and DELETE of the rows of append-only tables; for migrations.

    Where SQLite has rebuilt a table, its triggers are gone silently: they are made anew.
    """
    for table in tables:
        for verb in ("UPDATE", "DELETE"):
            _refuse(table, verb)


def _refuse(table: str, verb: str) -> None:
    name = f"{table}_no_{verb.lower()}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


@contextmanager
def _unminded(connection: Connection) -> Iterator[None]:
    raw = connection.connection.driver_connection
    if connection.dialect.name != "sqlite" or raw is None:
        yield
        return
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys=ON")


def is_current(database: Database) -> bool:
    """Tell whether the schema is the newest."""
    with database.engine.connect() as connection:
        return (
            MigrationContext.configure(connection).get_current_revision()
            == ScriptDirectory.from_config(config()).get_current_head()
        )
