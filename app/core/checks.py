"""Invariants of the books as statements: each lists what breaks it, a line each."""

from collections.abc import Callable, Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.db import brand_of

Check = Callable[[Session], list[str]]


def checks(statements: Mapping[str, str]) -> list[tuple[str, Check]]:
    """Return named checks of SELECTs that name `:brand_id` and give one text for each fault."""
    return [(name, _checker(statement)) for name, statement in statements.items()]


def _checker(statement: str) -> Check:
    selected = text(statement)

    def check(session: Session) -> list[str]:
        return list(session.connection().execute(selected, {"brand_id": brand_of(session)}).scalars())

    return check
