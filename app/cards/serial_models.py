"""Tables of serial cards: uses that were bought in advance, and each use of them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub


class SerialCard(BrandOwned, Base):
    """Uses that a member bought at a till for a price. Its lot in the ledger holds them until `expires_at`.

    The counts are the sums of its live uses, changed under the lock of the member's accounts.
    """

    __tablename__ = "serial_card"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "till_id", "local_date", "receipt"),
        points_to("member_id", "member"),
        points_to("program_id", "program"),
        points_to("version_id", "program_version"),
        points_to("till_id", "till"),
        points_to("outlet_id", "outlet"),
        points_to("entry_id", "ledger_entry"),
        Index("ix_serial_card_member", "member_id", "brand_id", "program_id"),
        CheckConstraint("used >= 0 AND lost >= 0 AND used + lost <= uses", name="uses"),
        CheckConstraint("frozen_cents BETWEEN 0 AND price_cents AND owed_cents >= 0", name="cents"),
        CheckConstraint("refunded_at IS NULL OR used + lost = 0", name="refunded"),
    )

    public_id: Mapped[str] = pub()
    member_id: Mapped[int]
    program_id: Mapped[int]
    version_id: Mapped[int]  # its steps and their credit
    entry_id: Mapped[int | None]  # the earn that put its uses into the ledger, written right after the card
    till_id: Mapped[int]
    outlet_id: Mapped[int]  # took the price in
    receipt: Mapped[str] = mapped_column(String(40), info={"personal": "none"})
    cashier: Mapped[str | None] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff
    local_date: Mapped[date]  # of the sale, in the brand's zone
    price_cents: Mapped[int]
    uses: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    lost: Mapped[int] = mapped_column(default=0)  # expired before a use came back, which lives on alone
    frozen_cents: Mapped[int] = mapped_column(default=0)  # share of the price that its uses have settled
    owed_cents: Mapped[int] = mapped_column(default=0)  # of a credit that was taken back when it had been spent
    sold_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)  # the first moment at which it is gone
    refunded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def left(self) -> int:
        """Return how many uses the member still has of it, until it expires."""
        return self.uses - self.used - self.lost


class SerialUse(BrandOwned, Base):
    """One or more uses of a card at once. Its share of the price is frozen; the last use may bring a credit."""

    __tablename__ = "serial_use"
    __table_args__ = brand_table(
        points_to("card_id", "serial_card"),
        points_to("entry_id", "ledger_entry"),
        points_to("till_id", "till"),
        points_to("outlet_id", "outlet"),
        points_to("credit_entry_id", "ledger_entry"),
        points_to("gift_card_id", "gift_card"),
        Index("ix_serial_use_card", "card_id", "brand_id"),
        Index("ix_serial_use_till", "till_id", "brand_id"),
        CheckConstraint("uses > 0 AND share_cents >= 0", name="some"),
        CheckConstraint("credit_cents >= 0 AND offset_cents >= 0", name="credit"),
    )

    public_id: Mapped[str] = pub()
    card_id: Mapped[int]
    entry_id: Mapped[int]  # the spend
    till_id: Mapped[int]
    outlet_id: Mapped[int]
    uses: Mapped[int]
    share_cents: Mapped[int]
    local_date: Mapped[date]  # in the brand's zone
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    credit_cents: Mapped[int] = mapped_column(default=0)  # that the card's last use brought, by speed
    offset_cents: Mapped[int] = mapped_column(default=0)  # of the step's credit that paid what was owed
    credit_entry_id: Mapped[int | None]  # where it went into the bonus
    gift_card_id: Mapped[int | None]  # or onto a gift card
    credit_back_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when the credit was taken back
    reversed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
