"""Member prices: which hold for whom now, a basket line that has one, and what the outlet is paid for it.

The till puts the member price into the line itself; it is checked here. Source: earning.md, "Settlement".
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import format_cents
from app.core.i18n import gettext as _
from app.core.money import share
from app.ledger import settling
from app.ledger.models import PurchaseLine, RefundLine
from app.ledger.service import Line
from app.ledger.settling import Fact
from app.members import lookup
from app.network.models import Outlet, Till
from app.network.service import zone
from app.rewards import rules
from app.rewards.offer_models import Offer, OfferUse

SOURCE = "offer_use"


class OfferUnknown(NotFound):
    """No member price of this brand has this short name."""

    code = "offer_unknown"


class OfferNotUsable(Conflict):
    """The member price does not hold here and now for this member and these goods; `state` says why."""

    code = "offer_not_usable"


class OfferPriceWrong(Invalid):
    """The line costs more than the member price, or of a percentage the normal price is missing."""

    code = "offer_price_wrong"


@dataclass(frozen=True)
class Wanted:
    """A line of a basket that names a member price.

    `number` is the line's in the basket, from 1; `normal_cents` is what one item costs others, for a percentage.
    """

    number: int
    slug: str
    line: Line
    normal_cents: int | None = None


@dataclass(frozen=True)
class OfferView:
    """A member price that holds; `left` says how many items more today, None where that is not limited."""

    offer: Offer
    left: int | None


@dataclass(frozen=True)
class _Asking:
    """Who asks, where and when; `at` is local."""

    member_id: int
    outlet: str
    at: datetime
    tiers: Collection[str]


def offers_for(
    session: Session, member_id: int, outlet_id: int, at: datetime, *, tiers: Collection[str]
) -> list[OfferView]:
    """Return the member prices that hold for a member at an outlet at a moment, by their short names.

    Args:
        tiers: slugs of the tiers that the member is in.
    """
    asking = _asking(session, member_id, outlet_id, at, tiers)
    found = [offer for offer in session.scalars(select(Offer)) if _why_not(offer, asking) is None]
    had = _had(session, asking) if any(offer.per_day for offer in found) else {}
    views = [OfferView(offer, _left(offer, had)) for offer in sorted(found, key=lambda offer: offer.slug)]
    return [view for view in views if view.left != 0]


def check(
    session: Session, wanted: Sequence[Wanted], *, member_id: int, outlet_id: int, at: datetime, tiers: Collection[str]
) -> dict[int, Offer]:
    """Return the offer of each line that names one: line number → offer. Changes nothing.

    Raises:
        OfferUnknown: no such short name.
        OfferNotUsable: its `state` is too_early, expired, wrong_time, wrong_outlet, wrong_tier, wrong_goods or used_up.
        OfferPriceWrong: the line costs more than the member price; `price_cents` says what that is.
    """
    if not wanted:
        return {}
    slugs = {one.slug for one in wanted}
    known = {offer.slug: offer for offer in session.scalars(select(Offer).where(Offer.slug.in_(slugs)))}
    asking = _asking(session, member_id, outlet_id, at, tiers)
    had = _had(session, asking) if any(offer.per_day for offer in known.values()) else {}
    found: dict[int, Offer] = {}
    for one in wanted:
        offer = known.get(one.slug)
        if offer is None:
            raise OfferUnknown(_("There is no such member price."), offer=one.slug)
        _demand(offer, one, asking, had)
        had[offer.id] = had.get(offer.id, 0) + one.line.quantity
        found[one.number] = offer
    return found


def claim(
    session: Session,
    wanted: Sequence[Wanted],
    *,
    purchase_id: int,
    member_id: int,
    till: Till,
    at: datetime,
    tiers: Collection[str],
) -> list[OfferUse]:
    """Give the lines of a written purchase their member prices, and freeze what the outlet is paid for each item.

    Raises:
        OfferUnknown, OfferNotUsable, OfferPriceWrong: as `check`.
    """
    offers = check(session, wanted, member_id=member_id, outlet_id=till.outlet_id, at=at, tiers=tiers)
    if not offers:
        return []
    numbered = select(PurchaseLine.number, PurchaseLine.id).where(PurchaseLine.purchase_id == purchase_id)
    line_ids = {row.number: row.id for row in session.execute(numbered)}
    day = clock.local_date(at, zone(session).key)
    uses = [
        OfferUse(
            offer_id=offers[one.number].id, member_id=member_id, purchase_id=purchase_id, line_id=line_ids[one.number],
            quantity=one.line.quantity, compensation_cents=offers[one.number].compensation_cents, local_date=day, at=at,
        )
        for one in wanted
    ]  # fmt: skip
    session.add_all(uses)
    session.flush()
    for use, one in zip(uses, wanted, strict=True):
        _settle(session, use, offers[one.number], till=till)
    return uses


def take_back(
    session: Session, *, purchase_id: int, refund_id: int, back: Mapping[int, int], till: Till, at: datetime
) -> None:
    """Take back what an outlet was to be paid for goods that a refund took back.

    Args:
        back: id of the purchase's line → how many items.
    """
    uses = session.scalars(select(OfferUse).where(OfferUse.purchase_id == purchase_id).order_by(OfferUse.id)).all()
    for use in uses:
        cents = use.compensation_cents * back.get(use.line_id, 0)
        settling.reverse(
            session, source_kind=SOURCE, source_id=use.id, cents=cents, till=till, at=at, refund_id=refund_id
        )


def member_price(offer: Offer, normal_cents: int | None) -> int | None:
    """Return what one item costs a member; None where that hangs on a normal price that is not known."""
    if offer.percent_bp is None:
        return offer.price_cents
    return None if normal_cents is None else normal_cents - share(normal_cents, offer.percent_bp)


def _settle(session: Session, use: OfferUse, offer: Offer, *, till: Till) -> None:
    cents = use.quantity * use.compensation_cents
    if cents:
        fact = Fact(
            "member_price", cents, SOURCE, use.id, use.at, purchase_id=use.purchase_id,
            cost_centre_id=offer.cost_centre_id, campaign=offer.campaign, vat_code=offer.vat_code,
        )  # fmt: skip
        settling.freeze(session, fact, till=till)


def _demand(offer: Offer, one: Wanted, asking: _Asking, had: Mapping[int, int]) -> None:
    state = _why_not(offer, asking)
    if state is None and not _fits(offer, one.line):
        state = "wrong_goods"
    left = _left(offer, had)
    if state is None and left is not None and one.line.quantity > left:
        state = "used_up"
    if state is not None:
        raise OfferNotUsable(_("This member price does not hold here."), offer=offer.slug, state=state, line=one.number)
    price = member_price(offer, one.normal_cents)
    if price is None:
        raise OfferPriceWrong(
            _("The normal price of this product is missing."), offer=offer.slug, line=one.number, price_cents=None
        )
    if one.line.unit_price_cents > price:
        raise OfferPriceWrong(
            _("The member price is %(price)s.", price=format_cents(price)), offer=offer.slug, line=one.number,
            price_cents=price,
        )  # fmt: skip


def _why_not(offer: Offer, asking: _Asking) -> str | None:
    """Return why an offer does not hold, as a state of `OfferNotUsable`; None where it does."""
    begins, ends = offer.valid_from, offer.valid_until
    hold = rules.holds_at(asking.at, offer.weekdays, offer.hours_from, offer.hours_to)
    reasons = (
        ("too_early", begins is not None and asking.at < begins),
        ("expired", ends is not None and ends <= asking.at),
        ("wrong_time", not hold),
        ("wrong_outlet", bool(offer.outlets) and asking.outlet not in offer.outlets),
        ("wrong_tier", bool(offer.tiers) and not set(offer.tiers) & set(asking.tiers)),
    )
    return next((state for state, holds in reasons if holds), None)


def _fits(offer: Offer, line: Line) -> bool:
    return not (offer.skus or offer.groups) or line.sku in offer.skus or line.group in offer.groups


def _left(offer: Offer, had: Mapping[int, int]) -> int | None:
    return None if offer.per_day is None else max(offer.per_day - had.get(offer.id, 0), 0)


def _had(session: Session, asking: _Asking) -> dict[int, int]:
    """Return how many items a member had at member prices on the day, less what came back: offer id → items."""
    found: dict[int, int] = {}
    for member_id in lookup.family(session, asking.member_id):
        for offer_id, quantity in _had_by(session, member_id, asking.at.date()):
            found[offer_id] = found.get(offer_id, 0) + quantity
    return found


def _had_by(session: Session, member_id: int, day: date) -> Iterable[tuple[int, int]]:
    came_back = select(func.sum(RefundLine.quantity)).where(RefundLine.line_id == OfferUse.line_id).scalar_subquery()
    rows = session.execute(
        select(OfferUse.offer_id, OfferUse.quantity, came_back).where(
            OfferUse.member_id == member_id, OfferUse.local_date == day
        )
    )
    return [(offer_id, quantity - int(gone or 0)) for offer_id, quantity, gone in rows]


def _asking(session: Session, member_id: int, outlet_id: int, at: datetime, tiers: Collection[str]) -> _Asking:
    outlet = session.get_one(Outlet, outlet_id)
    return _Asking(member_id, outlet.slug, at.astimezone(zone(session)), tiers)
