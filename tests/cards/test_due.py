"""Gifts that come by themselves: the birthday month by the brand's calendar, and the days that rules name."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from app.cards import due, merge, rules, story, triggers
from app.cards.models import Program, ProgramVersion, TriggerRun
from app.cards.rules.parts import Schedule
from app.core import clock
from app.members.models import Member
from app.network.models import Brand
from tests.builders import a_member
from tests.cards.kinds import a_plan, holds
from tests.cards.test_triggers import beside
from tests.programs import local
from tests.shop import Shop


def look(shop: Shop, *when: int, most: int = 100) -> list[int]:
    """Run both jobs at a moment in Helsinki until nobody is due; return the members that got a run."""
    before = set(shop.session.scalars(select(TriggerRun.id)))
    with clock.moved(to=local(*when)):
        for give in (due.give_birthdays, due.give_scheduled):
            while give(shop.session, now=clock.now(), most=most):
                pass
    runs = shop.session.scalars(select(TriggerRun).order_by(TriggerRun.id))
    return [run.member_id for run in runs if run.id not in before]


def a_birthday(shop: Shop, month: int, **rule: Any) -> Program:
    """Build a points program with a birthday gift, and let the shop's member be born in a month."""
    shop.member.birth_month = month
    return a_plan(shop.session, "points", {"rules": [beside("birthday_month", **rule)]})


def confirmed(shop: Shop, *when: int, **fields: Any) -> Member:
    """Build a member who confirmed a contact at a moment in Helsinki."""
    with clock.moved(to=local(*when)):
        return a_member(shop.session, **fields)


def test_birthday_month_gives_once_a_year_also_at_the_turn_of_the_year(bare_shop: Shop) -> None:
    shop = bare_shop
    program = a_birthday(shop, 12)
    me = shop.member.id

    assert look(shop, 2026, 11, 30, 23, 59) == []
    assert look(shop, 2026, 12, 1, 0, 0) == [me]
    assert look(shop, 2026, 12, 31, 23, 59) == []
    assert look(shop, 2027, 12, 31, 23, 59) == [me]
    assert look(shop, 2028, 12, 1, 0, 0) == [me]  # 336 days later

    assert holds(shop, program) == (150, 0)


def test_another_month_of_birth_brings_no_second_gift_within_weeks_and_says_why(bare_shop: Shop) -> None:
    shop = bare_shop
    program, me = a_birthday(shop, 12), shop.member.id
    assert look(shop, 2026, 12, 1) == [me]

    shop.member.birth_month = 1
    assert look(shop, 2027, 1, 1) == [me]  # is looked at once, and given nothing
    assert look(shop, 2027, 1, 31) == []
    assert holds(shop, program) == (50, 0)
    said = [line.reasons for line in story.story(shop.session, me) if not any(gain.amount for gain in line.gains)]
    assert said == [("For your birthday month", "The last birthday gift was less than ten months ago")]
    assert look(shop, 2028, 1, 1) == [me]  # what gave nothing is no gift

    assert holds(shop, program) == (100, 0)


def test_gift_of_a_merged_member_counts_as_the_last_one(bare_shop: Shop) -> None:
    shop = bare_shop
    program = a_birthday(shop, 1)
    newcomer = a_member(shop.session, birth_month=12)
    assert look(shop, 2026, 12, 1) == [newcomer.id]
    with clock.moved(to=local(2026, 12, 2)):
        merge.absorb(shop.session, newcomer, into=shop.member)

    assert look(shop, 2027, 1, 1) == [shop.member.id]

    assert holds(shop, program) == (50, 0)


def test_birthday_gift_that_was_taken_back_or_ran_out_is_no_last_one(bare_shop: Shop) -> None:
    shop = bare_shop
    program = a_birthday(shop, 12, limit={"budget": 50})
    other = a_member(shop.session, birth_month=12)
    assert look(shop, 2026, 12, 1) == [shop.member.id, other.id]  # the second one finds nothing left
    triggers.take_back(shop.session, shop.member, "birthday_month", 2026)

    for member in (shop.member, other):
        member.birth_month = 1
    look(shop, 2027, 1, 1)

    runs = shop.session.scalars(select(TriggerRun.reason).where(TriggerRun.source == "2027")).all()
    assert runs == ["budget_used", "budget_used"]
    assert holds(shop, program) == (0, 0)


def test_month_is_that_of_the_brands_zone_at_the_edge_of_a_leap_day(bare_shop: Shop) -> None:
    shop = bare_shop
    a_birthday(shop, 3)
    zone = shop.session.get_one(Brand, shop.member.brand_id)

    zone.zone = "America/New_York"
    assert look(shop, 2028, 3, 1, 6, 59) == []  # 29 February 23:59 there
    zone.zone = "Europe/Helsinki"
    assert look(shop, 2028, 2, 29, 23, 59) == []
    assert look(shop, 2028, 3, 1, 0, 0) == [shop.member.id]  # 29 February 22:00 in UTC


