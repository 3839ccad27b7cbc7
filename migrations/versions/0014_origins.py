"""Lots know which entry first brought what is in them, and redemptions what they took off each line.

Why: a refund after a merge finds its own lot, and what ended unused of it is no debt; a refund by lines takes back what
the brand would have paid the outlet for a discount that the outlet did not give in the end.
Old code keeps running meanwhile: yes; it leaves both empty, and a lot without an origin is its own.
Locks: ADD COLUMN, two indexes; the other one finds what a till used last, for its undo.
Fill: none; a merge of before keeps the lots that it made.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add both columns and the indexes."""
    op.add_column("lot", sa.Column("origin_entry_id", sa.Integer(), nullable=True))
    op.create_index("ix_lot_origin", "lot", ["origin_entry_id", "brand_id"])
    op.create_index("ix_serial_use_till", "serial_use", ["till_id", "brand_id"])
    op.add_column("redemption", sa.Column("line_discounts", sa.JSON(), nullable=True))
