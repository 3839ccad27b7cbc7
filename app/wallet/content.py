"""A member's card and coupons as both wallets show them, in the member's language."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.faces import Face, face, rate
from app.cards.views import Card
from app.core import clock, i18n
from app.core.i18n import gettext as _
from app.members import lookup
from app.members.models import Member
from app.members.rules import display_name
from app.network import checks
from app.network.models import Brand
from app.rewards.service import CouponView as HeldCoupon
from app.wallet.model import BonusView, CardView, Colors, CouponPassView, CouponView, Links
from app.wallet.models import WalletPass
from app.wallet.values import grouped


def card_view(
    session: Session,
    member: Member,
    card: Card,
    *,
    brand: Brand,
    base_url: str,
    coupons: Sequence[HeldCoupon],
    message: str = "",
) -> CardView | BonusView:
    """Return what a pass of this card shows. Speak the member's language around it.

    Args:
        coupons: all of the member's, usable ones first.
        message: the newest one of the brand on this card.
    """
    ready = tuple(
        CouponView(i18n.pick(held.reward.name), held.code, _day(held.coupon.expires_at, brand))
        for held in coupons
        if held.usable
    )
    shown = face(card, brand.zone)
    common = {
        **_whose(session, member, brand=brand, base_url=base_url),
        "program_name": card.name, "unit": card.unit[1], "coupons": ready, "news": _news(card, shown, ready),
        "message": message,
    }  # fmt: skip
    if card.kind == "stamp_card":
        prize = "cup" if card.icon == "cup" else "gift"
        return CardView(**common, stamps=card.balance, size=card.size, prize_icon=prize)
    percent = rate(card.program.plan) if card.kind == "bonus" else ""
    goal = "" if percent else shown.goal
    return BonusView(**common, balance=shown.short, rate=percent, next=goal, expiry="\n".join(shown.notes))


def _whose(session: Session, member: Member, *, brand: Brand, base_url: str) -> dict[str, Any]:
    """Return what every pass of a member knows."""
    codes = lookup.codes_of(session, member.id)
    return {
        "brand_name": brand.name,
        "member_name": display_name(member.first_name, member.last_name),
        "member_qr": _qr(base_url, codes.code),
        "spoken_code": grouped(codes.spoken),
        "language": i18n.language(),
        "colors": colors_of(brand),
        "links": _links(f"{base_url}/{brand.slug}"),
        "contact": _contact(brand),
    }


def coupon_view(session: Session, member: Member, held: HeldCoupon, *, brand: Brand, base_url: str) -> CouponPassView:
    """Return what a coupon's own pass shows. Speak the member's language around it."""
    return CouponPassView(
        **_whose(session, member, brand=brand, base_url=base_url),
        title=i18n.pick(held.reward.name),
        code=held.code,
        until=_day(held.coupon.expires_at, brand),
        terms=i18n.pick(held.reward.terms) if held.reward.terms else "",
        state=held.state,
        where=_("any outlet"),
        prize_icon="cup" if held.reward.icon == "cup" else "gift",
    )


def objects_of(session: Session, coupon_ids: Sequence[int]) -> tuple[str, ...]:
    """Return the names of the coupons' objects at Google, in the given order; those without one are left out."""
    if not coupon_ids:
        return ()
    wanted = (WalletPass.kind == "google", WalletPass.coupon_id.in_(coupon_ids), WalletPass.served_at.is_not(None))
    rows = session.execute(select(WalletPass.coupon_id, WalletPass.serial).where(*wanted))
    found = dict(rows.all())
    return tuple(found[coupon_id] for coupon_id in coupon_ids if coupon_id in found)


def colors_of(brand: Brand) -> Colors:
    """Return the brand's colors with the text colors that can be read on them."""
    return Colors(
        brand=brand.brand_color,
        on_brand=checks.on_brand(brand.brand_color),
        on_brand_soft=checks.soft_on_brand(brand.brand_color, brand.brand_deep),
        ink=brand.ink,
        on_ink=brand.on_ink,
    )


def _qr(base_url: str, code: str) -> str:
    return f"HTTPS://{urlsplit(base_url).netloc.upper()}/M/{code}"


def _contact(brand: Brand) -> str:
    return "\n".join(filter(None, (brand.name, brand.contact)))


def _links(home: str) -> Links:
    return Links(
        card=f"{home}/",
        coupons=f"{home}/coupons",
        terms=f"{home}/terms",
        privacy=f"{home}/privacy",
        stop=f"{home}/profile",
        logo=f"{home}/icon-logo.png",
    )


def _news(card: Card, shown: Face, coupons: tuple[CouponView, ...]) -> str:
    """Return the state as one line, which changes when anything does: several changes at once are one piece of news."""
    lines = [_("Your card: %(balance)s.", balance=shown.said or card.name)]
    if card.kind != "stamp_card":
        lines += [f"{note}." for note in shown.notes]
    if coupons:
        lines.append(_("Ready to use: %(rewards)s.", rewards=", ".join(coupon.title for coupon in coupons)))
    return " ".join(lines)


def _day(moment: datetime, brand: Brand) -> str:
    return i18n.format_date(clock.local_date(moment, brand.zone))
