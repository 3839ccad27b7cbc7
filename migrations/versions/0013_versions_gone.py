"""What was withdrawn or thrown away of a program leaves a row.

Why: a published version says who made it; one that was taken back before it began left nothing.
Old code keeps running meanwhile: yes, it does not know the table.
Locks: a new table.
Fill: none; what is gone already cannot be told.
"""

import sqlalchemy as sa
from alembic import op

from app.core.migrations import moments, owned, refuse_changes, whole, words

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the rows."""
    op.create_table(
        "version_gone",
        *whole("program_id"),
        *whole("number", "size", "reward_id", nullable=True),
        *words(by=26),
        *words(made_by=26, nullable=True),
        sa.Column("rule", sa.JSON(), nullable=False),
        *moments("at"),
        *moments("valid_from", "made_at", nullable=True),
        *owned("version_gone", ("program_id", "program"), ("reward_id", "reward")),
        sa.CheckConstraint("(number IS NULL) = (valid_from IS NULL)", name=op.f("ck_version_gone_draft")),
    )
    refuse_changes("version_gone")
