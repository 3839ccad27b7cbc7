"""A member's card as both wallets show it, in the member's language."""

from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from app.cards.views import Card
from app.core import clock, i18n
from app.core.i18n import gettext as _
from app.members import lookup
from app.members.models import Member
from app.members.rules import display_name
from app.network import checks
from app.network import service as network
from app.network.models import Brand
from app.rewards import service as rewards
from app.wallet.apple import Place
from app.wallet.model import CardView, Colors, CouponView, Links
from app.wallet.values import grouped

MOST_PLACES = 10  # Apple ignores more


def card_view(session: Session, member: Member, card: Card, *, brand: Brand, base_url: str) -> CardView:
    """Return what a pass of this card shows. Speak the member's language around it."""
    codes = lookup.codes_of(session, member.id)
    coupons = tuple(
        CouponView(i18n.pick(view.reward.name), view.code, _day(view.coupon.expires_at, brand))
        for view in rewards.of_member(session, member.id)
        if view.usable
    )
    stamps = card.stamps - card.owed
    return CardView(
        brand_name=brand.name,
        program_name=card.name,
        unit=card.unit[1],
        stamps=stamps,
        size=card.size,
        member_name=display_name(member.first_name, member.last_name),
        member_qr=f"HTTPS://{urlsplit(base_url).netloc.upper()}/M/{codes.code}",
        spoken_code=grouped(codes.spoken),
        language=i18n.language(),
        colors=colors_of(brand),
        coupons=coupons,
        links=_links(f"{base_url}/{brand.slug}"),
        contact="\n".join(filter(None, (brand.name, brand.contact))),
        news=_news(stamps, card, coupons),
        prize_icon="cup" if card.icon == "cup" else "gift",
    )


def places(session: Session, member: Member) -> list[Place]:
    """Return the outlets near which the phone offers the card: at most ten, the one that signed the member up first."""
    shops = [
        (outlet.id != member.outlet_id, outlet.name, outlet.latitude, outlet.longitude)
        for outlet in network.outlets(session)
        if outlet.kind != "web"
    ]
    return [
        Place(latitude, longitude, _("%(outlet)s: show your card at the till", outlet=name))
        for _other, name, latitude, longitude in sorted(shops, key=lambda shop: shop[:2])
        if latitude is not None and longitude is not None
    ][:MOST_PLACES]


def colors_of(brand: Brand) -> Colors:
    """Return the brand's colors with the text colors that can be read on them."""
    return Colors(
        brand=brand.brand_color,
        on_brand=checks.on_brand(brand.brand_color),
        on_brand_soft=checks.soft_on_brand(brand.brand_color, brand.brand_deep),
        ink=brand.ink,
        on_ink=brand.on_ink,
    )


def _links(home: str) -> Links:
    return Links(
        card=f"{home}/",
        terms=f"{home}/terms",
        privacy=f"{home}/privacy",
        stop=f"{home}/profile",
        logo=f"{home}/icon-logo.png",
    )


def _news(stamps: int, card: Card, coupons: tuple[CouponView, ...]) -> str:
    """Return the state as one line, which changes when anything does: several changes at once are one piece of news."""
    shown = str(stamps).replace("-", "−")
    lines = [_("Your card: %(stamps)s of %(size)s %(unit)s.", stamps=shown, size=card.size, unit=card.unit[1])]
    if coupons:
        lines.append(_("Ready to use: %(rewards)s.", rewards=", ".join(coupon.title for coupon in coupons)))
    return " ".join(lines)


def _day(moment: datetime, brand: Brand) -> str:
    return i18n.format_date(clock.local_date(moment, brand.zone))
