"""What this till has done: the big result of the last form, the row that can be undone, today's figures."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import g
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.cards import reasons, units
from app.cards.models import Award, Program, RewardIssue
from app.cards.programs import in_force
from app.core import clock, i18n
from app.core.i18n import gettext as _
from app.core.i18n import ngettext
from app.doors.till import prepaid_results, shape
from app.ledger.models import Account, LedgerEntry, Purchase, Refund
from app.members import lookup
from app.members.models import Member
from app.reports.days import midnight
from app.rewards.models import Coupon, GiftCard, Redemption, Reward

SHOWN = timedelta(minutes=10)  # a result stays this long; a page left open says no more after that
LAST = timedelta(hours=12)
EARNING = frozenset({"stamp_card", "bonus", "points", "visits", "cash_back"})  # kinds that a sale adds to


def is_refunded(session: Session, purchase: Purchase) -> bool:
    """Tell whether a purchase was taken back."""
    return session.scalar(select(Refund.id).where(Refund.purchase_id == purchase.id, Refund.whole)) is not None


def find(session: Session, done: str, *, till_id: int) -> dict[str, Any] | None:
    """Return what a form of this till did, by the public id of what it made; None for anything else."""
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
        return prepaid_results.find(session, done, till_id=till_id, since=fresh)
    title = _("%(coupon)s redeemed", coupon=i18n.pick(used[0]))
    return prepaid_results.result("redeemed", title, prepaid_results.name(session, used[1]))


def _sub(session: Session, purchase: Purchase) -> str:
    told = f"{prepaid_results.name(session, purchase.member_id)}, {i18n.format_cents(purchase.total_cents)}"
    if purchase.due_cents == purchase.total_cents:
        return told
    return f"{told}, {_('%(amount)s to pay', amount=i18n.format_cents(purchase.due_cents))}"


def _undone(session: Session, purchase: Purchase) -> dict[str, Any]:
    return prepaid_results.result(
        "undone", _("Sale undone"), _sub(session, purchase), card=_card(session, purchase.member_id)
    )


def _sale(session: Session, purchase: Purchase) -> dict[str, Any]:
    rows = session.execute(
        select(Award, Program)
        .join(Program, Program.id == Award.program_id)
        .where(Award.purchase_id == purchase.id)
        .order_by(Program.position, Program.id)
    ).all()
    if not rows:
        return prepaid_results.result("sale", _("Sale recorded"), _sub(session, purchase))
    given_rewards, cards = _rewards(session, purchase)
    filled = ngettext("Card filled: %(n)s coupon", "Card filled: %(n)s coupons", cards) if cards else ""
    if given_rewards and not cards:
        filled = ngettext("%(n)s reward for the member", "%(n)s rewards for the member", len(given_rewards))
    earning = [(award, program) for award, program in rows if program.kind in EARNING] or rows[:1]
    given = [shape.signed(program.kind, award.amount, units.unit(program.unit)) for award, program in earning]
    more = [text for (award, _program), text in zip(earning[1:], given[1:], strict=True) if award.amount]
    return prepaid_results.result(
        "sale", given[0], _sub(session, purchase), fills=len(given_rewards), filled=filled, more=more,
        reasons=_reasons(earning), quiet=not any(award.amount for award, _program in earning), coupons=given_rewards,
        card=_card(session, purchase.member_id),
    )  # fmt: skip


def _reasons(given: Sequence[tuple[Award, Program]]) -> list[str]:
    """Return why awards are nothing or less, each with its program where there are several."""
    told = [
        (i18n.pick(program.name), reasons.sentence(award.reason, award.details, kind=program.kind))
        for award, program in given
    ]
    return [f"{name}: {said}" if len(told) > 1 else said for name, said in told if said]


def _card(session: Session, member_id: int) -> dict[str, Any] | None:
    member = lookup.live(session, member_id)
    card = shape.cards(session, member.id)[0] if member else None
    return card if card and card["kind"] else None


def _rewards(session: Session, purchase: Purchase) -> tuple[list[dict[str, str]], int]:
    """Return the coupons and gift cards that a purchase brought, and how many of them full stamp cards gave."""
    fills = dict(
        session.execute(
            select(LedgerEntry.id, Program.kind)
            .join(Account, Account.id == LedgerEntry.account_id)
            .join(Program, Program.id == Account.program_id)
            .where(LedgerEntry.purchase_id == purchase.id, LedgerEntry.kind == "fill")
        ).all()
    )
    issues = session.scalars(select(RewardIssue.id).where(RewardIssue.purchase_id == purchase.id)).all()
    sources = {"fill": list(fills), "issue": list(issues)}
    found: list[Any] = []
    for table in (Coupon, GiftCard):
        for kind, ids in sources.items():
            wanted = select(table, Reward.name).join(Reward, Reward.id == table.reward_id)
            if ids:
                found += session.execute(wanted.where(table.source_kind == kind, table.source_id.in_(ids))).all()
    cards = sum(row.source_kind == "fill" and fills[row.source_id] == "stamp_card" for row, _name in found)
    return [{"title": i18n.pick(name), "until": _until(row.expires_at)} for row, name in found], cards


def _until(at: datetime | None) -> str:
    return _("until %(day)s", day=shape.short_day(at)) if at else ""


def last(session: Session, *, till_id: int) -> dict[str, Any] | None:
    """Return what this till did last: its newest sale, or what was used or sold in advance while that can be undone."""
    purchase = session.scalar(select(Purchase).where(Purchase.till_id == till_id).order_by(Purchase.id.desc()).limit(1))
    if purchase and (purchase.recorded_at < clock.now() - LAST or is_refunded(session, purchase)):
        purchase = None
    newest = prepaid_results.newest(session, till_id=till_id)
    if newest is not None and (purchase is None or newest[0] > purchase.recorded_at):
        return newest[1]
    return _last_sale(session, purchase) if purchase else None


def _last_sale(session: Session, purchase: Purchase) -> dict[str, Any]:
    award = session.execute(
        select(Program.kind, Award.amount, Program.unit)
        .join(Program, Program.id == Award.program_id)
        .where(Award.purchase_id == purchase.id)
        .order_by(Program.position, Program.id)
    ).first()
    amount = i18n.format_cents(purchase.total_cents)
    return {
        "field": "purchase",
        "id": purchase.public_id,
        "award": shape.signed(award[0], award[1], units.unit(award[2])) if award else _("Sale"),
        "whom": _("to %(member)s", member=prepaid_results.name(session, purchase.member_id)),
        "detail": f"{shape.clock_time(purchase.occurred_at)}, {amount}",
        "undo_seconds": prepaid_results.left(purchase.recorded_at),
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
    begins = midnight(day, g.brand.zone)
    newcomers = (Member.outlet_id == g.place.outlet.id, Member.source == "till", Member.joined_at >= begins)
    joined = session.scalar(select(func.count(Member.id)).where(*newcomers)) or 0
    return [
        {"value": count, "label": ngettext("sale today", "sales today", count)},
        *_given(session, select(sales.c.id)),
        {"value": joined, "label": ngettext("new member", "new members", joined)},
    ]


def _given(session: Session, sales: Select[int]) -> list[dict[str, Any]]:
    """Return what the brand's first program gave with some sales, in its unit; nothing where it earns nothing."""
    program = next(iter(in_force(session, clock.now())), None)
    if program is None or program.kind not in EARNING:
        return []
    mine = select(func.sum(Award.amount)).where(Award.purchase_id.in_(sales), Award.program_id == program.id)
    given = int(session.scalar(mine) or 0)
    forms = units.unit(program.unit)
    label = forms[0] if given == 1 and program.kind not in units.MONEY else forms[1]
    return [{"value": units.number(program.kind, given), "label": label}]
