"""Member prices: which hold for whom, when and where; a line that has one, and what its outlet is paid for it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.cards import merge, refunds, service
from app.core import clock
from app.core.errors import LeimaError
from app.ledger import service as ledger
from app.ledger.models import Purchase, SettlementFact
from app.ledger.rules import Basket, Line
from app.network.models import Outlet
from app.rewards import offers
from app.rewards.offer_models import Offer, OfferUse
from app.rewards.offers import OfferNotUsable, OfferPriceWrong, OfferUnknown, Wanted
from tests.builders import a_member
from tests.programs import local
from tests.shop import Shop

LATTE = Line("latte", "coffee", 2, 300)
NOON = local(2026, 11, 18, 12)  # a Wednesday


def an_offer(shop: Shop, slug: str = "latte", **fields: Any) -> Offer:
    """Build an offer of a latte for 3.00 that pays its outlet 0.75 for each."""
    price = {} if "percent_bp" in fields else {"price_cents": 300}
    values = {"name": {"en": "Latte for members"}, "skus": ["latte"], "compensation_cents": 75, **price, **fields}
    offer = Offer(slug=slug, **values)
    shop.session.add(offer)
    shop.session.flush()
    return offer


def held(shop: Shop, at: Any = NOON, *tiers: str) -> list[str]:
    """Return the offers that hold for the member at a moment."""
    found = offers.offers_for(shop.session, shop.member.id, shop.till.outlet_id, at, tiers=tiers)
    return [view.offer.slug for view in found]


def told(shop: Shop, line: Line = LATTE, at: Any = NOON, *, normal: int | None = None, slug: str = "latte") -> Any:
    """Name an offer that does not hold; return the code of the refusal, and its state or price."""
    who: dict[str, Any] = {"member_id": shop.member.id, "outlet_id": shop.till.outlet_id, "at": at, "tiers": ()}
    with pytest.raises(LeimaError) as refusal:
        offers.check(shop.session, [Wanted(1, slug, line, normal)], **who)
    extra = refusal.value.extra
    return refusal.value.code, extra.get("state", extra.get("price_cents"))


def claimed(
    shop: Shop, *lines: Line, slug: str = "latte", normal: int | None = None
) -> tuple[Purchase, list[OfferUse]]:
    """Buy lines, and claim the offer for each of them."""
    basket = Basket(sum(line.amount_cents for line in lines), f"O-{clock.now().timestamp()}", clock.now(), lines=lines)
    bought = service.record_purchase(shop.session, basket, member=shop.member, till=shop.till)
    uses = offers.claim(
        shop.session, [Wanted(number, "latte", line, normal) for number, line in enumerate(lines, start=1)],
        purchase_id=bought.purchase_id, member_id=shop.member.id, till=shop.till, at=basket.occurred_at, tiers=(),
    )  # fmt: skip
    return shop.session.get_one(Purchase, bought.purchase_id), uses


def facts(shop: Shop) -> list[int]:
    rows = shop.session.scalars(select(SettlementFact).order_by(SettlementFact.id))
    return [row.cents for row in rows if row.kind == "member_price"]


@pytest.mark.parametrize(
    ("fields", "at", "state"),
    [
        ({"valid_from": NOON}, NOON - timedelta(microseconds=1), "too_early"),
        ({"valid_from": NOON}, NOON, None),
        ({"valid_until": NOON}, NOON - timedelta(microseconds=1), None),
        ({"valid_until": NOON}, NOON, "expired"),
        ({"weekdays": ["wed", "sat"]}, NOON, None),
        ({"weekdays": ["thu"]}, NOON, "wrong_time"),
        ({"hours_from": "12:00", "hours_to": "14:00"}, NOON, None),
        ({"hours_from": "10:00", "hours_to": "12:00"}, NOON, "wrong_time"),
        # Friday evening until 02:00: an hour of Saturday is Friday's, also in the hour that comes twice.
        ({"weekdays": ["fri"], "hours_from": "22:00", "hours_to": "02:00"}, local(2026, 11, 21, 1, 59), None),
        ({"weekdays": ["fri"], "hours_from": "22:00", "hours_to": "02:00"}, local(2026, 11, 21, 2), "wrong_time"),
        ({"weekdays": ["sat"], "hours_from": "22:00", "hours_to": "04:00"}, local(2026, 10, 25, 3, 30, fold=1), None),
        ({"outlets": ["elsewhere"]}, NOON, "wrong_outlet"),
        ({"tiers": ["gold"]}, NOON, "wrong_tier"),
    ],
)
def test_offer_holds_in_its_time_at_its_outlets_and_for_its_tiers(
    bare_shop: Shop, fields: dict[str, Any], at: Any, state: str | None
) -> None:
    an_offer(bare_shop, **fields)

    assert held(bare_shop, at) == ([] if state else ["latte"])
    if state:
        assert told(bare_shop, at=at) == (OfferNotUsable.code, state)


def test_offer_holds_for_its_tiers_and_its_outlets(bare_shop: Shop) -> None:
    here = bare_shop.session.get_one(Outlet, bare_shop.till.outlet_id).slug
    an_offer(bare_shop, tiers=["silver", "gold"], outlets=["elsewhere", here])

    assert [held(bare_shop, NOON, *tiers) for tiers in (("gold",), ("bronze",), ())] == [["latte"], [], []]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (Line("mocha", "coffee", 1, 300), (OfferNotUsable.code, "wrong_goods")),
        (Line("latte", "coffee", 1, 301), (OfferPriceWrong.code, 300)),
    ],
)
def test_line_of_other_goods_or_above_the_member_price_is_refused(bare_shop: Shop, line: Line, answer: Any) -> None:
    an_offer(bare_shop)

    assert told(bare_shop, line) == answer
    assert told(bare_shop, slug="nothing") == (OfferUnknown.code, None)


def test_percentage_is_taken_off_the_normal_price_that_the_till_tells(bare_shop: Shop) -> None:
    an_offer(bare_shop, percent_bp=1500)  # 15 % of 3.50 is 0.525: 0.53, half up, so 2.97

    assert told(bare_shop, Line("latte", "", 1, 298), normal=350) == (OfferPriceWrong.code, 297)
    assert told(bare_shop, Line("latte", "", 1, 100)) == (OfferPriceWrong.code, None)
    _purchase, uses = claimed(bare_shop, Line("latte", "", 1, 297), normal=350)
    assert len(uses) == 1


def test_claimed_lines_freeze_what_the_outlet_is_paid_for_each_item(bare_shop: Shop) -> None:
    offer = an_offer(bare_shop, campaign="autumn", vat_code="A14")

    claimed(bare_shop, LATTE, Line("latte", "coffee", 1, 250))
    offer.compensation_cents = 10  # pays nothing more or less for what was sold

    rows = bare_shop.session.scalars(select(SettlementFact).order_by(SettlementFact.id)).all()
    assert [(row.kind, row.cents, row.campaign, row.vat_code) for row in rows] == [
        ("member_price", 150, "autumn", "A14"), ("member_price", 75, "autumn", "A14"),
    ]  # fmt: skip
    assert {row.outlet_id for row in rows} == {bare_shop.till.outlet_id}


def test_offer_without_compensation_settles_nothing(bare_shop: Shop) -> None:
    an_offer(bare_shop, compensation_cents=0)

    _purchase, uses = claimed(bare_shop, LATTE)

    assert ([use.quantity for use in uses], facts(bare_shop)) == ([2], [])


def back(shop: Shop, purchase: Purchase, lines: Mapping[int, int] | None) -> None:
    found = ledger.find_purchase(shop.session, till=shop.till, public_id=purchase.public_id)
    refunds.refund(shop.session, found, till=shop.till, lines=lines)


def test_refund_by_lines_takes_the_share_of_its_items_back(bare_shop: Shop) -> None:
    an_offer(bare_shop)
    purchase, _uses = claimed(bare_shop, Line("latte", "coffee", 3, 300))

    back(bare_shop, purchase, {1: 1})
    back(bare_shop, purchase, None)

    assert facts(bare_shop) == [225, -75, -150]


def test_member_has_so_many_a_day_and_what_comes_back_counts_no_more(bare_shop: Shop) -> None:
    an_offer(bare_shop, per_day=3)
    day = clock.now()
    purchase, _uses = claimed(bare_shop, LATTE)

    assert told(bare_shop, at=day) == (OfferNotUsable.code, "used_up")
    (view,) = offers.offers_for(bare_shop.session, bare_shop.member.id, bare_shop.till.outlet_id, day, tiers=())
    assert view.left == 1
    back(bare_shop, purchase, {1: 1})
    claimed(bare_shop, LATTE)
    assert held(bare_shop, day) == []
    assert held(bare_shop, day + timedelta(days=1)) == ["latte"]


def test_lines_of_one_basket_count_together(bare_shop: Shop) -> None:
    an_offer(bare_shop, per_day=3)

    with pytest.raises(OfferNotUsable):
        claimed(bare_shop, LATTE, LATTE)


def test_merged_member_has_had_what_the_newcomer_had(bare_shop: Shop) -> None:
    an_offer(bare_shop, per_day=2)
    kept, newcomer = bare_shop.member, a_member(bare_shop.session, state="provisional")
    bare_shop.member = newcomer
    claimed(bare_shop, LATTE)

    merge.absorb(bare_shop.session, newcomer, into=kept)
    bare_shop.member = kept

    assert told(bare_shop, at=clock.now()) == (OfferNotUsable.code, "used_up")
