"""Baskets paid with coupons, bonus and gift cards, to the cent; what they settle, and what a refund returns."""

from typing import Any

import pytest
from sqlalchemy import select, update

from app.cards import refunds, service
from app.cards.paying import CodeTwice
from app.cards.service import PurchaseResult, Wishes
from app.core import clock
from app.ledger import service as ledger
from app.ledger.models import LedgerEntry, SettlementFact
from app.ledger.rules import Basket, Line
from app.network.models import CostCentre
from app.rewards import service as rewards
from app.rewards.models import GiftCard, HandGrant, Reward
from app.rewards.service import CouponNotUsable, CouponUnknown, GiftCardNotUsable, GiftCardTooSmall, GiftCardView
from tests.cards.kinds import a_plan, holds
from tests.shop import Shop, a_coupon, a_reward

LINES = (Line("latte", "coffee", 3, 450, 1400), Line("bun", "bakery", 2, 325, 1400))  # 13.50 + 6.50 = 20.00
TENTH = {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 1000}]}]}
GIFT = {"kind": "gift_card", "face_cents": 500}


def a_gift_card(shop: Shop, cents: int, *, number: int = 1) -> GiftCardView:
    """Build a gift card of the member."""
    return rewards.issue_gift_card(
        shop.session, cents=cents, source_kind="hand", source_id=_granted(shop, number), at=clock.now(),
        member_id=shop.member.id,
    )  # fmt: skip


def _granted(shop: Shop, number: int) -> int:
    grant = HandGrant(
        member_id=shop.member.id, reward_id=a_reward(shop.session, f"hand-{number}").id, staff="S" * 26,
        reason="thanks", at=clock.now(),
    )  # fmt: skip
    shop.session.add(grant)
    shop.session.flush()
    return grant.id


def bought(shop: Shop, *, lines: tuple[Line, ...] = LINES, **wishes: Any) -> PurchaseResult:
    """Book a basket, after a quote that says the same."""
    asked, basket = Wishes(**wishes), Basket(2000, f"R-{len(shop.entries())}", clock.now(), lines=lines)
    quoted = service.quote(shop.session, basket, member_id=shop.member.id, till=shop.till, wishes=asked)
    booked = service.record_purchase(shop.session, basket, member=shop.member, till=shop.till, wishes=asked)
    assert (quoted.payment.paid, quoted.awards) == (booked.payment.paid, booked.awards)
    return booked


def facts(shop: Shop) -> list[tuple[str, int]]:
    """Return kind and cents of each settlement fact, in order."""
    rows = shop.session.execute(select(SettlementFact.kind, SettlementFact.cents).order_by(SettlementFact.id))
    return [(kind, cents) for kind, cents in rows]


def test_coupons_bonus_and_gift_card_meet_one_basket_and_only_money_earns(bare_shop: Shop) -> None:
    bonus = a_plan(bare_shop.session, "bonus", TENTH)
    bare_shop.buy(3000)  # 3.00 of bonus
    latte = a_coupon(bare_shop, number=1, skus=["latte"], settlement_cents=210)
    fifth = a_coupon(bare_shop, number=2, kind="discount_percent", percent_bp=2000)
    gift = a_gift_card(bare_shop, 500)

    # 20.00 less a latte of 4.50 is 15.50; 20 % of it is 3.10, so 12.40; 2.00 of bonus and 5.00 of the gift card: 5.40.
    sale = bought(bare_shop, coupons=(fifth.code, latte.code), spend={"bonus": 200}, gift_cards={gift.code: None})

    assert (sale.paid.discount_cents, sale.paid.spent_cents, sale.due_cents) == (760, 700, 540)
    assert sale.awards[0].amount == 54  # 10 % of the 5.40 in money
    assert [(use.view.coupon.id, use.discount_cents) for use in sale.payment.coupons] == [
        (latte.coupon.id, 450),
        (fifth.coupon.id, 310),
    ]
    assert [(one.settlement_cents, one.discount_cents, one.purchase_id) for one in sale.redemptions] == [
        (210, 450, sale.purchase_id),  # a product settles at its fixed value
        (310, 310, sale.purchase_id),  # a percentage at what the outlet gave
    ]
    assert facts(bare_shop) == [("bonus_spent", 200), ("gift_card_used", 500)]
    assert holds(bare_shop, bonus) == (300 - 200 + 54, 0)
    assert (gift.card.state, gift.card.balance_cents) == ("used", 0)


