"""The brand's figures of a period beside the period before it: members, visits, stamps, coupons; by day and by outlet.

A brand without a stamp card has its purchases counted where others have stamps. A purchase that was taken back counts
as none, on the day it was made. The period before ends at this time of day, so that a morning is not compared with a
whole day.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.cards.models import Award, Program
from app.core import clock
from app.core.db import brand_of
from app.ledger.models import Purchase, Refund
from app.members.models import Member
from app.network.models import Outlet, Reseller
from app.reports import days as calendar
from app.reports import programs
from app.reports.programs import ProgramFigures
from app.reports.register import LIVE
from app.rewards.models import Coupon, Redemption

LENGTHS = (7, 30, 90)  # days of a period
Measure = Literal["stamps", "purchases"]


@dataclass(frozen=True)
class Period:
    """Whole local days up to this moment, and as much of the days before."""

    days: list[date]
    start: datetime
    now: datetime
    before_start: datetime
    before_end: datetime
    zone: str


@dataclass(frozen=True)
class Pair:
    """A figure of the period and of the one before."""

    value: int
    before: int


@dataclass(frozen=True)
class OutletFigures:
    """What one outlet did; `stamps_before` in the period before. Sales in cents."""

    name: str
    reseller: str
    stamps: int
    stamps_before: int
    sales: int
    sales_cents: int
    redeemed: int


@dataclass(frozen=True)
class Dashboard:
    """All figures of the page. Series hold one figure for each day of the period.

    `stamps` are purchases where `measure` says so.
    """

    period: Period
    measure: Measure
    members: int
    joined: Pair
    active: Pair
    stamps: Pair
    issued: Pair
    redeemed: Pair
    stamps_by_day: list[int]
    joined_by_day: list[int]
    issued_by_day: list[int]
    redeemed_by_day: list[int]
    outlets: list[OutletFigures]
    programs: list[ProgramFigures]


def period(length: int, zone: str) -> Period:
    """Return the period of so many local days that ends now."""
    now = clock.now()
    days = calendar.span(clock.local_date(now, zone), length)
    start = calendar.midnight(days[0], zone)
    before_start = calendar.midnight(days[0] - timedelta(days=length), zone)
    return Period(days, start, now, before_start, calendar.back(now, length, zone), zone)


def dashboard(session: Session, *, days: int, zone: str) -> Dashboard:
    """Return the brand's figures of the last `days` local days."""
    span, measure = period(days, zone), _measure(session)
    joined = (Member.brand_id == brand_of(session), Member.state.in_(LIVE))
    issued = (Coupon.brand_id == brand_of(session),)
    used = (Redemption.brand_id == brand_of(session), Redemption.reversed_at.is_(None))
    return Dashboard(
        period=span,
        measure=measure,
        members=session.scalar(select(func.count(Member.id)).where(*joined)) or 0,
        joined=_pair(session, Member.joined_at, joined, span),
        active=Pair(_active(session, span.start, span.now), _active(session, span.before_start, span.before_end)),
        stamps=Pair(
            _stamps(session, measure, span.start, span.now),
            _stamps(session, measure, span.before_start, span.before_end),
        ),
        issued=_pair(session, Coupon.issued_at, issued, span),
        redeemed=_pair(session, Redemption.occurred_at, used, span),
        stamps_by_day=_stamps_by_day(session, measure, span),
        joined_by_day=_by_day(session, Member.joined_at, joined, span),
        issued_by_day=_by_day(session, Coupon.issued_at, issued, span),
        redeemed_by_day=_by_day(session, Redemption.occurred_at, used, span),
        outlets=_outlets(session, measure, span),
        programs=programs.figures(session, (span.start, span.now), (span.before_start, span.before_end)),
    )


def _measure(session: Session) -> Measure:
    found = session.scalar(select(Program.id).where(Program.kind == "stamp_card").limit(1))
    return "stamps" if found is not None else "purchases"


def _counted(measure: Measure, *columns: Any) -> Any:
    """Select columns beside what is counted: the stamps of purchases, or the purchases themselves."""
    if measure == "purchases":
        return select(*columns, func.count(Purchase.id)).select_from(Purchase)
    return (
        select(*columns, func.sum(Award.amount))
        .select_from(Purchase)
        .join(Award, Award.purchase_id == Purchase.id)
        .join(Program, (Program.id == Award.program_id) & (Program.kind == "stamp_card"))
    )


Moment = InstrumentedAttribute[datetime]
Conditions = tuple[ColumnElement[bool], ...]


