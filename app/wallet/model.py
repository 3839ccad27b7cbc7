"""What one card shows in a wallet: the only input of the Apple and the Google side. Pure."""

from dataclasses import dataclass


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
    terms: str = ""
    privacy: str = ""
    stop: str = ""  # where messages are stopped
    logo: str = ""  # a PNG that Google fetches, at least 660 pixels square


@dataclass(frozen=True, slots=True)
class CardView:
    """One member's stamp card, in the member's language.

    `stamps` may be negative after a refund; it is drawn as an empty card and written as it is.
    """

    brand_name: str
    program_name: str
    unit: str  # plural, such as "stamps"
    stamps: int
    size: int  # stamps that fill the card
    member_name: str
    member_qr: str  # HTTPS://HOST/M/<id>, upper case
    spoken_code: str
    language: str  # fi, sv or en
    colors: Colors = Colors()
    coupons: tuple[CouponView, ...] = ()  # the one that ends first comes first
    links: Links = Links()
    contact: str = ""  # how to reach the brand, several lines allowed
    news: str = ""  # the one sentence that a phone may announce
    prize_icon: str = "gift"  # what the last place on the card shows: gift or cup

    @property
    def balance(self) -> str:
        """Return the stamps of the open card as people read them, such as `8/10`; a debt has a real minus."""
        return f"{self.stamps}/{self.size}".replace("-", "−")
