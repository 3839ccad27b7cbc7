"""A brand that several processes write to at once, and the same without what makes them wait for each other."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.cards import service as cards
from app.core import db as core_db
from app.core.db import Database, brand_of
from app.ledger import statements as sql
from app.members.models import Member
from app.network.models import Till
from tests.builders import a_brand
from tests.conftest import KEYS
from tests.databases import a_database
from tests.shop import a_basket, a_shop, faults

SIZE = 10  # stamps that fill the card; a purchase gives one


@dataclass
class World:
    """A brand with a stamp card, and ids for threads that open their own units.

    Each thread has a Database of its own, as processes have: one Database lets its writers wait for each other.
    """

    database: Database
    brand_id: int
    member_id: int
    till_id: int
    begins_late: bool = False  # as pysqlite does by itself
    opened: list[Database] = field(default_factory=list)
    _mine: threading.local = field(default_factory=threading.local)

    def buy(
        self, session: Session, member_id: int | None = None, *, at: datetime | None = None
    ) -> cards.PurchaseResult:
        """Book a purchase of one stamp."""
        member, till = session.get_one(Member, member_id or self.member_id), session.get_one(Till, self.till_id)
        return cards.record_purchase(session, a_basket(500, at=at), member=member, till=till)

    def unit(self) -> Any:
        """Open a unit of this thread's own process."""
        return self.own().unit(self.brand_id)

    def own(self) -> Database:
        """Return the database of this thread's own process."""
        if not hasattr(self._mine, "database"):
            self._mine.database = self._open()
        found: Database = self._mine.database
        return found

    def reading(self) -> Any:
        """Open a session that looks at what stands."""
        return self.database.reading(self.brand_id)

    def faults(self) -> list[str]:
        """Return what `check-books` would print."""
        with self.reading() as session:
            return faults(session)

    def _open(self) -> Database:
        url = self.database.engine.url.render_as_string(hide_password=False)
        database = a_database(url, KEYS)
        if self.begins_late:
            event.remove(database.engine, "begin", core_db._sqlite_begin)
            event.listen(database.engine, "connect", lambda raw, _record: setattr(raw, "isolation_level", ""))
        self.opened.append(database)
        return database


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """A world on each database."""
    with database.unit(a_brand(database)) as session:
        shop = a_shop(session, per="purchase", cents=0, size=SIZE)
        built = World(database, brand_of(session), shop.member.id, shop.till.id)
    yield built
    for opened in built.opened:
        opened.close()


@pytest.fixture
def unlocked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what makes a read hold until the write that follows from it: FOR UPDATE, or BEGIN IMMEDIATE."""
    unlock(world, monkeypatch)


def unlock(world: World, patch: pytest.MonkeyPatch) -> None:
    """Do what `unlocked` says, also in a process without fixtures."""
    if world.database.is_sqlite:
        world.begins_late = True
        return
    for statements in (sql.LOCK_ACCOUNTS, sql.HOLD_MEMBER):
        patch.setitem(statements, "postgresql", statements["sqlite"])
