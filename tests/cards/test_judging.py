"""The brand judges a flag once: what was cut is given after all, or what was given is taken back."""

import pytest
from sqlalchemy import select

from app.cards import flags as cards_flags
from app.cards import judging, refunds, service, tiers
from app.cards.flags import FlagUnknown
from app.cards.misuse_models import Flag
from app.cards.story import story
from app.core import clock
from app.ledger.models import LedgerEntry, Purchase
from app.ledger.service import Basket, Line
from app.network.models import Staff
from app.rewards import service as rewards
from tests.cards.kinds import a_plan
from tests.cards.strict import NOON, a_worker, own_card, place, sell, set_limits
from tests.programs import a_rule
from tests.shop import Shop


@pytest.fixture
def judge(strict_shop: Shop) -> Staff:
    """Somebody of the brand who may judge."""
    return a_worker(strict_shop, "judge@example.com", role="finance")


def the_flag(shop: Shop, kind: str) -> Flag:
    """Return the only flag of a kind."""
    return shop.session.scalars(select(Flag).where(Flag.kind == kind)).one()


def four_sales(shop: Shop, cents: int = 2000) -> Flag:
    """Sell four times; the fourth is cut."""
    for _sale in range(4):
        sell(shop, cents)
    return the_flag(shop, "limit_outlet_day")


def test_approved_sale_is_booked_as_adjust_and_fills_the_card(strict_shop: Shop, judge: Staff) -> None:
    flag = four_sales(strict_shop)  # 15 stamps of 20

    assert judging.approve(strict_shop.session, flag, by=judge)

    assert strict_shop.entries()[-2:] == [("adjust", 5), ("fill", -10)]
    assert (strict_shop.balance(), strict_shop.states()) == (0, ["issued", "issued"])
    entry = strict_shop.session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "adjust")).one()
    assert (entry.reason, entry.approver, entry.purchase_id) == ("limit_outlet_day", judge.public_id, flag.purchase_id)
    lines = story(strict_shop.session, strict_shop.member.id)
    assert [(line.gains[0].amount, *line.reasons) for line in lines if line.kind == "adjusted"] == [
        (5, "Given after a check")
    ]


def test_judging_twice_changes_nothing(strict_shop: Shop, judge: Staff) -> None:
    flag = four_sales(strict_shop)
    judging.approve(strict_shop.session, flag, by=judge)
    before = strict_shop.entries()

    assert not judging.approve(strict_shop.session, flag, by=judge)
    assert not judging.reverse(strict_shop.session, flag, by=judge)

    assert strict_shop.entries() == before
    assert [view.flag.state for view in cards_flags.judged(strict_shop.session, most=9)] == ["approved"]
    assert cards_flags.waiting(strict_shop.session, most=9) == []


def test_reversed_sale_loses_what_it_gave_and_stays(strict_shop: Shop, judge: Staff) -> None:
    set_limits(strict_shop, own_card_month=1)
    own_card(strict_shop)
    sell(strict_shop, 2800)
    sold = sell(strict_shop, 2000)  # 7 and 5 fill the card

    assert judging.reverse(strict_shop.session, the_flag(strict_shop, "own_card_often"), by=judge)

    assert strict_shop.entries() == [("earn", 7), ("earn", 5), ("fill", -10), ("adjust", -5), ("fill_undo", 10)]
    assert (strict_shop.balance(), strict_shop.states()) == (7, ["revoked"])
    assert strict_shop.session.get(Purchase, sold.purchase_id) is not None
    assert strict_shop.refund(sold).reversed == []  # nothing is taken twice


def test_reversal_after_the_coupon_was_used_leaves_a_debt(strict_shop: Shop, judge: Staff) -> None:
    set_limits(strict_shop, own_card_month=1)
    own_card(strict_shop)
    sell(strict_shop, 2800)
    sold = sell(strict_shop, 2000)
    rewards.redeem(strict_shop.session, sold.coupons[0].code, till=strict_shop.till)

    judging.reverse(strict_shop.session, the_flag(strict_shop, "own_card_often"), by=judge)

    assert (strict_shop.balance(), strict_shop.states()) == (-3, ["redeemed"])


def test_refund_takes_what_was_approved_back(strict_shop: Shop, judge: Staff) -> None:
    flag = four_sales(strict_shop)
    judging.approve(strict_shop.session, flag, by=judge)
    bought = strict_shop.session.get_one(Purchase, flag.purchase_id)

    result = refunds.refund(strict_shop.session, bought, till=strict_shop.till)

    assert [(line.amount, line.balance, line.fills_undone) for line in result.reversed] == [(-5, 5, 1)]


