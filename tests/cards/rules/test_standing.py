"""Tiers by worked examples: reached in a period, held through it and for full months after, to the moment."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from app.cards.rules import Day, Tier, TierReached, kept_until, parse, tier_for, tier_reached
from tests.programs import HELSINKI, local

SILVER, REGULAR, GOLD = TIERS = parse(
    "standing",
    {
        "tiers": [
            {"slug": "silver", "from_cents": 50_000, "discount_bp": 300, "keeps_months": 1},
            {"slug": "regular", "from_visits": 20, "period": "month", "discount_bp": 500, "keeps_months": 2},
            {"slug": "gold", "from_cents": 150_000, "discount_bp": 800, "keeps_months": 12},
        ]
    },
).tiers


def spent(day: date, cents: int) -> Day:
    return Day(day, cents, 1)


def on(*days: Day, tier: Tier = SILVER) -> TierReached | None:
    return tier_reached(tier, days, HELSINKI)


@pytest.mark.parametrize(("cents", "is_reached"), [(49_999, False), (50_000, True), (50_001, True)])
def test_tier_is_reached_by_its_exact_spend_in_the_period(cents: int, is_reached: bool) -> None:
    found = on(spent(date(2026, 3, 1), cents - 20_000), spent(date(2026, 12, 31), 20_000))

    assert (found is not None) is is_reached


def test_spend_of_two_periods_is_not_added_up() -> None:
    # 300.00 on the last day of 2026 and 300.00 on the first of 2027: 500.00 in neither year.
    assert on(spent(date(2026, 12, 31), 30_000), spent(date(2027, 1, 1), 30_000)) is None


@pytest.mark.parametrize(("visits", "is_reached"), [(19, False), (20, True)])
def test_tier_by_visits_counts_visits_and_no_money(visits: int, is_reached: bool) -> None:
    found = on(Day(date(2026, 10, 1), 0, 10), Day(date(2026, 10, 31), 0, visits - 10), tier=REGULAR)

    assert (found is not None) is is_reached


def test_tier_is_held_through_its_period_and_its_full_months_after() -> None:
    # Silver keeps 1 full month. Reached in June it is held through 2026 as the spend is; reached in December through
    # the end of January 2027.
    june, december = on(spent(date(2026, 6, 15), 50_000)), on(spent(date(2026, 12, 1), 50_000))

    assert june == TierReached(date(2026, 6, 15), local(2027, 1, 1))
    assert december == TierReached(date(2026, 12, 1), local(2027, 2, 1))


@pytest.mark.parametrize(
    ("day", "utc"),
    [
        # Reached on 31 January: February in full, also where it has 28 days; midnight in Helsinki is 22:00 in winter.
        (
            date(2026, 1, 31),
            datetime(2026, 3, 31, 21, tzinfo=UTC),
        ),  # through March, 2 months; its end is summer time
        (date(2026, 8, 31), datetime(2026, 10, 31, 22, tzinfo=UTC)),  # through October, whose last week is winter time
        (date(2026, 12, 31), datetime(2027, 2, 28, 22, tzinfo=UTC)),
    ],
)
def test_months_end_at_local_midnight_over_both_clock_changes(day: date, utc: datetime) -> None:
    found = on(Day(day, 0, 20), tier=REGULAR)

    assert found is not None
    assert found.until == utc


def test_reached_anew_in_the_next_period_it_is_held_longer() -> None:
    # Gold keeps 12 full months: of May 2026 through May 2027, of March 2027 through March 2028.
    first, again = spent(date(2026, 5, 2), 150_000), spent(date(2027, 3, 3), 150_000)

    assert on(first, tier=GOLD) == TierReached(date(2026, 5, 2), local(2027, 6, 1))
    assert on(again, first, tier=GOLD) == TierReached(date(2027, 3, 3), local(2028, 4, 1))


def test_day_that_crosses_is_found_in_whatever_order_sales_are_told() -> None:
    # A late till tells of November in December: 300.00 + 150.00 in November, 60.00 in December cross 500.00.
    days = [spent(date(2026, 12, 2), 6000), spent(date(2026, 11, 28), 15_000), spent(date(2026, 11, 3), 30_000)]

    assert on(*days) == on(*reversed(days)) == TierReached(date(2026, 12, 2), local(2027, 2, 1))


def test_highest_tier_that_is_held_is_the_members() -> None:
    at = local(2026, 6, 1)
    later = at + timedelta(microseconds=1)
    held = {"silver": later, "gold": at, "regular": later, "of-old": later}

    assert tier_for(TIERS, held, at) == REGULAR  # gold is over at this very moment
    assert tier_for(TIERS, {"silver": later}, at) == SILVER
    assert tier_for(TIERS, {}, at) is None


def test_tier_from_nothing_is_everybodys() -> None:
    (bronze, *_rest) = parse("standing", {"tiers": [{"slug": "bronze", "from_cents": 0}]}).tiers

    assert tier_for([bronze, *TIERS], {}, local(2026, 6, 1)) == bronze


def test_tier_is_kept_to_the_end_of_its_months() -> None:
    assert kept_until(SILVER, local(2026, 1, 31, 18)) == local(2026, 3, 1)


@over(days=st.lists(st.tuples(st.integers(0, 800), st.integers(0, 30_000)), max_size=40))
def test_later_sales_never_end_a_tier_earlier(days: list[tuple[int, int]]) -> None:
    told = [spent(date(2026, 1, 1) + timedelta(days=number), cents) for number, cents in sorted(days)]
    ends = [on(*told[:count]) for count in range(len(told) + 1)]
    untils = [found.until.timestamp() if found else 0 for found in ends]

    assert untils == sorted(untils)
