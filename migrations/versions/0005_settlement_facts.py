"""Settlement facts: what sales make a brand and an outlet owe each other, frozen when it happens.

Why: bonus that is spent, gift cards, serial cards and member prices are settled as redemptions are.
Old code keeps running meanwhile: yes; what is new is nullable or a table of its own.
Locks: ADD COLUMN without a default and a new table; SQLite writes `program` anew.
Fill: none; spends were not possible before.
"""

import sqlalchemy as sa
from alembic import op

from app.core.migrations import moments, owned, refuse_changes, whole, words

revision = "0005"
down_revision = "0004"

POINTS = {
    "outlet_id": "outlet", "till_id": "till", "purchase_id": "purchase", "refund_id": "refund",
    "cost_centre_id": "cost_centre", "reverses_id": "settlement_fact",
}  # fmt: skip


def upgrade() -> None:
    """Let a program name who bears it, and create the facts."""
    with op.batch_alter_table("program") as batch:
        batch.add_column(sa.Column("cost_centre_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("campaign", sa.String(length=40), nullable=True))
        batch.create_foreign_key(
            op.f("fk_program_brand_id_cost_centre_id"), "cost_centre", ["brand_id", "cost_centre_id"],
            ["brand_id", "id"],
        )  # fmt: skip
        if op.get_bind().dialect.name == "sqlite":  # which cannot read a CHECK
            batch.create_check_constraint(
                op.f("ck_program_kind"),
                "kind IN ('stamp_card', 'bonus', 'points', 'visits', 'cash_back', 'serial_card', 'standing')",
            )
    op.create_table(
        "settlement_fact",
        *whole("cents", "outlet_id", "till_id", "source_id"),
        *whole("purchase_id", "refund_id", "cost_centre_id", "reverses_id", nullable=True),
        *words(kind=20, source_kind=20),
        *words(campaign=40, nullable=True),
        sa.Column("vat_code", sa.String(length=20), server_default="", nullable=False),
        *moments("occurred_at", "recorded_at"),
        *owned("settlement_fact", *POINTS.items()),
        sa.CheckConstraint("cents <> 0", name=op.f("ck_settlement_fact_some")),
    )
    op.create_index("ix_settlement_fact_source", "settlement_fact", ["source_id", "source_kind", "brand_id"])
    op.create_index("ix_settlement_fact_day", "settlement_fact", ["occurred_at", "brand_id"])
    for name in ("purchase", "refund", "reverses"):
        op.create_index(f"ix_settlement_fact_{name}", "settlement_fact", [f"{name}_id", "brand_id"])
    refuse_changes("settlement_fact")
