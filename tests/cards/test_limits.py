"""Limits against misuse: the purchase is kept, the award is 0 and says why; each can be off."""

from dataclasses import asdict
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.cards import limits, merge, reasons, service
from app.cards.limit_settings import LimitsIn
from app.cards.limits import Limits, NeedsApproval
from app.cards.story import story
from app.ledger.models import Purchase
from app.members.models import Contact
from app.network.models import Outlet
from tests.builders import a_member, an_outlet
from tests.cards.kinds import a_plan
from tests.cards.strict import HELSINKI, NOON, a_worker, flags, own_card, place, sell, set_limits, told
from tests.programs import a_rule, percent
from tests.shop import Shop, a_basket

OUTLET_CUT, DAY_CUT = (0, "limit_outlet_day"), (0, "limit_day")
FULL_STAMPS = 12_000  # cents for 30 stamps


def test_the_defaults_of_the_brand_file_are_those_of_the_limits() -> None:
    assert asdict(Limits()) == LimitsIn().model_dump()


def test_fourth_purchase_of_a_day_at_one_outlet_is_kept_and_earns_nothing(strict_shop: Shop) -> None:
    sales = [sell(strict_shop) for _sale in range(4)]

    assert told(*sales) == [(1, ""), (1, ""), (1, ""), OUTLET_CUT]
    assert strict_shop.balance() == 3
    assert strict_shop.session.scalar(select(func.count(Purchase.id))) == 4
    assert flags(strict_shop) == [("limit_outlet_day", {"would": {"coffee": 1}, "times": 3})]
    newest = story(strict_shop.session, strict_shop.member.id)[0]
    assert (newest.gains[0].amount, *newest.reasons) == (0, "3 purchases a day earn at the same shop")


def test_seventh_purchase_of_a_day_at_all_outlets_earns_nothing(strict_shop: Shop) -> None:
    outlets = [strict_shop.till, strict_shop.far_till]

    first = [sell(strict_shop, till=outlets[number % 2]) for number in range(6)]
    third = an_outlet(strict_shop.session)
    place_till = strict_shop.session.scalars(select(Outlet).where(Outlet.id == third.id)).one()
    till = strict_shop.till
    till.outlet_id = place_till.id

    assert told(*first, sell(strict_shop, till=till)) == [(1, "")] * 6 + [DAY_CUT]


def test_quote_says_what_the_booking_does(strict_shop: Shop) -> None:
    for _sale in range(3):
        sell(strict_shop)

    quoted = service.quote(
        strict_shop.session, a_basket(400), member_id=strict_shop.member.id, till=strict_shop.till
    ).awards
    booked = sell(strict_shop).awards

    assert [(line.amount, line.reason, dict(line.details)) for line in quoted] == [
        (line.amount, line.reason, dict(line.details)) for line in booked
    ]


def test_purchase_that_earned_nothing_or_was_taken_back_does_not_count(strict_shop: Shop) -> None:
    sell(strict_shop, 399)
    strict_shop.refund(sell(strict_shop))

    assert told(*(sell(strict_shop) for _sale in range(4))) == [(1, "")] * 3 + [OUTLET_CUT]


def test_what_a_merged_member_bought_today_counts_at_each_limit(strict_shop: Shop) -> None:
    first, second = (a_member(strict_shop.session, state="provisional") for _member in range(2))
    own = own_card(strict_shop)
    set_limits(strict_shop, own_card_month=4, purchases_day=5)
    before = [sell(strict_shop, member=one) for one in (first, second)]
    merge.absorb(strict_shop.session, first, into=second)
    merge.absorb(strict_shop.session, second, into=strict_shop.member)

    here = [sell(strict_shop, member=one) for one in (strict_shop.member, first)]
    away = [sell(strict_shop, till=strict_shop.far_till) for _sale in range(3)]

    assert told(*before, *here) == [(1, "")] * 3 + [OUTLET_CUT]
    assert told(*away) == [(1, "")] * 2 + [DAY_CUT]
    sell(strict_shop, at=NOON - timedelta(days=1)), sell(strict_shop, at=NOON - timedelta(days=1))
    assert flags(strict_shop)[-1] == ("own_card_often", {"owner": own.public_id, "times": 5, "most": 4})


def test_day_is_that_of_the_brand_at_the_moment_of_the_purchase(strict_shop: Shop) -> None:
    last = datetime(2026, 11, 17, 23, 59, tzinfo=HELSINKI)  # 21:59 in UTC
    late = [sell(strict_shop, at=last - timedelta(minutes=number)) for number in range(4)]
    early = sell(strict_shop, at=last + timedelta(minutes=2))

    assert told(*late, early) == [(1, "")] * 3 + [OUTLET_CUT, (1, "")]


@pytest.mark.parametrize("off", ["purchases_outlet_day", "purchases_day"])
def test_each_limit_of_a_day_can_be_off_or_another(strict_shop: Shop, off: str) -> None:
    other = {"purchases_outlet_day": "purchases_day", "purchases_day": "purchases_outlet_day"}[off]
    set_limits(strict_shop, **{off: False, other: 5})

    sales = [sell(strict_shop) for _sale in range(6)]

    assert [amount for amount, _reason in told(*sales)] == [1] * 5 + [0]


def test_more_than_30_stamps_at_once_are_refused_until_a_manager_approves(strict_shop: Shop) -> None:
    with pytest.raises(NeedsApproval) as refused:
        sell(strict_shop, FULL_STAMPS + 400)

    assert refused.value.extra == {"awards": [{"program": "coffee", "amount": 31}]}
    manager = a_worker(strict_shop, "manager@example.com", role="reseller_manager")
    sales = sell(strict_shop, FULL_STAMPS), sell(strict_shop, FULL_STAMPS + 400, approver=manager.public_id)
    assert told(*sales) == [(30, ""), (31, "")]
    assert flags(strict_shop) == []


