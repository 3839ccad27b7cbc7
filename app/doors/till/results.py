"""What this till has done: the big result of the last form, the row that can be undone, today's figures."""

from datetime import timedelta
from typing import Any

from flask import g
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards import reasons, views
from app.cards.models import Award, Program
from app.core import clock, i18n
from app.core.i18n import gettext as _
from app.core.i18n import ngettext
from app.doors.till import shape
from app.ledger.models import LedgerEntry, Purchase, Refund
from app.members import lookup
from app.members.models import Member
from app.reports.days import midnight
from app.rewards.models import Coupon, Redemption, Reward

UNDO = timedelta(seconds=60)
SHOWN = timedelta(minutes=10)  # a result stays this long; a page left open says no more after that
LAST = timedelta(hours=12)


def undo_left(purchase: Purchase) -> int:
    """Return the whole seconds in which a sale can still be undone."""
    return max(0, int((purchase.recorded_at + UNDO - clock.now()).total_seconds()))


def is_refunded(session: Session, purchase: Purchase) -> bool:
    """Tell whether a purchase was taken back."""
    return session.scalar(select(Refund.id).where(Refund.purchase_id == purchase.id, Refund.whole)) is not None


def find(session: Session, done: str, *, till_id: int) -> dict[str, Any] | None:
    """Return what a form of this till did, by the public id of its purchase or redemption; None for anything else."""
    fresh = clock.now() - SHOWN
    purchase = session.scalar(
        select(Purchase).where(Purchase.public_id == done, Purchase.till_id == till_id, Purchase.recorded_at > fresh)
    )
    if purchase is not None:
        return _undone(session, purchase) if is_refunded(session, purchase) else _sale(session, purchase)
    used = session.execute(
        select(Reward.name, Coupon.member_id)
        .join(Coupon, Coupon.reward_id == Reward.id)
        .join(Redemption, Redemption.coupon_id == Coupon.id)
        .where(Redemption.public_id == done, Redemption.till_id == till_id, Redemption.recorded_at > fresh)
    ).one_or_none()
    if used is None:
        return None
    title = _("%(coupon)s redeemed", coupon=i18n.pick(used[0]))
    return _result("redeemed", title, _name(session, used[1]))


def _result(kind: str, title: str, sub: str, **more: Any) -> dict[str, Any]:
    empty = {"fills": 0, "filled": "", "reason": None, "card": None, "coupons": []}
    return {"kind": kind, "title": title, "sub": sub, **empty, **more}


def _name(session: Session, member_id: int) -> str:
    member = lookup.live(session, member_id)
    return shape.name(member) if member else _("Member")


def _sub(session: Session, purchase: Purchase) -> str:
    return f"{_name(session, purchase.member_id)}, {i18n.format_cents(purchase.total_cents)}"


def _undone(session: Session, purchase: Purchase) -> dict[str, Any]:
    return _result("undone", _("Sale undone"), _sub(session, purchase), card=_card(session, purchase.member_id))


def _sale(session: Session, purchase: Purchase) -> dict[str, Any]:
    rows = session.execute(
        select(Award, Program)
        .join(Program, Program.id == Award.program_id)
        .where(Award.purchase_id == purchase.id)
        .order_by(Program.position, Program.id)
    ).all()
    if not rows:
        return _result("sale", _("Sale recorded"), _sub(session, purchase))
    award, program = rows[0]
    coupons = _coupons(session, purchase)
    filled = ngettext("Card filled: %(n)s coupon", "Card filled: %(n)s coupons", len(coupons)) if coupons else ""
    reason = reasons.sentence(award.reason, award.details, kind=program.kind) or None
    title = shape.signed(award.amount, views.unit(program.unit))
    return _result(
        "sale", title, _sub(session, purchase), fills=len(coupons), filled=filled, reason=reason,
        card=_card(session, purchase.member_id), coupons=coupons,
    )  # fmt: skip


def _card(session: Session, member_id: int) -> dict[str, Any] | None:
    member = lookup.live(session, member_id)
    card = shape.cards(session, member.id)[0] if member else None
    return card if card and card["size"] else None


def _coupons(session: Session, purchase: Purchase) -> list[dict[str, str]]:
    """Return what full cards of this purchase gave."""
    rows = session.execute(
        select(Reward.name, Coupon.expires_at)
        .join(Coupon, Coupon.reward_id == Reward.id)
        .join(LedgerEntry, LedgerEntry.id == Coupon.source_id)
        .where(Coupon.source_kind == "fill", LedgerEntry.purchase_id == purchase.id, LedgerEntry.kind == "fill")
        .order_by(Coupon.id)
    )
    return [
        {"title": i18n.pick(name), "until": _("until %(day)s", day=shape.short_day(expires_at))}
        for name, expires_at in rows
    ]


def last(session: Session, *, till_id: int) -> dict[str, Any] | None:
    """Return the newest sale of this till, unless it was taken back or is long past."""
    purchase = session.scalar(select(Purchase).where(Purchase.till_id == till_id).order_by(Purchase.id.desc()).limit(1))
    if purchase is None or purchase.recorded_at < clock.now() - LAST or is_refunded(session, purchase):
        return None
    award = session.execute(
        select(Award.amount, Program.unit)
        .join(Program, Program.id == Award.program_id)
        .where(Award.purchase_id == purchase.id)
        .order_by(Program.position, Program.id)
    ).first()
    return {
        "purchase": purchase.public_id,
        "award": shape.signed(award[0], views.unit(award[1])) if award else _("Sale"),
        "member": _name(session, purchase.member_id),
        "time": shape.clock_time(purchase.occurred_at),
        "amount": i18n.format_cents(purchase.total_cents),
        "undo_seconds": undo_left(purchase),
    }


def today(session: Session, *, till_id: int) -> list[dict[str, Any]] | None:
    """Return this till's figures of the brand's day; None before the first sale."""
    day = clock.local_date(clock.now(), g.brand.zone)
    sales = (
        select(Purchase.id)
        .outerjoin(Refund, (Refund.purchase_id == Purchase.id) & Refund.whole)
        .where(Purchase.till_id == till_id, Purchase.local_date == day, Refund.id.is_(None))
        .subquery()
    )
    count = session.scalar(select(func.count(sales.c.id))) or 0
    if not count:
        return None
    stamps = session.scalar(select(func.sum(Award.amount)).where(Award.purchase_id.in_(select(sales.c.id)))) or 0
    begins = midnight(day, g.brand.zone)
    newcomers = (Member.outlet_id == g.place.outlet.id, Member.source == "till", Member.joined_at >= begins)
    joined = session.scalar(select(func.count(Member.id)).where(*newcomers)) or 0
    return [
        {"value": count, "label": ngettext("sale today", "sales today", count)},
        {"value": stamps, "label": ngettext("stamp", "stamps", stamps)},
        {"value": joined, "label": ngettext("new member", "new members", joined)},
    ]
