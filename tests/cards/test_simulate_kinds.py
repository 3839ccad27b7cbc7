"""Simulations of kinds that count cents, expire, wait and cross thresholds, and one beside what was really booked."""

from datetime import date

import pytest
from sqlalchemy import func, select

from app.cards.models import Award
from app.ledger.models import LedgerEntry
from app.rewards.models import Coupon
from tests.builders import a_member
from tests.cards.kinds import a_plan
from tests.cards.past_days import a_draft, bought, moment, simulated
from tests.shop import Shop, a_reward


def percent(bp: int, **fields: object) -> dict[str, object]:
    return {"rules": [{"name": "bonus", "then": [{"do": "percent", "bp": bp, **fields}]}]}


def test_bonus_costs_what_is_left_of_it(shop: Shop) -> None:
    bought(shop, moment(10, 1), 10_000)
    bought(shop, moment(10, 20), 5010)

    answer = simulated(shop, a_draft("bonus", {**percent(250), "expires_after_months": 0}), last=date(2026, 11, 5))

    # 2.50 + 1.2525, half up 1.25; both end with October.
    assert (answer.draft.units, answer.draft.expired, answer.draft.cost_cents) == (375, 375, 0)
    kept = simulated(shop, a_draft("bonus", {**percent(250), "expires_after_months": 1}), last=date(2026, 11, 5))
    assert (kept.draft.expired, kept.draft.bonus_cents, kept.draft.face_cents, kept.draft.cost_cents) == (
        0,
        375,
        375,
        375,
    )


def test_rate_goes_by_the_spend_before_the_period_too(shop: Shop) -> None:
    bought(shop, moment(9, 30), 30_000)  # in the year of the ladder, before the days that are simulated
    bought(shop, moment(10, 1), 20_000)
    bought(shop, moment(10, 2), 1000)
    ladder = {"period": "year", "steps": [{"from_cents": 50_000, "bp": 500}]}

    answer = simulated(shop, a_draft("bonus", percent(100, ladder=ladder)))

    # 200.00 at 1 % on top of 300.00, then 10.00 at 5 % on top of 500.00.
    assert (answer.purchases, answer.draft.units) == (2, 200 + 50)
    month = {"period": "month", "steps": [{"from_cents": 50_000, "bp": 500}]}
    assert simulated(shop, a_draft("bonus", percent(100, ladder=month))).draft.units == 200 + 10


def test_first_purchase_is_one_of_a_member_without_any_before(shop: Shop) -> None:
    bought(shop, moment(9, 3), 1000)
    bought(shop, moment(10, 1), 1000)
    newcomer = a_member(shop.session)
    bought(shop, moment(10, 2), 1000, member=newcomer)
    bought(shop, moment(10, 3), 1000, member=newcomer)
    rules = [{"name": "first", "on": "first_purchase", "then": [{"do": "award", "n": 7}]}]

    answer = simulated(shop, a_draft("points", {"rules": rules}))

    assert [(line.times, line.units) for line in answer.draft.rules] == [(1, 7)]


def test_points_cross_thresholds_once_a_round(shop: Shop) -> None:
    a_reward(shop.session, "small", settlement_cents=100, fee_cents=10)
    a_reward(shop.session, "large", settlement_cents=300, fee_cents=10)
    thresholds = [{"at": 5, "reward": "small"}, {"at": 10, "reward": "large"}]
    plan = {
        "rules": [
            {"name": "euro", "then": [{"do": "per_amount", "cents": 100, "n": 1}]},
            {"name": "welcome", "on": "join", "then": [{"do": "award", "n": 50}]},
        ],
        "thresholds": thresholds,
    }
    for day, cents in ((1, 600), (2, 300), (3, 200), (4, 1500)):
        bought(shop, moment(10, day), cents)

    again = simulated(shop, a_draft("points", {**plan, "repeats": True})).draft
    once = simulated(shop, a_draft("points", plan)).draft

    # 6: small · 9 · 11: large, 1 is left · 16: small, large, 6 is left: small.
    assert [(line.reward.slug, line.count) for line in again.rewards] == [("large", 2), ("small", 3)]
    assert (again.settlement_cents, again.fee_cents, again.not_replayed) == (900, 50, ("welcome",))
    # 6 · 9 · 11 · 26 without a round: each threshold once.
    assert [(line.reward.slug, line.count) for line in once.rewards] == [("large", 1), ("small", 1)]


