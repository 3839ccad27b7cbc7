"""Tables of rewards and coupons."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub

REWARD_KINDS = ("product", "discount_cents", "discount_percent", "service", "free_text")
COUPON_STATES = ("issued", "redeemed", "expired", "revoked")


class Reward(BrandOwned, Base):
    """What a member may get, and what the outlet that gives it is paid."""

    __tablename__ = "reward"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "slug"), points_to("cost_centre_id", "cost_centre"))

    slug: Mapped[str] = mapped_column(String(40), info={"personal": "none"})
    kind: Mapped[str] = mapped_column(String(20), default="product", info={"personal": "none"})
    name: Mapped[dict[str, str]] = mapped_column(JSON, info={"personal": "none"})  # language → text
    terms: Mapped[dict[str, str]] = mapped_column(JSON, default=dict, info={"personal": "none"})
    icon: Mapped[str] = mapped_column(String(10), default="cup", info={"personal": "none"})
    face_cents: Mapped[int] = mapped_column(default=0)  # value for the member
    settlement_cents: Mapped[int] = mapped_column(default=0)  # paid to the outlet
    fee_cents: Mapped[int] = mapped_column(default=0)  # handling fee of the outlet
    cost_centre_id: Mapped[int | None]
    valid_days: Mapped[int] = mapped_column(default=60)


class Coupon(BrandOwned, Base):
    """A right to one reward, once. The code of 60 bits is sealed; its hash finds it."""

    __tablename__ = "coupon"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "code_hash"),
        points_to("member_id", "member"),
        points_to("reward_id", "reward"),
        CheckConstraint("state IN ('issued', 'redeemed', 'expired', 'revoked')", name="state"),
        Index("ix_coupon_member", "brand_id", "member_id"),
        Index("ix_coupon_due", "state", "expires_at"),
        Index("ix_coupon_day", "brand_id", "issued_at"),
        Index("uq_coupon_source", "brand_id", "source_kind", "source_id", unique=True),
    )

    public_id: Mapped[str] = pub()
    member_id: Mapped[int]
    reward_id: Mapped[int]
    code: Mapped[bytes] = mapped_column(info={"personal": "erase"})
    code_hash: Mapped[str] = mapped_column(String(64), info={"personal": "none"})
    last_four: Mapped[str] = mapped_column(String(4), info={"personal": "none"})
    state: Mapped[str] = mapped_column(String(8), default="issued", info={"personal": "none"})
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # expired or revoked
    source_kind: Mapped[str] = mapped_column(String(20), info={"personal": "none"})  # fill, welcome
    source_id: Mapped[int]  # the ledger entry of the fill, or the welcome gift


class Redemption(BrandOwned, Base):
    """A coupon used at a till; what the outlet is paid is frozen here. A coupon has one live redemption at most."""

    __tablename__ = "redemption"
    __table_args__ = brand_table(
        points_to("coupon_id", "coupon"),
        points_to("till_id", "till"),
        points_to("outlet_id", "outlet"),
        points_to("purchase_id", "purchase"),
        points_to("scan_id", "scan"),
        points_to("cost_centre_id", "cost_centre"),
        Index("ix_redemption_scan", "brand_id", "scan_id"),
        Index("ix_redemption_coupon", "brand_id", "coupon_id"),
        Index("ix_redemption_purchase", "brand_id", "purchase_id"),
        Index(
            "uq_redemption_live", "brand_id", "coupon_id", unique=True,
            sqlite_where=text("reversed_at IS NULL"), postgresql_where=text("reversed_at IS NULL"),
        ),
        Index("ix_redemption_day", "brand_id", "occurred_at"),
    )  # fmt: skip

    public_id: Mapped[str] = pub()
    coupon_id: Mapped[int]
    till_id: Mapped[int]
    outlet_id: Mapped[int]
    purchase_id: Mapped[int | None]
    scan_id: Mapped[int | None]  # of the member's code it was redeemed with: the next sale of that scan is its basket
    settlement_cents: Mapped[int]
    fee_cents: Mapped[int]
    cost_centre_id: Mapped[int | None]
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reversed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WelcomeGift(BrandOwned, Base):
    """Remembers that a contact has had its welcome gift, by hash, also after the member is gone."""

    __tablename__ = "welcome_gift"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "contact_hash"))

    contact_hash: Mapped[str] = mapped_column(String(64), info={"personal": "keep"})
    at: Mapped[datetime] = mapped_column(UtcDateTime)
