"""Jobs of rewards."""

from datetime import timedelta

from sqlalchemy.orm import Session

from app.core.jobs import job
from app.network.service import brand_by_brand
from app.rewards import gift_cards, service

SLICE = 500  # rows of one write, so that a till never waits long


@job("rewards.expire", every=timedelta(minutes=10), priority=8)
def expire(session: Session) -> None:
    """Let coupons past their day expire, brand by brand; what is left over follows at once."""
    brand_by_brand(session, "rewards.expire", service.expire_due, most=SLICE)


@job("rewards.expire_gift_cards", every=timedelta(minutes=10), priority=8)
def expire_gift_cards(session: Session) -> None:
    """Let gift cards past their day expire, brand by brand; what is left over follows at once."""
    brand_by_brand(session, "rewards.expire_gift_cards", gift_cards.expire_gift_cards, most=SLICE)
