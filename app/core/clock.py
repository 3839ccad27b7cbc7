"""The one place that reads the time; tests and the demo history move it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_shift: ContextVar[timedelta] = ContextVar("clock_shift", default=timedelta())


def now() -> datetime:
    """Return the current moment, aware, in UTC, to the microsecond."""
    return datetime.now(UTC) + _shift.get()


def local_date(moment: datetime, zone: str) -> date:
    """Return the calendar day of a moment in a brand's zone, such as `Europe/Helsinki`."""
    return moment.astimezone(ZoneInfo(zone)).date()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a day in a zone, as its clocks say; it is 01:00 where they go forward at midnight."""
    return datetime.combine(day, time(), zone).astimezone(UTC).astimezone(zone)


@contextmanager
def moved(*, to: datetime | None = None, by: timedelta | None = None) -> Iterator[None]:
    """Move the clock for this thread or task; it goes on ticking from there."""
    shift = by if by is not None else timedelta()
    if to is not None:
        shift += to - datetime.now(UTC)
    token = _shift.set(shift if to is not None else _shift.get() + shift)
    try:
        yield
    finally:
        _shift.reset(token)
