"""Tables of member prices: what is offered to whom, and each line of a basket that had it."""

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to
from app.rewards.models import names


class Offer(BrandOwned, Base):
    """A price for members: what the goods cost them, when and where, and what the outlet is paid for each item."""

    __tablename__ = "offer"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "slug"),
        points_to("cost_centre_id", "cost_centre"),
        CheckConstraint("(price_cents IS NULL) <> (percent_bp IS NULL)", name="price"),
    )

    slug: Mapped[str] = mapped_column(String(40), info={"personal": "none"})
    name: Mapped[dict[str, str]] = mapped_column(JSON, info={"personal": "none"})  # language → text
    price_cents: Mapped[int | None]  # of one item, or
    percent_bp: Mapped[int | None]  # what is taken off its normal price
    skus: Mapped[list[str]] = names()  # these goods or groups; both empty is all goods
    groups: Mapped[list[str]] = names()
    valid_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the first moment at which it is over
    weekdays: Mapped[list[str]] = names()  # mon … sun; empty is every day
    hours_from: Mapped[str] = mapped_column(String(5), default="", info={"personal": "none"})  # HH:MM in the brand's
    hours_to: Mapped[str] = mapped_column(String(5), default="", info={"personal": "none"})  # zone; empty is all day
    outlets: Mapped[list[str]] = names()  # slugs; empty is everywhere
    tiers: Mapped[list[str]] = names()  # slugs; empty is every member
    per_day: Mapped[int | None]  # items for one member on a local day; null is as many as they like
    compensation_cents: Mapped[int] = mapped_column(default=0)  # paid to the outlet for each item
    cost_centre_id: Mapped[int | None]
    campaign: Mapped[str | None] = mapped_column(String(40), info={"personal": "none"})
    vat_code: Mapped[str] = mapped_column(String(20), default="", info={"personal": "none"})


class OfferUse(BrandOwned, Base):
    """A line of a purchase that had a member price. What came back of it, the refund lines of that line say."""

    __tablename__ = "offer_use"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "line_id"),
        points_to("offer_id", "offer"),
        points_to("member_id", "member"),
        points_to("purchase_id", "purchase"),
        points_to("line_id", "purchase_line"),
        Index("ix_offer_use_purchase", "purchase_id", "brand_id"),
        Index("ix_offer_use_member", "member_id", "brand_id", "local_date"),
        CheckConstraint("quantity > 0 AND compensation_cents >= 0", name="some"),
        append_only=True,
    )

    offer_id: Mapped[int]
    member_id: Mapped[int]
    purchase_id: Mapped[int]
    line_id: Mapped[int]
    quantity: Mapped[int]
    compensation_cents: Mapped[int]  # of one item, frozen
    local_date: Mapped[date]  # in the brand's zone
    at: Mapped[datetime] = mapped_column(UtcDateTime)
