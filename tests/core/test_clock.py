"""The one clock: aware, in UTC, and it can be moved for one thread."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_now_is_aware_and_in_utc() -> None:
    before, now, after = datetime.now(UTC), clock.now(), datetime.now(UTC)

    assert before <= now <= after
    assert now.utcoffset() == timedelta()


def test_moved_clock_goes_on_ticking_and_comes_back() -> None:
    with clock.moved(to=NOON):
        first, second = clock.now(), clock.now()

    assert NOON <= first <= second < NOON + timedelta(seconds=5)
    assert clock.now() > datetime.now(UTC) - timedelta(seconds=5)


def test_moves_add_up_and_end_one_by_one() -> None:
    with clock.moved(to=NOON):
        with clock.moved(by=timedelta(days=1)):
            assert clock.now() - NOON > timedelta(days=1)
        assert clock.now() - NOON < timedelta(minutes=1)


def test_clock_comes_back_after_an_error() -> None:
    with pytest.raises(ValueError, match="inside"), clock.moved(to=NOON):
        raise ValueError("inside")

    assert clock.now() > datetime.now(UTC) - timedelta(seconds=5)


def test_another_thread_keeps_its_own_time() -> None:
    seen = []
    with clock.moved(to=NOON):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()

    assert seen[0] - NOON > timedelta(days=1)


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        (datetime(2026, 6, 30, 20, 59, 59, tzinfo=UTC), "Europe/Helsinki", date(2026, 6, 30)),
        (datetime(2026, 6, 30, 21, tzinfo=UTC), "Europe/Helsinki", date(2026, 7, 1)),
        (datetime(2026, 12, 31, 21, 59, tzinfo=UTC), "Europe/Helsinki", date(2026, 12, 31)),
        (datetime(2026, 12, 31, 22, tzinfo=UTC), "Europe/Helsinki", date(2027, 1, 1)),
        (datetime(2026, 12, 31, 22, tzinfo=UTC), "Europe/Stockholm", date(2026, 12, 31)),
    ],
)
def test_local_day_follows_the_zone_in_summer_and_winter(moment: datetime, zone: str, day: date) -> None:
    assert clock.local_date(moment, zone) == day


def hours_of(month: tuple[int, int]) -> int:
    """Count the hours of a month as its local days have them."""
    start = datetime(*month, 1, tzinfo=UTC) - timedelta(days=1)
    hours = (start + timedelta(hours=number) for number in range(34 * 24))
    days = [clock.local_date(hour, "Europe/Helsinki") for hour in hours]
    return sum((day.year, day.month) == month for day in days)


def test_october_has_745_hours_and_march_743() -> None:
    assert (hours_of((2026, 10)), hours_of((2027, 3)), hours_of((2026, 11))) == (745, 743, 720)


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC)))
def test_local_day_is_at_most_a_day_off(moment: datetime) -> None:
    assert clock.local_date(moment, "Europe/Helsinki") - moment.date() in (timedelta(), timedelta(days=1))
