"""Reversals name their till, and brands set their days of grace.

Why: a redemption that is taken back must say where and by whom; 30 days of grace do not suit every brand.
Old code keeps running meanwhile: yes; it leaves the till empty and never reads the days.
Locks: ADD COLUMN; SQLite writes `redemption` anew.
Fill: none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add both columns. SQLite rebuilds the table for a foreign key; there are no triggers and no CHECK on it."""
    op.add_column("brand", sa.Column("grace_days", sa.Integer(), server_default="30", nullable=False))
    with op.batch_alter_table("redemption") as batch:
        batch.add_column(sa.Column("reversed_till_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_redemption_brand_id_reversed_till_id"), "till", ["brand_id", "reversed_till_id"],
            ["brand_id", "id"],
        )  # fmt: skip
