"""Which picture a view needs where its template says "drawn"; each is drawn once in a process and then shared. Pure."""

from app.wallet import artwork, scenes
from app.wallet.archive import Entry
from app.wallet.model import CardView, CouponPassView, GiftCardView, PassView
from app.wallet.template_source import picture_names

_kept: dict[tuple[object, ...], tuple[Entry, ...]] = {}
_KEEP = 700  # pictures; about 30 kB each at their three scales


def entries(image: str, view: PassView, logo: bytes) -> tuple[Entry, ...]:
    """Return an image at its three scales.

    Args:
        logo: the brand's own at 3x, for an icon that has no picture; empty without one.
    """
    key = (image, view.colors, *(_state(view) if image == "strip" else (logo,) if image == "icon" else ()))
    if (found := _kept.get(key)) is not None:
        return found
    if len(_kept) >= _KEEP:
        _kept.clear()
    names = zip(picture_names(image), artwork.SCALES, strict=True)
    made = _kept[key] = tuple(Entry.of(name, _picture(image, view, scale, logo)) for name, scale in names)
    return made


def stamps_of(view: PassView) -> int:
    """Return how many stamps are drawn: none of a debt, no more than the card has places; 0 on other kinds."""
    return min(max(view.stamps, 0), view.size) if isinstance(view, CardView) else 0


def _state(view: PassView) -> tuple[object, ...]:
    """Return what a strip depends on beside the colors."""
    if isinstance(view, CardView):
        return (view.kind, stamps_of(view), view.size, view.prize_icon)
    if isinstance(view, CouponPassView):
        return (view.kind, view.prize_icon, view.usable)
    return (view.kind,)


def _picture(image: str, view: PassView, scale: int, logo: bytes) -> bytes:
    colors = view.colors
    if image == "icon":
        return artwork.icon(colors, scale, logo)
    if image == "logo":
        return artwork.logo(colors, scale)
    if isinstance(view, CardView):
        return artwork.strip(colors, stamps_of(view), view.size, view.prize_icon, scale)
    if isinstance(view, CouponPassView):
        return scenes.coupon(colors, view.prize_icon, view.usable, scale)
    return (scenes.gift_card if isinstance(view, GiftCardView) else scenes.bonus)(colors, scale)
