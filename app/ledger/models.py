"""Tables of the ledger. Accounts point to programs by number only: `cards` lies above this slice."""

from datetime import date, datetime
from typing import Literal

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub

ENTRY_KINDS = (
    "earn", "spend", "fill", "fill_undo", "expire", "reverse_earn", "reverse_spend", "adjust", "transfer", "release",
    "forfeit",
)  # fmt: skip
FactKind = Literal[
    "bonus_spent", "gift_card_used", "gift_card_sold", "serial_card_used", "serial_card_sold", "member_price",
    "coupon_discount",  # less of a redemption's, whose goods came back by lines
]  # fmt: skip


class Purchase(BrandOwned, Base):
    """What a till reported: kept as it came, also when it earned nothing. `total_cents` is the gross before coupons."""

    __tablename__ = "purchase"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "till_id", "local_date", "receipt"),
        points_to("till_id", "till"),
        points_to("outlet_id", "outlet"),
        points_to("member_id", "member"),
        points_to("scan_id", "scan"),
        Index("ix_purchase_member", "brand_id", "member_id", "occurred_at"),
        Index("ix_purchase_day", "brand_id", "occurred_at"),
        Index("ix_purchase_till", "brand_id", "till_id", "id"),
        CheckConstraint("total_cents >= 0 AND due_cents >= 0", name="not_negative"),
        append_only=True,
    )

    public_id: Mapped[str] = pub()
    till_id: Mapped[int]
    outlet_id: Mapped[int]
    member_id: Mapped[int]
    scan_id: Mapped[int | None]
    receipt: Mapped[str] = mapped_column(String(40), info={"personal": "none"})
    local_date: Mapped[date]  # in the brand's zone
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    total_cents: Mapped[int]
    due_cents: Mapped[int]  # total less coupons and spends: what earns
    discount_cents: Mapped[int] = mapped_column(default=0, server_default="0")  # what coupons took off
    spent_cents: Mapped[int] = mapped_column(default=0, server_default="0")  # paid with bonus and gift cards
    cashier: Mapped[str | None] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff
    approver: Mapped[str | None] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff


class PurchaseLine(BrandOwned, Base):
    """One line of a purchase: its gross amount is what coupons took off, what was spent on it, and what was paid."""

    __tablename__ = "purchase_line"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "purchase_id", "number"),
        points_to("purchase_id", "purchase"),
        CheckConstraint("quantity > 0 AND unit_price_cents >= 0", name="positive"),
        CheckConstraint("discount_cents >= 0 AND spent_cents >= 0 AND paid_cents >= 0", name="parts"),
        append_only=True,
    )

    purchase_id: Mapped[int]
    number: Mapped[int]  # as the till sent them, from 1
    sku: Mapped[str] = mapped_column(String(40), default="", info={"personal": "none"})
    item_group: Mapped[str] = mapped_column(String(40), default="", info={"personal": "none"})
    quantity: Mapped[int]
    unit_price_cents: Mapped[int]
    vat_rate_bp: Mapped[int | None]
    discount_cents: Mapped[int]
    spent_cents: Mapped[int]
    paid_cents: Mapped[int]


class Refund(BrandOwned, Base):
    """A purchase taken back, whole or by lines. What is left can be taken back whole once: a repeat changes nothing.

    `amount_cents` is the gross of the goods that came back, `paid_cents` what the customer gets in money.
    """

    __tablename__ = "refund"
    __table_args__ = brand_table(
        points_to("purchase_id", "purchase"),
        points_to("till_id", "till"),
        Index("ix_refund_purchase", "purchase_id", "brand_id"),
        Index(
            "uq_refund_whole", "brand_id", "purchase_id", unique=True,
            sqlite_where=text("whole = 1"), postgresql_where=text("whole"),
        ),
        append_only=True,
    )  # fmt: skip

    public_id: Mapped[str] = pub()
    purchase_id: Mapped[int]
    till_id: Mapped[int]
    amount_cents: Mapped[int]
    paid_cents: Mapped[int]
    whole: Mapped[bool]
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RefundLine(BrandOwned, Base):
    """Items of one line that came back, and their share of the line's amounts."""

    __tablename__ = "refund_line"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "refund_id", "line_id"),
        points_to("refund_id", "refund"),
        points_to("line_id", "purchase_line"),
        Index("ix_refund_line_line", "line_id", "brand_id"),
        CheckConstraint("quantity > 0", name="positive"),
        append_only=True,
    )

    refund_id: Mapped[int]
    line_id: Mapped[int]
    quantity: Mapped[int]
    discount_cents: Mapped[int]
    spent_cents: Mapped[int]
    paid_cents: Mapped[int]


class Account(BrandOwned, Base):
    """One member in one program: the cached balance and the lock. The truth is the sum of the entries."""

    __tablename__ = "account"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "member_id", "program_id"), points_to("member_id", "member")
    )

    member_id: Mapped[int]
    program_id: Mapped[int]  # an upward reference, checked by check-books
    balance: Mapped[int] = mapped_column(default=0)  # may be negative after a refund: a debt, never clamped
    pending: Mapped[int] = mapped_column(default=0, server_default="0")  # earned, and not released yet