def test_what_was_refunded_is_not_given_by_approving(strict_shop: Shop, judge: Staff) -> None:
    flag = four_sales(strict_shop)
    refunds.refund(strict_shop.session, strict_shop.session.get_one(Purchase, flag.purchase_id), till=strict_shop.till)

    assert judging.approve(strict_shop.session, flag, by=judge)

    assert strict_shop.balance() == 5  # of 15


def test_approving_gives_what_is_left_of_a_basket(strict_shop: Shop, judge: Staff) -> None:
    for _sale in range(3):
        sell(strict_shop)
    lines = (Line("mug", "mugs", 2, 800), Line("tea", "", 1, 400))
    sold = cards_sale(strict_shop, lines)
    flag = the_flag(strict_shop, "limit_outlet_day")
    bought = strict_shop.session.get_one(Purchase, sold)
    refunds.refund(strict_shop.session, bought, till=strict_shop.till, lines={1: 1})

    judging.approve(strict_shop.session, flag, by=judge)

    assert strict_shop.entries()[-1] == ("adjust", 3)  # a mug and the tea, 12.00


def cards_sale(shop: Shop, lines: tuple[Line, ...]) -> int:
    """Sell a basket of lines; return the purchase's id."""
    basket = Basket(sum(line.amount_cents for line in lines), "lines-1", clock.now(), lines=lines)
    return service.record_purchase(shop.session, basket, member=shop.member, till=shop.till).purchase_id


def test_only_what_the_limit_of_the_flag_cut_is_given(strict_shop: Shop, judge: Staff) -> None:
    a_plan(strict_shop.session, "points", {"rules": [a_rule("p", {"do": "per_amount", "cents": 100, "n": 1})]})
    sale = sell(strict_shop, 12_400, offline=True)  # 31 stamps are too many, 124 points are not
    flag = the_flag(strict_shop, "needs_approval")
    assert [line.amount for line in sale.awards] == [0, 124]

    judging.approve(strict_shop.session, flag, by=judge)

    assert strict_shop.entries() == [("earn", 124), ("adjust", 31), *[("fill", -10)] * 3]


def test_reversing_what_was_cut_takes_the_rest_of_the_sale_too(strict_shop: Shop, judge: Staff) -> None:
    a_plan(strict_shop.session, "points", {"rules": [a_rule("p", {"do": "per_amount", "cents": 100, "n": 1})]})
    sell(strict_shop, 12_400, offline=True)

    judging.reverse(strict_shop.session, the_flag(strict_shop, "needs_approval"), by=judge)

    assert strict_shop.entries() == [("earn", 124), ("adjust", -124)]


def test_flag_shows_who_where_and_when(strict_shop: Shop, judge: Staff) -> None:
    cashier = a_worker(strict_shop, "cashier@example.com")
    for number in range(4):
        sell(strict_shop, at=NOON, cashier=cashier.public_id if number == 3 else None)

    (view,) = cards_flags.waiting(strict_shop.session, most=9)

    assert (view.member.id, view.staff, view.flag.at) == (strict_shop.member.id, "cashier@example.com", NOON)
    assert view.purchase is not None
    assert view.purchase.id == view.flag.purchase_id
    with pytest.raises(FlagUnknown):
        cards_flags.find(strict_shop.session, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")


CLUB = {
    "tiers": [{"slug": "gold", "from_cents": 900_000, "discount_bp": 500, "keeps_months": 12}],
    "rules": [{"name": "mug", "when": {"min_cents": 2000}, "then": [{"do": "set_tier", "tier": "gold"}]}],
}


def in_tier(shop: Shop) -> list[str]:
    return [one.tier.slug for one in tiers.held(shop.session, shop.member.id, clock.now())]


def test_limit_cuts_the_tier_too_and_approval_sets_it(strict_shop: Shop, judge: Staff) -> None:
    a_plan(strict_shop.session, "standing", CLUB)
    for cents in (400, 400, 400):
        sell(strict_shop, cents)
    cut = {award.program.slug: award.reason for award in sell(strict_shop, 2000).awards}

    assert (cut["standing"], in_tier(strict_shop)) == ("limit_outlet_day", [])
    assert judging.approve(strict_shop.session, the_flag(strict_shop, "limit_outlet_day"), by=judge)
    assert in_tier(strict_shop) == ["gold"]


def test_reversed_sale_loses_the_tier_that_it_set(strict_shop: Shop, judge: Staff) -> None:
    a_plan(strict_shop.session, "standing", CLUB)
    place(strict_shop, strict_shop.till, 60.1841, 24.9497)
    place(strict_shop, strict_shop.far_till, 61.4978, 23.7610)
    sell(strict_shop)
    sell(strict_shop, 2000, till=strict_shop.far_till)
    assert in_tier(strict_shop) == ["gold"]

    assert judging.reverse(strict_shop.session, the_flag(strict_shop, "far_apart"), by=judge)

    assert in_tier(strict_shop) == []
