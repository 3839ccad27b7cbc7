"""Month ends and clock changes in Helsinki: clocks go back on 2026-10-25 at 04:00, forward on 2027-03-28 at 03:00."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from app.cards.rules import Release, expiry, period_start, release_at
from tests.programs import a_rule, award, given, local

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("earned", "months", "gone"),
    [
        (local(2027, 1, 31, 12), 1, local(2027, 3, 1)),  # no 31 February: all of February, and not a day of March
        (local(2027, 1, 1), 1, local(2027, 3, 1)),
        (local(2028, 1, 31), 1, local(2028, 3, 1)),  # a leap year: 29 February included
        (local(2026, 11, 30, 23, 59, 59), 0, local(2026, 12, 1)),
        (local(2026, 12, 1), 0, local(2027, 1, 1)),
        (local(2026, 8, 31), 12, local(2027, 9, 1)),
        (local(2026, 11, 18), 24, local(2028, 12, 1)),
    ],
)
def test_what_is_earned_ends_with_the_nth_month_after_its_own(earned: datetime, months: int, gone: datetime) -> None:
    assert expiry(earned, months) == gone


def test_month_with_the_change_to_winter_time_ends_an_hour_later_in_utc() -> None:
    # 1 October 00:00 is UTC+3, 1 November 00:00 is UTC+2: October 2026 has 745 hours.
    begins, ends = period_start(local(2026, 10, 10), "month"), expiry(local(2026, 10, 10), 0)

    assert begins.astimezone(UTC) == datetime(2026, 9, 30, 21, tzinfo=UTC)
    assert ends.astimezone(UTC) == datetime(2026, 10, 31, 22, tzinfo=UTC)
    assert ends.astimezone(UTC) - begins.astimezone(UTC) == timedelta(hours=745)


def test_month_with_the_change_to_summer_time_has_743_hours() -> None:
    begins, ends = period_start(local(2027, 3, 28, 12), "month"), expiry(local(2027, 3, 28, 12), 0)

    assert ends.astimezone(UTC) == datetime(2027, 3, 31, 21, tzinfo=UTC)
    assert ends.astimezone(UTC) - begins.astimezone(UTC) == timedelta(hours=743)


@pytest.mark.parametrize("midnight", [local(2026, 10, 25), local(2026, 10, 26), local(2027, 3, 28), local(2027, 3, 29)])
def test_second_before_midnight_is_the_old_day_and_the_second_after_the_new_one(midnight: datetime) -> None:
    day = midnight.date().isoformat()
    rule = a_rule("new-day", award(1, base=True), when={"from": day, "until": day})
    before, after = ((midnight.astimezone(UTC) + step).astimezone(midnight.tzinfo) for step in (-SECOND, SECOND))

    assert given(rule, at=before).reason == "no_rule_today"
    assert given(rule, at=after).amount == 1


@pytest.mark.parametrize("hour", [0, 3])
def test_earned_on_the_day_of_a_change_ends_with_its_month(hour: int) -> None:
    assert expiry(local(2026, 10, 25, hour, 30, fold=1), 1) == local(2026, 12, 1)
    assert expiry(local(2027, 3, 28, hour + 1), 1) == local(2027, 5, 1)


def test_midnight_that_does_not_exist_is_the_first_moment_that_does() -> None:
    # In Asunción clocks went from 00:00 to 01:00 on 1 October 2017, which is 04:00 UTC.
    earned = datetime(2017, 9, 15, tzinfo=ZoneInfo("America/Asuncion"))

    gone = expiry(earned, 0)

    assert gone.astimezone(UTC) == datetime(2017, 10, 1, 4, tzinfo=UTC)
    assert (gone.day, gone.hour) == (1, 1)


@pytest.mark.parametrize(
    ("earned", "released"),
    [
        (local(2026, 5, 31, 23, 59, 59), local(2026, 6, 1)),
        (local(2026, 6, 1), local(2026, 12, 1)),
        (local(2026, 11, 30), local(2026, 12, 1)),
        (local(2026, 12, 24), local(2027, 6, 1)),
    ],
)
def test_earned_is_released_on_the_first_of_the_next_release_month(earned: datetime, released: datetime) -> None:
    assert release_at(earned, Release(months=(12, 6))) == released


def test_yearly_release_waits_up_to_a_year() -> None:
    assert release_at(local(2026, 1, 1), Release(months=(1,))) == local(2027, 1, 1)
    assert release_at(local(2026, 12, 31), Release(months=(1,))) == local(2027, 1, 1)


@pytest.mark.parametrize(
    ("period", "begins"),
    [("month", local(2026, 11, 1)), ("quarter", local(2026, 10, 1)), ("year", local(2026, 1, 1))],
)
def test_period_begins_at_local_midnight_of_its_first_day(period: str, begins: datetime) -> None:
    assert period_start(local(2026, 11, 18, 12), period) == begins
    assert period_start(begins, period) == begins
    assert period_start((begins.astimezone(UTC) - SECOND).astimezone(begins.tzinfo), period) < begins


@pytest.mark.parametrize("months", [(), (13,), (0,), (6, 6)])
def test_release_in_no_such_month_is_refused(months: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError):
        Release(months=months)


def test_months_of_a_moment_without_a_named_zone_cannot_be_counted() -> None:
    with pytest.raises(ValueError, match="zone"):
        expiry(datetime(2026, 11, 18, tzinfo=UTC), 1)
