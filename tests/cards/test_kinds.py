"""Worked examples of booked programs of each kind, computed by hand; the books are checked in the end."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.cards import service
from app.cards.paying import NotSpendable, ProgramUnknown
from app.cards.service import Wishes
from app.core import clock
from app.ledger.accounts import BalanceTooSmall
from app.ledger.models import Lot, PurchaseLine
from app.ledger.service import Basket, Line
from app.rewards.rules import LinesDoNotSum, SpendTooLarge
from tests.cards.kinds import a_plan, holds
from tests.shop import Shop, a_basket

PERCENT = {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 250}]}]}
POINTS = {
    "rules": [{"name": "points", "then": [{"do": "per_amount", "cents": 100}]}],
    "thresholds": [{"at": 50, "reward": "bun"}, {"at": 100, "reward": "coffee"}],
}
CASH_BACK = {
    "rules": [{"name": "paid", "then": [{"do": "per_amount", "cents": 1}]}],
    "thresholds": [{"at": 5000, "reward": "gift"}],
    "repeats": True,
}


def test_bonus_is_rounded_half_up_and_is_gone_after_its_months(bare_shop: Shop) -> None:
    bonus = a_plan(bare_shop.session, "bonus", {**PERCENT, "expires_after_months": 1})
    with clock.moved(to=datetime(2026, 1, 31, 10, tzinfo=UTC)):
        answer = bare_shop.buy(1020)  # 2.5 % of 10.20 is 0.255: half up 26 cents, half to even and floats say 25 or 26

    assert (answer.awards[0].amount, holds(bare_shop, bonus)) == (26, (26, 0))
    lot = bare_shop.session.scalars(select(Lot)).one()
    assert lot.expires_at == datetime(2026, 2, 28, 22, tzinfo=UTC)  # the end of February in Helsinki


def test_released_bonus_waits_for_its_month(bare_shop: Shop) -> None:
    bonus = a_plan(bare_shop.session, "bonus", {**PERCENT, "release": {"months": [1]}})

    answer = bare_shop.buy(10_000)

    assert (answer.awards[0].amount, answer.awards[0].balance, answer.awards[0].pending) == (250, 0, True)
    assert holds(bare_shop, bonus) == (0, 250)
    bare_shop.refund(answer)
    assert holds(bare_shop, bonus) == (0, 0)


def test_what_is_paid_with_bonus_earns_nothing_and_comes_back_with_a_refund(bare_shop: Shop) -> None:
    bonus = a_plan(bare_shop.session, "bonus", {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 1000}]}]})
    bare_shop.buy(10_000)  # 10.00 of bonus

    basket = a_basket(3000)
    wishes = Wishes(spend={"bonus": 600})
    quoted = service.quote(bare_shop.session, basket, member_id=bare_shop.member.id, till=bare_shop.till, wishes=wishes)
    booked = service.record_purchase(
        bare_shop.session, basket, member=bare_shop.member, till=bare_shop.till, wishes=wishes
    )

    assert (quoted.payment, quoted.awards) == (booked.payment, booked.awards)
    assert (booked.due_cents, booked.paid.spent_cents) == (2400, 600)
    assert (booked.awards[0].amount, booked.awards[0].balance) == (240, 640)  # 10 % of the 24.00 in money
    back = bare_shop.refund(booked)
    assert (back.amount_cents, back.paid_cents, back.spent_cents) == (3000, 2400, 600)
    assert holds(bare_shop, bonus) == (1000, 0)


@pytest.mark.parametrize(
    ("spend", "error"),
    [
        ({"bonus": 101}, BalanceTooSmall),
        ({"nothing": 1}, ProgramUnknown),
        ({"points": 1}, NotSpendable),
        ({"bonus": 100}, SpendTooLarge),
    ],
)
def test_spend_that_cannot_be_is_refused(bare_shop: Shop, spend: dict[str, int], error: type[Exception]) -> None:
    a_plan(bare_shop.session, "bonus", {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 1000}]}]})
    a_plan(bare_shop.session, "points", POINTS)
    bare_shop.buy(1000)

    with pytest.raises(error):
        service.quote(
            bare_shop.session, a_basket(99), member_id=bare_shop.member.id, till=bare_shop.till,
            wishes=Wishes(spend=spend),
        )  # fmt: skip


def test_points_give_each_threshold_once_and_again_after_a_refund_only_where_nothing_was_used(bare_shop: Shop) -> None:
    points = a_plan(bare_shop.session, "points", POINTS)

    first = bare_shop.buy(4900)
    second = bare_shop.buy(200)  # 51 points: the bun

    assert ([len(first.coupons), len(second.coupons)], holds(bare_shop, points)) == ([0, 1], (51, 0))
    bare_shop.refund(second)
    assert (bare_shop.states(), holds(bare_shop, points)) == (["revoked"], (49, 0))
    assert [len(bare_shop.buy(cents).coupons) for cents in (100, 4900, 100)] == [1, 0, 1]  # 50: bun, 99, 100: coffee
    assert bare_shop.states() == ["revoked", "issued", "issued"]


def test_cash_back_carries_the_rest_and_gives_a_card_for_each_full_step(bare_shop: Shop) -> None:
    cash = a_plan(bare_shop.session, "cash_back", CASH_BACK)

    answers = [bare_shop.buy(cents) for cents in (4999, 1, 12_345)]

    assert [len(answer.coupons) for answer in answers] == [0, 1, 2]
    assert (answers[2].awards[0].filled, holds(bare_shop, cash)) == (2, (2345, 0))


def test_one_visit_counts_for_each_outlet_and_day(bare_shop: Shop) -> None:
    plan = {"rules": [{"name": "visit", "on": "visit", "then": [{"do": "award", "n": 1, "base": True}]}]}
    visits = a_plan(bare_shop.session, "visits", plan)
    noon = clock.now().replace(hour=10, minute=0) - timedelta(days=2)

    told = [
        bare_shop.buy(500, at=noon).awards[0],
        bare_shop.buy(500, at=noon + timedelta(minutes=5)).awards[0],
        bare_shop.buy(500, at=noon, till=bare_shop.far_till).awards[0],
        bare_shop.buy(500, at=noon + timedelta(days=1)).awards[0],
    ]

    assert [(line.amount, line.reason) for line in told] == [(1, ""), (0, "visited_today"), (1, ""), (1, "")]
    assert holds(bare_shop, visits) == (3, 0)


def test_lines_bear_their_share_of_what_was_spent(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "bonus", {"rules": [{"name": "back", "then": [{"do": "percent", "bp": 1000}]}]})
    bare_shop.buy(1000)
    lines = (Line("a", "", 3, 100, 2550), Line("b", "", 1, 700, 1400))
    basket = Basket(1000, "L-1", clock.now(), lines=lines)

    service.record_purchase(
        bare_shop.session, basket, member=bare_shop.member, till=bare_shop.till, wishes=Wishes(spend={"bonus": 99})
    )

    rows = bare_shop.session.scalars(select(PurchaseLine).order_by(PurchaseLine.number)).all()
    # 99 x 3/10 = 29.7 and 99 x 7/10 = 69.3: 29 and 69, and the cent left over to the larger remainder
    assert [(row.spent_cents, row.paid_cents) for row in rows] == [(30, 270), (69, 631)]


def test_lines_that_are_not_the_total_are_refused(bare_shop: Shop) -> None:
    basket = Basket(1000, "L-1", clock.now(), lines=(Line("a", "", 1, 999),))

    with pytest.raises(LinesDoNotSum):
        service.record_purchase(bare_shop.session, basket, member=bare_shop.member, till=bare_shop.till)
