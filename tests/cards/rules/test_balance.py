"""Thresholds and serial cards, by worked examples."""

from datetime import date, timedelta

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from app.cards.rules import MOST_REWARDS, Plan, crossed, parse, serial_credit, use_share
from tests.programs import a_plan, a_rule, per_amount

STEPS = [{"at": 500, "reward": "coffee"}, {"at": 1000, "reward": "lunch"}]


def points(*, repeats: bool) -> Plan:
    """Build points for each euro with rewards at 500 and 1,000."""
    return a_plan(a_rule("euro", per_amount(100)), kind="points", thresholds=STEPS, repeats=repeats)


@pytest.mark.parametrize(
    ("before", "after", "rewards", "balance"),
    [
        (0, 499, (), 499),
        (0, 500, ("coffee",), 500),  # reached exactly
        (499, 500, ("coffee",), 500),
        (500, 999, (), 999),  # had it already
        (999, 1000, ("lunch",), 0),
        (400, 1000, ("coffee", "lunch"), 0),
        (900, 1600, ("lunch", "coffee"), 600),  # 1,000, then 600 anew, past 500
        (0, 2000, ("coffee", "lunch", "coffee", "lunch"), 0),
        (-300, 499, (), 499),  # a debt is paid first
        (700, 400, (), 400),  # a refund
    ],
)
def test_thresholds_that_repeat_issue_on_the_way_up_and_keep_the_remainder(
    before: int, after: int, rewards: tuple[str, ...], balance: int
) -> None:
    found = crossed(points(repeats=True), before, after)

    assert (found.rewards, found.balance) == (rewards, balance)
    assert found.taken == after - balance


def test_thresholds_that_do_not_repeat_take_nothing_and_end_with_the_highest() -> None:
    assert crossed(points(repeats=False), 400, 3000).rewards == ("coffee", "lunch")
    assert crossed(points(repeats=False), 1000, 3000) == crossed(a_plan(), 1000, 3000)


def test_cash_back_issues_a_gift_card_for_each_full_amount_and_carries_the_rest() -> None:
    # 480.00 carried + 543.21 = 1,023.21: two gift cards of each full 500.00, and 23.21 stays.
    cash_back = parse(
        "cash_back",
        {
            "rules": [a_rule("paid", {"do": "percent", "bp": 10_000})],
            "thresholds": [{"at": 50_000, "reward": "gift"}],
            "repeats": True,
        },
    )

    found = crossed(cash_back, 48_000, 102_321)

    assert (found.rewards, found.taken, found.balance) == (("gift", "gift"), 100_000, 2321)


def test_slip_of_the_finger_issues_a_bounded_number_and_keeps_the_rest_for_later() -> None:
    tiny = a_plan(a_rule(), kind="points", thresholds=[{"at": 1, "reward": "dot"}], repeats=True)

    found = crossed(tiny, 0, 1000)

    assert (len(found.rewards), found.balance) == (MOST_REWARDS, 1000 - MOST_REWARDS)


@over(before=st.integers(-2000, 999), rises=st.lists(st.integers(0, 3000), min_size=1, max_size=6))
def test_many_small_rises_issue_what_one_big_rise_does(before: int, rises: list[int]) -> None:
    plan, balance, rewards = points(repeats=True), before, []
    for rise in rises:
        found = crossed(plan, balance, balance + rise)
        balance, rewards = found.balance, [*rewards, *found.rewards]

    at_once = crossed(plan, before, before + sum(rises))

    assert (tuple(rewards), balance) == (at_once.rewards, at_once.balance)


SERIAL = parse(
    "serial_card",
    {
        "uses": 10,
        "price_cents": 9000,
        "valid_months": 12,
        "speed_steps": [{"within_days": 30, "credit_cents": 2000}, {"within_days": 60, "credit_cents": 1000}],
    },
)


@pytest.mark.parametrize(("days", "credit"), [(1, 2000), (30, 2000), (31, 1000), (60, 1000), (61, 0), (400, 0)])
def test_serial_card_used_within_exactly_so_many_days_gives_its_step_back(days: int, credit: int) -> None:
    # First and last day count both: 1 October to 30 October are 30 days. The change to winter time is in between.
    first = date(2026, 10, 1)
    used_on = [first, *[first] * 8, first + timedelta(days=days - 1)]

    assert serial_credit(SERIAL, used_on) == credit
    assert serial_credit(SERIAL, used_on[::-1]) == credit


def test_serial_card_with_a_use_left_gives_nothing_back_yet() -> None:
    assert serial_credit(SERIAL, [date(2026, 10, 1)] * 9) == 0
    assert serial_credit(SERIAL, []) == 0


def test_shares_of_uses_sum_to_the_price_to_the_cent() -> None:
    # 100.00 for 3 uses: 33.33, then 66.67 less 33.33, then 100.00 less 66.67.
    settled, shares = 0, []
    for used in (1, 2, 3):
        shares.append(use_share(10_000, 3, used=used, settled_cents=settled))
        settled += shares[-1]

    assert shares == [3333, 3334, 3333]
    assert use_share(9000, 10, used=4, settled_cents=0) == 3600  # four at once


@over(
    price=st.integers(0, 20_000),
    uses=st.integers(1, 30),
    steps=st.lists(st.integers(0, 29), max_size=60),
)
def test_whatever_is_taken_back_meanwhile_the_uses_of_a_full_card_sum_to_its_price(
    price: int, uses: int, steps: list[int]
) -> None:
    live: list[int] = []
    for step in [*steps, *[29] * uses]:
        if step < len(live) and len(live) < uses:
            live.pop(step)
        elif len(live) < uses:
            live.append(use_share(price, uses, used=len(live) + 1, settled_cents=sum(live)))
        assert all(share >= 0 for share in live)
        assert sum(live) <= price

    while len(live) < uses:
        live.append(use_share(price, uses, used=len(live) + 1, settled_cents=sum(live)))
    assert sum(live) == price
