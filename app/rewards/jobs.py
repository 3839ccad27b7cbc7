"""Jobs of rewards."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.jobs import again, job
from app.network.models import Brand
from app.rewards import gift_cards, service

SLICE = 500  # rows of one write, so that a till never waits long


@job("rewards.expire", every=timedelta(minutes=10), priority=8)
def expire(session: Session) -> None:
    """Let coupons and gift cards past their day expire, brand by brand; what is left over follows at once."""
    left = SLICE
    for brand_id in session.scalars(select(Brand.id).order_by(Brand.id)).all():
        session.info["brand_id"] = brand_id
        left -= service.expire_due(session, now=clock.now(), most=left)
        left -= gift_cards.expire_gift_cards(session, now=clock.now(), most=max(left, 0))
        if left <= 0:
            again(session, "rewards.expire", now=clock.now())
            return
