"""The unit of work, the walls and the counters, on both databases."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from app.core import clock
from app.core.db import Database
from app.core.errors import TooMany
from app.core.walls import WallBreach
from app.members.models import ConsentEvent, Member
from app.network.models import Outlet
from tests.builders import a_brand, a_member


def test_session_of_one_brand_does_not_see_rows_of_another(database: Database) -> None:
    one, other = a_brand(database, "one"), a_brand(database, "other")
    with database.unit(one) as session:
        member_id = a_member(session).id

    with database.reading(other) as session:
        found = (session.get(Member, member_id), session.scalar(select(func.count()).select_from(Member)))

    assert found == (None, 0)


def test_session_without_a_brand_refuses_rows_of_brands(database: Database) -> None:
    a_brand(database)

    with database.reading() as session, pytest.raises(WallBreach):
        session.scalars(select(Outlet)).all()


def test_core_statement_that_does_not_name_the_brand_is_refused(database: Database) -> None:
    brand_id = a_brand(database)

    with database.reading(brand_id) as session:
        named = session.connection().execute(text("SELECT count(*) FROM outlet WHERE brand_id = :b"), {"b": brand_id})
        assert named.scalar() == 1
        with pytest.raises(WallBreach):
            session.connection().execute(text("SELECT count(*) FROM outlet WHERE id > 0"))


def test_row_written_for_another_brand_is_refused(database: Database) -> None:
    one, other = a_brand(database, "one"), a_brand(database, "other")

    with pytest.raises(WallBreach), database.unit(one) as session:
        a_member(session, brand_id=other)


def test_reading_session_cannot_write(database: Database) -> None:
    brand_id = a_brand(database)

    with pytest.raises(Exception, match=r"(?i)read-?only"), database.reading(brand_id) as session:
        session.connection().execute(text("UPDATE brand SET name = 'x'"))
    with database.unit(brand_id) as session:
        a_member(session)  # the connection came back able to write


def test_append_only_rows_refuse_change_in_the_database_itself(database: Database) -> None:
    brand_id = a_brand(database)
    with database.unit(brand_id) as session:
        member = a_member(session)
        session.add(
            ConsentEvent(
                member_id=member.id, channel="email", state="pending", at=clock.now(), source="web", method="tick"
            )
        )

    for verb in ("UPDATE consent_event SET state = 'granted'", "DELETE FROM consent_event"):
        with pytest.raises(DBAPIError, match="append-only"), database.unit(brand_id) as session:
            session.connection().execute(text(f"{verb} WHERE brand_id = :b"), {"b": brand_id})


def test_counter_holds_its_cap_when_many_count_at_once(database: Database) -> None:
    passed: list[int] = []

    def tries() -> None:
        for _ in range(10):
            try:
                passed.append(database.count("code", limit=5, window=timedelta(minutes=10), now=clock.now()))
            except TooMany:
                continue

    threads = [threading.Thread(target=tries) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(passed) == [1, 2, 3, 4, 5]


def test_counter_starts_again_after_its_window(database: Database) -> None:
    for _ in range(2):
        database.count("key", limit=2, window=timedelta(minutes=1), now=clock.now())
    with pytest.raises(TooMany) as refused:
        database.count("key", limit=2, window=timedelta(minutes=1), now=clock.now())

    later = clock.now() + timedelta(seconds=refused.value.retry_after + 1)

    assert database.count("key", limit=2, window=timedelta(minutes=1), now=later) == 1
