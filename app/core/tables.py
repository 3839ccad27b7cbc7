"""What every table is made of: the declarative base, the brand's mixin, types and constraint helpers."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, ForeignKeyConstraint, MetaData, String, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from app.core import clock
from app.core.crypto import new_id

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in Python, stored in UTC to the microsecond on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone; SQLite keeps no zone, so it gets plain UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables. A table that belongs to no brand says why: `info={"no_brand": "…"}`."""

    metadata = MetaData(naming_convention=NAMES)


class BrandOwned:
    """Mixin of every table that belongs to a brand; `app.core.walls` scopes its queries."""

    id: Mapped[int] = mapped_column(primary_key=True)
    brand_id: Mapped[int] = mapped_column(ForeignKey("brand.id"))


def brand_table(*args: Any, **options: Any) -> tuple[Any, ...]:
    """Return `__table_args__` of a brand's table: what is given, and UNIQUE(brand_id, id) for composite foreign keys.

    Pass `append_only=True` for a table whose rows no UPDATE or DELETE may touch; a test compares it with the triggers.
    """
    info = {"append_only": options.pop("append_only", False)}
    return (UniqueConstraint("brand_id", "id"), *args, {"info": info, **options})


def points_to(column: str, table: str) -> ForeignKeyConstraint:
    """Return a foreign key that cannot leave the brand."""
    return ForeignKeyConstraint(["brand_id", column], [f"{table}.brand_id", f"{table}.id"])


def pub() -> Mapped[str]:
    """Return the column of a public id, the only id that leaves the database."""
    return mapped_column(String(26), unique=True, default=lambda: new_id(clock.now()), info={"personal": "none"})
