"""Invitations: the member answers, and seats are never given away twice. Source: earning.md, "Rewards and coupons"."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import Conflict, Invalid
from app.core.i18n import gettext as _
from app.rewards import seats as counter
from app.rewards.coupons import CouponNotUsable, CouponView
from app.rewards.models import Coupon, InvitationReply, Reward
from app.rewards.redeeming import refusal

MOST_SEATS = 20  # for one invitation


class SeatsTaken(Conflict):
    """There are fewer seats left than were asked for; `left` says how many."""

    code = "seats_taken"


class NoInvitation(Conflict):
    """This coupon invites to nothing."""

    code = "no_invitation"


class SeatsInvalid(Invalid):
    """Who comes takes 1 to 20 seats."""

    code = "seats_invalid"


def reply(session: Session, view: CouponView, *, comes: bool, seats: int = 1) -> InvitationReply:
    """Answer an invitation, or change the answer: the last one counts, and only the difference in seats is taken.

    Args:
        seats: for the member and who comes along, 1 to 20; not looked at where the member does not come.

    Raises:
        NoInvitation: the coupon is no invitation.
        CouponNotUsable: it was used, expired or taken back.
        SeatsInvalid, SeatsTaken: that many seats are not to be had; the answer before stands.
    """
    if view.reward.kind != "invitation":
        raise NoInvitation(_("This coupon is no invitation."))
    wanted = seats if comes else 0
    if comes and not 1 <= seats <= MOST_SEATS:
        raise SeatsInvalid(_("Choose 1 to %(most)s seats.", most=MOST_SEATS))
    _hold(session, view)
    row = session.scalar(select(InvitationReply).where(InvitationReply.coupon_id == view.coupon.id))
    if not counter.take(session, view.reward.id, wanted - (row.seats if row else 0)):
        raise SeatsTaken(_("There are not that many seats left."), left=_left(session, view.reward))
    if row is None:
        row = InvitationReply(coupon_id=view.coupon.id, answer="", seats=0, at=clock.now())
        session.add(row)
    row.answer, row.seats, row.at = "yes" if comes else "no", wanted, clock.now()
    session.flush()
    return row


def replies(session: Session, coupon_ids: Sequence[int]) -> dict[int, InvitationReply]:
    """Return the last answers, by coupon; those of coupons that nobody has answered are left out."""
    if not coupon_ids:
        return {}
    rows = session.scalars(select(InvitationReply).where(InvitationReply.coupon_id.in_(coupon_ids)))
    return {row.coupon_id: row for row in rows}


def _hold(session: Session, view: CouponView) -> None:
    """Lock the coupon, so that its answers come one by one and it is not taken back under one.

    Raises:
        CouponNotUsable: it cannot be answered any more.
    """
    wanted = select(Coupon).where(Coupon.id == view.coupon.id).with_for_update()
    session.scalars(wanted.execution_options(populate_existing=True)).one()
    if not view.usable:
        refused: CouponNotUsable = refusal(session, view)
        raise refused


def _left(session: Session, reward: Reward) -> int:
    session.refresh(reward)
    return max(0, (reward.seats or 0) - reward.seats_taken)
