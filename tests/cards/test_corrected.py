"""What a refund leaves right: discounts' settlement by line, units that expired or were merged, coupons on baskets."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from app.cards import expiry, judging, merge, refunds, service, triggers
from app.cards.limits import NeedsApproval
from app.cards.misuse_models import Flag
from app.cards.models import Program
from app.cards.service import PurchaseResult, Wishes
from app.core import clock
from app.ledger import service as ledger
from app.ledger.models import SettlementFact
from app.ledger.rules import Basket, Line
from app.rewards import service as rewards
from app.rewards.models import Redemption, Reward
from tests.builders import a_member
from tests.cards.kinds import a_plan, holds
from tests.cards.strict import a_worker, place, sell, set_limits
from tests.programs import local
from tests.shop import Shop, a_coupon, a_reward, a_version

TENTH = {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 1000}]}]}
GOODS = (Line("tv", "", 1, 100_000, 2550), Line("gum", "", 3, 10, 1400))  # 1,000.00 + 0.30


def a_half_off(shop: Shop) -> PurchaseResult:
    """Buy for 1,000.30 with half of it off: 500.15, of which 0.15 are the gum's."""
    code = a_coupon(shop, kind="discount_percent", percent_bp=5000).code
    basket = Basket(100_030, "TV-1", clock.now(), lines=GOODS)
    return service.record_purchase(
        shop.session, basket, member=shop.member, till=shop.till, wishes=Wishes(coupons=(code,))
    )


def back(shop: Shop, bought: PurchaseResult, lines: dict[int, int] | None) -> None:
    found = ledger.find_purchase(shop.session, till=shop.till, public_id=bought.public_id)
    refunds.refund(shop.session, found, till=shop.till, lines=lines)


def owed(shop: Shop) -> int:
    """Return what the outlet is owed for coupons, in cents."""
    live = select(func.sum(Redemption.settlement_cents)).where(Redemption.reversed_at.is_(None))
    less = select(func.sum(SettlementFact.cents)).where(SettlementFact.kind == "coupon_discount")
    return int(shop.session.scalar(live) or 0) + int(shop.session.scalar(less) or 0)


def test_goods_that_come_back_take_their_part_of_the_discount_from_what_is_owed(bare_shop: Shop) -> None:
    bought = a_half_off(bare_shop)
    told = [owed(bare_shop)]

    for lines in ({1: 1}, {2: 1}, {2: 2}):
        back(bare_shop, bought, lines)
        told.append(owed(bare_shop))

    assert told == [50_015, 15, 10, 0]  # the television's 500.00, 0.05 of one gum, and then the whole coupon
    assert bare_shop.states() == ["issued"]


def test_fixed_settlement_stays_until_all_comes_back(bare_shop: Shop) -> None:
    code = a_coupon(bare_shop, kind="product", skus=["gum"], settlement_cents=7).code
    basket = Basket(100_030, "TV-2", clock.now(), lines=GOODS)
    bought = service.record_purchase(
        bare_shop.session, basket, member=bare_shop.member, till=bare_shop.till, wishes=Wishes(coupons=(code,))
    )
    back(bare_shop, bought, {1: 1})
    assert owed(bare_shop) == 7
    back(bare_shop, bought, None)
    assert owed(bare_shop) == 0


def test_coupon_that_paid_for_a_basket_comes_back_with_the_basket_only(bare_shop: Shop) -> None:
    bought = a_half_off(bare_shop)

    with pytest.raises(rewards.RedemptionInBasket):
        rewards.reverse(bare_shop.session, bought.redemptions[0].public_id, till=bare_shop.till)

    assert (bare_shop.states(), owed(bare_shop)) == (["redeemed"], 50_015)
    back(bare_shop, bought, None)
    assert bare_shop.states() == ["issued"]
    again = rewards.reverse(bare_shop.session, bought.redemptions[0].public_id, till=bare_shop.till)
    assert again.repeated


@pytest.mark.parametrize("job_ran", [True, False])
def test_bonus_that_expired_unused_is_nobodys_to_give_back(bare_shop: Shop, job_ran: bool) -> None:
    bonus = a_plan(
        bare_shop.session, "bonus", {**TENTH, "expires_after_months": 0}, valid_from=datetime(2025, 1, 1, tzinfo=UTC)
    )
    with clock.moved(to=local(2026, 1, 31, 12)):
        bought = bare_shop.buy(10_000)  # 10.00, gone with January

    with clock.moved(to=local(2026, 2, 2, 12)):
        if job_ran:
            expiry.expire_due(bare_shop.session, now=clock.now())
        bare_shop.refund(bought)

    assert holds(bare_shop, bonus) == (0, 0)


