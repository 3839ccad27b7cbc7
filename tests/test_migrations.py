"""Migrations make the very tables that the models speak of, on both databases, and keep what was there."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import registry
from app.cards import reasons
from app.cards.models import Award
from app.core import clock, migrations
from app.core.db import Database
from app.ledger import books
from app.ledger.accounts import OpenAccount, open_accounts
from app.ledger.models import Account, Lot, LotAllocation, Refund
from app.wallet.models import WalletPass
from tests.conftest import KEYS
from tests.old_rows import Old, upgrade
from tests.old_rows import unmade as unmade


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
    with database.engine.begin() as connection:
        upgrade(connection, "0001")
        for statement in BEFORE:
            connection.exec_driver_sql(statement)

    migrations.upgrade(database)

    with database.unit(1) as session:
        (row,) = session.scalars(select(WalletPass))
        assert (row.id, row.serial, row.token, row.token_hash, row.program_id) == (7, "SERIAL", b"\2", "hash", 3)
        assert (row.version, row.fingerprint, row.notified, row.coupon_id) == (0, "", [], None)
        assert not session.connection().exec_driver_sql("PRAGMA foreign_key_check").all()
    database.close()


# Reason, cents paid and kind of rule of awards that were nothing or less, in a past with steps of 4.00.
LESS = (
    ("below_one_step", 340, "euros"), ("below_minimum", 100, "purchase"), ("capped", 80_000, "euros"),
    ("nothing_paid", 0, "euros"),
)  # fmt: skip


def a_past(database: Database) -> tuple[int, dict[str, list[int]]]:
    """Write a brand as 0002 knew it; return its id, and the ids of three accounts, each before those of its entries."""
    with database.engine.begin() as connection:
        upgrade(connection, "0002")
        old = Old(connection)
        brand_id = old.brand_id = old.put("brand", slug="meri", zone="Europe/Helsinki", default_language="fi")
        outlet_id = old.put("outlet", kind="shop", reseller_id=old.put("reseller"))
        till_id, program_id = old.put("till", outlet_id=outlet_id), old.put("program", kind="stamp_card")
        reward_id, member_id = old.put("reward", kind="product"), old.put("member", state="confirmed", kind="person")
        version_id = old.put("program_version", program_id=program_id, number=1, size=10, reward_id=reward_id)
        bought = {"till_id": till_id, "outlet_id": outlet_id, "member_id": member_id}
        purchase_id = old.put("purchase", total_cents=3600, due_cents=3600, **bought)
        why = {"purchase_id": purchase_id, "version_id": version_id}
        old.put("award", amount=9, program_id=program_id, rule="euros", **why)
        why["refund_id"] = old.put("refund", purchase_id=purchase_id, till_id=till_id, amount_cents=3600)
        accounts = {
            "in debt": [("earn", 3), ("earn", 9), ("fill", -10), ("reverse_earn", -9), ("earn", 4)],
            "undone": [("earn", 12), ("fill", -10), ("reverse_earn", -12), ("fill_undo", 10), ("earn", 5)],
            "untouched": [("earn", 7)],
        }
        for number, (reason, due_cents, version) in enumerate(LESS):
            rule = {"per": version, "cents": 400, "award": 2}
            rules = {"program_id": program_id, "number": 2 + number, "size": 10, "reward_id": reward_id, "rule": rule}
            bought["receipt"] = reason
            less = {"purchase_id": old.put("purchase", total_cents=due_cents, due_cents=due_cents, **bought)}
            less["version_id"] = old.put("program_version", **rules)
            old.put("award", amount=0, program_id=program_id, reason=reason, **less)
        return brand_id, {name: old.account(program_id, *said, **why) for name, said in accounts.items()}


def lots_of(session: Session, account_id: int) -> list[tuple[int, int, int]]:
    """Return the entry, the amount and the rest of each lot of an account."""
    lots = session.scalars(select(Lot).where(Lot.account_id == account_id).order_by(Lot.id))
    return [(lot.entry_id, lot.amount, lot.remaining) for lot in lots]


def taken(session: Session, account_id: int) -> set[tuple[int, int, int]]:
    """Return which entry took how much from the lot of which."""
    rows = select(LotAllocation.entry_id, Lot.entry_id, LotAllocation.amount).join(Lot, Lot.id == LotAllocation.lot_id)
    return {(into, source, part) for into, source, part in session.execute(rows.where(Lot.account_id == account_id))}


def reopened(session: Session, account_id: int) -> OpenAccount:
    """Lock an account."""
    account = session.get_one(Account, account_id)
    context = {"occurred_at": clock.now()}
    return open_accounts(session, member_id=account.member_id, program_ids=[], context=context)[account.program_id]


def test_what_was_earned_before_lots_is_played_first_in_first_out(unmade: Database) -> None:
    brand_id, ids = a_past(unmade)

    migrations.upgrade(unmade)

    with unmade.reading(brand_id) as session:
        account, first, second, fill, refund, third = ids["in debt"]
        # The fill of 10 takes 3 and 7; the refund of 9 the last 2, and later 4 of the 7 that it owed: 3 are left.
        assert lots_of(session, account) == [(first, 3, 0), (second, 9, 0), (third, 4, 0)]
        assert taken(session, account) == {
            (fill, first, 3), (fill, second, 7), (refund, second, 2), (refund, third, 4),
        }  # fmt: skip
        account, first, fill, refund, undo, last = ids["undone"]
        # The fill takes 10, the refund the other 2 and then the 10 that the undone fill gave back.
        assert lots_of(session, account) == [(first, 12, 0), (undo, 10, 0), (last, 5, 5)]
        assert taken(session, account) == {(fill, first, 10), (refund, first, 2), (refund, undo, 10)}
        account, first = ids["untouched"]
        assert (lots_of(session, account), taken(session, account)) == ([(first, 7, 7)], set())
        assert [line for _name, check in books.INVARIANTS for line in check(session)] == []


def test_accounts_of_before_go_on(unmade: Database) -> None:
    brand_id, ids = a_past(unmade)
    migrations.upgrade(unmade)

    with unmade.unit(brand_id) as session:
        reopened(session, ids["in debt"][0]).add("earn", 5)  # 3 of it are owed
        reopened(session, ids["undone"][0]).spend("spend", 4)
        fill = ids["undone"][2]
        reopened(session, ids["undone"][0]).put_back("fill_undo", 10, reverses_id=fill)

        left = {name: [lot.remaining for lot in reopened(session, ids[name][0]).lots()] for name in ids}
        assert left == {"in debt": [2], "undone": [10, 1], "untouched": [7]}
        assert [line for _name, check in books.INVARIANTS for line in check(session)] == []


def test_a_refund_from_before_is_whole_and_paid(unmade: Database) -> None:
    brand_id, _ids = a_past(unmade)

    migrations.upgrade(unmade)

    with unmade.reading(brand_id) as session:
        refund = session.scalars(select(Refund)).one()
        assert (refund.whole, refund.amount_cents, refund.paid_cents) == (True, 3600, 3600)


def test_award_from_before_says_what_it_lacked(unmade: Database) -> None:
    brand_id, _ids = a_past(unmade)

    migrations.upgrade(unmade)

    with unmade.reading(brand_id) as session:
        rows = session.scalars(select(Award).where(Award.reason != "").order_by(Award.id)).all()
        told = {award.reason: (award.details, reasons.sentence(award.reason, award.details)) for award in rows}
    assert told == {
        "below_one_step": ({"missing_cents": 60, "step_cents": 400}, "€0.60 short of the first stamp"),
        "below_minimum": (
            {"min_cents": 400, "missing_cents": 300}, "Below the smallest purchase that earns, €4.00"
        ),
        "capped": ({"most": 300, "earned": 400}, "One purchase earns 300 at most"),  # 200 steps of 2
        "nothing_paid": ({}, "Nothing was paid, so nothing was earned"),
    }  # fmt: skip


def test_what_was_written_before_is_still_refused_a_change(unmade: Database) -> None:
    brand_id, _ids = a_past(unmade)
    migrations.upgrade(unmade)

    for table in ("refund", "award", "purchase", "ledger_entry", "lot_allocation"):
        for verb in ("UPDATE {} SET brand_id = brand_id", "DELETE FROM {}"):
            change = text(f"{verb.format(table)} WHERE brand_id = :b")
            with pytest.raises(DBAPIError, match=f"{table} is append-only"), unmade.unit(brand_id) as session:
                session.connection().execute(change, {"b": brand_id})
