"""The table of simulations: what was asked, how far it is, and what was found."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.tables import Base, BrandOwned, UtcDateTime, brand_table, points_to, pub


class SimulationRun(BrandOwned, Base):
    """A draft over past purchases: one standing row for each question, which goes away when nobody asks for long.

    `asked` and `result` hold rules, sums and ids, and no name of a member.
    """

    __tablename__ = "simulation_run"
    __table_args__ = brand_table(
        points_to("program_id", "program"),
        CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="state"),
        CheckConstraint("(state = 'done') = (result IS NOT NULL)", name="result"),
        CheckConstraint("(state IN ('done', 'failed')) = (ended_at IS NOT NULL)", name="ended"),
        Index(
            "uq_simulation_run_standing",
            "brand_id",
            "program_id",
            "fingerprint",
            unique=True,
            sqlite_where=text("standing"),
            postgresql_where=text("standing"),
        ),
        Index("ix_simulation_run_asked", "asked_at"),
    )

    public_id: Mapped[str] = pub()
    program_id: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(String(64), info={"personal": "none"})  # SHA-256 of all that it hangs on
    standing: Mapped[bool] = mapped_column(default=True)  # false where it was counted again since
    asked: Mapped[dict[str, Any]] = mapped_column(JSON, info={"personal": "none"})  # app.cards.simulation_json
    first_day: Mapped[date]
    last_day: Mapped[date]
    margin_bp: Mapped[int]
    state: Mapped[str] = mapped_column(String(8), default="queued", info={"personal": "none"})
    seen: Mapped[int] = mapped_column(default=0)  # purchases that were looked at
    total: Mapped[int] = mapped_column(default=0)  # of so many
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), info={"personal": "none"})
    error: Mapped[str | None] = mapped_column(String(40), info={"personal": "none"})  # a code
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_by: Mapped[str] = mapped_column(String(26), info={"personal": "pseudonym"})  # public id of staff
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
