"""Locks on coupons and gift cards in the order of their ids, taken before the first of several is changed.

SQLite has one writer, which holds everything. Source: docs/decisions/0017-one-order-of-locks.md.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.rewards.models import Coupon, GiftCard, GiftCardEntry, Redemption

BY_EARNING = ("fill", "issue")  # sources that a correction may take back


def hold_coupons(session: Session, coupon_ids: Sequence[int]) -> None:
    """Lock coupons in id order until this unit ends."""
    if coupon_ids and not _one_writer(session):
        wanted = select(Coupon.id).where(Coupon.id.in_(coupon_ids)).order_by(Coupon.id)
        session.execute(wanted.with_for_update())


def hold_given(session: Session, *, member_id: int, purchase_id: int | None = None) -> None:
    """Lock all that a correction may take back from a member or give back of a purchase: coupons, then gift cards.

    Under the lock of the member's accounts, so that nothing is earned meanwhile.
    """
    if _one_writer(session):
        return
    earned = select(Coupon.id).where(
        Coupon.member_id == member_id, Coupon.source_kind.in_(BY_EARNING), Coupon.state.in_(("issued", "expired"))
    )
    used = select(Redemption.coupon_id).where(Redemption.purchase_id == purchase_id, Redemption.reversed_at.is_(None))
    hold_coupons(session, [*session.scalars(earned), *session.scalars(used)])
    earned = select(GiftCard.id).where(
        GiftCard.member_id == member_id, GiftCard.source_kind.in_(BY_EARNING), GiftCard.state == "active"
    )
    used = select(GiftCardEntry.gift_card_id).where(GiftCardEntry.purchase_id == purchase_id)
    cards = [*session.scalars(earned), *session.scalars(used)]
    if cards:
        session.execute(select(GiftCard.id).where(GiftCard.id.in_(cards)).order_by(GiftCard.id).with_for_update())


def _one_writer(session: Session) -> bool:
    return session.connection().dialect.name == "sqlite"
