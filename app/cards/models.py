"""Tables of programs and of what each purchase was awarded."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub


class Program(BrandOwned, Base):
    """A way of earning under one name, such as a coffee card."""

    __tablename__ = "program"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "slug"), CheckConstraint("kind IN ('stamp_card')", name="kind")
    )

    slug: Mapped[str] = mapped_column(String(40), info={"personal": "none"})
    public_id: Mapped[str] = pub()
    kind: Mapped[str] = mapped_column(String(20), default="stamp_card", info={"personal": "none"})
    name: Mapped[dict[str, str]] = mapped_column(JSON, info={"personal": "none"})  # language → text
    unit: Mapped[dict[str, list[str]]] = mapped_column(JSON, info={"personal": "none"})  # language → [singular, plural]
    position: Mapped[int] = mapped_column(default=0)  # order on the phone


class ProgramVersion(BrandOwned, Base):
    """The rules of a program from a moment on. Immutable once it has earned: a change is a new version."""

    __tablename__ = "program_version"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "program_id", "number"),
        points_to("program_id", "program"),
        points_to("reward_id", "reward"),
        CheckConstraint("size BETWEEN 1 AND 100", name="size"),
    )

    program_id: Mapped[int]
    number: Mapped[int]
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    size: Mapped[int]  # stamps that fill the card
    reward_id: Mapped[int]  # issued by a full card
    rule: Mapped[dict[str, Any]] = mapped_column(JSON, info={"personal": "none"})  # see app.cards.rules.Plan


class Award(BrandOwned, Base):
    """What one purchase was awarded in one program, and why; also when it was nothing."""

    __tablename__ = "award"
    __table_args__ = brand_table(
        UniqueConstraint("brand_id", "purchase_id", "program_id"),
        points_to("purchase_id", "purchase"),
        points_to("program_id", "program"),
        points_to("version_id", "program_version"),
        Index("ix_award_program", "brand_id", "program_id"),
        append_only=True,
    )

    purchase_id: Mapped[int]
    program_id: Mapped[int]
    version_id: Mapped[int]
    amount: Mapped[int]
    rule: Mapped[str] = mapped_column(String(20), info={"personal": "none"})  # per_euros, per_purchase
    reason: Mapped[str] = mapped_column(
        String(40), default="", info={"personal": "none"}
    )  # code, when less than expected
