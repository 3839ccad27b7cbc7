"""Tables of the ledger. Accounts point to programs by number only: `cards` lies above this slice."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub

ENTRY_KINDS = (
    "earn", "spend", "fill", "fill_undo", "expire", "reverse_earn", "reverse_spend", "adjust", "transfer", "release",
    "forfeit",
)  # fmt: skip


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
    cashier: Mapped[str | None] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff


class Refund(BrandOwned, Base):
    """A purchase taken back whole. One for each purchase: the same refund twice changes nothing."""

    __tablename__ = "refund"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "purchase_id"),
        points_to("purchase_id", "purchase"),
        points_to("till_id", "till"),
        append_only=True,
    )

    public_id: Mapped[str] = pub()
    purchase_id: Mapped[int]
    till_id: Mapped[int]
    amount_cents: Mapped[int]
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Account(BrandOwned, Base):
    """One member in one program: the cached balance and the lock. The truth is the sum of the entries."""

    __tablename__ = "account"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "member_id", "program_id"), points_to("member_id", "member")
    )

    member_id: Mapped[int]
    program_id: Mapped[int]  # an upward reference, checked by check-books
    balance: Mapped[int] = mapped_column(default=0)  # may be negative after a refund: a debt, never clamped


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
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    purchase_id: Mapped[int | None]
    refund_id: Mapped[int | None]
    version_id: Mapped[int | None]  # the program's version: an upward reference
    outlet_id: Mapped[int | None]
    till_id: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(40), default="", info={"personal": "none"})
    source_kind: Mapped[str | None] = mapped_column(String(20), info={"personal": "none"})
    source_id: Mapped[int | None]
    reverses_id: Mapped[int | None]
