"""What purchases say to the database, so that the bare driver can say the very same: statement by statement."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from app.core.db import Database
from tests.bench.world import Sale, World


@dataclass(frozen=True)
class Said:
    """One statement with its values, or with many rows of them."""

    sql: str
    values: Any
    many: bool


Transaction = list[Said]


def record(database: Database, world: World, sales: Iterable[Sale]) -> list[Transaction]:
    """Book sales and return what each said, between BEGIN and COMMIT."""
    said: Transaction = []
    found = []

    def hear(_connection: Any, _cursor: Any, sql: str, values: Any, _context: Any, many: bool) -> None:
        if not sql.startswith("BEGIN"):
            said.append(Said(sql, values, many))

    event.listen(database.engine, "before_cursor_execute", hear)
    for sale in sales:
        said.clear()
        world.sell(database, sale)
        found.append(list(said))
    event.remove(database.engine, "before_cursor_execute", hear)
    return found


def repeat(cursor: Any, transaction: Iterable[Said]) -> None:
    """Say it all with a driver's cursor, and read what is answered."""
    for said in transaction:
        if said.many:
            cursor.executemany(said.sql, said.values)
        else:
            cursor.execute(said.sql, said.values)
            if cursor.description:
                cursor.fetchall()
