"""Months and local midnights in the brand's zone: when something expires, is released, or begins to count."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from app.cards.rules.model import Release

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


def _first_of_month(at_local: datetime, month: int) -> datetime:
    """Return local midnight of the first of a month, counted from January of `at_local`'s year on."""
    if not isinstance(at_local.tzinfo, ZoneInfo):
        raise ValueError("months are counted in the brand's zone")
    years, place = divmod(month - 1, 12)
    midnight = datetime(at_local.year + years, place + 1, 1, tzinfo=at_local.tzinfo)
    # Where clocks go forward at midnight, there is no 00:00: through UTC it is the first moment that there is.
    return midnight.astimezone(UTC).astimezone(at_local.tzinfo)
