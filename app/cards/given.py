"""What coupons and gift cards add to a member's story."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import sources
from app.cards.happenings import Gain, Happening
from app.core.i18n import gettext as _
from app.core.i18n import pick
from app.network.models import Outlet, Till
from app.rewards.models import Coupon, GiftCard, GiftCardEntry, Redemption, Reward

_GIFT_CARDS = {
    "load": "gift_card_issued", "use": "gift_card_used", "reverse_use": "gift_card_returned",
    "expire": "gift_card_expired", "revoke": "gift_card_revoked",
}  # fmt: skip


def of_member(session: Session, member_id: int) -> list[Happening]:
    """Return what happened to the coupons and gift cards that a member holds, in no order."""
    return [*_coupons(session, member_id), *_redemptions(session, member_id), *_gift_cards(session, member_id)]


def _coupons(session: Session, member_id: int) -> list[Happening]:
    # Cut by the story: in the order of time SQLite would walk the brand's coupons, and its redemptions below.
    rows = session.execute(
        select(Coupon, Reward.name).join(Reward, Reward.id == Coupon.reward_id).where(Coupon.member_id == member_id)
    ).all()
    given = sources.reasons(session, [coupon for coupon, _name in rows])
    lines = []
    for coupon, name in rows:
        title, why = pick(name), given.get((coupon.source_kind, coupon.source_id), _("A gift for you"))
        lines.append(_about(coupon, "coupon_issued", coupon.issued_at, title, why))
        if coupon.state in ("revoked", "expired") and coupon.ended_at:
            words = {"expired": _("Its time ran out"), "revoked": _("What had earned it was taken back")}
            lines.append(_about(coupon, f"coupon_{coupon.state}", coupon.ended_at, title, words[coupon.state]))
    return lines


def _about(coupon: Coupon, kind: str, at: datetime, title: str, why: str) -> Happening:
    return Happening(kind=kind, at=at, title=title, reasons=(why,), public_id=coupon.public_id)


def _redemptions(session: Session, member_id: int) -> list[Happening]:
    coupons = session.scalars(select(Coupon.id).where(Coupon.member_id == member_id)).all()
    if not coupons:
        return []
    rows = session.execute(
        select(Redemption, Reward.name, Outlet.name, Coupon.public_id, Till.name)
        .join(Coupon, Coupon.id == Redemption.coupon_id)
        .join(Reward, Reward.id == Coupon.reward_id)
        .join(Outlet, Outlet.id == Redemption.outlet_id)
        .outerjoin(Till, Till.id == Redemption.reversed_till_id)
        .where(Redemption.coupon_id.in_(coupons))
    )
    lines = []
    for row, name, outlet, public_id, till in rows:
        used = Happening(
            kind="coupon_redeemed", at=row.occurred_at, title=pick(name), outlet=outlet, public_id=public_id
        )
        lines.append(used)
        if row.reversed_at:
            why = _("Its use was undone at %(till)s", till=till) if till else _("It came back with a refund")
            lines.append(replace(used, kind="coupon_returned", at=row.reversed_at, reasons=(why,)))
    return lines


def _gift_cards(session: Session, member_id: int) -> list[Happening]:
    """Return what happened to a member's gift cards; a merge has handed over those of the others."""
    rows = session.execute(
        select(GiftCardEntry, GiftCard, Reward.name, Outlet.name)
        .join(GiftCard, GiftCard.id == GiftCardEntry.gift_card_id)
        .outerjoin(Reward, Reward.id == GiftCard.reward_id)
        .outerjoin(Outlet, Outlet.id == GiftCardEntry.outlet_id)
        .where(GiftCard.member_id == member_id)
    ).all()
    given = sources.reasons(session, [card for _entry, card, _name, _outlet in rows])
    return [
        Happening(
            kind=_GIFT_CARDS[entry.kind],
            at=entry.occurred_at,
            title=pick(name) if name else _("Gift card"),
            outlet=outlet,
            gains=(Gain("gift_card", entry.amount_cents),),
            reasons=tuple(
                filter(None, [given.get((card.source_kind, card.source_id))] if entry.kind == "load" else [])
            ),
            public_id=card.public_id,
        )
        for entry, card, name, outlet in rows
    ]
