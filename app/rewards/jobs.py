"""Jobs of rewards."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.jobs import again, job
from app.network.models import Brand
from app.rewards import service

SLICE = 500  # rows of one write, so that a till never waits long


@job("rewards.expire", every=timedelta(minutes=10), priority=8)
def expire(session: Session) -> None:
    """Mark coupons past their day as expired, brand by brand; what is left over follows at once."""
    left = SLICE
    for brand_id in session.scalars(select(Brand.id).order_by(Brand.id)).all():
        session.info["brand_id"] = brand_id
        left -= service.expire_due(session, now=clock.now(), most=left)
        if left <= 0:
            again(session, "rewards.expire", now=clock.now())
            return
