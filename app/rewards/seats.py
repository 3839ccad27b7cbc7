"""The seats of an invitation, counted on the reward by conditional updates: no race can give one away twice."""

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of
from app.rewards.models import Coupon, InvitationReply

_TAKE = text(
    "UPDATE reward SET seats_taken = seats_taken + :more WHERE brand_id = :brand_id AND id = :id AND "
    "(:more <= 0 OR seats IS NULL OR seats_taken + :more <= seats)"
)


def take(session: Session, reward_id: int, more: int) -> bool:
    """Take some more seats of a reward, or give some back below zero; False where too few are left."""
    values = {"brand_id": brand_of(session), "id": reward_id, "more": more}
    return session.connection().execute(_TAKE, values).rowcount == 1


def seated(session: Session, coupon_id: int) -> bool:
    """Tell whether somebody invited has a seat by an answer."""
    wanted = select(InvitationReply.id).where(InvitationReply.coupon_id == coupon_id, InvitationReply.seats > 0)
    return session.scalar(wanted) is not None


def admit(session: Session, coupon_id: int, reward_id: int) -> bool:
    """Seat somebody who comes without an answer, in the unit that holds the coupon; False where nothing is left."""
    if seated(session, coupon_id):
        return True
    if not take(session, reward_id, 1):
        return False
    row = session.scalar(select(InvitationReply).where(InvitationReply.coupon_id == coupon_id))
    if row is None:
        row = InvitationReply(coupon_id=coupon_id)
        session.add(row)
    row.answer, row.seats, row.at = "yes", 1, clock.now()
    session.flush()
    return True


def free(session: Session, coupon_ids: Sequence[int]) -> None:
    """Give the seats back of coupons that were taken back or expired, in the unit that holds them.

    Their answers stay, with none. The rewards are counted in the order of their ids: each is a lock.
    """
    found = session.execute(
        select(InvitationReply, Coupon.reward_id)
        .join(Coupon, Coupon.id == InvitationReply.coupon_id)
        .where(InvitationReply.coupon_id.in_(coupon_ids), InvitationReply.seats > 0)
    ).all()
    for reply, reward_id in sorted(found, key=lambda row: (row.reward_id, row.InvitationReply.id)):
        take(session, reward_id, -reply.seats)
        reply.seats = 0
    session.flush()
