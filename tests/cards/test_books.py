"""The invariants of cards and coupons: each planted fault is found, on both databases, past the triggers."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from app.cards import books, service
from app.cards.service import Wishes
from app.core.db import Database, brand_of
from app.rewards import service as rewards
from tests.builders import a_brand
from tests.cards.kinds import a_plan
from tests.shop import Shop, a_basket, a_shop, faults


def unlock(shop: Shop, table: str) -> None:
    """Take the triggers of an append-only table away, as somebody with the database's password could."""
    on = f" ON {table}" if shop.session.connection().dialect.name == "postgresql" else ""
    for verb in ("update", "delete"):
        shop.session.connection().execute(text(f"DROP TRIGGER {table}_no_{verb}{on}"))


def change(shop: Shop, statement: str) -> None:
    """Run a statement of one table and its WHERE without the last condition, the brand's."""
    given = {"brand_id": brand_of(shop.session)}
    shop.session.connection().execute(text(f"{statement} AND brand_id = :brand_id"), given)


def a_busy_shop(database_shop: Shop) -> Shop:
    """Fill two cards, redeem one coupon, take a purchase back, so that every invariant has something to look at."""
    shop = database_shop
    shop.buy(1200)
    first = shop.buy(4000)
    rewards.redeem(shop.session, first.coupons[0].code, till=shop.far_till)
    shop.refund(shop.buy(4000))
    shop.buy(4000)
    shop.session.flush()
    return shop


def _earn(shop: Shop) -> None:
    unlock(shop, "award")
    change(shop, "UPDATE award SET amount = amount + 1 WHERE amount = 3")


def _lost_redemption(shop: Shop) -> None:
    change(shop, "DELETE FROM redemption WHERE id > 0")


def _unmarked_redemption(shop: Shop) -> None:
    change(shop, "UPDATE coupon SET state = 'issued' WHERE state = 'redeemed'")


def _lost_coupon(shop: Shop) -> None:
    change(shop, "DELETE FROM coupon WHERE state = 'issued'")


def _coupon_from_nowhere(shop: Shop) -> None:
    change(shop, "UPDATE coupon SET source_id = 999 WHERE state = 'issued'")


def _revoked_without_undo(shop: Shop) -> None:
    change(shop, "UPDATE coupon SET state = 'revoked' WHERE state = 'issued'")


def _account_of_no_program(shop: Shop) -> None:
    change(shop, "UPDATE account SET program_id = 999 WHERE id > 0")


def _entry_of_no_version(shop: Shop) -> None:
    unlock(shop, "ledger_entry")
    change(shop, "UPDATE ledger_entry SET version_id = 999 WHERE amount = 3")


def _overfull_card(shop: Shop) -> None:
    change(shop, "UPDATE program_version SET size = 2 WHERE id > 0")


def _unsettled_spend(shop: Shop) -> None:
    a_plan(shop.session, "bonus", {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 1000}]}]})
    shop.buy(3000)
    service.record_purchase(
        shop.session, a_basket(300), member=shop.member, till=shop.till, wishes=Wishes(spend={"bonus": 200})
    )
    assert faults(shop.session) == []
    unlock(shop, "settlement_fact")
    change(shop, "DELETE FROM settlement_fact WHERE cents = 200")


PLANTED: dict[Callable[[Shop], None], set[str]] = {
    _earn: {"1b"},
    _lost_redemption: {"3"},
    _unmarked_redemption: {"3"},
    _lost_coupon: {"3b"},
    _coupon_from_nowhere: {"3b"},
    _revoked_without_undo: {"3c"},
    _unsettled_spend: {"3d"},
    _account_of_no_program: {"4"},
    _entry_of_no_version: {"4", "1b"},
    _overfull_card: {"12b"},
}


@pytest.mark.parametrize("plant", list(PLANTED), ids=lambda plant: plant.__name__.strip("_"))
def test_planted_fault_is_found(database: Database, plant: Callable[[Shop], None]) -> None:
    class Undone(Exception):
        """Leaves the schema as it was: the triggers come back with the rollback."""

    with pytest.raises(Undone), database.unit(a_brand(database)) as session:  # noqa: PT012
        shop = a_busy_shop(a_shop(session))
        assert faults(session) == []
        plant(shop)
        found = {line.split()[0] for line in faults(session)}
        assert found == PLANTED[plant]
        raise Undone


def test_every_invariant_has_a_planted_fault() -> None:
    assert {name.split()[0] for name, _ in books.INVARIANTS} == set().union(*PLANTED.values())
