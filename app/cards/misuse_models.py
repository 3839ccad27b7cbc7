"""Tables of what limits look at and of what the brand is to judge: manual stamps, cardboard cards, flags."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub

BY_HAND, CARDBOARD, JUDGED = "manual", "cardboard", "flag"  # sources of ledger entries, by the tables here


class ManualStamp(BrandOwned, Base):
    """Stamps that a cashier gave without a purchase, and why; `cut` names the limit where nothing was given."""

    __tablename__ = "manual_stamp"
    __table_args__ = brand_table(
        points_to("member_id", "member"),
        points_to("program_id", "program"),
        points_to("version_id", "program_version"),
        points_to("till_id", "till"),
        points_to("outlet_id", "outlet"),
        Index("ix_manual_stamp_member", "member_id", "brand_id", "local_date"),
        Index("ix_manual_stamp_cashier", "cashier", "brand_id", "occurred_at"),
        CheckConstraint("wanted > 0 AND amount >= 0 AND amount <= wanted", name="amount"),
        CheckConstraint("(amount = 0) = (cut <> '')", name="cut"),
        append_only=True,
    )

    public_id: Mapped[str] = pub()
    member_id: Mapped[int]
    program_id: Mapped[int]
    version_id: Mapped[int]
    till_id: Mapped[int]
    outlet_id: Mapped[int]
    cashier: Mapped[str] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff
    approver: Mapped[str | None] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff
    reason: Mapped[str] = mapped_column(String(20), info={"personal": "none"})
    wanted: Mapped[int]
    amount: Mapped[int]
    cut: Mapped[str] = mapped_column(String(40), default="", info={"personal": "none"})  # reason code of the limit
    details: Mapped[dict[str, Any]] = mapped_column(
        JSON, default=dict, info={"personal": "none"}
    )  # what the sentence of `cut` names
    local_date: Mapped[date]  # in the brand's zone
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CardboardCard(BrandOwned, Base):
    """A cardboard card that was moved over: once for each member and program."""

    __tablename__ = "cardboard_card"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "member_id", "program_id"),
        points_to("member_id", "member"),
        points_to("program_id", "program"),
        points_to("till_id", "till"),
        points_to("outlet_id", "outlet"),
        CheckConstraint("stamps > 0", name="stamps"),
        append_only=True,
    )

    public_id: Mapped[str] = pub()
    member_id: Mapped[int]
    program_id: Mapped[int]
    till_id: Mapped[int]
    outlet_id: Mapped[int]
    cashier: Mapped[str] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff
    approver: Mapped[str] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff
    stamps: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Flag(BrandOwned, Base):
    """Something that the brand is to judge, once: a purchase or a manual stamp that looks like misuse, or was cut."""

    __tablename__ = "flag"
    __table_args__ = brand_table(
        points_to("member_id", "member"),
        points_to("purchase_id", "purchase"),
        points_to("manual_stamp_id", "manual_stamp"),
        points_to("outlet_id", "outlet"),
        Index("ix_flag_purchase", "purchase_id", "brand_id"),
        Index("ix_flag_stamp", "manual_stamp_id", "brand_id"),
        Index("ix_flag_state", "state", "brand_id", "at"),
        CheckConstraint("state IN ('open', 'approved', 'reversed')", name="state"),
        CheckConstraint("(state = 'open') = (judged_at IS NULL)", name="judged"),
        CheckConstraint("(judged_by IS NULL) = (judged_at IS NULL)", name="judge"),
        CheckConstraint("(purchase_id IS NULL) <> (manual_stamp_id IS NULL)", name="what"),
    )

    public_id: Mapped[str] = pub()
    kind: Mapped[str] = mapped_column(String(40), info={"personal": "none"})  # see app.cards.flags.KINDS
    member_id: Mapped[int]
    purchase_id: Mapped[int | None]
    manual_stamp_id: Mapped[int | None]
    outlet_id: Mapped[int]
    staff: Mapped[str | None] = mapped_column(String(26), info={"personal": "pseudonym"})  # who stood at the till
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, info={"personal": "none"})
    at: Mapped[datetime] = mapped_column(UtcDateTime)  # of the purchase or the stamp
    state: Mapped[str] = mapped_column(String(8), default="open", info={"personal": "none"})
    judged_by: Mapped[str | None] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff
    judged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