@pytest.mark.parametrize("ended_first", [True, False])
def test_bonus_that_expired_unused_is_nobodys_to_give_back_after_a_merge(bare_shop: Shop, ended_first: bool) -> None:
    bonus = a_plan(
        bare_shop.session, "bonus", {**TENTH, "expires_after_months": 0}, valid_from=datetime(2025, 1, 1, tzinfo=UTC)
    )
    with clock.moved(to=local(2026, 1, 31, 12)):
        newcomer = a_member(bare_shop.session, state="provisional")
        bought = bare_shop.buy(10_000, member=newcomer)
        if not ended_first:  # what ends has come through the merge
            merge.absorb(bare_shop.session, newcomer, into=bare_shop.member)

    with clock.moved(to=local(2026, 2, 2, 12)):
        expiry.expire_due(bare_shop.session, now=clock.now())
        if ended_first:  # nothing is there that could be handed over
            merge.absorb(bare_shop.session, newcomer, into=bare_shop.member)
        bare_shop.refund(bought)

    assert holds(bare_shop, bonus) == (0, 0)


def test_bonus_of_which_a_part_was_spent_before_the_rest_expired_is_owed_for_that_part(bare_shop: Shop) -> None:
    bonus = a_plan(
        bare_shop.session, "bonus", {**TENTH, "expires_after_months": 0}, valid_from=datetime(2025, 1, 1, tzinfo=UTC)
    )
    with clock.moved(to=local(2026, 1, 31, 12)):
        bought = bare_shop.buy(10_000)
        service.record_purchase(
            bare_shop.session, Basket(400, "S-1", clock.now()), member=bare_shop.member, till=bare_shop.till,
            wishes=Wishes(spend={"bonus": 400}),
        )  # fmt: skip

    with clock.moved(to=local(2026, 2, 2, 12)):
        bare_shop.refund(bought)

    assert holds(bare_shop, bonus) == (-400, 0)  # 6.00 expired, 4.00 had been used


def test_what_a_trigger_gave_and_expired_unused_is_nobodys_to_give_back(bare_shop: Shop) -> None:
    rule = {"name": "answer", "on": "survey_answered", "then": [{"do": "award", "n": 50}]}
    plan = {"rules": [rule], "expires_after_months": 0}
    points = a_plan(bare_shop.session, "points", plan, valid_from=datetime(2025, 1, 1, tzinfo=UTC))
    with clock.moved(to=local(2026, 1, 31, 12)):
        triggers.trigger(bare_shop.session, bare_shop.member, "survey_answered", 1)
        triggers.trigger(bare_shop.session, bare_shop.member, "survey_answered", 2)
        assert triggers.take_back(bare_shop.session, bare_shop.member, "survey_answered", 1)

    with clock.moved(to=local(2026, 2, 2, 12)):
        expiry.expire_due(bare_shop.session, now=clock.now())
        assert triggers.take_back(bare_shop.session, bare_shop.member, "survey_answered", 2)

    assert holds(bare_shop, points) == (0, 0)


def test_reversed_sale_whose_bonus_expired_unused_leaves_no_debt(strict_shop: Shop) -> None:
    bonus = a_plan(
        strict_shop.session, "bonus", {**TENTH, "expires_after_months": 0}, valid_from=datetime(2025, 1, 1, tzinfo=UTC)
    )
    place(strict_shop, strict_shop.till, 60.1841, 24.9497)
    place(strict_shop, strict_shop.far_till, 61.4978, 23.7610)
    sell(strict_shop, 1000), sell(strict_shop, 2000, till=strict_shop.far_till)
    judge = a_worker(strict_shop, "judge@example.com", role="finance")
    flag = strict_shop.session.scalars(select(Flag).where(Flag.kind == "far_apart")).one()

    with clock.moved(to=local(2026, 12, 2, 12)):
        expiry.expire_due(strict_shop.session, now=clock.now())
        assert judging.reverse(strict_shop.session, flag, by=judge)

    assert holds(strict_shop, bonus) == (0, 0)


