"""The dashboard's figures, on both databases: days of the brand's zone, what a refund takes away, one brand only."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from app.cards.refunds import refund
from app.core import clock
from app.core.db import Database
from app.core.i18n import use_language
from app.network.models import Till
from app.reports import changes
from app.reports.dashboard import Dashboard, dashboard
from app.reports.days import back, midnight, offsets
from app.rewards import service as rewards
from tests.builders import an_outlet
from tests.reports.history import HELSINKI, NOW, ZONE, at, brand_with_card, buy, member_of


def look(database: Database, brand_id: int, days: int = 30, now: datetime = NOW) -> Dashboard:
    with clock.moved(to=now), database.reading(brand_id) as session:
        return dashboard(session, days=days, zone=HELSINKI)


def test_day_begins_at_midnight_of_the_brand_not_of_utc(database: Database, brand_id: int) -> None:
    with database.unit(brand_id) as session:
        member = member_of(session, at(21, 0, 30))  # 22:30 of the day before in UTC
        member_of(session, at(20, 23, 59))
        buy(session, member, at(21, 0, 30), 2)
        buy(session, member, at(20, 23, 59), 3)

    found = look(database, brand_id, 7)

    assert found.period.days[-3:] == [date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22)]
    assert found.stamps_by_day[-3:] == [3, 2, 0]
    assert found.joined_by_day[-3:] == [1, 1, 0]


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 10, 24, 20, 59, tzinfo=UTC), 24),  # 23:59 in summer time
        (datetime(2026, 10, 24, 21, 0, tzinfo=UTC), 25),  # midnight in summer time
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 25),  # 03:30, the first of two
        (datetime(2026, 10, 25, 21, 30, tzinfo=UTC), 25),  # 23:30 in winter time; 00:30 if summer went on
        (datetime(2026, 10, 25, 22, 0, tzinfo=UTC), 26),
    ],
)
def test_day_of_25_hours_holds_all_of_them(database: Database, brand_id: int, moment: datetime, day: int) -> None:
    with database.unit(brand_id) as session:
        member = member_of(session, moment)
        buy(session, member, moment, 10)  # fills the card: a coupon of that moment

    found = look(database, brand_id, 7, datetime(2026, 10, 28, 12, tzinfo=ZONE))

    place = found.period.days.index(date(2026, 10, day))
    series = (found.joined_by_day, found.stamps_by_day, found.issued_by_day)
    assert [values[place] for values in series] == [1, 10, 1]
    assert [sum(values) for values in series] == [1, 10, 1]


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 3, 28, 21, 59, tzinfo=UTC), 28),  # 23:59 in winter time
        (datetime(2026, 3, 28, 22, 0, tzinfo=UTC), 29),
        (datetime(2026, 3, 29, 20, 59, tzinfo=UTC), 29),  # 23:59 in summer time
        (datetime(2026, 3, 29, 21, 0, tzinfo=UTC), 30),  # midnight; 23:00 if winter went on
    ],
)
def test_day_of_23_hours_ends_an_hour_earlier(database: Database, brand_id: int, moment: datetime, day: int) -> None:
    with database.unit(brand_id) as session:
        member_of(session, moment)

    found = look(database, brand_id, 7, datetime(2026, 3, 31, 12, tzinfo=ZONE))

    assert found.joined_by_day[found.period.days.index(date(2026, 3, day))] == 1
    assert sum(found.joined_by_day) == 1


def test_period_is_compared_with_as_much_of_the_time_before(database: Database, brand_id: int) -> None:
    with database.unit(brand_id) as session:
        member = member_of(session, at(1, 8))
        buy(session, member, at(22, 9), 4)  # in the period of 7 days
        buy(session, member, at(15, 9), 2)  # before: at nine, as far as today has come
        buy(session, member, at(15, 18), 5)  # in the evening: today's is still to come
        buy(session, member, at(8, 23), 7)  # older than both

    found = look(database, brand_id, 7)

    assert (found.stamps.value, found.stamps.before) == (4, 2)


def test_refunded_purchase_counts_nowhere(database: Database, brand_id: int) -> None:
    with database.unit(brand_id) as session:
        member = member_of(session, at(1, 8))
        buy(session, member, at(20, 9), 2)
        bad = buy(session, member_of(session, at(1, 8)), at(20, 10), 5)
        with clock.moved(to=at(21, 10)):
            till = session.scalars(select(Till).where(Till.id == bad.till_id)).one()
            refund(session, bad, till=till)

    found = look(database, brand_id, 7)

    assert (found.stamps.value, found.active.value, sum(found.stamps_by_day)) == (2, 1, 2)
    assert [(row.stamps, row.sales, row.sales_cents) for row in found.outlets] == [(2, 1, 800)]


def test_merged_member_is_one_active_member_and_no_new_one(database: Database, brand_id: int) -> None:
    with database.unit(brand_id) as session:
        kept = member_of(session, at(1, 8))
        newcomer = member_of(session, at(20, 8), state="provisional")
        buy(session, kept, at(20, 9))
        buy(session, newcomer, at(20, 10))
        newcomer.state, newcomer.merged_into_id = "merged", kept.id

    found = look(database, brand_id, 7)

    assert (found.members, found.joined.value, found.active.value) == (1, 0, 1)


def test_another_brand_is_in_no_figure(database: Database, brand_id: int) -> None:
    other = brand_with_card(database, "valo")
    with database.unit(other) as session:
        member = member_of(session, at(20, 8))
        buy(session, member, at(20, 9), 10)
        with clock.moved(to=at(20, 10)):
            coupon = rewards.of_member(session, member.id)[0]
            till = session.scalars(select(Till)).first()
            assert till is not None
            rewards.redeem(session, coupon.code, till=till)

    found, theirs = look(database, brand_id, 7), look(database, other, 7)

    figures = (found.members, found.joined, found.active, found.stamps, found.issued, found.redeemed)
    assert [getattr(figure, "value", figure) for figure in figures] == [0] * 6
    assert found.outlets == []
    series = (found.stamps_by_day, found.joined_by_day, found.issued_by_day, found.redeemed_by_day)
    assert [sum(values) for values in series] == [0] * 4
    assert (theirs.members, theirs.stamps.value, theirs.issued.value, theirs.redeemed.value) == (1, 10, 1, 1)


def test_outlets_each_have_their_own_sums(database: Database, brand_id: int) -> None:
    with database.unit(brand_id) as session:
        kallio = an_outlet(session, name="Kulma Kallio")
        till = session.scalars(select(Till).where(Till.outlet_id == kallio.id)).one()
        member = member_of(session, at(1, 8))
        buy(session, member, at(20, 9), 3, till)
        buy(session, member, at(20, 10), 2)
        buy(session, member, at(12, 10), 9, till)

    rows = {row.name: row for row in look(database, brand_id, 7).outlets}

    assert (rows["Kulma Kallio"].stamps, rows["Kulma Kallio"].stamps_before) == (3, 9)
    assert sum(row.stamps for row in rows.values()) == 5


def test_sentence_names_the_change_and_the_outlet_that_moved_most(database: Database, brand_id: int) -> None:
    with database.unit(brand_id) as session:
        kallio = an_outlet(session, name="Kulma Kallio")
        till = session.scalars(select(Till).where(Till.outlet_id == kallio.id)).one()
        member = member_of(session, at(1, 8))
        buy(session, member, at(12, 9), 10)
        buy(session, member, at(20, 9), 9)
        buy(session, member, at(20, 9), 6, till)

    with use_language("en"):
        said = changes.sentence(look(database, brand_id, 7))
        empty = changes.sentence(look(database, brand_id, 7, datetime(2026, 5, 1, 12, tzinfo=ZONE)))

    assert said == "50 % more stamps than in the 7 days before; Kulma Kallio grew most, from 0 to 6."
    assert empty == "No stamps have been given in this period."


@pytest.mark.parametrize(
    ("zone", "start", "changes_at"),
    [
        (HELSINKI, datetime(2026, 10, 20, tzinfo=UTC), [datetime(2026, 10, 25, 1, tzinfo=UTC)]),
        (HELSINKI, datetime(2026, 3, 20, tzinfo=UTC), [datetime(2026, 3, 29, 1, tzinfo=UTC)]),
        ("Australia/Lord_Howe", datetime(2026, 4, 1, tzinfo=UTC), [datetime(2026, 4, 4, 15, tzinfo=UTC)]),
        ("Asia/Kolkata", datetime(2026, 3, 20, tzinfo=UTC), []),
    ],
)
def test_offsets_change_at_the_minute(zone: str, start: datetime, changes_at: list[datetime]) -> None:
    found = offsets(start, start + timedelta(days=14), zone)

    assert [moment for moment, _offset in found[1:]] == changes_at


def test_same_time_of_day_a_week_before_is_an_hour_more_where_the_clocks_changed() -> None:
    moment = datetime(2026, 10, 28, 10, tzinfo=ZONE)

    assert moment - back(moment, 7, HELSINKI) == timedelta(days=7, hours=1)
    assert midnight(date(2026, 10, 26), HELSINKI) - midnight(date(2026, 10, 25), HELSINKI) == timedelta(hours=25)
