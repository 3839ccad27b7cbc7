"""Bring a database to the newest schema, and what migrations share."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.core.db import Database
from app.core.tables import UtcDateTime

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


def owned(table: str, *points: tuple[str, str], public: bool = False) -> list[sa.schema.SchemaItem]:
    """Return what every table of a brand has, and its foreign keys, which cannot leave the brand; for migrations.

    Args:
        points: column and the table that it points to.
        public: whether its rows have a public id.
    """
    shown = [
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.UniqueConstraint("public_id", name=op.f(f"uq_{table}_public_id")),
    ]
    return [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                ["brand_id", column], [f"{to}.brand_id", f"{to}.id"], name=op.f(f"fk_{table}_brand_id_{column}")
            )
            for column, to in points
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f(f"fk_{table}_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("brand_id", "id", name=op.f(f"uq_{table}_brand_id_id")),
        *(shown if public else []),
    ]


def whole(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    """Return columns of whole numbers."""
    return [sa.Column(name, sa.Integer(), nullable=nullable) for name in names]


def words(*, nullable: bool = False, **lengths: int) -> list[sa.Column[str]]:
    """Return columns of short texts: name and length."""
    return [sa.Column(name, sa.String(length=length), nullable=nullable) for name, length in lengths.items()]


def moments(*names: str, nullable: bool = False) -> list[sa.Column[datetime]]:
    """Return columns of moments."""
    return [sa.Column(name, UtcDateTime(), nullable=nullable) for name in names]


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
