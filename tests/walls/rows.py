"""The rows of a database as hashes, to see whether a call changed any."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

from app import registry


def rows(path: Path, *, brand_id: int | None = None) -> dict[str, str]:
    """Return table → hash of its rows; with a `brand_id`, of that brand's rows only."""
    found = {}
    with closing(sqlite3.connect(path)) as connection:
        for table in registry.metadata.sorted_tables:
            if brand_id is None:
                where = "1"
            elif "brand_id" in table.c:
                where = f"brand_id = {brand_id}"
            elif table.name == "brand":
                where = f"id = {brand_id}"
            else:
                continue
            # Names come from our own metadata and the number is ours.
            read = f'SELECT * FROM "{table.name}" WHERE {where} ORDER BY 1'  # noqa: S608
            found[table.name] = hashlib.sha256(repr(connection.execute(read).fetchall()).encode()).hexdigest()
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return the tables whose rows differ."""
    return sorted(name for name in before if before[name] != after[name])
