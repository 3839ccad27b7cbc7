"""Google shows three notifications of a pass in 24 hours: a budget, and what it is kept for. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

WINDOW = timedelta(hours=24)
MOST = 3
FOR_STAMPS = 2  # the third is kept for a coupon, which is worth more than a stamp

About = Literal["stamp", "coupon", "message"]


def may_notify(notified: Iterable[datetime], now: datetime, about: About) -> bool:
    """Tell whether one more notification of a pass would be shown, and is worth it.

    Args:
        notified: when this pass notified before; older ones do not count.
    """
    recent = sum(now - WINDOW < moment <= now for moment in notified)
    return recent < (MOST if about == "coupon" else FOR_STAMPS)


def kept(notified: Iterable[str], now: datetime) -> list[str]:
    """Return the moments that still count, this one among them, as they are stored."""
    recent = [text for text in notified if datetime.fromisoformat(text) > now - WINDOW]
    return [*recent, now.isoformat()]
