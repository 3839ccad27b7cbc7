"""What one pass shows in a wallet: the only input of the Apple and the Google side. Pure."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Colors:
    """A brand's colors as `#rrggbb`; the defaults are cobalt paper with citrus ink."""

    brand: str = "#183f8c"  # the card's paper
    on_brand: str = "#f8fbff"  # text on the paper
    on_brand_soft: str = "#c3d6f1"  # labels and empty places on the paper
    ink: str = "#f5d337"  # the stamps
    on_ink: str = "#13295f"  # what is drawn on a stamp


@dataclass(frozen=True, slots=True)
class CouponView:
    """A coupon that can be redeemed now."""

    title: str
    code: str  # 13 symbols, without spaces
    until: str  # a date as the member reads it; empty when it does not expire


@dataclass(frozen=True, slots=True)
class Links:
    """Absolute addresses; an empty one is left out of the pass."""

    card: str = ""  # the card in the web app
    coupons: str = ""  # where the passes of the coupons are taken
    terms: str = ""
    privacy: str = ""
    stop: str = ""  # where messages are stopped
    logo: str = ""  # a PNG that Google fetches, at least 660 pixels square


@dataclass(frozen=True, slots=True, kw_only=True)
class PassView:
    """What every pass knows: whose it is and which brand's, in the member's language."""

    kind: ClassVar[str]  # the one that a template names in `template.toml`

    brand_name: str
    member_name: str
    member_qr: str  # HTTPS://HOST/M/<id>, upper case
    spoken_code: str
    language: str  # fi, sv or en
    colors: Colors = Colors()
    links: Links = Links()
    contact: str = ""  # how to reach the brand, several lines allowed
    news: str = ""  # the one sentence that a phone may announce
    message: str = ""  # the newest one of the brand on this pass


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView(PassView):
    """One member's stamp card.

    `stamps` may be negative after a refund; it is drawn as an empty card and written as it is.
    """

    kind: ClassVar[str] = "stamp_card"

    program_name: str
    unit: str  # plural, such as "stamps"
    stamps: int
    size: int  # stamps that fill the card
    coupons: tuple[CouponView, ...] = ()  # the one that ends first comes first
    prize_icon: str = "gift"  # what the last place on the card shows: gift or cup

    @property
    def balance(self) -> str:
        """Return the stamps of the open card as people read them, such as `8/10`; a debt has a real minus."""
        return f"{self.stamps}/{self.size}".replace("-", "−")


@dataclass(frozen=True, slots=True, kw_only=True)
class BonusView(PassView):
    """One member's card of any kind but a stamp card: an amount that grows, such as bonus euros or points."""

    kind: ClassVar[str] = "bonus_card"

    program_name: str
    balance: str  # as people read it, such as "12,50 €" or "420/500"
    unit: str = ""  # plural, such as "points"
    rate: str = ""  # what a purchase gives, such as "5 %"
    next: str = ""  # the next reward and what is missing; what the card gives where there is none
    expiry: str = ""  # what ends next, what waits and when, a line each; empty when nothing does
    coupons: tuple[CouponView, ...] = ()  # the one that ends first comes first


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponPassView(PassView):
    """A coupon's own pass; after its use or end it says so in place of the code."""

    kind: ClassVar[str] = "coupon"

    title: str
    code: str  # 13 symbols, without spaces: what the till reads
    until: str = ""  # a date as the member reads it
    terms: str = ""
    state: str = "issued"  # issued, redeemed, expired or revoked
    where: str = ""  # the outlets that take it; "any outlet" when all do
    prize_icon: str = "gift"  # what its ticket shows: gift or cup

    @property
    def usable(self) -> bool:
        """Tell whether the code still means something at a till."""
        return self.state == "issued"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftCardView(PassView):
    """A gift card: money that was paid before."""

    kind: ClassVar[str] = "gift_card"

    title: str
    code: str  # without spaces: what the till reads
    balance: str  # as people read it, such as "30,00 €"
    cents: int  # the same for Google, which counts itself
    currency: str = "EUR"
    until: str = ""  # a date as the member reads it; empty when it does not expire