def test_refund_by_lines_returns_bonus_before_gift_cards_and_takes_their_settlement_back(bare_shop: Shop) -> None:
    bonus = a_plan(bare_shop.session, "bonus", TENTH)
    bare_shop.buy(3000)
    gift = a_gift_card(bare_shop, 500)
    sale = bought(bare_shop, spend={"bonus": 300}, gift_cards={gift.code: 500})  # 8.00 of 20.00: 12.00 in money
    found = ledger.find_purchase(bare_shop.session, till=bare_shop.till, public_id=sale.public_id)

    # A bun of 3.25: of the line's 2.60 spent (8.00 x 6.50 / 20.00) 1.30 come back, all of it bonus, 1.95 in money.
    first = refunds.refund(bare_shop.session, found, till=bare_shop.till, lines={2: 1})
    rest = refunds.refund(bare_shop.session, found, till=bare_shop.till)
    again = refunds.refund(bare_shop.session, found, till=bare_shop.till)

    assert (first.spent_cents, first.paid_cents) == (130, 195)
    assert (rest.spent_cents, rest.paid_cents) == (670, 1005)
    assert (again.spent_cents, again.repeated) == (670, True)
    assert facts(bare_shop) == [
        ("bonus_spent", 300), ("gift_card_used", 500), ("bonus_spent", -130), ("bonus_spent", -170),
        ("gift_card_used", -500),
    ]  # fmt: skip
    assert holds(bare_shop, bonus) == (300, 0)
    assert (gift.card.state, gift.card.balance_cents) == ("active", 500)


def test_redeemed_coupon_comes_back_with_a_whole_refund_only(shop: Shop) -> None:
    latte = a_coupon(shop, skus=["latte"])
    sale = bought(shop, coupons=(latte.code,))
    found = ledger.find_purchase(shop.session, till=shop.till, public_id=sale.public_id)

    refunds.refund(shop.session, found, till=shop.till, lines={2: 1})
    assert shop.states() == ["redeemed"]
    assert refunds.refund(shop.session, found, till=shop.till).coupons_returned == 1
    assert shop.states() == ["issued"]


@pytest.mark.parametrize(
    ("fields", "lines", "state"),
    [
        ({"skus": ["mug"]}, LINES, "goods_missing"),
        ({"kind": "discount_percent", "percent_bp": 1000, "skus": ["latte"]}, (), "goods_missing"),
        ({"min_basket_cents": 2001}, LINES, "below_minimum_basket"),
        ({"outlets": ["elsewhere"]}, LINES, "wrong_outlet"),
    ],
)
def test_coupon_that_would_be_used_for_nothing_is_refused_and_kept(
    shop: Shop, fields: dict[str, Any], lines: tuple[Line, ...], state: str
) -> None:
    coupon = a_coupon(shop, **fields)

    with pytest.raises(CouponNotUsable) as refused:
        bought(shop, lines=lines, coupons=(coupon.code,))

    assert (refused.value.extra["state"], shop.states(), shop.entries()) == (state, ["issued"], [])


def test_second_coupon_has_nothing_left_to_take_off(shop: Shop) -> None:
    all_of_it = a_coupon(shop, number=1, kind="discount_cents", face_cents=2500)
    other = a_coupon(shop, number=2, kind="discount_cents", face_cents=100)

    with pytest.raises(CouponNotUsable) as refused:
        bought(shop, coupons=(all_of_it.code, other.code))

    assert refused.value.extra["state"] == "nothing_left"
    assert bought(shop, coupons=(all_of_it.code,)).redemptions[0].settlement_cents == 2000  # not the 25.00


