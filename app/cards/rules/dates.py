"""Months and local midnights in the brand's zone: when something expires, is released, or begins to count."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.cards.rules.model import Release
from app.cards.rules.parts import Schedule

_LENGTHS = {"month": 1, "quarter": 3, "year": 12}  # how many months a period has


def expiry(at_local: datetime, months: int) -> datetime:
    """Return the first moment at which what was earned is gone: after the end of the Nth month after the earning one.

    Args:
        at_local: the earning, aware, in the brand's zone (a ZoneInfo).
        months: full months after the earning month; 0 is its own end.

    Raises:
        ValueError: the zone is not a named one, so its clock changes are unknown.

    Source: earning.md, "Programs".
    """
    return _first_of_month(at_local, at_local.month + months + 1)


def release_at(at_local: datetime, release: Release) -> datetime:
    """Return when what was earned may be spent: the first of the next of the months, local midnight.

    What is earned in such a month waits for the next one: its first has passed already.

    Raises:
        ValueError: the zone is not a named one.
    """
    ahead = min((month - at_local.month - 1) % 12 + 1 for month in release.months)
    return _first_of_month(at_local, at_local.month + ahead)


def period_start(at_local: datetime, period: str) -> datetime:
    """Return the first moment of the month, quarter or year that a moment lies in.

    Raises:
        ValueError: the zone is not a named one.
        KeyError: an unknown period.
    """
    length = _LENGTHS[period]
    return _first_of_month(at_local, at_local.month - (at_local.month - 1) % length)


def period_end(at_local: datetime, period: str) -> datetime:
    """Return the first moment after the month, quarter or year that a moment lies in.

    Raises:
        ValueError: the zone is not a named one.
        KeyError: an unknown period.
    """
    length = _LENGTHS[period]
    return _first_of_month(at_local, at_local.month - (at_local.month - 1) % length + length)


def last_due(schedule: Schedule, now_local: datetime) -> datetime | None:
    """Return the newest moment of a schedule that has come; None before its first.

    Args:
        now_local: aware, in the brand's zone (a ZoneInfo).

    Raises:
        ValueError: the zone is not a named one.
    """
    first, today = schedule.day, now_local.date()
    if schedule.every == "once":
        return _come(schedule, now_local, (first.year, first.month, first.day))
    if schedule.every == "week":
        weeks = (today - first).days // 7
        days = (first + timedelta(days=7 * number) for number in (weeks, weeks - 1) if number >= 0)
        return _come(schedule, now_local, *((day.year, day.month, day.day) for day in days))
    months = (first.year * 12 + first.month - 1, today.year * 12 + today.month - 1)
    step = 1 if schedule.every == "month" else 12
    passed = (months[1] - months[0]) // step
    found = []
    for number in (passed, passed - 1):
        year, month = divmod(months[0] + number * step, 12)
        if number >= 0:
            found.append((year, month + 1, min(first.day, monthrange(year, month + 1)[1])))
    return _come(schedule, now_local, *found)


def _come(schedule: Schedule, now_local: datetime, *days: tuple[int, int, int]) -> datetime | None:
    """Return the first of some days whose hour has come."""
    zone = now_local.tzinfo
    if not isinstance(zone, ZoneInfo):
        raise ValueError("days are counted in the brand's zone")
    for year, month, day in days:
        # Through UTC: an hour that the clocks leave out is the next one.
        moment = datetime(year, month, day, schedule.hour, tzinfo=zone).astimezone(UTC).astimezone(zone)
        if moment <= now_local:
            return moment
    return None


def _first_of_month(at_local: datetime, month: int) -> datetime:
    """Return local midnight of the first of a month, counted from January of `at_local`'s year on."""
    if not isinstance(at_local.tzinfo, ZoneInfo):
        raise ValueError("months are counted in the brand's zone")
    years, place = divmod(month - 1, 12)
    midnight = datetime(at_local.year + years, place + 1, 1, tzinfo=at_local.tzinfo)
    # Where clocks go forward at midnight, there is no 00:00: through UTC it is the first moment that there is.
    return midnight.astimezone(UTC).astimezone(at_local.tzinfo)