def test_who_has_confirmed_nothing_or_tells_no_month_is_not_due(bare_shop: Shop) -> None:
    shop = bare_shop
    a_birthday(shop, 12)
    a_member(shop.session, state="provisional", birth_month=12)
    late = a_member(shop.session)

    assert look(shop, 2026, 12, 1, most=1) == [shop.member.id]
    late.birth_month = 12
    assert look(shop, 2026, 12, 24) == [late.id]


def a_day(shop: Shop, schedule: dict[str, Any], **fields: Any) -> Program:
    """Build a points program that gives on days."""
    return a_plan(shop.session, "points", {"rules": [beside("schedule", schedule=schedule)]}, **fields)


def test_day_of_a_rule_gives_to_everybody_once_slice_by_slice(bare_shop: Shop) -> None:
    shop = bare_shop
    members = [confirmed(shop, 2026, 12, 1).id for _member in range(5)]
    confirmed(shop, 2026, 12, 1, state="provisional")
    a_day(shop, {"day": "2026-12-06", "every": "year", "hour": 9})
    late = confirmed(shop, 2026, 12, 6, 10)

    assert look(shop, 2026, 12, 6, 8, 59) == []
    assert look(shop, 2026, 12, 6, 11, most=2)[-5:] == members
    assert look(shop, 2026, 12, 6, 11) == []
    assert look(shop, 2027, 12, 7, 0)[-6:] == [*members, late.id]


def test_day_counts_where_its_rule_stood_then_and_not_for_ever(bare_shop: Shop) -> None:
    shop = bare_shop
    member = confirmed(shop, 2026, 12, 1)
    program = a_day(shop, {"day": "2026-12-06"}, valid_from=local(2026, 12, 6, 12))
    assert look(shop, 2026, 12, 6, 13) == []

    shop.session.scalars(
        select(ProgramVersion).where(ProgramVersion.program_id == program.id)
    ).one().valid_from = local(2026, 12, 5)
    assert look(shop, 2026, 12, 13, 1) == []
    assert member.id in look(shop, 2026, 12, 12, 23)


def test_merge_in_the_middle_of_a_day_skips_nobody(bare_shop: Shop) -> None:
    shop = bare_shop
    members = [confirmed(shop, 2026, 12, 1) for _member in range(4)]
    a_day(shop, {"day": "2026-12-06"})
    with clock.moved(to=local(2026, 12, 6)):
        due.give_scheduled(shop.session, now=clock.now(), most=2)
    first = shop.session.scalars(select(TriggerRun).order_by(TriggerRun.id)).first()
    assert first is not None

    triggers.move(shop.session, member_id=first.member_id, into_id=members[3].id)

    assert look(shop, 2026, 12, 6, 1)[-2:] == [members[2].id, members[3].id]


@pytest.mark.parametrize(
    ("schedule", "now", "came"),
    [
        ({"day": date(2026, 12, 6)}, (2026, 12, 5, 23, 59), None),
        ({"day": date(2026, 12, 6)}, (2027, 12, 6), (2026, 12, 6)),
        ({"day": date(2026, 12, 1), "every": "week", "hour": 9}, (2026, 12, 8, 8), (2026, 12, 1, 9)),
        ({"day": date(2026, 12, 1), "every": "week", "hour": 9}, (2026, 12, 8, 9), (2026, 12, 8, 9)),
        ({"day": date(2026, 1, 31), "every": "month"}, (2026, 2, 28), (2026, 2, 28)),
        ({"day": date(2026, 1, 31), "every": "month"}, (2026, 3, 30), (2026, 2, 28)),
        ({"day": date(2028, 2, 29), "every": "year"}, (2029, 2, 28), (2029, 2, 28)),
        ({"day": date(2028, 2, 29), "every": "year"}, (2029, 2, 27), (2028, 2, 29)),
        ({"day": date(2028, 2, 29), "every": "year"}, (2032, 2, 28, 23), (2031, 2, 28)),
        ({"day": date(2027, 3, 28), "hour": 3}, (2027, 3, 28, 3, 59), None),  # the clocks leave it out
        ({"day": date(2027, 3, 28), "hour": 3}, (2027, 3, 28, 4), (2027, 3, 28, 4)),
    ],
)
def test_newest_day_of_a_schedule(schedule: dict[str, Any], now: tuple[int, ...], came: tuple[int, ...] | None) -> None:
    found = rules.last_due(Schedule(**schedule), local(*now))

    assert found == (local(*came) if came else None)
