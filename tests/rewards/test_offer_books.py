"""The invariants of member prices: each planted fault is found, on both databases, past the triggers."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.db import Database, brand_of
from app.ledger.rules import Line
from app.rewards import offer_books
from tests.builders import a_brand
from tests.cards.test_books import change, unlock
from tests.rewards.test_offers import LATTE, an_offer, back, claimed
from tests.shop import Shop, a_shop, faults


def a_busy_shop(shop: Shop) -> Shop:
    """Claim an offer for two lines, and take an item back."""
    an_offer(shop)
    purchase, _uses = claimed(shop, LATTE, Line("latte", "coffee", 1, 250))
    back(shop, purchase, {1: 1})
    return shop


def _more_than_was_bought(shop: Shop) -> None:
    unlock(shop, "offer_use")
    change(shop, "UPDATE offer_use SET quantity = 3, compensation_cents = 0 WHERE quantity = 1")
    unlock(shop, "settlement_fact")
    change(shop, "DELETE FROM settlement_fact WHERE cents = 75")


def _paid_too_much(shop: Shop) -> None:
    unlock(shop, "settlement_fact")
    change(shop, "UPDATE settlement_fact SET cents = 76 WHERE cents = 75")


LINES, SETTLED = (name for name, _check in offer_books.INVARIANTS)
PLANTED: dict[Callable[[Shop], None], set[str]] = {_more_than_was_bought: {LINES}, _paid_too_much: {SETTLED}}


@pytest.mark.parametrize("plant", list(PLANTED), ids=lambda plant: plant.__name__.strip("_"))
def test_planted_fault_is_found(database: Database, plant: Callable[[Shop], None]) -> None:
    class Undone(Exception):
        """Leaves the schema as it was: the triggers come back with the rollback."""

    with pytest.raises(Undone), database.unit(a_brand(database)) as session:  # noqa: PT012
        shop = a_busy_shop(a_shop(session))
        assert faults(session) == []
        plant(shop)
        assert {name for name, check in offer_books.INVARIANTS if check(session)} == PLANTED[plant]
        raise Undone


def test_every_invariant_has_a_planted_fault() -> None:
    assert {name for name, _check in offer_books.INVARIANTS} == set().union(*PLANTED.values())


@pytest.mark.parametrize("verb", ["UPDATE offer_use SET quantity = 1", "DELETE FROM offer_use"])
def test_database_refuses_to_change_a_use(database: Database, verb: str) -> None:
    with database.unit(a_brand(database)) as session:
        a_busy_shop(a_shop(session))
        brand_id = brand_of(session)

    with database.engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.execute(text(f"{verb} WHERE brand_id = :brand_id"), {"brand_id": brand_id})