def test_more_than_30_stamps_of_an_offline_till_are_0_and_flagged(strict_shop: Shop) -> None:
    sale = sell(strict_shop, FULL_STAMPS + 400, offline=True)

    assert told(sale) == [(0, "needs_approval")]
    line = sale.awards[0]
    assert reasons.sentence(line.reason, line.details) == "More than 30 at once needs a manager’s approval"
    assert flags(strict_shop) == [("needs_approval", {"would": {"coffee": 31}})]


def test_limit_of_a_bonus_is_in_cents_and_points_have_none(strict_shop: Shop) -> None:
    session = strict_shop.session
    a_plan(session, "bonus", {"rules": [a_rule("b", percent(1000))]})
    a_plan(session, "points", {"rules": [a_rule("p", {"do": "per_amount", "cents": 100, "n": 1})]})
    set_limits(strict_shop, award_units=False)

    exact = sell(strict_shop, 50_000)  # 10 % are 50.00
    with pytest.raises(NeedsApproval) as refused:
        sell(strict_shop, 50_010)

    assert [line.amount for line in exact.awards] == [125, 5000, 500]
    assert refused.value.extra == {"awards": [{"program": "bonus", "amount": 5001}]}
    set_limits(strict_shop, award_cents=False)
    assert sell(strict_shop, 50_010).awards[1].amount == 5001


def test_own_card_is_refused_at_ones_own_log_in_and_earns_at_a_colleagues(strict_shop: Shop) -> None:
    me, colleague = own_card(strict_shop), a_worker(strict_shop, "colleague@example.com")

    sales = [
        sell(strict_shop, cashier=me.public_id),
        sell(strict_shop, cashier=colleague.public_id),
        sell(strict_shop, cashier=colleague.public_id, approver=me.public_id),
    ]

    assert told(*sales) == [(0, "own_card"), (1, ""), (0, "own_card")]
    assert flags(strict_shop) == [("own_card", {"would": {"coffee": 1}})] * 2
    set_limits(strict_shop, own_card=False)
    assert told(sell(strict_shop, cashier=me.public_id)) == [(1, "")]


def test_own_card_is_told_by_a_phone_number_too_and_by_nothing_unconfirmed(strict_shop: Shop) -> None:
    me = a_worker(strict_shop, "me@example.com", phone="+358401234567")
    contact = Contact(member_id=strict_shop.member.id, kind="phone", value="+358401234567")
    strict_shop.session.add(contact)
    strict_shop.session.flush()
    unconfirmed = sell(strict_shop, cashier=me.public_id)
    contact.confirmed_at = NOON
    strict_shop.session.flush()

    assert told(unconfirmed, sell(strict_shop, cashier=me.public_id)) == [(1, ""), (0, "own_card")]


def test_sixth_sale_of_a_month_to_a_colleagues_card_is_flagged(strict_shop: Shop) -> None:
    me = own_card(strict_shop)
    set_limits(strict_shop, purchases_outlet_day=False, purchases_day=False)
    sell(strict_shop, at=datetime(2026, 10, 31, 23, 59, tzinfo=HELSINKI))
    sell(strict_shop, till=strict_shop.far_till)  # another reseller's people are no colleagues
    sales = [sell(strict_shop, at=NOON - timedelta(days=number)) for number in range(6)]

    assert told(*sales) == [(1, "")] * 6
    assert flags(strict_shop) == [("own_card_often", {"owner": me.public_id, "times": 6, "most": 5})]


def test_two_outlets_over_100_km_apart_within_10_minutes_are_flagged(strict_shop: Shop) -> None:
    place(strict_shop, strict_shop.till, 60.1841, 24.9497)  # Helsinki
    place(strict_shop, strict_shop.far_till, 61.4978, 23.7610)  # Tampere, about 160 km away

    sell(strict_shop, at=NOON)
    sell(strict_shop, till=strict_shop.far_till, at=NOON + timedelta(minutes=4))
    sell(strict_shop, till=strict_shop.far_till, at=NOON - timedelta(minutes=11))

    ((kind, details),) = flags(strict_shop)
    assert (kind, details["minutes"], details["other_outlet_id"]) == ("far_apart", 4, strict_shop.till.outlet_id)
    assert 155 <= details["km"] <= 165


@pytest.mark.parametrize("why", ["off", "near", "web", "nowhere"])
def test_outlets_that_are_near_or_nowhere_are_not_flagged(strict_shop: Shop, why: str) -> None:
    place(strict_shop, strict_shop.till, 60.1841, 24.9497)
    if why != "nowhere":
        place(strict_shop, strict_shop.far_till, 60.9827 if why == "near" else 61.4978, 25.6612)  # Lahti is 96 km away
    if why == "web":
        strict_shop.session.get_one(Outlet, strict_shop.far_till.outlet_id).kind = "web"
        strict_shop.session.flush()
    if why == "off":
        set_limits(strict_shop, far_km=False)

    sell(strict_shop)
    sell(strict_shop, till=strict_shop.far_till)

    assert flags(strict_shop) == []


def test_great_circle() -> None:
    # A quarter of the equator is 6,371 km × π / 2, from pole to pole it is twice that.
    assert round(limits.distance_km(0, 0, 0, 90)) == 10_008
    assert round(limits.distance_km(90, 0, -90, 0)) == 20_015
    assert limits.distance_km(60.2, 24.9, 60.2, 24.9) == 0
