"""Tables of rewards and coupons."""

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub

REWARD_KINDS = ("product", "discount_cents", "discount_percent", "gift_card", "service", "invitation", "free_text")
COUPON_STATES = ("issued", "redeemed", "expired", "revoked")


def names() -> Mapped[list[str]]:
    """Return a column with a list of names."""
    return mapped_column(JSON, default=list, server_default="[]", info={"personal": "none"})


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
    valid_from: Mapped[datetime | None] = mapped_column(UtcDateTime)  # not used before, as with a presale
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # cuts the days short; used before it only
    percent_bp: Mapped[int | None]  # of what the reward applies to; a percent reward's
    cap_cents: Mapped[int | None]  # the most that a percent reward takes off
    skus: Mapped[list[str]] = names()  # a product or percent reward's lines: these goods or groups
    groups: Mapped[list[str]] = names()
    min_basket_cents: Mapped[int] = mapped_column(default=0, server_default="0")  # gross, before any coupon
    outlets: Mapped[list[str]] = names()  # slugs; empty is everywhere
    vat_code: Mapped[str] = mapped_column(String(20), default="", server_default="", info={"personal": "none"})
    campaign: Mapped[str | None] = mapped_column(String(40), info={"personal": "none"})
    sold_up_to_cents: Mapped[int | None]  # a gift card that tills sell, from face_cents on; null is not sold
    seats: Mapped[int | None]  # of an invitation; null is as many as come
    seats_taken: Mapped[int] = mapped_column(default=0, server_default="0")  # counts the replies; see rewards.seats


class Coupon(BrandOwned, Base):
    """A right to one reward, once. The code of 60 bits is sealed; its hash finds it.

    A till may hold it for a few minutes: the state stays `issued`, and a hold that lapses needs no job.
    """

    __tablename__ = "coupon"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "code_hash"),
        points_to("member_id", "member"),
        points_to("reward_id", "reward"),
        points_to("reserved_till_id", "till"),
        CheckConstraint("state IN ('issued', 'redeemed', 'expired', 'revoked')", name="state"),
        CheckConstraint("(reserved_till_id IS NULL) = (reserved_until IS NULL)", name="reserved"),
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
    source_kind: Mapped[str] = mapped_column(String(20), info={"personal": "none"})  # fill, welcome, issue, hand
    source_id: Mapped[int]  # the ledger entry of the fill, the welcome gift, the grant by hand
    reserved_till_id: Mapped[int | None]
    reserved_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Redemption(BrandOwned, Base):
    """A coupon used at a till; what the outlet is paid is frozen here. A coupon has one live redemption at most."""

    __tablename__ = "redemption"
    __table_args__ = brand_table(
        points_to("coupon_id", "coupon"),
        points_to("till_id", "till"),
        points_to("reversed_till_id", "till"),
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
    discount_cents: Mapped[int] = mapped_column(default=0, server_default="0")  # what the basket cost less
    # The same by line of the purchase that was paid with it, empty where that has none; null where none was. What comes
    # back by lines takes its share of it along.
    line_discounts: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True), info={"personal": "none"})
    cost_centre_id: Mapped[int | None]
    vat_code: Mapped[str] = mapped_column(String(20), default="", server_default="", info={"personal": "none"})
    campaign: Mapped[str | None] = mapped_column(String(40), info={"personal": "none"})
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reversed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reversed_till_id: Mapped[int | None]  # that took it back by itself; null with a refund, whose row names its till


class WelcomeGift(BrandOwned, Base):
    """Remembers that a contact has had its welcome gift, by hash, also after the member is gone."""

    __tablename__ = "welcome_gift"
    __table_args__ = brand_table(UniqueConstraint("brand_id", "contact_hash"))

    contact_hash: Mapped[str] = mapped_column(String(64), info={"personal": "keep"})
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class GiftCard(BrandOwned, Base):
    """Stored value, used in parts. `balance_cents` is the cached sum of its entries and never below zero.

    A bearer's card has no member: who knows the code may use it. The code is sealed as a coupon's is.
    """

    __tablename__ = "gift_card"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "code_hash"),
        points_to("member_id", "member"),
        points_to("reward_id", "reward"),
        points_to("cost_centre_id", "cost_centre"),
        CheckConstraint("state IN ('active', 'used', 'expired', 'revoked')", name="state"),
        CheckConstraint("balance_cents >= 0 AND balance_cents <= initial_cents", name="within"),
        Index("ix_gift_card_member", "member_id", "brand_id"),
        Index(
            "ix_gift_card_due", "expires_at",
            sqlite_where=text("state = 'active'"), postgresql_where=text("state = 'active'"),
        ),
        Index("uq_gift_card_source", "brand_id", "source_kind", "source_id", unique=True),
    )  # fmt: skip

    public_id: Mapped[str] = pub()
    member_id: Mapped[int | None]
    reward_id: Mapped[int | None]
    code: Mapped[bytes] = mapped_column(info={"personal": "erase"})
    code_hash: Mapped[str] = mapped_column(String(64), info={"personal": "none"})
    last_four: Mapped[str] = mapped_column(String(4), info={"personal": "none"})
    initial_cents: Mapped[int]
    balance_cents: Mapped[int]
    sold_cents: Mapped[int] = mapped_column(default=0)  # what an outlet took in for it; 0 where it was given
    state: Mapped[str] = mapped_column(String(8), default="active", info={"personal": "none"})
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    source_kind: Mapped[str] = mapped_column(String(20), info={"personal": "none"})  # as a coupon's, or sale
    source_id: Mapped[int]
    cost_centre_id: Mapped[int | None]  # frozen: bears what is used of it


