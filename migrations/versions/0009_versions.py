"""Versions of programs say who published them and when; drafts wait; a grant by hand knows its form.

Why: the console publishes, plans and withdraws versions, and a form that is sent twice may give only once.
Old code keeps running meanwhile: yes; new columns are nullable, and it neither drafts nor sends keys.
Locks: ADD COLUMN without default, a new table, a unique index on a column that is null everywhere.
Fill: none.
"""

import sqlalchemy as sa
from alembic import op

from app.core.migrations import moments, owned, whole, words
from app.core.tables import UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns and the drafts."""
    op.add_column("program_version", sa.Column("created_at", UtcDateTime(), nullable=True))
    op.add_column("program_version", sa.Column("created_by", sa.String(length=26), nullable=True))
    op.create_table(
        "program_draft",
        *whole("program_id"),
        *whole("size", "reward_id", nullable=True),
        sa.Column("rule", sa.JSON(), nullable=False),
        *moments("saved_at"),
        *words(saved_by=26),
        *owned("program_draft", ("program_id", "program"), ("reward_id", "reward")),
        sa.UniqueConstraint("brand_id", "program_id", name=op.f("uq_program_draft_brand_id_program_id")),
        sa.CheckConstraint("(size IS NULL) = (reward_id IS NULL)", name=op.f("ck_program_draft_fills_with_reward")),
    )
    op.add_column("hand_grant", sa.Column("key", sa.String(length=26), nullable=True))
    # An index, since SQLite adds no constraint to a table without writing it anew, which would lose its triggers.
    op.create_index("uq_hand_grant_key", "hand_grant", ["brand_id", "key"], unique=True)
