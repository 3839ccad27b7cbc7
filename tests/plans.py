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
        self.steps: list[str] = []
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
        for said, values in found.said:
            steps = _steps(raw.cursor(), said, values)
            found.steps += steps
            found.walks += [f"{step}: {said}" for step in steps if _walks(step, big)]
        raw.close()


def _steps(cursor: Any, statement: str, values: Any) -> list[str]:
    if not statement.startswith(("SELECT", "UPDATE", "DELETE")):
        return []
    return [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values)]


def _walks(step: str, big: tuple[str, ...]) -> bool:
    verb, table, *_rest = f"{step} ".split(" ")
    return table in big and (verb == "SCAN" or step.endswith("(brand_id=?)"))
