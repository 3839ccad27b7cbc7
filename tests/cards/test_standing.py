"""How far the next tier is and what keeps the one that is held: worked examples, on both databases."""

from datetime import date, timedelta

import pytest

from app.cards import merge
from app.cards.standing import Standing, Way, standings
from app.core import clock
from app.members.models import Member
from tests.builders import a_member
from tests.cards.club import PLAN, buy, on
from tests.cards.club import club as club
from tests.cards.kinds import a_plan
from tests.programs import local
from tests.shop import Shop

MONEY = {"tiers": PLAN["tiers"][1:]}  # silver from 500.00 in a year, kept 1 full month; gold from 1,500.00, kept 12


@pytest.fixture
def money(bare_shop: Shop) -> Shop:
    """A shop whose tiers are reached by spend only."""
    a_plan(bare_shop.session, "standing", MONEY)
    return bare_shop


def at(shop: Shop, *when: int, member: Member | None = None) -> Standing:
    with on(*when):
        (one,) = standings(shop.session, (member or shop.member).id)
        return one


def told(way: Way | None) -> tuple[str, int, date, date] | None:
    """Return tier, what is missing, the last day for it, and the last day it would be held."""
    if way is None:
        return None
    last = [clock.local_date(one, "Europe/Helsinki") - timedelta(days=1) for one in (way.ends, way.keeps)]
    return way.tier.slug, way.left, last[0], last[1]


def test_nothing_yet_and_then_a_part_of_the_way(money: Shop) -> None:
    found = at(money, 2026, 3, 1, 12)
    assert (found.held, found.keep, found.anew) == (None, None, None)
    assert told(found.ahead) == ("silver", 50_000, date(2026, 12, 31), date(2026, 12, 31))

    buy(money, 38_000, 2026, 3, 2, 12)

    assert told(at(money, 2026, 3, 3).ahead) == ("silver", 12_000, date(2026, 12, 31), date(2026, 12, 31))
    assert told(at(money, 2026, 12, 5).ahead) == ("silver", 12_000, date(2026, 12, 31), date(2027, 1, 31))
    assert told(at(money, 2027, 1, 1).ahead) == ("silver", 50_000, date(2027, 12, 31), date(2027, 12, 31))


def test_reached_tier_points_to_the_next_and_counts_anew_in_the_next_year(money: Shop) -> None:
    buy(money, 50_000, 2026, 12, 10, 12)

    found = at(money, 2026, 12, 11)

    assert found.held is not None
    assert found.held.tier.slug == "silver"
    assert told(found.ahead) == ("gold", 100_000, date(2026, 12, 31), date(2027, 12, 31))
    assert (found.keep, found.anew) == (None, local(2027, 1, 1))


def test_tier_that_ends_says_what_keeps_it_and_what_is_below(money: Shop) -> None:
    buy(money, 150_000, 2026, 3, 10, 12)  # gold, kept through March 2027; silver, through 2026
    buy(money, 20_000, 2027, 1, 20, 12)

    found = at(money, 2027, 2, 1, 12)

    assert found.ahead is None
    assert told(found.keep) == ("gold", 130_000, date(2027, 3, 31), date(2028, 2, 29))
    assert found.held is not None
    assert found.held.below is None
    buy(money, 30_000, 2027, 2, 2, 12)  # silver again, through 2027
    held = at(money, 2027, 2, 3).held
    assert held is not None
    assert held.below is not None
    assert held.below.slug == "silver"
    buy(money, 100_000, 2027, 3, 31, 12)
    assert at(money, 2027, 3, 31, 13).keep is None


def test_visits_are_counted_by_their_own_period(club: Shop) -> None:
    for day in (2, 3):
        buy(club, 1000, 2026, 3, day, 12)
    buy(club, 1000, 2026, 3, 3, 13)  # the same outlet on the same day

    assert told(at(club, 2026, 3, 4).ahead) == ("guest", 1, date(2026, 3, 31), date(2026, 3, 31))
    assert told(at(club, 2026, 4, 1).ahead) == ("guest", 3, date(2026, 4, 30), date(2026, 4, 30))


def test_what_comes_back_is_missing_again_and_merged_members_count_together(money: Shop) -> None:
    bought = buy(money, 30_000, 2026, 3, 2, 12)
    other = a_member(money.session)
    buy(money, 15_000, 2026, 3, 2, 12, member=other)
    with on(2026, 3, 2, 13):
        merge.absorb(money.session, other, into=money.member)
    way = at(money, 2026, 3, 3).ahead
    assert way is not None
    assert (way.done, way.left) == (45_000, 5_000)

    with on(2026, 3, 4, 12):
        money.refund(bought)

    assert told(at(money, 2026, 3, 5).ahead) == ("silver", 35_000, date(2026, 12, 31), date(2026, 12, 31))


def test_lower_limit_is_reached_by_the_next_purchase(money: Shop) -> None:
    buy(money, 40_000, 2026, 3, 2, 12)
    lower = {"tiers": [{**MONEY["tiers"][0], "from_cents": 40_000}]}
    a_plan(money.session, "standing", lower, slug="lower", valid_from=local(2026, 3, 3))

    with on(2026, 3, 4):
        found = standings(money.session, money.member.id)[1]

    assert (found.held, told(found.ahead)) == (None, ("silver", 0, date(2026, 12, 31), date(2026, 12, 31)))


def test_everybodys_tier_has_no_end(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "standing", {"tiers": [{"slug": "guest", "from_cents": 0}]})

    found = at(bare_shop, 2026, 3, 1)

    assert (found.ahead, found.keep, found.anew) == (None, None, None)
    assert found.held is not None
    assert (found.held.tier.slug, found.held.until) == ("guest", None)


def test_shop_without_tiers_has_nothing_to_say(shop: Shop) -> None:
    assert standings(shop.session, shop.member.id) == []
