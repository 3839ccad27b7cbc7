"""Tables of the network."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Float, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub

RESERVED_SLUGS = frozenset({
    "api", "till", "kiosk", "m", "dev", "brand", "reseller", "assets", "static", "healthz", "readyz", "metrics",
    "hooks", "wallet", "admin", "join", "leima",
})  # fmt: skip
BRAND_ROLES = ("brand_admin", "marketing", "finance", "sales")
RESELLER_ROLES = ("reseller_manager", "cashier")


class Brand(Base):
    """A brand: the owner of its customer register.

    `brand_color`, `brand_deep` and `ink` are `#rrggbb`; a pair under 4.5:1 is refused when saved.
    """

    __tablename__ = "brand"
    __table_args__ = ({"info": {"no_brand": "it is the brand"}},)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(30), unique=True, info={"personal": "none"})
    name: Mapped[str] = mapped_column(String(80), info={"personal": "none"})
    brand_color: Mapped[str] = mapped_column(String(7), default="#183f8c", info={"personal": "none"})
    brand_deep: Mapped[str] = mapped_column(String(7), default="#122b67", info={"personal": "none"})
    ink: Mapped[str] = mapped_column(String(7), default="#f5d337", info={"personal": "none"})
    on_ink: Mapped[str] = mapped_column(String(7), default="#13295f", info={"personal": "none"})
    languages: Mapped[list[str]] = mapped_column(JSON, default=lambda: ["fi", "sv", "en"], info={"personal": "none"})
    default_language: Mapped[str] = mapped_column(String(2), default="fi", info={"personal": "none"})
    zone: Mapped[str] = mapped_column(String(40), default="Europe/Helsinki", info={"personal": "none"})
    lowest_age: Mapped[int] = mapped_column(default=13)
    contact: Mapped[str] = mapped_column(String(120), default="", info={"personal": "none"})  # shown on pass and terms
    welcome_reward_id: Mapped[int | None]  # a reward: an upward reference, checked by check-books
    welcome_at_till: Mapped[bool] = mapped_column(default=False)  # a till that signs up may issue the welcome gift
    grace_days: Mapped[int] = mapped_column(default=30, server_default="30")  # of what comes back expired
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, info={"personal": "none"})


class CostCentre(BrandOwned, Base):
    """Where the brand books what a reward costs."""

    __tablename__ = "cost_centre"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "slug"))

    slug: Mapped[str] = mapped_column(String(40), info={"personal": "none"})
    name: Mapped[str] = mapped_column(String(80), info={"personal": "none"})


class Chain(BrandOwned, Base):
    """A chain of resellers' outlets."""

    __tablename__ = "chain"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "slug"))

    slug: Mapped[str] = mapped_column(String(40), info={"personal": "none"})
    name: Mapped[str] = mapped_column(String(80), info={"personal": "none"})


class Reseller(BrandOwned, Base):
    """A company that sells the brand's goods in its own outlets and is paid back for rewards."""

    __tablename__ = "reseller"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "slug"), points_to("chain_id", "chain"))

    slug: Mapped[str] = mapped_column(String(40), info={"personal": "none"})
    name: Mapped[str] = mapped_column(String(120), info={"personal": "none"})
    public_id: Mapped[str] = pub()
    business_id: Mapped[str] = mapped_column(String(20), info={"personal": "none"})
    vat_number: Mapped[str | None] = mapped_column(String(20), info={"personal": "none"})
    self_billing_since: Mapped[date | None]
    iban: Mapped[str | None] = mapped_column(String(34), info={"personal": "none"})
    chain_id: Mapped[int | None]
    account_manager_id: Mapped[int | None]  # staff of the brand; no foreign key, since staff points to reseller


class Outlet(BrandOwned, Base):
    """A shop or web shop of a reseller."""

    __tablename__ = "outlet"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "slug"),
        CheckConstraint("kind IN ('shop', 'web', 'kiosk')", name="kind"),
        points_to("reseller_id", "reseller"),
        points_to("chain_id", "chain"),
    )

    slug: Mapped[str] = mapped_column(String(40), info={"personal": "none"})  # the outlet's code in files and links
    name: Mapped[str] = mapped_column(String(80), info={"personal": "none"})
    public_id: Mapped[str] = pub()
    kind: Mapped[str] = mapped_column(String(8), default="shop", info={"personal": "none"})
    reseller_id: Mapped[int]
    chain_id: Mapped[int | None]
    street: Mapped[str] = mapped_column(String(120), default="", info={"personal": "none"})
    postcode: Mapped[str] = mapped_column(String(10), default="", info={"personal": "none"})
    city: Mapped[str] = mapped_column(String(60), default="", info={"personal": "none"})
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)


class Till(BrandOwned, Base):
    """A cash register. Its key is shown once and kept as a hash; it names the outlet."""

    __tablename__ = "till"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "outlet_id", "slug"), points_to("outlet_id", "outlet"))

    slug: Mapped[str] = mapped_column(String(40), info={"personal": "none"})
    name: Mapped[str] = mapped_column(String(60), info={"personal": "none"})
    public_id: Mapped[str] = pub()
    outlet_id: Mapped[int]
    key_hash: Mapped[str | None] = mapped_column(String(64), unique=True, info={"personal": "none"})
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Staff(BrandOwned, Base):
    """A person who works for the brand or for a reseller. The email is unique over the installation."""

    __tablename__ = "staff"
    __table_args__ = brand_table(
        Index("ix_staff_reseller", "brand_id", "reseller_id"),
        points_to("reseller_id", "reseller"),
        CheckConstraint("(role IN ('reseller_manager', 'cashier')) = (reseller_id IS NOT NULL)", name="role_fits"),
    )

    public_id: Mapped[str] = pub()
    email: Mapped[str] = mapped_column(String(254), unique=True, info={"personal": "erase"})
    name: Mapped[str] = mapped_column(String(80), info={"personal": "erase"})
    role: Mapped[str] = mapped_column(String(20), info={"personal": "none"})
    reseller_id: Mapped[int | None]
    password_hash: Mapped[str | None] = mapped_column(String(200), info={"personal": "erase"})
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Answer(BrandOwned, Base):
    """The first answer to a till's call under one Idempotency-Key; a replay returns these bytes. Kept 30 days."""

    __tablename__ = "answer"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "till_id", "key"), points_to("till_id", "till"))

    till_id: Mapped[int]
    key: Mapped[str] = mapped_column(String(128), info={"personal": "none"})
    path: Mapped[str] = mapped_column(String(200), info={"personal": "none"})
    body_hash: Mapped[str] = mapped_column(String(64), info={"personal": "none"})
    status: Mapped[int]
    body: Mapped[bytes] = mapped_column(info={"personal": "erase"})  # encrypted: it may hold a name and coupon codes
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
