"""A coupon that a till holds, limits of a reward, and redemptions that are taken back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.cards.story import story
from app.core import clock
from app.ledger import service as ledger
from app.network.models import CostCentre, Outlet, Till
from app.rewards import service
from app.rewards.models import Redemption
from app.rewards.redeeming import HOLD
from app.rewards.service import CouponNotUsable, CouponView, RedemptionUnknown
from tests.builders import a_till
from tests.shop import Shop, a_basket, a_coupon

SECOND = timedelta(seconds=1)


def state_at(shop: Shop, view: CouponView, till: Till, **check: Any) -> str:
    """Return the state that a till is refused with; empty where it is not."""
    values = {"total_cents": None, "at": clock.now(), **check}
    try:
        service.check_usable(shop.session, service.find(shop.session, view.code), till=till, **values)
    except CouponNotUsable as refusal:
        return str(refusal.extra["state"])
    return ""


def bought(shop: Shop, cents: int) -> int:
    """Write a purchase that earns nothing, and return its id."""
    row, _public_id = ledger.write_purchase(
        shop.session,
        a_basket(cents),
        member_id=shop.member.id,
        till=shop.till,
        scan_id=None,
        local_date=clock.now().date(),
    )
    return row


def test_held_coupon_is_refused_at_another_till_and_says_until_when(shop: Shop) -> None:
    view = a_coupon(shop)
    held = service.reserve(shop.session, view.code, till=shop.till)

    for act in (service.reserve, service.redeem):
        with pytest.raises(CouponNotUsable) as refusal:
            act(shop.session, view.code, till=shop.far_till)
        assert (refusal.value.extra["state"], refusal.value.extra["until"]) == ("reserved", held.until.isoformat())
    assert held.until == view.coupon.reserved_until
    assert (view.state, view.usable, view.held_from(shop.till.id)) == ("reserved", True, False)


def test_holder_redeems_and_the_hold_is_over(shop: Shop) -> None:
    view = a_coupon(shop)
    service.reserve(shop.session, view.code, till=shop.till)

    service.redeem(shop.session, view.code, till=shop.till)

    assert (view.coupon.state, view.coupon.reserved_till_id, view.coupon.reserved_until) == ("redeemed", None, None)


def test_holder_renews_its_hold(shop: Shop) -> None:
    view = a_coupon(shop)
    first = service.reserve(shop.session, view.code, till=shop.till).until

    with clock.moved(to=first - SECOND):
        again = service.reserve(shop.session, view.code, till=shop.till).until

    assert first - SECOND + HOLD <= again < first + HOLD  # the clock ticks on


def test_hold_lapses_to_the_moment_without_a_job(shop: Shop) -> None:
    view = a_coupon(shop)
    until = service.reserve(shop.session, view.code, till=shop.till).until

    with clock.moved(to=until - 30 * SECOND):
        assert state_at(shop, view, shop.far_till) == "reserved"
    with clock.moved(to=until):
        assert view.state == "issued"
        service.redeem(shop.session, view.code, till=shop.far_till)


def test_hold_ends_with_the_coupon(shop: Shop) -> None:
    view = a_coupon(shop)

    with clock.moved(to=view.coupon.expires_at - 30 * SECOND):
        assert service.reserve(shop.session, view.code, till=shop.till).until == view.coupon.expires_at


def test_only_the_holder_lets_go(shop: Shop) -> None:
    view = a_coupon(shop)
    service.reserve(shop.session, view.code, till=shop.till)

    let_go = [service.release(shop.session, view.code, till=till) for till in (shop.far_till, shop.till, shop.till)]

    assert let_go == [False, True, False]
    assert service.reserve(shop.session, view.code, till=shop.far_till).view.held_from(shop.till.id)


def test_coupon_is_for_the_named_outlets_only(shop: Shop) -> None:
    here = shop.session.get_one(Outlet, shop.till.outlet_id).slug
    view = a_coupon(shop, outlets=[here])

    assert (state_at(shop, view, shop.till), state_at(shop, view, shop.far_till)) == ("", "wrong_outlet")
    for act in (service.reserve, service.redeem):
        with pytest.raises(CouponNotUsable):
            act(shop.session, view.code, till=shop.far_till)
    assert shop.states() == ["issued"]


def test_presale_begins_and_ends_to_the_moment_and_its_days_count_from_the_begin(shop: Shop) -> None:
    begins = clock.now() + timedelta(days=90)
    view = a_coupon(shop, valid_from=begins, valid_days=10, valid_until=begins + timedelta(days=3))

    assert view.coupon.expires_at == begins + timedelta(days=3)
    told = [state_at(shop, view, shop.till, at=begins + step) for step in (-SECOND, 0 * SECOND, timedelta(days=3))]
    assert told == ["too_early", "", "expired"]
    with pytest.raises(CouponNotUsable):
        service.redeem(shop.session, view.code, till=shop.till)
    assert a_coupon(shop, number=2, valid_from=begins, valid_days=10).coupon.expires_at == begins + timedelta(days=10)


def test_small_basket_is_refused_with_the_least_that_is_needed(shop: Shop) -> None:
    view = a_coupon(shop, min_basket_cents=1500)

    assert state_at(shop, view, shop.till, total_cents=1500) == ""
    with pytest.raises(CouponNotUsable) as refusal:
        service.check_usable(shop.session, view, till=shop.till, total_cents=1499, at=clock.now())
    said = refusal.value.extra
    assert (said["state"], said["min_basket_cents"]) == ("below_minimum_basket", 1500)
    assert "€15.00" in refusal.value.message


def test_minimum_is_looked_at_on_the_purchase_it_is_redeemed_on(bare_shop: Shop) -> None:
    shop, view = bare_shop, a_coupon(bare_shop, min_basket_cents=1500)
    small, large = bought(shop, 1499), bought(shop, 1500)

    for purchase_id, state in ((None, "needs_basket"), (small, "below_minimum_basket")):
        with pytest.raises(CouponNotUsable) as refusal:
            service.redeem(shop.session, view.code, till=shop.till, purchase_id=purchase_id)
        assert refusal.value.extra["state"] == state
    assert service.redeem(shop.session, view.code, till=shop.till, purchase_id=large).purchase_id == large


def test_everything_of_the_settlement_is_frozen_when_it_is_redeemed(shop: Shop) -> None:
    centre = shop.session.scalars(select(CostCentre)).one()
    values: dict[str, Any] = {
        "vat_code": "ALV14", "campaign": "spring", "cost_centre_id": centre.id, "fee_cents": 15,
    }  # fmt: skip
    view = a_coupon(shop, kind="discount_cents", face_cents=500, **values)
    at = clock.now() - timedelta(days=2)

    done = service.redeem(shop.session, view.code, till=shop.till, at=at, discount_cents=420, settlement_cents=420)
    for name, later in {"vat_code": "", "campaign": None, "cost_centre_id": None, "fee_cents": 0}.items():
        setattr(view.reward, name, later)
    shop.session.flush()
    shop.session.refresh(done)

    assert {name: getattr(done, name) for name in values} == values
    assert (done.discount_cents, done.settlement_cents, done.occurred_at) == (420, 420, at)


@pytest.mark.parametrize(
    ("reward", "total", "given", "settled"),
    [
        ({"kind": "product", "face_cents": 400}, 1050, 0, 250),
        ({"kind": "discount_cents", "face_cents": 500}, None, 500, 500),
        ({"kind": "discount_cents", "face_cents": 500}, 300, 300, 300),
        ({"kind": "discount_percent", "percent_bp": 500}, 1050, 53, 53),  # 52.5, half up
        ({"kind": "discount_percent", "percent_bp": 5000, "cap_cents": 200}, 1050, 200, 200),
    ],
)
def test_coupon_redeemed_by_itself_settles_at_what_the_outlet_can_have_given(
    bare_shop: Shop, reward: dict[str, Any], total: int | None, given: int, settled: int
) -> None:
    view = a_coupon(bare_shop, **reward)
    purchase_id = bought(bare_shop, total) if total else None

    done = service.redeem(bare_shop.session, view.code, till=bare_shop.till, purchase_id=purchase_id)

    assert (done.discount_cents, done.settlement_cents) == (given, settled)


@pytest.mark.parametrize(("skus", "total"), [([], None), (["latte"], 1050)])
def test_percent_that_nobody_can_work_out_needs_its_basket(bare_shop: Shop, skus: list[str], total: int | None) -> None:
    view = a_coupon(bare_shop, kind="discount_percent", percent_bp=500, skus=skus)
    purchase_id = bought(bare_shop, total) if total else None

    with pytest.raises(CouponNotUsable) as refusal:
        service.redeem(bare_shop.session, view.code, till=bare_shop.till, purchase_id=purchase_id)

    assert (refusal.value.extra["state"], bare_shop.states()) == ("needs_basket", ["issued"])


def test_offline_till_used_it_before_its_day_was_over(shop: Shop) -> None:
    view = a_coupon(shop, valid_days=1)
    end = view.coupon.expires_at

    with clock.moved(to=end + timedelta(days=1)):
        service.expire_due(shop.session, now=clock.now())
        with pytest.raises(CouponNotUsable):
            service.redeem(shop.session, view.code, till=shop.till, at=end)
        done = service.redeem(shop.session, view.code, till=shop.till, at=end - SECOND)

    assert (done.occurred_at, shop.states(), view.coupon.ended_at) == (end - SECOND, ["redeemed"], None)


def test_reversed_redemption_gives_the_coupon_back_once_with_its_old_validity(shop: Shop) -> None:
    view = a_coupon(shop)
    until = view.coupon.expires_at
    first = service.redeem(shop.session, view.code, till=shop.till)
    next_till = a_till(shop.session, outlet=shop.session.get_one(Outlet, shop.till.outlet_id))

    done = service.reverse(shop.session, first.public_id, till=next_till)
    second = service.redeem(shop.session, view.code, till=shop.far_till)
    again = service.reverse(shop.session, first.public_id, till=shop.till)

    assert (done.repeated, again.repeated, done.coupon.expires_at) == (False, True, until)
    assert shop.states() == ["redeemed"]
    live = select(Redemption.id).where(Redemption.reversed_at.is_(None))
    assert shop.session.scalars(live).all() == [second.id]


def test_story_says_which_till_undid_a_use_and_what_came_back_with_a_refund(shop: Shop) -> None:
    by_hand, by_refund = a_coupon(shop), a_coupon(shop, number=2)
    sale = shop.buy(1200)
    undone = service.redeem(shop.session, by_hand.code, till=shop.till, purchase_id=sale.purchase_id)
    service.redeem(shop.session, by_refund.code, till=shop.till, purchase_id=sale.purchase_id)
    next_till = a_till(shop.session, outlet=shop.session.get_one(Outlet, shop.till.outlet_id))

    service.reverse(shop.session, undone.public_id, till=next_till)
    shop.refund(sale)

    rows = shop.session.scalars(select(Redemption.reversed_till_id).order_by(Redemption.id)).all()
    assert rows == [next_till.id, None]
    told = {line.reasons[0] for line in story(shop.session, shop.member.id) if line.kind == "coupon_returned"}
    assert told == {"Its use was undone at Till 1", "It came back with a refund"}


@pytest.mark.parametrize("public_id", ["of another outlet", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", ""])
def test_only_the_outlet_of_a_redemption_takes_it_back(shop: Shop, public_id: str) -> None:
    done = service.redeem(shop.session, a_coupon(shop).code, till=shop.far_till)

    with pytest.raises(RedemptionUnknown):
        service.reverse(shop.session, done.public_id if " " in public_id else public_id, till=shop.till)

    assert shop.states() == ["redeemed"]


def test_coupon_reversed_after_its_day_is_expired(shop: Shop) -> None:
    view = a_coupon(shop)
    done = service.redeem(shop.session, view.code, till=shop.till)

    with clock.moved(to=view.coupon.expires_at):
        service.reverse(shop.session, done.public_id, till=shop.till)
        assert (view.state, view.usable) == ("expired", False)


def test_refund_gives_nothing_back_that_was_reversed_and_used_again(shop: Shop) -> None:
    view = a_coupon(shop)
    sale = shop.buy(1200)
    first = service.redeem(shop.session, view.code, till=shop.till, purchase_id=sale.purchase_id)
    service.reverse(shop.session, first.public_id, till=shop.till)
    service.redeem(shop.session, view.code, till=shop.far_till)

    assert service.give_back(shop.session, purchase_id=sale.purchase_id) == 0
    assert shop.states() == ["redeemed"]
