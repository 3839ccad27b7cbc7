"""The invariants of gift cards, grants and seats: each planted fault is found, on both databases, past the triggers."""

from collections.abc import Callable

import pytest

from app.core import clock
from app.core.db import Database
from app.network.models import Staff
from app.rewards import books, gift_cards, invitations, selling, service
from tests.builders import a_brand
from tests.cards.test_books import change, unlock
from tests.shop import Shop, a_reward, a_shop, faults


def a_busy_shop(shop: Shop) -> Shop:
    """Use a part of a gift card and give a part back, grant by hand, take seats: something for every invariant."""
    session, sale = shop.session, shop.buy(1200)
    card = gift_cards.issue_gift_card(
        session, cents=1000, source_kind="sale", source_id=99, at=clock.now(), member_id=shop.member.id
    ).card
    gift_cards.use_gift_card(session, card, 600, till=shop.till, purchase_id=sale.purchase_id)
    service.give_back_to_gift_cards(session, till=shop.till, purchase_id=sale.purchase_id, cents=200)
    clerk = Staff(email="kaisa@meri.example", name="Kaisa", role="marketing")
    session.add(clerk)
    session.flush()
    evening = a_reward(session, "evening", kind="invitation", seats=5)
    given = service.grant(session, shop.member, evening, staff=clerk, reason="thanks")
    assert isinstance(given, service.CouponView)
    invitations.reply(session, given, comes=True, seats=3)
    return shop


def _more_on_the_card(shop: Shop) -> None:
    change(shop, "UPDATE gift_card SET balance_cents = balance_cents + 1 WHERE id > 0")


def _worth_more(shop: Shop) -> None:
    change(shop, "UPDATE gift_card SET initial_cents = 5000 WHERE id > 0")


def _wrong_state(shop: Shop) -> None:
    change(shop, "UPDATE gift_card SET state = 'used' WHERE id > 0")


def _more_came_back(shop: Shop) -> None:
    unlock(shop, "gift_card_entry")
    change(shop, "UPDATE gift_card_entry SET amount_cents = 700 WHERE kind = 'reverse_use'")


def _use_elsewhere(shop: Shop) -> None:
    unlock(shop, "gift_card_entry")
    newest = "SELECT max(id) FROM outlet WHERE brand_id = :brand_id"  # the far till's
    change(shop, f"UPDATE gift_card_entry SET outlet_id = ({newest}) WHERE kind = 'use'")  # noqa: S608 - our own text


def _unsettled_use(shop: Shop) -> None:
    unlock(shop, "settlement_fact")
    change(shop, "UPDATE settlement_fact SET cents = 599 WHERE cents = 600")


def _unsettled_sale(shop: Shop) -> None:
    change(shop, "UPDATE gift_card SET sold_cents = 1000 WHERE id > 0")


def _sell(shop: Shop) -> None:
    a_reward(shop.session, "sold", kind="gift_card", face_cents=1000, sold_up_to_cents=9000, settlement_cents=0)
    selling.sell(shop.session, "sold", cents=2000, till=shop.till, receipt="R-1", at=clock.now())
    assert faults(shop.session) == []


def _sale_of_nothing(shop: Shop) -> None:
    _sell(shop)
    change(shop, "UPDATE gift_card_sale SET value_cents = 2001 WHERE id > 0")


def _refunded_card_that_stays(shop: Shop) -> None:
    _sell(shop)
    change(shop, "UPDATE gift_card_sale SET refunded_at = sold_at WHERE id > 0")


def _grant_of_nothing(shop: Shop) -> None:
    change(shop, "UPDATE coupon SET source_kind = 'issue' WHERE source_kind = 'hand'")


def _coupon_of_no_grant(shop: Shop) -> None:
    change(shop, "UPDATE coupon SET source_id = 999 WHERE source_kind = 'hand'")


def _gift_card_of_no_grant(shop: Shop) -> None:
    change(shop, "UPDATE gift_card SET source_kind = 'hand', source_id = 999 WHERE id > 0")


def _lost_seats(shop: Shop) -> None:
    change(shop, "UPDATE reward SET seats_taken = 2 WHERE seats = 5")


def _more_seats_than_there_are(shop: Shop) -> None:
    change(shop, "UPDATE reward SET seats = 2 WHERE seats = 5")


def _skipped_balance(shop: Shop) -> None:
    unlock(shop, "gift_card_entry")
    change(shop, "UPDATE gift_card_entry SET balance_cents = 1 WHERE kind = 'use'")


SUM, LOADED, STATE, BACK, PLACE, SETTLED, SOLD, SALES, GRANTS, SEATS, RUNNING = (
    name for name, _check in books.INVARIANTS
)
PLANTED: dict[Callable[[Shop], None], set[str]] = {
    _more_on_the_card: {SUM},
    _worth_more: {LOADED},
    _wrong_state: {STATE},
    _more_came_back: {SUM, BACK, SETTLED, RUNNING},
    _use_elsewhere: {PLACE},
    _unsettled_use: {SETTLED},
    _unsettled_sale: {SOLD, SALES},
    _sale_of_nothing: {SALES},
    _refunded_card_that_stays: {SALES},
    _grant_of_nothing: {GRANTS},
    _coupon_of_no_grant: {GRANTS},
    _gift_card_of_no_grant: {GRANTS},
    _lost_seats: {SEATS},
    _more_seats_than_there_are: {SEATS},
    _skipped_balance: {RUNNING},
}


@pytest.mark.parametrize("plant", list(PLANTED), ids=lambda plant: plant.__name__.strip("_"))
def test_planted_fault_is_found(database: Database, plant: Callable[[Shop], None]) -> None:
    class Undone(Exception):
        """Leaves the schema as it was: the triggers come back with the rollback."""

    with pytest.raises(Undone), database.unit(a_brand(database)) as session:  # noqa: PT012
        shop = a_busy_shop(a_shop(session))
        assert faults(session) == []
        plant(shop)
        assert {name for name, check in books.INVARIANTS if check(session)} == PLANTED[plant]
        raise Undone


def test_every_invariant_has_a_planted_fault() -> None:
    assert {name for name, _check in books.INVARIANTS} == set().union(*PLANTED.values())