def test_second_refund_ends_nothing_that_is_over(bare_shop: Shop) -> None:
    a_plan(
        bare_shop.session, "bonus", {**TENTH, "expires_after_months": 0}, valid_from=datetime(2025, 1, 1, tzinfo=UTC)
    )
    with clock.moved(to=local(2026, 1, 31, 12)):
        bought, _other = bare_shop.buy(1000), bare_shop.buy(2000)
        bare_shop.refund(bought)
    before = bare_shop.entries()

    with clock.moved(to=local(2026, 2, 2, 12)):
        assert bare_shop.refund(bought).repeated

    assert bare_shop.entries() == before


def test_refund_after_a_merge_takes_what_still_waits(bare_shop: Shop) -> None:
    season = a_plan(bare_shop.session, "bonus", {**TENTH, "release": {"months": [1]}})
    newcomer = a_member(bare_shop.session, state="provisional")
    bought = bare_shop.buy(1000, member=newcomer)
    bare_shop.buy(3000)
    merge.absorb(bare_shop.session, newcomer, into=bare_shop.member)
    assert holds(bare_shop, season) == (0, 400)

    bare_shop.refund(bought)

    assert holds(bare_shop, season) == (0, 300)


@pytest.mark.parametrize("used", [False, True])
def test_first_purchase_that_came_back_was_none_unless_its_gift_was_used(bare_shop: Shop, used: bool) -> None:
    a_reward(bare_shop.session, "bun")
    rule = {"name": "hello", "on": "first_purchase", "then": [{"do": "issue", "reward": "bun"}]}
    a_plan(bare_shop.session, "points", {"rules": [rule]})
    first = bare_shop.buy(1000)
    if used:
        rewards.redeem(bare_shop.session, first.coupons[0].code, till=bare_shop.till)
    bare_shop.refund(first)

    assert len(bare_shop.buy(1000).coupons) == (0 if used else 1)


def test_card_that_is_fuller_than_a_new_version_tells_no_fill_that_is_not_booked(shop: Shop) -> None:
    shop.buy(3600)  # 9 stamps of 10
    program, reward = (shop.session.scalars(select(table)).first() for table in (Program, Reward))
    a_version(shop.session, program, reward, number=2, size=5, valid_from=clock.now())

    nothing, one = (shop.buy(cents).awards[0] for cents in (100, 400))

    assert (nothing.amount, nothing.filled, nothing.balance) == (0, 0, 9)
    assert (one.amount, one.filled, one.balance, shop.states()) == (1, 2, 0, ["issued"] * 2)


def test_gift_card_without_cents_pays_what_the_others_leave(bare_shop: Shop) -> None:
    codes = [a_loaded_card(bare_shop, number) for number in (1, 2)]
    for named, open_ in (codes, reversed(codes)):
        quoted = service.quote(
            bare_shop.session, Basket(600, "G", clock.now()), member_id=bare_shop.member.id, till=bare_shop.till,
            wishes=Wishes(gift_cards={named: 200, open_: None}),
        )  # fmt: skip
        assert (quoted.payment.paid.spent_cents, quoted.payment.paid.due_cents) == (600, 0)


def a_loaded_card(shop: Shop, number: int) -> str:
    """Give the member a gift card with 5.00 on it; return its code."""
    return rewards.issue_gift_card(
        shop.session, cents=500, source_kind="welcome", source_id=number, at=clock.now(), member_id=shop.member.id
    ).code


def test_large_cash_back_needs_a_manager(strict_shop: Shop) -> None:
    a_reward(strict_shop.session, "gift", kind="gift_card", face_cents=500)
    plan = {
        "rules": [{"name": "paid", "then": [{"do": "per_amount", "cents": 1}]}],
        "thresholds": [{"at": 10_000, "reward": "gift"}], "repeats": True,
    }  # fmt: skip
    a_plan(strict_shop.session, "cash_back", plan)
    set_limits(strict_shop, award_units=False)

    assert len(sell(strict_shop, 105_000).gift_cards) == 10  # 10 cards of 5.00 are 50.00, and 50.00 are carried
    with pytest.raises(NeedsApproval):
        sell(strict_shop, 105_000)  # 50.00 + 1,050.00: 11 cards
