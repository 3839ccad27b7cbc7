"""Rows of a schema that the models do not know any more, and databases that are brought to it."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, MetaData, create_engine, func, insert, select, text

from app.core import migrations
from app.core.db import Database
from tests.conftest import KEYS

BLANK: dict[type, Any] = {
    str: "", int: 0, bool: False, bytes: b"", object: {}, dict: {}, date: date(2026, 1, 2),
    datetime: datetime(2026, 1, 2, 3, tzinfo=UTC),
}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgres"])
def unmade(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without a table, of each kind."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'old.db'}", KEYS)
        yield database
        database.close()
        return
    admin = create_engine(request.getfixturevalue("postgres_url"), isolation_level="AUTOCOMMIT")
    name = f"leima_old_{os.getpid()}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    database = Database(admin.url.set(database=name).render_as_string(hide_password=False), KEYS)
    yield database
    database.close()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    admin.dispose()


def upgrade(connection: Connection, revision: str) -> None:
    """Bring a database to the schema of some time ago."""
    settings = migrations.config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, revision)


class Old:
    """Writes rows of the schema that is there; what must be in a row and is not said is blank."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.tables, self.brand_id = connection, MetaData(), 0
        self.tables.reflect(connection)

    def put(self, name: str, **values: Any) -> int:
        """Write a row and return its id."""
        table = self.tables.tables[name]
        if "public_id" in table.columns:
            number = self.connection.scalar(select(func.count()).select_from(table))
            values.setdefault("public_id", f"{name}-{number}")
        for column in table.columns:
            if column.name == "brand_id":
                values["brand_id"] = self.brand_id
            elif not column.nullable and column.name != "id" and column.server_default is None:
                values.setdefault(column.name, BLANK[column.type.python_type])
        key = self.connection.execute(insert(table).values(**values)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def account(self, program_id: int, *entries: tuple[str, int], **why: int) -> list[int]:
        """Write a new member's account with entries of (kind, amount); return its id and theirs."""
        member_id = self.put("member", state="confirmed", kind="person", source="web")
        total = sum(amount for _kind, amount in entries)
        ids = [self.put("account", member_id=member_id, program_id=program_id, balance=total)]
        balance = 0
        for kind, amount in entries:
            balance += amount
            entry = {"account_id": ids[0], "kind": kind, "amount": amount, "balance": balance, **why}
            ids.append(self.put("ledger_entry", **entry))
        return ids
