"""What rules give beside purchases: for joining, in the birthday month, on a day, at a threshold.

Why: a trigger counts once for each source, and what it gave can be taken back.
Old code keeps running meanwhile: yes; what is new is nullable, and old code triggers nothing.
Locks: new columns without default and a new table; SQLite writes `reward_issue` and `tier_hold` anew.
Fill: none.
"""

import sqlalchemy as sa
from alembic import op
from alembic.operations.base import BatchOperations

from app.core.migrations import moments, owned, whole, words

revision = "0010"
down_revision = "0009"

SALE = "(source = 'rule') = (purchase_id IS NOT NULL OR trigger_run_id IS NOT NULL)"


def upgrade() -> None:
    """Create the runs, and let rewards and tiers say which of them gave them."""
    points = {"program_id": "program", "version_id": "program_version", "member_id": "member"}
    op.create_table(
        "trigger_run",
        *whole(*points, "amount"),
        *words(kind=20, source=80, rule=40, reason=40),
        sa.Column("details", sa.JSON(), nullable=False),
        *moments("occurred_at", "recorded_at"),
        *moments("taken_back_at", nullable=True),
        *owned("trigger_run", *points.items()),
        sa.UniqueConstraint(
            "brand_id", "program_id", "member_id", "kind", "source",
            name=op.f("uq_trigger_run_brand_id_program_id_member_id_kind_source"),
        ),
    )  # fmt: skip
    op.create_index("ix_trigger_run_member", "trigger_run", ["member_id", "brand_id"])
    op.create_index("ix_trigger_run_source", "trigger_run", ["brand_id", "program_id", "kind", "source", "member_id"])
    op.create_index("ix_member_birth_month", "member", ["brand_id", "birth_month"])
    with op.batch_alter_table("reward_issue") as batch:
        _run(batch, "reward_issue")
    op.create_index("ix_reward_issue_trigger_run", "reward_issue", ["trigger_run_id", "brand_id"])
    tiers()


def tiers() -> None:
    """Let a tier be set without a sale. SQLite cannot read a CHECK: both are stated again."""
    op.drop_index("ix_tier_hold_due", "tier_hold")
    postgres = op.get_bind().dialect.name == "postgresql"
    with op.batch_alter_table("tier_hold") as batch:
        if postgres:
            batch.drop_constraint(op.f("ck_tier_hold_sale"), type_="check")
        _run(batch, "tier_hold")
        batch.create_check_constraint(op.f("ck_tier_hold_sale"), SALE)
        if not postgres:
            batch.create_check_constraint(op.f("ck_tier_hold_source"), "source IN ('spend', 'rule')")
    due = sa.text("NOT settled")
    op.create_index("ix_tier_hold_due", "tier_hold", ["until"], sqlite_where=due, postgresql_where=due)


def _run(batch: BatchOperations, table: str) -> None:
    batch.add_column(sa.Column("trigger_run_id", sa.Integer(), nullable=True))
    batch.create_foreign_key(
        op.f(f"fk_{table}_brand_id_trigger_run_id"), "trigger_run", ["brand_id", "trigger_run_id"], ["brand_id", "id"]
    )
