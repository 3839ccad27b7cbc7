"""The invariants of serial cards: each planted fault is found, on both databases, past the triggers."""

from collections.abc import Callable

import pytest

from app.cards import serial, serial_books
from app.core import clock
from app.core.db import Database
from tests.builders import a_brand
from tests.cards.kinds import a_plan
from tests.cards.serials import PLAN, SLUG
from tests.cards.test_books import change, unlock
from tests.shop import Shop, a_shop, faults


def a_busy_shop(shop: Shop) -> Shop:
    """Sell three cards: one used up with a credit, one used in part with a use taken back, one taken back."""
    a_plan(shop.session, "serial_card", PLAN)
    for number in range(3):
        sold = serial.sell(
            shop.session, SLUG, member=shop.member, till=shop.till, receipt=f"S-{number}", at=clock.now()
        )
    serial.refund(shop.session, sold.card.public_id, till=shop.till)
    serial.use(shop.session, SLUG, member_id=shop.member.id, till=shop.till, uses=10)
    for _use in range(2):
        used = serial.use(shop.session, SLUG, member_id=shop.member.id, till=shop.till)
    serial.reverse(shop.session, used.rows[0][0].public_id, till=shop.till)
    return shop


def _more_used(shop: Shop) -> None:
    change(shop, "UPDATE serial_card SET used = 2 WHERE used = 1")


def _cheaper_uses(shop: Shop) -> None:
    change(shop, "UPDATE serial_use SET share_cents = 9000 WHERE share_cents = 9001")
    change(shop, "UPDATE serial_card SET frozen_cents = 9000 WHERE used = 10")


def _lost_uses(shop: Shop) -> None:
    change(shop, "UPDATE lot SET remaining = 0 WHERE remaining = 9")


def _use_of_no_spend(shop: Shop) -> None:
    change(shop, "UPDATE serial_use SET entry_id = (SELECT entry_id FROM serial_card WHERE used = 10) WHERE uses = 10")


def _use_not_taken_back(shop: Shop) -> None:
    unlock(shop, "ledger_entry")
    change(shop, "UPDATE ledger_entry SET reverses_id = NULL WHERE kind = 'reverse_spend'")


def _credit_of_nothing(shop: Shop) -> None:
    change(shop, "UPDATE serial_use SET gift_card_id = NULL WHERE credit_cents > 0")


def _unsettled_sale(shop: Shop) -> None:
    unlock(shop, "settlement_fact")
    change(shop, "UPDATE settlement_fact SET cents = -9000 WHERE cents = -9001 AND reverses_id IS NULL")


COUNTS, PRICE, LOTS, LEFT, ENTRIES, CREDITS, SETTLED = (name for name, _check in serial_books.INVARIANTS)
PLANTED: dict[Callable[[Shop], None], set[str]] = {
    _more_used: {COUNTS, LOTS, LEFT},
    _cheaper_uses: {PRICE, SETTLED},
    _lost_uses: {LEFT},
    _use_of_no_spend: {ENTRIES},
    _use_not_taken_back: {ENTRIES},
    _credit_of_nothing: {CREDITS},
    _unsettled_sale: {SETTLED},
}


@pytest.mark.parametrize("plant", list(PLANTED), ids=lambda plant: plant.__name__.strip("_"))
def test_planted_fault_is_found(database: Database, plant: Callable[[Shop], None]) -> None:
    class Undone(Exception):
        """Leaves the schema as it was: the triggers come back with the rollback."""

    with pytest.raises(Undone), database.unit(a_brand(database)) as session:  # noqa: PT012
        shop = a_busy_shop(a_shop(session, program=False))
        assert faults(session) == []
        plant(shop)
        assert {name for name, check in serial_books.INVARIANTS if check(session)} == PLANTED[plant]
        raise Undone


def test_every_invariant_has_a_planted_fault() -> None:
    assert {name for name, _check in serial_books.INVARIANTS} == set().union(*PLANTED.values())
