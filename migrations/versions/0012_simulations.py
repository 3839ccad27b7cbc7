"""Simulations are runs that stay readable.

Why: a draft over 200,000 purchases takes minutes: a worker counts it, and the page says how far it is.
Old code keeps running meanwhile: yes, it does not know the table.
Locks: a new table.
Fill: none.
"""

import sqlalchemy as sa
from alembic import op

from app.core.migrations import moments, owned, whole, words

revision = "0012"
down_revision = "0011"

STANDING = sa.text("standing")
RULES = {
    "state": "state IN ('queued', 'running', 'done', 'failed')",
    "result": "(state = 'done') = (result IS NOT NULL)",
    "ended": "(state IN ('done', 'failed')) = (ended_at IS NOT NULL)",
}


def upgrade() -> None:
    """Create the runs."""
    op.create_table(
        "simulation_run",
        *whole("program_id", "margin_bp", "seen", "total"),
        *words(fingerprint=64, state=8, asked_by=26),
        *words(error=40, nullable=True),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        *moments("asked_at"),
        *moments("ended_at", nullable=True),
        *owned("simulation_run", ("program_id", "program"), public=True),
        *(sa.CheckConstraint(rule, name=op.f(f"ck_simulation_run_{name}")) for name, rule in RULES.items()),
    )
    op.create_index(
        "uq_simulation_run_standing", "simulation_run", ["brand_id", "program_id", "fingerprint"], unique=True,
        sqlite_where=STANDING, postgresql_where=STANDING,
    )  # fmt: skip
    op.create_index("ix_simulation_run_asked", "simulation_run", ["asked_at"])
