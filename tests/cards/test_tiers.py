"""Tiers in a shop: raised by the sale that reaches them, seen by rules, lowered when they end."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.cards import jobs, tiers
from app.cards.events import TierChanged
from app.cards.models import TierChange
from app.core import clock
from app.core.db import Database, brand_of
from tests.builders import a_brand, a_member
from tests.cards.club import PLAN, SET, buy, changes, lower, on, tier
from tests.cards.club import club as club
from tests.cards.club import told as told
from tests.cards.kinds import a_plan
from tests.programs import local
from tests.shop import Shop, a_shop, faults


def test_sale_that_reaches_a_tier_raises_it_at_once_and_tells_it(club: Shop, told: list[TierChanged]) -> None:
    buy(club, 49_999, 2026, 3, 2, 12)
    assert (tier(club, 2026, 3, 3), told) == ("", [])

    bought = buy(club, 1, 2026, 3, 4, 12)

    assert tier(club, 2026, 3, 4, 13) == "silver"
    row = club.session.scalars(select(TierChange)).one()
    assert (row.was, row.tier, row.reason, row.purchase_id) == ("", "silver", "reached", bought.purchase_id)
    assert [(event.was, event.tier, event.change_id) for event in told] == [("", "silver", row.id)]


def test_tier_is_held_to_the_last_moment_and_lowered_by_the_job(club: Shop, told: list[TierChanged]) -> None:
    buy(club, 50_000, 2026, 12, 10, 12)  # silver: through 2026 as the spend is, and through January 2027

    assert lower(club, 2027, 1, 31, 23, 59, 59) == 0
    assert tier(club, 2027, 1, 31, 23, 59, 59) == "silver"
    assert tier(club, 2027, 2, 1) == ""  # at local midnight, also before the job has run
    assert (lower(club, 2027, 2, 1), lower(club, 2027, 2, 1)) == (1, 0)

    assert changes(club) == [("", "silver", "reached"), ("silver", "", "ended")]
    assert [event.tier for event in told] == ["silver", ""]


def test_member_falls_to_the_tier_that_is_still_held(club: Shop) -> None:
    # Gold of March 2026 is kept through March 2027. In January 2027 the spend reaches silver, held through 2027.
    buy(club, 150_000, 2026, 3, 10, 12)
    buy(club, 50_000, 2027, 1, 20, 12)

    assert tier(club, 2027, 3, 31, 23) == "gold"
    lower(club, 2027, 4, 1)

    assert changes(club) == [("", "gold", "reached"), ("gold", "silver", "ended")]
    assert [tier(club, *day) for day in ((2027, 12, 31, 23), (2028, 1, 1))] == ["silver", ""]


def test_sale_finds_what_ended_before_the_job_does(club: Shop) -> None:
    buy(club, 50_000, 2026, 12, 10, 12)

    buy(club, 100, 2027, 2, 5, 12)

    assert changes(club) == [("", "silver", "reached"), ("silver", "", "ended")]
    assert lower(club, 2027, 2, 6) == 1
    assert len(changes(club)) == 2


def test_tier_reached_again_in_the_next_year_is_held_on_without_a_change(club: Shop) -> None:
    buy(club, 50_000, 2026, 12, 10, 12)
    buy(club, 50_000, 2027, 1, 31, 12)

    assert (lower(club, 2027, 2, 1), tier(club, 2027, 12, 31, 23)) == (0, "silver")
    assert changes(club) == [("", "silver", "reached")]


@pytest.mark.parametrize(
    ("month", "last", "first"),
    [
        # Both clock changes of 2026 lie in the month that ends: 29 March and 25 October, each on a Sunday.
        (3, (2026, 3, 31, 23, 59, 59), (2026, 4, 1)),
        (10, (2026, 10, 31, 23, 59, 59), (2026, 11, 1)),
        (2, (2026, 2, 28, 23, 59, 59), (2026, 3, 1)),
    ],
)
def test_tier_by_visits_counts_one_for_each_outlet_and_day_and_ends_with_its_month(
    club: Shop, month: int, last: tuple[int, ...], first: tuple[int, ...]
) -> None:
    for day, hour in ((1, 9), (1, 12), (28, 9)):  # two on the first day count once
        buy(club, 300, 2026, month, day, hour)
    assert tier(club, 2026, month, 28, 10) == ""

    buy(club, 300, 2026, month, 28, 15, till=club.far_till)

    assert (tier(club, *last), tier(club, *first)) == ("guest", "")


def test_late_sale_counts_for_its_own_year(club: Shop) -> None:
    buy(club, 30_000, 2026, 12, 30, 12)

    with on(2027, 1, 5, 12):
        club.buy(20_000, at=local(2026, 12, 31, 23, 30))  # an offline till tells of it five days later

    assert tier(club, 2027, 1, 31, 23) == "silver"  # of December: kept one full month
    assert tier(club, 2027, 2, 1) == ""


def test_rule_puts_a_member_into_a_tier_for_its_months(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "standing", SET)

    buy(bare_shop, 9000, 2026, 1, 31, 12)  # gold is kept 12 full months: through January 2027

    assert [tier(bare_shop, *day) for day in ((2027, 1, 31, 23), (2027, 2, 1))] == ["gold", ""]
    assert changes(bare_shop) == [("", "gold", "rule")]


def test_rules_see_the_tier_from_the_next_sale_on(club: Shop) -> None:
    double = {"name": "gold", "when": {"tiers": ["silver"]}, "then": [{"do": "multiply", "times_bp": 20_000}]}
    base = {"name": "base", "then": [{"do": "per_amount", "cents": 10_000}]}
    a_plan(club.session, "points", {"rules": [base, double]})

    def points(*when: int) -> int:
        return next(line.amount for line in buy(club, 50_000, *when).awards if line.program.kind == "points")

    # The sale that reaches silver is not one of a silver member yet; on 1 February 2027 silver is over.
    assert [points(2026, 12, 1, 12), points(2026, 12, 1, 13)] == [5, 10]
    assert [points(2027, 2, 1, 0, 0, 1), points(2027, 2, 1, 0, 0, 2)] == [5, 10]


def test_standing_discount_is_the_tiers(club: Shop) -> None:
    found = [tiers.standing_discount_bp(club.session, club.member.id)]
    for cents in (50_000, 100_000):
        club.buy(cents)
        found.append(tiers.standing_discount_bp(club.session, club.member.id))

    assert found == [0, 300, 500]


def test_job_looks_at_so_many_ends_and_at_all_of_them_in_the_end(club: Shop) -> None:
    others = [a_member(club.session) for _number in range(3)]
    for number, member in enumerate(others):
        buy(club, 50_000, 2026, 12, 10 + number, 12, member=member)

    assert [lower(club, 2027, 2, 1, most=2) for _run in range(3)] == [2, 1, 0]
    assert [changes(club, member)[-1] for member in others] == [("silver", "", "ended")] * 3


def test_tier_that_everybody_has_needs_no_sale(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "standing", {"tiers": [{"slug": "friend", "from_cents": 0, "discount_bp": 100}]})

    assert tiers.standing_discount_bp(bare_shop.session, bare_shop.member.id) == 100
    (found,) = tiers.held(bare_shop.session, bare_shop.member.id, clock.now() + timedelta(days=4000))
    assert (found.tier.slug, found.until) == ("friend", None)


def test_job_lowers_in_every_brand(database: Database) -> None:
    brands = [a_brand(database), a_brand(database, "other")]
    for brand_id in brands:
        with database.unit(brand_id) as session:
            shop = a_shop(session, program=False)
            a_plan(session, "standing", PLAN)
            buy(shop, 50_000, 2026, 12, 10, 12)

    with on(2027, 2, 1), database.unit() as session:
        jobs.lower_tiers(session)

    for brand_id in brands:
        with database.reading(brand_id) as session:
            assert [row.reason for row in session.scalars(select(TierChange))] == ["reached", "ended"]
            assert faults(session) == []


@pytest.mark.parametrize("change", ["UPDATE tier_change SET tier = ''", "DELETE FROM tier_change"])
def test_database_refuses_to_change_the_history(database: Database, change: str) -> None:
    with database.unit(a_brand(database)) as session:
        shop = a_shop(session, program=False)
        a_plan(session, "standing", PLAN)
        shop.buy(50_000)
        brand_id = brand_of(session)

    with database.engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.execute(text(f"{change} WHERE brand_id = :brand_id"), {"brand_id": brand_id})
