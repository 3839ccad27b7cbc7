"""Taking purchases back: stamps, fills, coupons and debts."""

from datetime import timedelta

import pytest

from app.core import clock
from app.ledger.service import PurchaseUnknown
from app.network.models import Outlet
from app.rewards import service as rewards
from app.rewards.service import CouponView
from tests.builders import a_till
from tests.shop import Shop


def redeem(shop: Shop, view: CouponView, **more: int) -> None:
    rewards.redeem(shop.session, view.code, till=shop.far_till, **more)


def test_refund_takes_the_stamps_back(shop: Shop) -> None:
    shop.buy(1200)
    bought = shop.buy(800)

    result = shop.refund(bought)

    assert (shop.balance(), result.amount_cents, result.repeated) == (3, 800, False)
    assert [(line.amount, line.balance, line.fills_undone) for line in result.reversed] == [(-2, 3, 0)]


def test_second_refund_changes_nothing_and_answers_like_the_first(shop: Shop) -> None:
    shop.buy(3200)
    bought = shop.buy(4200)
    first = shop.refund(bought)
    before = shop.entries()

    second = shop.refund(bought)

    assert (second.public_id, second.amount_cents, second.reversed) == (first.public_id, 4200, first.reversed)
    assert (second.repeated, shop.entries() == before, shop.balance()) == (True, True, 8)


def test_second_refund_counts_the_coupons_that_the_first_gave_back(shop: Shop) -> None:
    coupon = shop.buy(4000).coupons[0]
    basket = shop.buy(400)
    redeem(shop, coupon, purchase_id=basket.purchase_id)

    answers = [shop.refund(basket).coupons_returned for _time in range(2)]

    assert answers == [1, 1]


def test_any_till_of_the_outlet_may_refund(shop: Shop) -> None:
    sibling = a_till(shop.session, outlet=shop.session.get_one(Outlet, shop.till.outlet_id))

    shop.refund(shop.buy(400), till=sibling)

    assert shop.balance() == 0


def test_another_outlet_finds_no_such_purchase(shop: Shop) -> None:
    bought = shop.buy(400)

    with pytest.raises(PurchaseUnknown):
        shop.refund(bought, till=shop.far_till)

    assert shop.balance() == 1


def test_fill_whose_coupon_is_unused_is_undone(shop: Shop) -> None:
    shop.buy(3200)
    bought = shop.buy(4200)

    result = shop.refund(bought)

    assert (shop.balance(), shop.states(), result.reversed[0].fills_undone) == (8, ["revoked"], 1)
    assert shop.entries()[-2:] == [("reverse_earn", -10), ("fill_undo", 10)]


def test_only_as_many_fills_are_undone_as_the_balance_needs_the_newest_first(shop: Shop) -> None:
    shop.buy(4000)
    bought = shop.buy(10_000)  # 25: two more coupons, 5 left

    result = shop.refund(bought)

    assert (shop.balance(), result.reversed[0].fills_undone) == (0, 2)
    assert shop.states() == ["issued", "revoked", "revoked"]


def test_refund_that_the_open_card_can_bear_undoes_no_fill(shop: Shop) -> None:
    shop.buy(4000)
    bought = shop.buy(1200)

    shop.refund(bought)

    assert (shop.balance(), shop.states()) == (0, ["issued"])


def test_used_coupon_stands_and_leaves_a_debt_that_later_stamps_pay(shop: Shop) -> None:
    shop.buy(3200)
    bought = shop.buy(4200)
    redeem(shop, bought.coupons[0])

    result = shop.refund(bought)
    owed = shop.balance()
    later = shop.buy(1600)

    assert (owed, result.reversed[0].balance, shop.states()) == (-2, -2, ["redeemed"])
    assert (later.awards[0].amount, later.awards[0].balance, later.coupons) == (4, 2, [])


def test_used_coupon_is_passed_over_for_an_older_unused_one(shop: Shop) -> None:
    shop.buy(4000)
    bought = shop.buy(4000)
    redeem(shop, bought.coupons[0])

    shop.refund(bought)

    assert (shop.states(), shop.balance()) == (["revoked", "redeemed"], 0)


@pytest.mark.parametrize("job_ran", [False, True])
def test_fill_whose_coupon_expired_unused_is_undone_whether_the_job_ran_or_not(shop: Shop, job_ran: bool) -> None:
    bought = shop.buy(4000)

    with clock.moved(by=timedelta(days=61)):
        if job_ran:
            assert rewards.expire_due(shop.session, now=clock.now()) == 1
        shop.refund(bought)

    assert (shop.balance(), shop.states()) == (0, ["revoked"])


def test_coupon_redeemed_on_the_basket_comes_back_for_two_weeks_at_least(shop: Shop) -> None:
    coupon = shop.buy(4000).coupons[0]
    old = coupon.coupon.expires_at
    with clock.moved(to=old - timedelta(days=1)):
        basket = shop.buy(400)
        redeem(shop, coupon, purchase_id=basket.purchase_id)
        result = shop.refund(basket)
        back = shop.coupons()[0]
        days = back.expires_at - clock.now()

    assert (result.coupons_returned, back.state) == (1, "issued")
    assert timedelta(days=14) - timedelta(minutes=1) < days <= timedelta(days=14)


def test_coupon_that_comes_back_keeps_a_longer_validity_and_can_be_used_again(shop: Shop) -> None:
    coupon = shop.buy(4000).coupons[0]
    old = coupon.coupon.expires_at
    basket = shop.buy(400)
    redeem(shop, coupon, purchase_id=basket.purchase_id)

    shop.refund(basket)
    redeem(shop, coupon)

    assert (shop.coupons()[0].state, shop.coupons()[0].expires_at) == ("redeemed", old)


def test_coupon_redeemed_without_the_basket_does_not_come_back(shop: Shop) -> None:
    coupon = shop.buy(4000).coupons[0]
    basket = shop.buy(400)
    redeem(shop, coupon)

    assert (shop.refund(basket).coupons_returned, shop.states()) == (0, ["redeemed"])


def test_refund_of_a_purchase_that_earned_nothing_is_kept(shop: Shop) -> None:
    result = shop.refund(shop.buy(399))

    assert (result.amount_cents, result.reversed, shop.entries()) == (399, [], [])