class LedgerEntry(BrandOwned, Base):
    """One signed change of an account. Append-only: a mistake is corrected by another entry."""

    __tablename__ = "ledger_entry"
    __table_args__ = brand_table(
        points_to("account_id", "account"),
        points_to("purchase_id", "purchase"),
        points_to("refund_id", "refund"),
        points_to("reverses_id", "ledger_entry"),
        Index("ix_ledger_entry_account", "brand_id", "account_id", "id"),
        Index("ix_ledger_entry_purchase", "brand_id", "purchase_id"),
        Index("ix_ledger_entry_refund", "brand_id", "refund_id"),
        append_only=True,
    )

    account_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(14), info={"personal": "none"})
    amount: Mapped[int]  # whole units of the program; cents for bonus
    balance: Mapped[int]  # of the account after this entry
    pending: Mapped[int] = mapped_column(default=0, server_default="0")  # signed change of what is not released yet
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    purchase_id: Mapped[int | None]
    refund_id: Mapped[int | None]
    version_id: Mapped[int | None]  # the program's version: an upward reference
    outlet_id: Mapped[int | None]
    till_id: Mapped[int | None]
    cashier: Mapped[str | None] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff
    approver: Mapped[str | None] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff
    rule: Mapped[str] = mapped_column(String(40), default="", server_default="", info={"personal": "none"})
    reason: Mapped[str] = mapped_column(String(40), default="", info={"personal": "none"})
    source_kind: Mapped[str | None] = mapped_column(String(20), info={"personal": "none"})
    source_id: Mapped[int | None]
    reverses_id: Mapped[int | None]


# Indexes here begin with what is asked for: one that begins with the brand tempts SQLite to walk all of the brand.
class Lot(BrandOwned, Base):
    """What one entry added, until it is used: spends and expiry say which lots they took.

    `remaining` is the cached rest: the amount less its allocations. A lot is pending until `released_at`.
    """

    __tablename__ = "lot"
    __table_args__ = brand_table(
        points_to("account_id", "account"),
        points_to("entry_id", "ledger_entry"),
        Index("ix_lot_entry", "entry_id", "brand_id"),
        Index("ix_lot_origin", "origin_entry_id", "brand_id"),
        Index(
            "ix_lot_open", "account_id", "brand_id",
            sqlite_where=text("remaining > 0"), postgresql_where=text("remaining > 0"),
        ),
        Index(
            "ix_lot_expiry", "expires_at",
            sqlite_where=text("remaining > 0"), postgresql_where=text("remaining > 0"),
        ),
        Index(
            "ix_lot_release", "release_at",
            sqlite_where=text("remaining > 0 AND pending"), postgresql_where=text("remaining > 0 AND pending"),
        ),
        CheckConstraint("amount > 0 AND remaining BETWEEN 0 AND amount", name="within"),
    )  # fmt: skip

    account_id: Mapped[int]
    entry_id: Mapped[int]
    amount: Mapped[int]
    remaining: Mapped[int]
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the first moment at which it is gone
    pending: Mapped[bool] = mapped_column(default=False)
    release_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The entry that first brought what a merge or a reversal has put into this lot: a refund still finds its own.
    origin_entry_id: Mapped[int | None]


class LotAllocation(BrandOwned, Base):
    """What an entry took from a lot; negative where a reversal put it back."""

    __tablename__ = "lot_allocation"
    __table_args__ = brand_table(
        points_to("lot_id", "lot"),
        points_to("entry_id", "ledger_entry"),
        Index("ix_lot_allocation_lot", "lot_id", "brand_id"),
        Index("ix_lot_allocation_entry", "entry_id", "brand_id"),
        append_only=True,
    )

    lot_id: Mapped[int]
    entry_id: Mapped[int]
    amount: Mapped[int]


class SettlementFact(BrandOwned, Base):
    """What a sale makes the brand owe an outlet, or the outlet the brand: frozen when it happened."""

    __tablename__ = "settlement_fact"
    __table_args__ = brand_table(
        points_to("outlet_id", "outlet"),
        points_to("till_id", "till"),
        points_to("purchase_id", "purchase"),
        points_to("refund_id", "refund"),
        points_to("cost_centre_id", "cost_centre"),
        points_to("reverses_id", "settlement_fact"),
        Index("ix_settlement_fact_source", "source_id", "source_kind", "brand_id"),
        Index("ix_settlement_fact_day", "occurred_at", "brand_id"),
        Index("ix_settlement_fact_purchase", "purchase_id", "brand_id"),
        Index("ix_settlement_fact_refund", "refund_id", "brand_id"),
        Index("ix_settlement_fact_reverses", "reverses_id", "brand_id"),
        CheckConstraint("cents <> 0", name="some"),
        append_only=True,
    )

    kind: Mapped[FactKind] = mapped_column(String(20), info={"personal": "none"})
    cents: Mapped[int]  # the brand pays them to the outlet; below zero the outlet took them in for the brand
    outlet_id: Mapped[int]
    till_id: Mapped[int]
    purchase_id: Mapped[int | None]
    refund_id: Mapped[int | None]
    source_kind: Mapped[str] = mapped_column(String(20), info={"personal": "none"})
    source_id: Mapped[int]
    cost_centre_id: Mapped[int | None]
    campaign: Mapped[str | None] = mapped_column(String(40), info={"personal": "none"})
    vat_code: Mapped[str] = mapped_column(String(20), default="", server_default="", info={"personal": "none"})
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reverses_id: Mapped[int | None]


class Note(BrandOwned, Base):
    """Free text beside a row that may never change: it can be erased, the row cannot."""

    __tablename__ = "note"
    __table_args__ = brand_table(Index("ix_note_source", "brand_id", "source_kind", "source_id"))

    source_kind: Mapped[str] = mapped_column(String(20), info={"personal": "none"})
    source_id: Mapped[int]
    text: Mapped[str] = mapped_column(Text, info={"personal": "erase"})
    at: Mapped[datetime] = mapped_column(UtcDateTime)
