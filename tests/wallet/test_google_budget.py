"""The budget of notifications: three of a pass in 24 hours, the third kept for a coupon."""

from datetime import UTC, datetime, timedelta

import pytest

from app.wallet.google.budget import WINDOW, About, kept, may_notify

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def hours_ago(*hours: float) -> list[datetime]:
    return [NOW - timedelta(hours=each) for each in hours]


@pytest.mark.parametrize(("about", "most"), [("stamp", 2), ("message", 2), ("coupon", 3)])
def test_each_kind_of_news_has_its_share(about: About, most: int) -> None:
    answers = [may_notify(hours_ago(*range(1, count + 1)), NOW, about) for count in range(5)]

    assert answers == [count < most for count in range(5)]


def test_notification_counts_for_24_hours_and_no_longer() -> None:
    recent = hours_ago(1)

    assert not may_notify([NOW - WINDOW + TICK, *recent], NOW, "stamp")
    assert may_notify([NOW - WINDOW, *recent], NOW, "stamp")


def test_what_is_stored_loses_the_moments_that_no_longer_count() -> None:
    stored = [moment.isoformat() for moment in hours_ago(30, 24, 23, 1)]

    pruned = kept(stored, NOW)

    assert [datetime.fromisoformat(text) for text in pruned] == [*hours_ago(23, 1), NOW]


def test_pass_that_notifies_whenever_it_may_never_asks_for_a_fourth_in_any_day() -> None:
    stored: list[str] = []
    told: list[datetime] = []
    for minutes in range(0, 60 * 72, 20):
        moment = NOW + timedelta(minutes=minutes)
        about: About = "coupon" if minutes % 60 == 0 else "stamp"
        if may_notify([datetime.fromisoformat(text) for text in stored], moment, about):
            stored, told = kept(stored, moment), [*told, moment]

    assert len(told) >= 9  # three days
    assert all(sum(moment - WINDOW < each <= moment for each in told) <= 3 for moment in told)
    assert len(stored) <= 3