def _pair(session: Session, moment: Moment, conditions: Conditions, span: Period) -> Pair:
    counts = [
        session.scalar(select(func.count()).where(*conditions, moment >= start, moment <= end)) or 0
        for start, end in ((span.start, span.now), (span.before_start, span.before_end))
    ]
    return Pair(*counts)


def _by_day(session: Session, moment: Moment, conditions: Conditions, span: Period) -> list[int]:
    day = calendar.local_day(session, moment, first=span.days[0], last=span.days[-1], zone=span.zone).label("local_day")
    rows = select(day).where(*conditions, moment >= span.start, moment <= span.now).subquery()
    counted = session.execute(select(rows.c.local_day, func.count()).group_by(rows.c.local_day))
    found: dict[int, int] = dict(counted.all())
    return [found.get(calendar.number(day), 0) for day in span.days]


def _kept(start: datetime, end: datetime, brand_id: int) -> Conditions:
    """Return the conditions of purchases in a time that were not taken back; to be joined with `_REFUND` outside."""
    inside = and_(Purchase.brand_id == brand_id, Purchase.occurred_at >= start, Purchase.occurred_at <= end)
    return (inside, Refund.id.is_(None))


_REFUND = (Refund.purchase_id == Purchase.id) & Refund.whole


def _active(session: Session, start: datetime, end: datetime) -> int:
    """Count the members who bought something; a card that was merged counts as the one it became."""
    who = func.coalesce(Member.merged_into_id, Member.id)
    bought = (
        select(func.count(who.distinct()))
        .select_from(Purchase)
        .join(Member, Member.id == Purchase.member_id)
        .outerjoin(Refund, _REFUND)
        .where(*_kept(start, end, brand_of(session)))
    )
    return session.scalar(bought) or 0


def _stamps(session: Session, measure: Measure, start: datetime, end: datetime) -> int:
    given = _counted(measure).outerjoin(Refund, _REFUND).where(*_kept(start, end, brand_of(session)))
    return int(session.scalar(given) or 0)


def _stamps_by_day(session: Session, measure: Measure, span: Period) -> list[int]:
    given = (
        _counted(measure, Purchase.local_date)
        .outerjoin(Refund, _REFUND)
        .where(*_kept(span.start, span.now, brand_of(session)))
        .group_by(Purchase.local_date)
    )
    found = {day: int(amount or 0) for day, amount in session.execute(given)}
    return [found.get(day, 0) for day in span.days]


def _outlets(session: Session, measure: Measure, span: Period) -> list[OutletFigures]:
    """Return the figures of each outlet; none at all when no outlet has any."""
    stamps, before = (
        _stamps_by_outlet(session, measure, *times)
        for times in ((span.start, span.now), (span.before_start, span.before_end))
    )
    sales = _sales_by_outlet(session, span)
    used = (
        select(Redemption.outlet_id, func.count())
        .where(Redemption.brand_id == brand_of(session), Redemption.reversed_at.is_(None))
        .where(Redemption.occurred_at >= span.start, Redemption.occurred_at <= span.now)
        .group_by(Redemption.outlet_id)
    )
    redeemed = dict(session.execute(used).all())
    if not (stamps or before or sales or redeemed):
        return []
    rows = session.execute(
        select(Outlet.id, Outlet.name, Reseller.name).join(Reseller, Reseller.id == Outlet.reseller_id)
    ).all()
    return [
        OutletFigures(name, owner, stamps.get(k, 0), before.get(k, 0), *sales.get(k, (0, 0)), redeemed.get(k, 0))
        for k, name, owner in rows
    ]


def _stamps_by_outlet(session: Session, measure: Measure, start: datetime, end: datetime) -> dict[int, int]:
    given = (
        _counted(measure, Purchase.outlet_id)
        .outerjoin(Refund, _REFUND)
        .where(*_kept(start, end, brand_of(session)))
        .group_by(Purchase.outlet_id)
    )
    return {outlet: int(amount or 0) for outlet, amount in session.execute(given)}


def _sales_by_outlet(session: Session, span: Period) -> dict[int, tuple[int, int]]:
    sold = (
        select(Purchase.outlet_id, func.count(Purchase.id), func.sum(Purchase.total_cents))
        .outerjoin(Refund, _REFUND)
        .where(*_kept(span.start, span.now, brand_of(session)))
        .group_by(Purchase.outlet_id)
    )
    return {outlet: (count, int(cents or 0)) for outlet, count, cents in session.execute(sold)}
