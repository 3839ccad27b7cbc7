"""A redemption is taken back: by itself, or with the basket that it was used on. The coupon is its member's again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import Conflict, NotFound
from app.core.events import emit
from app.core.i18n import gettext as _
from app.network.models import Till
from app.rewards import discounts
from app.rewards.coupons import GRACE_DAYS
from app.rewards.events import CouponChanged
from app.rewards.holding import hold_coupons
from app.rewards.models import Coupon, Redemption


class RedemptionUnknown(NotFound):
    """No such redemption at this outlet."""

    code = "redemption_unknown"


class RedemptionInBasket(Conflict):
    """A purchase was paid with this coupon: it comes back with the whole purchase, or it would count twice."""

    code = "redemption_in_basket"


@dataclass(frozen=True)
class Reversed:
    """A redemption that was taken back, now or (`repeated`) before; its coupon as it is now."""

    redemption: Redemption
    coupon: Coupon
    repeated: bool


def reverse(session: Session, public_id: str, *, till: Till, at: datetime | None = None) -> Reversed:
    """Take a redemption of this outlet back: its coupon is the member's again, valid as long as before.

    A second reversal changes nothing and says `repeated`.

    Args:
        at: when an offline till did it; now, where it is not given.

    Raises:
        RedemptionUnknown: there is none, or another outlet made it.
        RedemptionInBasket: its purchase was paid with it.
    """
    wanted = select(Redemption).where(Redemption.public_id == public_id, Redemption.outlet_id == till.outlet_id)
    redemption = session.scalar(wanted)
    if redemption is None:
        raise RedemptionUnknown(_("There is no such redemption at this outlet."))
    if redemption.line_discounts is not None and redemption.discount_cents and redemption.reversed_at is None:
        raise RedemptionInBasket(_("The basket keeps this coupon's discount: take the purchase back."))
    done = _take_back(session, redemption, least=None, till=till, at=at or clock.now())
    coupon = session.get_one(Coupon, redemption.coupon_id, populate_existing=True)
    return Reversed(redemption, coupon, not done)


def give_back(session: Session, *, purchase_id: int, at: datetime | None = None) -> int:
    """Return the coupons redeemed on a basket that was refunded then, valid 14 days more at least; count them."""
    live = select(Redemption).where(Redemption.purchase_id == purchase_id, Redemption.reversed_at.is_(None))
    least = clock.now() + timedelta(days=GRACE_DAYS)
    rows, moment = session.scalars(live.order_by(Redemption.id)).all(), at or clock.now()
    return sum(_take_back(session, row, least=least, at=moment) for row in rows)


def _take_back(
    session: Session, redemption: Redemption, *, least: datetime | None, at: datetime, till: Till | None = None
) -> bool:
    """Reverse a redemption once, however many try, and give its coupon back; False where it was done before."""
    hold_coupons(session, [redemption.coupon_id])  # as who uses it: the coupon first, then its use
    reversed_now = session.scalar(
        update(Redemption)
        .where(Redemption.id == redemption.id, Redemption.reversed_at.is_(None))
        .values(reversed_at=max(at, redemption.occurred_at), reversed_till_id=till.id if till else None)
        .returning(Redemption.id)
    )
    if reversed_now is None:
        return False
    discounts.annul(session, redemption, at=at)
    coupon = session.get_one(Coupon, redemption.coupon_id, populate_existing=True)
    coupon.state = "issued"
    coupon.expires_at = max(coupon.expires_at, least or coupon.expires_at)
    session.flush()
    emit(session, CouponChanged(coupon_id=coupon.id, member_id=coupon.member_id))
    return True
