"""Invariants of the books as statements: each lists what breaks it, a line each."""

from collections.abc import Callable, Mapping

from sqlalchemy import MetaData, text
from sqlalchemy.orm import Session

from app.core.db import brand_of

Check = Callable[[Session], list[str]]


def checks(statements: Mapping[str, str]) -> list[tuple[str, Check]]:
    """Return named checks of SELECTs that name `:brand_id` and give one text for each fault."""
    return [(name, _checker(statement)) for name, statement in statements.items()]


def references(metadata: MetaData) -> list[tuple[str, Check]]:
    """Return the check that each row of a brand refers to rows of that brand, whatever once let another one in."""
    parts = [
        f"SELECT '{table.name} ' || c.id || ': {key.column_keys[1]} ' || c.{key.column_keys[1]} FROM {table.name} c "  # noqa: S608 - names of our own tables
        f"LEFT JOIN {key.referred_table.name} p ON p.brand_id = c.brand_id AND p.id = c.{key.column_keys[1]} "
        f"WHERE c.brand_id = :brand_id AND c.{key.column_keys[1]} IS NOT NULL AND p.id IS NULL"
        for table in metadata.sorted_tables
        for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.column_keys))
        if key.column_keys[0] == "brand_id" and len(key.column_keys) == 2
    ]
    return checks({"9 no row refers across brands": " UNION ALL ".join(parts)})


def _checker(statement: str) -> Check:
    selected = text(statement)

    def check(session: Session) -> list[str]:
        return list(session.connection().execute(selected, {"brand_id": brand_of(session)}).scalars())

    return check
