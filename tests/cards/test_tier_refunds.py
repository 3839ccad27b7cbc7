"""Tiers that a refund takes back, and those of members who become one."""

from typing import Any

from sqlalchemy import select

from app.cards import merge
from app.cards.events import TierChanged
from app.cards.models import Program, ProgramVersion
from tests.builders import a_member
from tests.cards.club import SET, buy, changes, on, tier
from tests.cards.club import club as club
from tests.cards.club import told as told
from tests.cards.kinds import a_plan
from tests.programs import local
from tests.shop import Shop


def a_second_version(shop: Shop, plan: dict[str, Any]) -> None:
    """Change the rules of the program from 1 June 2026 on."""
    program = shop.session.scalars(select(Program)).one()
    shop.session.add(ProgramVersion(program_id=program.id, number=2, valid_from=local(2026, 6, 1), rule=plan))
    shop.session.flush()


def test_refund_takes_back_what_the_spend_no_longer_reaches(club: Shop, told: list[TierChanged]) -> None:
    buy(club, 40_000, 2026, 3, 2, 12)
    bought = buy(club, 10_000, 2026, 3, 3, 12)

    with on(2026, 3, 5, 12):
        club.refund(bought)

    assert tier(club, 2026, 3, 5, 13) == ""
    assert changes(club) == [("", "silver", "reached"), ("silver", "", "refund")]
    assert [event.tier for event in told] == ["silver", ""]


def test_refund_leaves_what_the_rest_still_reaches(club: Shop) -> None:
    buy(club, 50_000, 2026, 3, 2, 12)
    bought = buy(club, 10_000, 2026, 3, 3, 12)

    with on(2026, 3, 5, 12):
        club.refund(bought)

    assert (tier(club, 2026, 12, 31), changes(club)) == ("silver", [("", "silver", "reached")])


def test_refund_of_what_reached_it_again_brings_the_earlier_end_back(club: Shop) -> None:
    buy(club, 150_000, 2026, 5, 10, 12)  # gold through May 2027
    again = buy(club, 150_000, 2027, 2, 10, 12)  # and through February 2028
    assert tier(club, 2028, 2, 29, 23) == "gold"

    with on(2027, 2, 20, 12):
        club.refund(again)

    assert [tier(club, *day) for day in ((2027, 5, 31, 23), (2027, 6, 1))] == ["gold", ""]
    assert changes(club) == [("", "gold", "reached")]


def test_refund_asks_the_version_under_which_it_was_reached(club: Shop) -> None:
    bought = buy(club, 100, 2026, 3, 1, 12)
    buy(club, 50_000, 2026, 3, 2, 12)
    a_second_version(club, {"tiers": [{"slug": "silver", "from_cents": 90_000, "discount_bp": 300}]})

    with on(2026, 6, 2, 12):
        club.refund(bought)

    assert (tier(club, 2026, 6, 3), changes(club)) == ("silver", [("", "silver", "reached")])


def test_refund_ends_the_tier_that_a_rule_had_set(bare_shop: Shop) -> None:
    a_plan(bare_shop.session, "standing", SET)
    buy(bare_shop, 50_000, 2026, 2, 1, 12, member=a_member(bare_shop.session))  # somebody else keeps theirs
    bought = buy(bare_shop, 9000, 2026, 2, 1, 12)

    with on(2026, 2, 3, 12):
        bare_shop.refund(bought)

    assert (tier(bare_shop, 2026, 2, 3, 13), changes(bare_shop)[-1]) == ("", ("gold", "", "refund"))


def test_merged_member_keeps_the_better_tier_with_its_end(club: Shop) -> None:
    newcomer = a_member(club.session, state="provisional")
    buy(club, 50_000, 2026, 3, 2, 12)
    buy(club, 150_000, 2026, 4, 2, 12, member=newcomer)  # gold through April 2027

    with on(2026, 5, 1, 12):
        merge.absorb(club.session, newcomer, into=club.member)

    assert (tier(club, 2027, 4, 30, 23), tier(club, 2027, 5, 1)) == ("gold", "")
    assert changes(club) == [("", "silver", "reached"), ("silver", "gold", "merged")]
    assert tier(club, 2026, 5, 2, member=newcomer) == ""


def test_what_two_spent_together_reaches_a_tier(club: Shop) -> None:
    newcomer = a_member(club.session, state="provisional")
    buy(club, 30_000, 2026, 3, 2, 12), buy(club, 20_000, 2026, 4, 2, 12, member=newcomer)

    with on(2026, 5, 1, 12):
        merge.absorb(club.session, newcomer, into=club.member)

    assert changes(club) == [("", "silver", "merged")]
