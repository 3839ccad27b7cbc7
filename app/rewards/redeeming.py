"""Coupons at the till: held for a moment, redeemed once ever, taken back; and the true reason why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of
from app.core.events import emit
from app.core.i18n import format_cents
from app.core.i18n import gettext as _
from app.core.money import share
from app.core.tables import UtcDateTime
from app.ledger.models import Purchase
from app.network.models import Outlet, Till
from app.rewards import rules, seats
from app.rewards.coupons import CouponNotUsable, CouponView, find
from app.rewards.events import CouponChanged
from app.rewards.models import Coupon, Redemption, Reward

HOLD = timedelta(minutes=5)


@dataclass(frozen=True)
class Reservation:
    """A coupon that a till holds: no other till can use it before `until`."""

    view: CouponView
    until: datetime


_MOMENTS = tuple(bindparam(name, type_=UtcDateTime) for name in ("now", "at", "until"))
_HOLD = text(
    "UPDATE coupon SET reserved_till_id = :till_id, reserved_until = :until WHERE brand_id = :brand_id AND id = :id "
    "AND state = 'issued' AND expires_at > :now "
    "AND (reserved_until IS NULL OR reserved_until <= :now OR reserved_till_id = :till_id)"
).bindparams(_MOMENTS[0], _MOMENTS[2])
# A till that was offline used it before its day was over, whatever the nightly job has said since.
_USE = text(
    "UPDATE coupon SET state = 'redeemed', ended_at = NULL, reserved_till_id = NULL, reserved_until = NULL "
    "WHERE brand_id = :brand_id AND id = :id AND state IN ('issued', 'expired') AND expires_at > :at "
    "AND (reserved_until IS NULL OR reserved_until <= :now OR reserved_till_id = :till_id)"
).bindparams(*_MOMENTS[:2])


def reserve(session: Session, code: str, *, till: Till) -> Reservation:
    """Hold a coupon for a till for 5 minutes, at most until it expires; the same till renews its hold.

    Raises:
        CouponUnknown: no such code for this brand.
        CouponNotUsable: it cannot be used here and now, or another till holds it.

    Source: earning.md, "Rewards and coupons".
    """
    view, now = find(session, code), clock.now()
    check_usable(session, view, till=till, total_cents=None, at=now)
    until = min(now + HOLD, view.coupon.expires_at)
    values = {"brand_id": brand_of(session), "id": view.coupon.id, "till_id": till.id, "now": now, "until": until}
    held = session.connection().execute(_HOLD, values).rowcount == 1
    session.refresh(view.coupon)
    if not held:
        raise refusal(session, view)
    return Reservation(view, until)


def release(session: Session, code: str, *, till: Till) -> bool:
    """Let a coupon go that this till holds; False where it held none.

    Raises:
        CouponUnknown: no such code for this brand.
    """
    view = find(session, code)
    held = session.scalar(
        update(Coupon)
        .where(Coupon.id == view.coupon.id, Coupon.reserved_till_id == till.id, Coupon.reserved_until > clock.now())
        .values(reserved_till_id=None, reserved_until=None)
        .returning(Coupon.id)
    )
    return held is not None


def redeem(
    session: Session,
    code: str,
    *,
    till: Till,
    purchase_id: int | None = None,
    scan_id: int | None = None,
    at: datetime | None = None,
    discount_cents: int | None = None,
    settlement_cents: int | None = None,
    line_discounts: Sequence[int] | None = None,
) -> Redemption:
    """Use a coupon at a till, once.

    Args:
        code: as scanned or typed; case, spaces and dashes do not matter.
        till: who redeems; its outlet is paid what is frozen here.
        purchase_id: the basket it was used on, when the till knows it.
        scan_id: the scan it was used with; the sale that follows on that scan becomes its basket.
        at: when it was used, as far back as a purchase may be; now, where it is not given.
        discount_cents: what the basket cost less by it, from `rules.settle`.
        settlement_cents: what the outlet is paid, from `rules.settle`.
        line_discounts: the discount by line, of a purchase that is paid with it.

    Raises:
        CouponUnknown: no such code for this brand.
        CouponNotUsable: says by `state` which of the reasons, with when and where it was used.

    Source: earning.md, "Rewards and coupons" and "Settlement".
    """
    view, now = find(session, code), clock.now()
    reward, moment = view.reward, at or now
    total = session.scalar(select(Purchase.total_cents).where(Purchase.id == purchase_id)) if purchase_id else None
    check_usable(session, view, till=till, total_cents=total, at=moment)
    given = _given(reward, total) if discount_cents is None else discount_cents
    fixed = given if reward.kind in rules.MEASURED else reward.settlement_cents
    values = {"brand_id": brand_of(session), "id": view.coupon.id, "till_id": till.id, "now": now, "at": moment}
    used = session.connection().execute(_USE, values).rowcount == 1
    session.refresh(view.coupon)
    if not used:
        raise refusal(session, view)
    if reward.kind == "invitation" and not seats.admit(session, view.coupon.id, reward.id):
        raise _no_seats()
    redemption = Redemption(
        coupon_id=view.coupon.id, till_id=till.id, outlet_id=till.outlet_id, purchase_id=purchase_id, scan_id=scan_id,
        settlement_cents=fixed if settlement_cents is None else settlement_cents, fee_cents=reward.fee_cents,
        discount_cents=given, cost_centre_id=reward.cost_centre_id, vat_code=reward.vat_code,
        campaign=reward.campaign, occurred_at=moment, recorded_at=now,
        line_discounts=None if line_discounts is None else list(line_discounts),
    )  # fmt: skip
    session.add(redemption)
    session.flush()
    emit(session, CouponChanged(coupon_id=view.coupon.id, member_id=view.coupon.member_id))
    return redemption


def _given(reward: Reward, total: int | None) -> int:
    """Return what an outlet gives that names the coupon only, not what its basket came to with it.

    Raises:
        CouponNotUsable: without the basket nobody can tell, or whether it was large enough.
    """
    needs_lines = reward.kind == rules.PERCENT and (reward.skus or reward.groups)
    needs_total = reward.kind == rules.PERCENT or reward.min_basket_cents > 0
    if needs_lines or (needs_total and total is None):
        raise CouponNotUsable(_("This coupon is used together with its purchase."), state="needs_basket", at=None)
    if reward.kind == rules.PERCENT:
        cents = share(total or 0, reward.percent_bp or 0)
        return cents if reward.cap_cents is None else min(cents, reward.cap_cents)
    if reward.kind == rules.AMOUNT:
        return reward.face_cents if total is None else min(reward.face_cents, total)
    return 0


def check_usable(session: Session, view: CouponView, *, till: Till, total_cents: int | None, at: datetime) -> None:
    """Refuse a coupon that cannot be used at a till, at a moment, on a basket. Changes nothing, holds nothing.

    Args:
        total_cents: the gross before any coupon; None where it is not known yet, then it is not looked at.
        at: when it is used.

    Raises:
        CouponNotUsable: its `state` is redeemed, revoked, expired, too_early, wrong_outlet, reserved, no_seats or
            below_minimum_basket; the first that holds.
    """
    coupon, reward = view.coupon, view.reward
    if coupon.state in ("redeemed", "revoked"):
        raise refusal(session, view)
    if coupon.expires_at <= at:
        raise _expired(coupon)
    if reward.valid_from is not None and at < reward.valid_from:
        raise CouponNotUsable(_("This coupon cannot be used yet."), state="too_early", at=reward.valid_from.isoformat())
    if reward.outlets and session.get_one(Outlet, till.outlet_id).slug not in reward.outlets:
        raise CouponNotUsable(_("This coupon is for other outlets."), state="wrong_outlet", at=None)
    if view.held_from(till.id):
        raise _reserved(coupon)
    if reward.seats is not None and reward.seats_taken >= reward.seats and not seats.seated(session, coupon.id):
        raise _no_seats()
    if total_cents is not None and total_cents < reward.min_basket_cents:
        least = format_cents(reward.min_basket_cents)
        raise CouponNotUsable(
            _("This coupon needs a purchase of at least %(least)s.", least=least), state="below_minimum_basket",
            at=None, min_basket_cents=reward.min_basket_cents,
        )  # fmt: skip


def _no_seats() -> CouponNotUsable:
    return CouponNotUsable(_("All seats are taken."), state="no_seats", at=None)


def refusal(session: Session, view: CouponView) -> CouponNotUsable:
    """Return the true reason why a coupon cannot be used, for a till of the brand."""
    if view.state == "redeemed":
        used = session.execute(
            select(Redemption.occurred_at, Outlet.name)
            .join(Outlet, Outlet.id == Redemption.outlet_id)
            .where(Redemption.coupon_id == view.coupon.id, Redemption.reversed_at.is_(None))
        ).first()
        at, outlet = used if used else (None, None)
        return CouponNotUsable(
            _("This coupon has been used already."), state="redeemed", at=at.isoformat() if at else None, outlet=outlet
        )
    if view.state == "expired":
        return _expired(view.coupon)
    if view.state == "reserved":
        return _reserved(view.coupon)
    return CouponNotUsable(_("This coupon was taken back."), state=view.coupon.state, at=None)


def _expired(coupon: Coupon) -> CouponNotUsable:
    return CouponNotUsable(_("This coupon has expired."), state="expired", at=coupon.expires_at.isoformat())


def _reserved(coupon: Coupon) -> CouponNotUsable:
    until = coupon.reserved_until.isoformat() if coupon.reserved_until else None
    return CouponNotUsable(_("Another till holds this coupon."), state="reserved", at=None, until=until)


_JOIN_BASKET = text(
    "UPDATE redemption SET purchase_id = :purchase_id "
    "WHERE brand_id = :brand_id AND scan_id = :scan_id AND purchase_id IS NULL"
)


def join_basket(session: Session, *, scan_id: int, purchase_id: int) -> None:
    """Say that what was redeemed with a scan belongs to its sale, so that a refund gives it back."""
    values = {"brand_id": brand_of(session), "scan_id": scan_id, "purchase_id": purchase_id}
    session.connection().execute(_JOIN_BASKET, values)
