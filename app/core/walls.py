"""Walls between brands: ORM queries are scoped by the session, Core statements must name the brand.

Three nets, since each alone has holes: `with_loader_criteria` on every ORM statement, a flush check on every
row written through the ORM, and (in tests and the demo) an engine hook that reads the SQL itself.
"""

import re
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria

from app.core.tables import Base, BrandOwned

_TABLES = re.compile(r'\b(?:FROM|JOIN|UPDATE|INTO)\s+"?(\w+)"?', re.IGNORECASE)
_NAMED = re.compile(r"\bbrand_id\b")


class WallBreach(RuntimeError):
    """Code reached for a brand's rows without saying which brand: a bug, never the user's fault."""


class BrandSession(Session):
    """A session that belongs to `info["brand_id"]`, or to no brand."""


def _wants_brand(state: ORMExecuteState) -> bool:
    return any(issubclass(mapper.class_, BrandOwned) for mapper in state.all_mappers)


@event.listens_for(BrandSession, "do_orm_execute")
def _scope(state: ORMExecuteState) -> None:
    brand_id = state.session.info.get("brand_id")
    finds_brand = state.execution_options.get("finds_brand", False)
    if brand_id is None and not finds_brand and _wants_brand(state) and not state.is_column_load:
        raise WallBreach("a brand's rows were asked for in a session without a brand")
    state.update_execution_options(walled=True)
    if brand_id is not None and not state.is_column_load:
        state.statement = state.statement.options(
            with_loader_criteria(BrandOwned, lambda cls: cls.brand_id == brand_id, include_aliases=True)
        )


@event.listens_for(BrandSession, "before_flush")
def _own(session: Session, _context: UOWTransaction, _instances: object) -> None:
    brand_id = session.info.get("brand_id")
    for row in (*session.new, *session.dirty, *session.deleted):
        if not isinstance(row, BrandOwned):
            continue
        if row.brand_id is None:
            row.brand_id = brand_id
        if brand_id is not None and row.brand_id != brand_id:
            raise WallBreach(f"a row of {type(row).__name__} would leave its brand")
    session.connection().info["flushing"] = True


@event.listens_for(BrandSession, "after_flush")
def _flushed(session: Session, _context: UOWTransaction) -> None:
    session.connection().info["flushing"] = False


@event.listens_for(BrandSession, "after_begin")
def _begun(_session: Session, _transaction: object, connection: Any) -> None:
    connection.info["flushing"] = False  # a flush that failed never said it was over


def brand_tables() -> frozenset[str]:
    """Return the names of all tables that belong to a brand; the job table is read across brands by the worker."""
    tables = Base.metadata.tables.values()
    return frozenset(table.name for table in tables if "brand_id" in table.columns and not table.info.get("no_brand"))


def breach(sql: str, owned: frozenset[str]) -> str | None:
    """Return the brand's table that a statement touches without naming the brand, if it does."""
    touched = {name.lower() for name in _TABLES.findall(sql)} & owned
    if not touched:
        return None
    head, where, tail = sql.partition("WHERE") if not sql.lstrip().upper().startswith("INSERT") else (sql, "", "")
    return None if _NAMED.search(tail if where else head if "INSERT" in head[:12].upper() else "") else min(touched)


@lru_cache(maxsize=4096)
def _breach(sql: str, _tables: int) -> str | None:
    """Remember what was found of a statement, until there are more tables."""
    return breach(sql, brand_tables())


def guard(engine: Engine) -> None:
    """Refuse Core statements on a brand's table that do not name `brand_id` (in WHERE, or in INSERT's columns).

    Costs a look-up for each statement, and a regular expression for each new one: on in tests and the demo, off in
    production.
    """

    @event.listens_for(engine, "before_cursor_execute")
    def _check(connection: Any, _cursor: object, sql: str, _params: object, context: Any, _many: bool) -> None:
        if context is None or connection.info.get("flushing"):
            return
        options = context.execution_options
        if options.get("walled") or options.get("finds_brand") or (context.compiled is None and context.isddl):
            return
        name = _breach(sql, len(Base.metadata.tables))
        if name is not None:
            raise WallBreach(f"a statement on {name} does not name brand_id: {sql[:200]}")
