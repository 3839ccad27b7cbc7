"""`leima check-books` finds a row that refers to another brand's, which the database itself refuses by its keys."""

from sqlalchemy import text

from app import registry
from app.core.db import Database
from app.members.models import Member
from tests.builders import a_brand, a_member
from tests.shop import a_shop, faults

NAME = "9 no row refers across brands"
MOVE = text("UPDATE purchase SET member_id = :member_id WHERE brand_id = :brand_id")


def test_row_of_another_brand_is_found(database: Database) -> None:
    mine, theirs = a_brand(database), a_brand(database, "toinen")
    with database.unit(theirs) as session:
        stranger: Member = a_member(session)
    with database.unit(mine) as session:
        a_shop(session).buy(1200)
        assert faults(session) == []

    values = {"member_id": stranger.id, "brand_id": mine}
    with database.engine.connect() as connection:  # as a repair by hand would, past the keys
        off = "PRAGMA foreign_keys = OFF" if database.is_sqlite else "SET LOCAL session_replication_role = replica"
        connection.connection.cursor().execute(off)  # of this file, or of this transaction, only
        for trigger in _triggers(connection) if database.is_sqlite else []:
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(MOVE, values)
        connection.commit()

    with database.reading(mine) as session:
        found = {name: check(session) for name, check in registry.invariants()}
    assert found[NAME] == [f"purchase 1: member_id {stranger.id}"]
    with database.reading(theirs) as session:
        assert faults(session) == []


def _triggers(connection: object) -> list[str]:
    rows = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'purchase'"))  # type: ignore[attr-defined]
    return [name for (name,) in rows]
