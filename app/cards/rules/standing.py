"""Tiers: when the spend or the visits of a period reached one, until when it is held, which is the highest now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.cards.rules.dates import expiry, period_end, period_start
from app.cards.rules.model import Tier
from app.core import clock


@dataclass(frozen=True)
class Day:
    """What a member bought on a local day: cents of due less refunds, and visits."""

    day: date
    cents: int = 0
    visits: int = 0


@dataclass(frozen=True)
class TierReached:
    """A tier that was reached: on which local day, and the first moment at which it is held no more."""

    day: date
    until: datetime


def kept_until(tier: Tier, reached_local: datetime) -> datetime:
    """Return the first moment at which a tier that was reached is no longer kept, in the brand's zone."""
    return expiry(reached_local, tier.keeps_months)


def tier_reached(tier: Tier, days: Iterable[Day], zone: ZoneInfo) -> TierReached | None:
    """Return when a tier was reached so that it is held the longest; None where no period reached it.

    A tier is held through the period whose spend reaches it, and for its months after the month in which that was.

    Args:
        days: all of each period that is asked about, in any order; a day may come more than once.
        zone: the brand's.

    Source: earning.md, "Programs".
    """
    periods: defaultdict[datetime, list[tuple[date, int]]] = defaultdict(list)
    for one in days:
        amount = one.cents if tier.from_cents is not None else one.visits
        periods[period_start(clock.midnight(one.day, zone), tier.period)].append((one.day, amount))
    found = []
    for amounts in periods.values():
        day = _crossing(sorted(amounts), needed(tier))
        if day is not None:
            at = clock.midnight(day, zone)
            found.append(TierReached(day, max(kept_until(tier, at), period_end(at, tier.period))))
    return max(found, key=lambda one: one.until, default=None)


def needed(tier: Tier) -> int:
    """Return the cents or visits that reach a tier; 0 is everybody's."""
    return tier.from_cents if tier.from_cents is not None else tier.from_visits or 0


def tier_for(tiers: Sequence[Tier], holds: Mapping[str, datetime], at: datetime) -> Tier | None:
    """Return the highest tier that a member holds at a moment; None below the first.

    Args:
        tiers: lowest first.
        holds: slug → the first moment at which the tier is held no more.
    """
    held = (tier for tier in reversed(tiers) if needed(tier) == 0 or (tier.slug in holds and at < holds[tier.slug]))
    return next(held, None)


def _crossing(amounts: Iterable[tuple[date, int]], least: int) -> date | None:
    total = 0
    for day, amount in amounts:
        total += amount
        if total >= least:
            return day
    return None
