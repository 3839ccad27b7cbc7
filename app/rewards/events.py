"""What rewards tell the slices above."""

from dataclasses import dataclass

from app.core.events import Event


@dataclass(frozen=True, kw_only=True)
class CouponIssued(Event):
    """A member got a coupon."""

    coupon_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class CouponChanged(Event):
    """A coupon was redeemed, came back, expired or was revoked."""

    coupon_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class GiftCardChanged(Event):
    """A gift card was loaded, used, given back to, expired or revoked; a bearer's card has no member."""

    gift_card_id: int
    member_id: int | None
