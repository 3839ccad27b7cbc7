"""A connection that PostgreSQL has closed meanwhile is replaced before anybody works with it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.core import db
from app.core.db import Database, DatabaseDown
from tests.conftest import KEYS

PID = text("SELECT pg_backend_pid()")


@pytest.fixture
def idle(postgres_test_url: str) -> Iterator[Database]:
    database = Database(postgres_test_url, KEYS)
    yield database
    database.close()


def pid(database: Database) -> int:
    with database.unit() as session:
        return int(session.connection().execute(PID).scalar_one())


def close_from_outside(database: Database, killer: Database) -> int:
    """Use a connection, then let the server close it; return who served it."""
    served = pid(database)
    with killer.unit() as session:
        session.connection().execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": served})
    return served


def test_connection_that_was_idle_is_asked_first(
    idle: Database, postgres_test_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "IDLE_SECONDS", 0)
    killer = Database(postgres_test_url, KEYS)
    served = close_from_outside(idle, killer)

    assert pid(idle) != served
    killer.close()


def test_connection_that_was_just_used_fails_once_and_is_forgotten(idle: Database, postgres_test_url: str) -> None:
    killer = Database(postgres_test_url, KEYS)
    served = close_from_outside(idle, killer)

    with pytest.raises(DatabaseDown):
        pid(idle)
    assert pid(idle) != served
    killer.close()
