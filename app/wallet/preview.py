"""What a template's pictures look like on an example, for the console."""

from typing import Any

from sqlalchemy.orm import Session

from app.cards.programs import in_force
from app.core import clock, i18n
from app.network.models import Brand
from app.wallet import content
from app.wallet.model import BonusView, CardView, CouponPassView, GiftCardView, PassView
from app.wallet.templates import Template

SIZE = 10  # of a card where the brand has no program yet
SHOWN = ("logo", "icon", "strip")


def images(session: Session, template: Template, brand: Brand) -> dict[str, bytes]:
    """Return the pictures of a template at 2x, by image, as an example card of the brand shows them."""
    by_name = {entry.name: entry.data for entry in template.entries(example(session, template, brand))}
    found = {image: by_name.get(f"{image}@2x.png") for image in SHOWN}
    return {image: data for image, data in found.items() if data is not None}


def example(session: Session, template: Template, brand: Brand) -> PassView:
    """Return a pass that nobody has: a card with most of its stamps, a coupon, some euros."""
    common: dict[str, Any] = {
        "brand_name": brand.name, "member_name": "", "member_qr": "HTTPS://LEIMA.EXAMPLE/M/ABCDEFGH23456789",
        "spoken_code": "ABCD 2345", "language": i18n.language(), "colors": content.colors_of(brand),
    }  # fmt: skip
    if template.kind == "coupon":
        return CouponPassView(**common, title="", code="ABCDEFGH2345")
    if template.kind == "gift_card":
        return GiftCardView(**common, title="", code="ABCDEFGH2345", balance="30,00 €", cents=3000)
    if template.kind == "bonus_card":
        return BonusView(**common, program_name="", balance="12,50 €")
    programs = in_force(session, clock.now())
    size = next((program.size for program in programs if program.size), SIZE)
    return CardView(**common, program_name="", unit="", stamps=max(1, size * 7 // 10), size=size)