def test_codes_that_cannot_be_are_refused(shop: Shop) -> None:
    coupon, gift = a_coupon(shop), a_gift_card(shop, 300)

    with pytest.raises(CodeTwice):
        bought(shop, coupons=(coupon.code, coupon.code.lower()))
    with pytest.raises(CouponUnknown):
        bought(shop, coupons=("ABCDEFGHJKLMN",))
    with pytest.raises(GiftCardTooSmall):
        bought(shop, gift_cards={gift.code: 301})
    rewards.revoke_gift_card(shop.session, gift.card.id)
    with pytest.raises(GiftCardNotUsable):
        bought(shop, gift_cards={gift.code: None})
    assert shop.entries() == []


def test_gift_card_takes_no_more_than_is_left_to_pay(shop: Shop) -> None:
    small, large = a_gift_card(shop, 300), a_gift_card(shop, 5000, number=2)

    sale = bought(shop, gift_cards={large.code: None, small.code: None})

    assert [(use.view.card.id, use.cents) for use in sale.payment.gift_cards] == [
        (small.card.id, 300),
        (large.card.id, 1700),
    ]
    assert (sale.due_cents, sale.awards[0].amount, sale.awards[0].reason) == (0, 0, "nothing_paid")


def test_cash_back_gives_gift_cards_and_a_refund_takes_the_untouched_one_back(bare_shop: Shop) -> None:
    plan = {
        "rules": [{"name": "paid", "then": [{"do": "percent", "bp": 10_000}]}],
        "thresholds": [{"at": 5000, "reward": "five"}],
        "repeats": True,
    }
    cash = a_plan(bare_shop.session, "cash_back", plan, **{})
    bare_shop.session.execute(_as_gift_card(bare_shop))

    first, second = bare_shop.buy(6000), bare_shop.buy(5000)  # 60.00: one, 10.00 carried; + 50.00: another one

    assert [card.card.balance_cents for card in (*first.gift_cards, *second.gift_cards)] == [500, 500]
    bare_shop.refund(second)
    cards = bare_shop.session.scalars(select(GiftCard).order_by(GiftCard.id)).all()
    assert ([card.state for card in cards], holds(bare_shop, cash)) == (["active", "revoked"], (1000, 0))

    sale = bought(bare_shop, gift_cards={first.gift_cards[0].code: 1})
    bare_shop.refund(first)  # the card is touched, so the debt stays: 10.00 + 19.99 - 60.00
    assert (sale.due_cents, holds(bare_shop, cash)) == (1999, (1000 + 1999 - 6000, 0))


def _as_gift_card(shop: Shop) -> Any:
    return update(Reward).where(Reward.slug == "five").values(**GIFT)


def test_slip_of_the_finger_gives_300_gift_cards_and_keeps_the_rest(bare_shop: Shop) -> None:
    plan = {
        "rules": [{"name": "paid", "then": [{"do": "percent", "bp": 10_000}]}],
        "thresholds": [{"at": 50, "reward": "five"}],
        "repeats": True,
    }
    cash = a_plan(bare_shop.session, "cash_back", plan)
    bare_shop.session.execute(_as_gift_card(bare_shop))

    sale = bare_shop.buy(1_000_000)

    assert (len(sale.gift_cards), sale.awards[0].filled) == (300, 300)
    assert holds(bare_shop, cash) == (1_000_000 - 300 * 50, 0)


def test_spent_bonus_is_borne_by_the_cost_centre_of_its_day(bare_shop: Shop) -> None:
    centre = CostCentre(slug="loyalty", name="Loyalty")
    bare_shop.session.add(centre)
    bare_shop.session.flush()
    program = a_plan(bare_shop.session, "bonus", TENTH)
    program.cost_centre_id, program.campaign = centre.id, "autumn"
    bare_shop.session.flush()
    bare_shop.buy(3000)
    sale = bought(bare_shop, spend={"bonus": 300})
    program.cost_centre_id, program.campaign = None, "winter"
    bare_shop.session.flush()

    bare_shop.refund(sale)

    rows = bare_shop.session.scalars(select(SettlementFact).order_by(SettlementFact.id)).all()
    assert [(row.cents, row.cost_centre_id, row.campaign) for row in rows] == [
        (300, centre.id, "autumn"),
        (-300, centre.id, "autumn"),
    ]
    spent = bare_shop.session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "spend")).one()
    assert (rows[0].source_id, rows[1].reverses_id) == (spent.id, rows[0].id)
