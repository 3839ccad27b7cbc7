"""What SQLite does for each statement: a walk over a whole brand is told from a look at a few rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from app.core.db import Database


class Statements:
    """The statements of a block, with how SQLite answers each."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Any]] = []
        self.walks: list[str] = []

    def count(self, *words: str) -> int:
        """Return how many of the statements hold all of some words."""
        return sum(all(word in said for word in words) for said, _values in self.said)


@contextmanager
def statements(database: Database, *big: str) -> Iterator[Statements]:
    """Record what a block says to the database, and where it walks all rows of a big table or of a brand in it."""
    found = Statements()

    def record(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        found.said.append((statement, values[0] if many else values))

    event.listen(database.engine, "before_cursor_execute", record)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", record)
    if database.is_sqlite:
        raw = database.engine.raw_connection()
        found.walks = [walk for said, values in found.said for walk in _walks(raw.cursor(), said, values, big)]
        raw.close()


def _walks(cursor: Any, statement: str, values: Any, big: tuple[str, ...]) -> list[str]:
    if not statement.startswith(("SELECT", "UPDATE", "DELETE")):
        return []
    steps = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    return [
        f"{step}: {statement}"
        for step in steps
        if any(step.startswith((f"SCAN {table}", f"SEARCH {table}")) for table in big)
        and (step.startswith("SCAN") or step.endswith("(brand_id=?)"))
    ]
