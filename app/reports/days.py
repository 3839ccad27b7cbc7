"""Days of a brand's zone in SQL, the same on both databases, also where the clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, case, cast, extract, func
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core import clock

HOUR = timedelta(hours=1)
DAY = 86_400  # seconds


def midnight(day: date, zone: str) -> datetime:
    """Return the moment at which a day begins in a zone, in UTC."""
    return clock.midnight(day, ZoneInfo(zone)).astimezone(UTC)


def back(moment: datetime, days: int, zone: str) -> datetime:
    """Return the same time of day in a zone, so many days before, in UTC: 23 or 25 hours where the clocks change."""
    local = moment.astimezone(ZoneInfo(zone))
    return datetime.combine(local.date() - timedelta(days=days), local.time(), ZoneInfo(zone)).astimezone(UTC)


def span(last: date, days: int) -> list[date]:
    """Return so many days up to the last one, the oldest first."""
    return [last - timedelta(days=before) for before in range(days - 1, -1, -1)]


def local_day(
    session: Session, column: InstrumentedAttribute[datetime], *, first: date, last: date, zone: str
) -> ColumnElement[int]:
    """Return SQL for the day of a moment in a zone, as days since 1970; see `number`.

    The offsets are taken from Python's zone data, one for each stretch between two changes of the clocks, so that
    both databases count alike. Right for moments of the days `first` to `last`.
    """
    stretches = offsets(midnight(first, zone), midnight(last + timedelta(days=1), zone), zone)
    days = [_shifted(session, column, offset) for _begins, offset in stretches]
    whens = [(column < begins, days[place]) for place, (begins, _offset) in enumerate(stretches[1:])]
    return case(*whens, else_=days[-1]) if whens else days[-1]


def offsets(start: datetime, end: datetime, zone: str) -> list[tuple[datetime, timedelta]]:
    """Return when each offset from UTC begins to hold between two moments; the first one holds at `start`."""
    found = [(start, _offset(start, zone))]
    moment = start
    while moment < end:
        moment += HOUR
        if _offset(moment, zone) != found[-1][1]:
            found.append((_change(moment - HOUR, moment, zone), _offset(moment, zone)))
    return found


def _change(before: datetime, after: datetime, zone: str) -> datetime:
    """Return the minute within an hour at which the clocks change."""
    while after - before > timedelta(minutes=1):
        middle = before + timedelta(minutes=(after - before) // timedelta(minutes=2))
        before, after = (middle, after) if _offset(middle, zone) == _offset(before, zone) else (before, middle)
    return after


def _offset(moment: datetime, zone: str) -> timedelta:
    return moment.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()


def _shifted(session: Session, column: InstrumentedAttribute[datetime], offset: timedelta) -> ColumnElement[int]:
    if session.get_bind().dialect.name == "sqlite":
        seconds: ColumnElement[int] = func.unixepoch(column, type_=BigInteger)
    else:
        seconds = cast(func.floor(extract("epoch", column)), BigInteger)
    return (seconds + int(offset.total_seconds())) // DAY


def number(day: date) -> int:
    """Return the number that `local_day` gives a day."""
    return (day - date(1970, 1, 1)).days
