"""What the templates of each kind may ask for. docs/wallet-templates.md lists it; a test compares. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.wallet.model import BonusView, CardView, CouponPassView, CouponView, GiftCardView, PassView
from app.wallet.values import grouped, rgb

Words = Mapping[str, str]  # a template's in one language
Values = dict[str, str]

_GOOGLE_STATES = {"issued": "ACTIVE", "redeemed": "COMPLETED", "expired": "EXPIRED", "revoked": "INACTIVE"}
# The moving code of a card is made with the card's secret, which Apple's pass must not hold.
_MOVING = frozenset({"member.qr_pattern", "member.totp_key"})


def values_of(view: PassView, words: Words) -> Values:
    """Return every value that a template of the view's kind may show, by placeholder, beside its own words.

    All are text: one reader shows whole numbers as empty. `words` are the template's in the member's language.
    """
    return _common(view) | KINDS[view.kind].own(view, words)


def _common(view: PassView) -> Values:
    colors, links = view.colors, view.links
    return {
        "brand.name": view.brand_name,
        "brand.contact": view.contact,
        "brand.background": rgb(colors.brand),
        "brand.foreground": rgb(colors.on_brand),
        "brand.label": rgb(colors.on_brand_soft),
        "brand.hex": colors.brand,
        "link.card": links.card,
        "link.coupons": links.coupons,
        "link.terms": links.terms,
        "link.privacy": links.privacy,
        "link.stop": links.stop,
        "link.logo": links.logo,
        "member.name": view.member_name,
        "member.code": view.spoken_code,
        "member.qr": view.member_qr,
        "pass.news": view.news,
        "pass.message": view.message,
    }


def _stamp_card(view: CardView, words: Words) -> Values:
    return _card(view, words) | {"card.unit": view.unit}


def _bonus_card(view: BonusView, words: Words) -> Values:
    shown = _card(view, words) | {
        "card.unit": view.unit,
        "card.rate": view.rate,
        "card.next": view.next,
        "card.expiry": view.expiry,
        "front.next": "" if view.coupons else view.next,
    }
    return shown | ({"front.member": ""} if shown["front.next"] else {})  # there is room for one of them


def _card(view: CardView | BonusView, words: Words) -> Values:
    first = view.coupons[0] if view.coupons else CouponView("", "", "")
    return {
        "pass.description": f"{view.brand_name}: {view.program_name}",
        "card.program": view.program_name,
        "card.balance": view.balance,
        "coupon.title": first.title,
        "coupon.code": first.code,
        "coupon.grouped": grouped(first.code),
        "coupon.until": first.until,
        "coupon.text": _how_to_use(first, words),
        "coupons.text": "\n\n".join(f"{coupon.title}\n{_how_to_use(coupon, words)}" for coupon in view.coupons),
        # The row of the front holds two fields: a coupon that can be used is worth more than the names.
        "front.program": "" if view.coupons else view.program_name,
        "front.member": "" if view.coupons else view.member_name,
    }


def _coupon(view: CouponPassView, words: Words) -> Values:
    code = view.code if view.usable else ""
    return {
        "pass.description": f"{view.brand_name}: {view.title}",
        "coupon.title": view.title,
        "coupon.code": code,
        "coupon.grouped": grouped(code),
        "coupon.until": view.until,
        "coupon.terms": view.terms,
        "coupon.where": view.where if view.usable else "",
        "coupon.over": "" if view.usable else words.get(view.state, ""),
        "coupon.google_state": _GOOGLE_STATES[view.state],
    }


def _gift_card(view: GiftCardView, _words: Words) -> Values:
    return {
        "pass.description": f"{view.brand_name}: {view.title}",
        "gift.title": view.title,
        "gift.balance": view.balance,
        "gift.code": view.code,
        "gift.grouped": grouped(view.code),
        "gift.until": view.until,
        "gift.micros": str(view.cents * 10_000),  # millionths of the currency
        "gift.currency": view.currency,
    }


def _how_to_use(coupon: CouponView, words: Words) -> str:
    until = f"{words.get('until', '')}: {coupon.until}" if coupon.until else ""
    return "\n".join(line for line in (grouped(coupon.code), until) if line)


@dataclass(frozen=True)
class Kind:
    """One kind of pass: what its templates may and must name."""

    own: Callable[[Any, Words], Values]  # its values beside the common ones
    code: str  # what the barcode of Apple's pass holds
    words: tuple[str, ...]  # words of pass.strings that the values are made with
    names: frozenset[str]  # placeholders of pass.json and google.json
    google_names: frozenset[str] = frozenset()  # those of google.json alone
    google_codes: tuple[str, ...] = ()  # what Google's barcode holds, one of them


def _kind(
    example: PassView, own: Callable[[Any, Words], Values], code: str, *, words: Sequence[str] = (), moves: bool = False
) -> Kind:
    """Build a kind; its placeholders are read off the values of an example, so they can never differ."""
    return Kind(
        own,
        code,
        tuple(words),
        frozenset(_common(example) | own(example, {})),
        _MOVING if moves else frozenset(),
        ("member.qr_pattern", code) if moves else (code,),
    )


_WHO: dict[str, Any] = {"brand_name": "", "member_name": "", "member_qr": "", "spoken_code": "", "language": "en"}
KINDS: dict[str, Kind] = {
    "stamp_card": _kind(
        CardView(**_WHO, program_name="", unit="", stamps=0, size=1),
        _stamp_card,
        "member.qr",
        words=["until"],
        moves=True,
    ),
    "bonus_card": _kind(
        BonusView(**_WHO, program_name="", balance=""), _bonus_card, "member.qr", words=["until"], moves=True
    ),
    "coupon": _kind(
        CouponPassView(**_WHO, title="", code=""), _coupon, "coupon.code", words=["redeemed", "expired", "revoked"]
    ),
    "gift_card": _kind(GiftCardView(**_WHO, title="", code="", balance="", cents=0), _gift_card, "gift.code"),
}
