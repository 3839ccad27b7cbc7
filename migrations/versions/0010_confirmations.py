"""A till asks the member's app whether a scan may redeem.

Why: a static code earns only; its owner may allow more on the phone.
Old code keeps running meanwhile: yes, it never asks.
Locks: a new table.
Fill: none.
"""

import sqlalchemy as sa
from alembic import op

from app.core.migrations import moments, owned, whole, words

revision = "0010"
down_revision = "0009"

STANDING = sa.text("state <> 'refused'")


def upgrade() -> None:
    """Create the questions."""
    rules = {
        "state": "state IN ('asked', 'allowed', 'refused')",
        "answered": "(state = 'asked') = (answered_at IS NULL)",
    }
    op.create_table(
        "scan_confirmation",
        *whole("scan_id", "member_id"),
        *words(state=8),
        *moments("at", "ends_at"),
        *moments("answered_at", nullable=True),
        *owned("scan_confirmation", ("scan_id", "scan"), ("member_id", "member"), public=True),
        *(sa.CheckConstraint(rule, name=op.f(f"ck_scan_confirmation_{name}")) for name, rule in rules.items()),
    )
    op.create_index(
        "uq_scan_confirmation_standing", "scan_confirmation", ["brand_id", "scan_id"], unique=True,
        sqlite_where=STANDING, postgresql_where=STANDING,
    )  # fmt: skip
    op.create_index("ix_scan_confirmation_member", "scan_confirmation", ["member_id", "brand_id", "ends_at"])
