"""Jobs of cards."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import expiry, tiers
from app.core import clock
from app.core.jobs import again, job
from app.network.models import Brand

SLICE = 500  # lots or tiers of one unit, so that a till never waits long


@job("cards.expire", every=timedelta(minutes=10), priority=8)
def expire(session: Session) -> None:
    """End lots whose time is over, brand by brand; what is left over follows at once."""
    _brand_by_brand(session, "cards.expire", expiry.expire_due)


@job("cards.release", every=timedelta(minutes=10), priority=8)
def release(session: Session) -> None:
    """Make spendable what was pending until now, brand by brand; what is left over follows at once."""
    _brand_by_brand(session, "cards.release", expiry.release_due)


@job("cards.tiers", every=timedelta(minutes=10), priority=8)
def lower_tiers(session: Session) -> None:
    """Lower the members whose tiers ended, brand by brand; what is left over follows at once."""
    _brand_by_brand(session, "cards.tiers", tiers.settle_due)


def _brand_by_brand(session: Session, name: str, settle: Callable[..., int]) -> None:
    left = SLICE
    for brand_id in session.scalars(select(Brand.id).order_by(Brand.id)).all():
        session.info["brand_id"] = brand_id
        left -= settle(session, now=clock.now(), most=left)
        if left <= 0:
            again(session, name, now=clock.now())
            return
