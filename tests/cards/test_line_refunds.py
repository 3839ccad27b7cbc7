"""Goods that come back one by one: the rest is evaluated under the version of its day, to the cent."""

from collections.abc import Mapping

import pytest
from sqlalchemy import select

from app.cards import refunds, service
from app.cards.refunds import RefundResult
from app.cards.returns import LineUnknown, NotThatMuchLeft
from app.cards.service import PurchaseResult, Wishes
from app.core import clock
from app.ledger import service as ledger
from app.ledger.service import Basket, Line
from app.rewards import service as rewards
from app.rewards.models import Reward
from tests.cards.kinds import a_plan, holds
from tests.shop import Shop, a_version
from tests.shop import a_program as a_stamp_card

LINES = (Line("latte", "coffee", 3, 450, 1400), Line("bun", "bakery", 2, 325, 1400))  # 13.50 + 6.50 = 20.00


def bought(shop: Shop, **wishes: int) -> PurchaseResult:
    """Book a basket of three lattes and two buns."""
    basket = Basket(2000, f"R-{len(shop.entries())}", clock.now(), lines=LINES)
    return service.record_purchase(
        shop.session, basket, member=shop.member, till=shop.till, wishes=Wishes(spend=wishes)
    )


def back(shop: Shop, purchase: PurchaseResult, lines: Mapping[int, int] | None) -> RefundResult:
    """Take items of a purchase back: line number → how many."""
    found = ledger.find_purchase(shop.session, till=shop.till, public_id=purchase.public_id)
    return refunds.refund(shop.session, found, till=shop.till, lines=lines)


def test_what_is_left_is_evaluated_again_and_the_difference_taken(shop: Shop) -> None:
    purchase = bought(shop)  # 20.00 at 4.00 each: 5 stamps

    first = back(shop, purchase, {2: 1})  # 16.75 are left: 4 stamps
    second = back(shop, purchase, {1: 1})  # 12.25 are left: 3 stamps
    rest = back(shop, purchase, None)

    assert [(one.amount_cents, one.paid_cents, one.repeated) for one in (first, second, rest)] == [
        (325, 325, False),
        (450, 450, False),
        (1225, 1225, False),
    ]
    assert [[line.amount for line in one.reversed] for one in (first, second, rest)] == [[-1], [-1], [-3]]
    assert (shop.balance(), back(shop, purchase, None).repeated) == (0, True)


def test_refund_of_all_items_is_a_whole_one(shop: Shop) -> None:
    purchase = bought(shop)

    back(shop, purchase, {1: 3})
    last = back(shop, purchase, {2: 2})

    assert (last.amount_cents, shop.balance()) == (650, 0)
    again = back(shop, purchase, None)
    assert (again.repeated, again.public_id) == (True, last.public_id)


def test_shares_of_a_line_sum_to_it_in_whatever_steps_they_come(bare_shop: Shop) -> None:
    bonus = a_plan(bare_shop.session, "bonus", {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 1000}]}]})
    bare_shop.buy(5000)
    purchase = bought(bare_shop, bonus=100)  # the lattes bear 67.5 cents and the buns 32.5: 68 and 32

    given = [back(bare_shop, purchase, {1: 1}) for _latte in range(3)]

    # Of 1350 cents, 68 were bonus and 1282 money: thirds of 22, 23, 23 and of 427, 427, 428.
    assert [(one.spent_cents, one.paid_cents) for one in given] == [(22, 427), (23, 427), (23, 428)]
    back(bare_shop, purchase, None)
    assert holds(bare_shop, bonus) == (500, 0)


def test_coupon_comes_back_only_when_all_of_the_basket_did(shop: Shop) -> None:
    coupon = shop.buy(4000).coupons[0]
    purchase = bought(shop)
    rewards.redeem(shop.session, coupon.code, till=shop.till, purchase_id=purchase.purchase_id)

    first = back(shop, purchase, {1: 3})
    assert (first.coupons_returned, shop.states()) == (0, ["redeemed"])

    assert (back(shop, purchase, {2: 2}).coupons_returned, shop.states()) == (1, ["issued"])


@pytest.mark.parametrize(
    ("lines", "error"), [({3: 1}, LineUnknown), ({1: 4}, NotThatMuchLeft), ({1: 3, 2: 3}, NotThatMuchLeft)]
)
def test_items_that_were_not_bought_do_not_come_back(shop: Shop, lines: dict[int, int], error: type[Exception]) -> None:
    purchase = bought(shop)

    with pytest.raises(error):
        back(shop, purchase, lines)

    assert (shop.balance(), shop.entries()) == (5, [("earn", 5)])


def test_items_of_a_purchase_that_came_back_whole_do_not_come_back_once_more(shop: Shop) -> None:
    purchase = bought(shop)
    back(shop, purchase, None)

    with pytest.raises(NotThatMuchLeft):
        back(shop, purchase, {1: 1})


def test_rest_is_evaluated_under_the_version_of_the_day_it_was_bought(bare_shop: Shop) -> None:
    program = a_stamp_card(bare_shop.session, "coffee", cents=400)
    purchase = bought(bare_shop)
    reward = bare_shop.session.scalars(select(Reward)).one()
    a_version(bare_shop.session, program, reward, number=2, valid_from=clock.now(), cents=100)

    result = back(bare_shop, purchase, {2: 1})  # 16.75 at 4.00 each are 4; at 1.00 they would be 16

    assert [(line.amount, line.balance) for line in result.reversed] == [(-1, 4)]