class GiftCardEntry(BrandOwned, Base):
    """One signed change of a gift card. Append-only: a mistake is corrected by another entry."""

    __tablename__ = "gift_card_entry"
    __table_args__ = brand_table(
        points_to("gift_card_id", "gift_card"),
        points_to("purchase_id", "purchase"),
        points_to("outlet_id", "outlet"),
        points_to("till_id", "till"),
        points_to("reverses_id", "gift_card_entry"),
        CheckConstraint("kind IN ('load', 'use', 'reverse_use', 'expire', 'revoke')", name="kind"),
        CheckConstraint("(amount_cents > 0) = (kind IN ('load', 'reverse_use')) AND amount_cents <> 0", name="sign"),
        CheckConstraint("kind <> 'use' OR (outlet_id IS NOT NULL AND till_id IS NOT NULL)", name="place"),
        CheckConstraint("(kind = 'reverse_use') = (reverses_id IS NOT NULL)", name="reverses"),
        Index("ix_gift_card_entry_card", "gift_card_id", "brand_id"),
        Index("ix_gift_card_entry_purchase", "purchase_id", "brand_id"),
        Index("ix_gift_card_entry_reverses", "reverses_id", "brand_id"),
        append_only=True,
    )

    gift_card_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12), info={"personal": "none"})
    amount_cents: Mapped[int]
    balance_cents: Mapped[int]  # of the card after this entry
    purchase_id: Mapped[int | None]
    outlet_id: Mapped[int | None]
    till_id: Mapped[int | None]
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reverses_id: Mapped[int | None]


class GiftCardSale(BrandOwned, Base):
    """A gift card that a till sold: the source of the card. Its outlet owes the value until it is refunded."""

    __tablename__ = "gift_card_sale"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "till_id", "local_date", "receipt"),
        points_to("till_id", "till"),
        points_to("outlet_id", "outlet"),
        CheckConstraint("value_cents > 0", name="value"),
    )

    till_id: Mapped[int]
    outlet_id: Mapped[int]  # took the value in
    receipt: Mapped[str] = mapped_column(String(40), info={"personal": "none"})
    cashier: Mapped[str | None] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff
    local_date: Mapped[date]  # of the sale, in the brand's zone
    value_cents: Mapped[int]
    sold_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    refunded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class HandGrant(BrandOwned, Base):
    """A reward that somebody of the staff gave by hand: the source of its coupon. Words about it are a note's."""

    __tablename__ = "hand_grant"
    __table_args__ = brand_table(
        points_to("member_id", "member"),
        points_to("reward_id", "reward"),
        Index("uq_hand_grant_key", "brand_id", "key", unique=True),
        Index("ix_hand_grant_member", "member_id", "brand_id"),
        append_only=True,
    )

    member_id: Mapped[int]
    reward_id: Mapped[int]
    staff: Mapped[str] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff
    reason: Mapped[str] = mapped_column(String(20), info={"personal": "none"})
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    key: Mapped[str | None] = mapped_column(String(26), info={"personal": "none"})  # of the form: twice sent gives once


class InvitationReply(BrandOwned, Base):
    """What an invited member answered last; `seats` is 0 unless they come."""

    __tablename__ = "invitation_reply"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "coupon_id"),
        points_to("coupon_id", "coupon"),
        CheckConstraint("answer IN ('yes', 'no')", name="answer"),
        CheckConstraint("seats >= 0 AND (answer = 'yes' OR seats = 0)", name="seats"),
    )

    coupon_id: Mapped[int]
    answer: Mapped[str] = mapped_column(String(3), info={"personal": "none"})
    seats: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