def test_cash_back_gives_gift_cards_that_cost_their_face_value(shop: Shop) -> None:
    a_reward(shop.session, "gift", kind="gift_card", face_cents=1000, settlement_cents=0, fee_cents=0)
    plan = {
        "rules": [{"name": "paid", "then": [{"do": "percent", "bp": 10_000}]}],
        "thresholds": [{"at": 20_000, "reward": "gift"}], "repeats": True,
    }  # fmt: skip
    bought(shop, moment(10, 1), 30_000)
    bought(shop, moment(10, 2), 15_000)

    answer = simulated(shop, a_draft("cash_back", plan))

    assert (answer.draft.issued, answer.draft.cost_cents, answer.draft.bonus_cents) == (
        2,
        2000,
        0,
    )  # 300 + 150 = 450.00


def test_visits_count_once_an_outlet_and_day(shop: Shop) -> None:
    for hour, far in ((9, False), (10, False), (11, True)):
        bought(shop, moment(10, 1, hour), 500, far=far)
    plan = {"rules": [{"name": "visit", "on": "visit", "then": [{"do": "award", "n": 1, "base": True}]}]}

    answer = simulated(shop, a_draft("visits", plan))

    assert (answer.draft.units, answer.draft.zeros) == (2, (("visited_today", 1),))


@pytest.mark.parametrize(
    ("reward", "cost"),
    [
        ({"kind": "discount_cents", "face_cents": 500}, 520),  # what the outlet gives, and 0.20
        ({"kind": "discount_percent", "percent_bp": 1000}, 420),  # 10 % of the average sale of 40.00, and 0.20
        ({"kind": "discount_percent", "percent_bp": 1000, "cap_cents": 300}, 320),
    ],
)
def test_discounts_cost_what_outlets_give(shop: Shop, reward: dict[str, object], cost: int) -> None:
    a_reward(shop.session, "off", **{"settlement_cents": 0, **reward})
    bought(shop, moment(10, 1), 4000)

    answer = simulated(shop, a_draft("stamp_card", {"per": "euros", "cents": 400}, size=10, reward="off"))

    assert (answer.draft.issued, answer.draft.cost_cents) == (1, cost)
    assert [line.estimated for line in answer.draft.rewards] == ["percent_bp" in reward]


PLAN = {
    "rules": [
        {"name": "euro", "then": [{"do": "per_amount", "cents": 300, "n": 2}], "limit": {"budget": 70}},
        {"name": "weekend", "when": {"weekdays": ["sat", "sun"]}, "then": [{"do": "multiply", "times_bp": 15_000}]},
        {
            "name": "big",
            "when": {"min_cents": 3000},
            "then": [{"do": "award", "n": 3}, {"do": "issue", "reward": "bun"}],
            "stack": "big",
            "limit": {"member": {"week": 1}},
        },
    ],
    "thresholds": [{"at": 8, "reward": "small"}, {"at": 20, "reward": "large"}],
    "repeats": True,
}


def test_version_in_force_is_simulated_as_it_was_booked(bare_shop: Shop) -> None:
    """Forty purchases of two members: the replay gives what the write path gave, unit by unit and coupon by coupon."""
    shop = bare_shop
    a_plan(shop.session, "points", PLAN)
    eero = a_member(shop.session)
    for number in range(40):
        day, cents = number * 5 // 7 + 1, (number * 997) % 4100 + 100
        bought(shop, moment(10, day, 8 + number % 7), cents, member=eero if number % 3 else shop.member)

    answer = simulated(shop, a_draft("points", PLAN)).draft

    total, zeros = shop.session.execute(
        select(func.sum(Award.amount), func.sum((Award.amount == 0).cast(LedgerEntry.amount.type)))
    ).one()
    issued = shop.session.scalar(select(func.count(Coupon.id)))
    assert (answer.units, sum(n for _why, n in answer.zeros), answer.issued) == (total, zeros, issued)
    assert total > 100
    assert issued is not None
    assert issued > 10
