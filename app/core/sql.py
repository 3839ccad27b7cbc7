"""Statements of the write path as module constants, which go to the driver as they are.

SQLAlchemy's engine, its events and its errors stay around them; its compiler and its types do not: they cost three
times as much as the rest of it (design.md section 4).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, overload

from sqlalchemy.orm import Session

_NAMES = re.compile(r":(\w+)")
Values = Mapping[str, Any]


class Sql:
    """One statement with `:names`. Moments and days are stored as the tables' types do; JSON is given as text.

    Args:
        postgresql: the same statement for PostgreSQL, where that needs other words to be planned well.
    """

    def __init__(self, words: str, *, postgresql: str = "") -> None:
        self.words = words
        self._postgresql = _NAMES.sub(r"%(\1)s", postgresql or words)

    def run(self, session: Session, values: Values) -> Sequence[Any]:
        """Run it in the session's transaction; return the rows, none where the statement returns none.

        Raises:
            ValueError: a moment without a zone.
        """
        connection = session.connection()
        if connection.dialect.name == "sqlite":
            result = connection.exec_driver_sql(self.words, _plain(values))
        else:
            result = connection.exec_driver_sql(self._postgresql, dict(values))
        return result.all() if result.returns_rows else ()

    def run_each(self, session: Session, rows: Sequence[Values]) -> None:
        """Run it for each of some rows; not at all for none."""
        if not rows:
            return
        connection = session.connection()
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(self.words, [_plain(values) for values in rows])
        else:
            connection.exec_driver_sql(self._postgresql, [dict(values) for values in rows])


def _plain(values: Values) -> dict[str, Any]:
    return {name: kept(value) if isinstance(value, date) else value for name, value in values.items()}


def kept(value: date) -> str:
    """Return a moment or a day as SQLite keeps it, like `tables.UtcDateTime` and SQLAlchemy's Date.

    Raises:
        ValueError: a moment without a zone.
    """
    if not isinstance(value, datetime):
        return value.isoformat()
    if value.tzinfo is None:
        raise ValueError("a moment needs a zone")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


@overload
def moment(read: None) -> None: ...
@overload
def moment(read: datetime | str) -> datetime: ...
def moment(read: datetime | str | None) -> datetime | None:
    """Return a moment that a row of such a statement holds, aware, in UTC."""
    if read is None:
        return None
    if isinstance(read, str):
        return datetime.fromisoformat(read).replace(tzinfo=UTC)
    return read.astimezone(UTC)
