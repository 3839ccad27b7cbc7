"""Migrations make the very tables that the models speak of, on both databases, and keep what was there."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect, select

from app import registry
from app.core import migrations
from app.core.db import Database
from app.wallet.models import WalletPass
from tests.conftest import KEYS


def checks(database: Database) -> dict[str, set[str]]:
    """Return the names of the CHECK constraints of each table."""
    found = inspect(database.engine)
    return {
        table: {str(one["name"]) for one in found.get_check_constraints(table)} for table in found.get_table_names()
    }


def test_the_migrated_schema_is_the_one_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, registry.metadata) == []

    wanted = {
        table.name: {str(one.name) for one in table.constraints if isinstance(one, CheckConstraint)}
        for table in registry.metadata.sorted_tables
    }
    assert {table: names for table, names in checks(database).items() if table != "alembic_version"} == wanted


BEFORE = (
    "INSERT INTO brand (id, slug, name, brand_color, brand_deep, ink, on_ink, languages, default_language, zone, "
    "lowest_age, contact, welcome_at_till, settings) VALUES (1, 'meri', 'Meri', '#183f8c', '#122b67', '#f5d337', "
    "'#13295f', '[]', 'fi', 'Europe/Helsinki', 13, '', 0, '{}')",
    "INSERT INTO member (id, brand_id, public_id, state, kind, language, source, joined_at, age_confirmed, "
    "totp_secret, totp_step) VALUES (2, 1, 'M', 'confirmed', 'person', 'fi', 'web', '2026-01-02 03:04:05.000006', 1, "
    "x'01', 0)",
    "INSERT INTO program (id, brand_id, public_id, slug, kind, name, unit, position) VALUES (3, 1, 'P', 'coffee', "
    "'stamp_card', '{}', '{}', 0)",
    "INSERT INTO wallet_pass (id, brand_id, member_id, program_id, kind, serial, token, token_hash, made_at, "
    "last_modified) VALUES (7, 1, 2, 3, 'apple', 'SERIAL', x'02', 'hash', '2026-01-02 03:04:05.000006', "
    "'2026-01-02 03:04:05.000006')",
)


def test_a_pass_from_before_keeps_its_serial_and_token(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.db'}", KEYS)
    settings = migrations.config()
    with database.engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001")
        for statement in BEFORE:
            connection.exec_driver_sql(statement)

    migrations.upgrade(database)

    with database.unit(1) as session:
        (row,) = session.scalars(select(WalletPass))
        assert (row.id, row.serial, row.token, row.token_hash, row.program_id) == (7, "SERIAL", b"\2", "hash", 3)
        assert (row.version, row.fingerprint, row.notified, row.coupon_id) == (0, "", [], None)
        assert not session.connection().exec_driver_sql("PRAGMA foreign_key_check").all()
    database.close()
