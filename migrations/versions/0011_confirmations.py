"""A till asks the member's app whether a scan may redeem; tills sell gift cards.

Why: a static code earns only, its owner may allow more on the phone; what a till took in for a gift card is settled.
Old code keeps running meanwhile: yes, it never asks and never sells; the new column is nullable.
Locks: new tables, an ADD COLUMN without default.
Fill: none.
"""

import sqlalchemy as sa
from alembic import op

from app.core.migrations import moments, owned, whole, words

revision = "0011"
down_revision = "0010"

STANDING = sa.text("state <> 'refused'")


def upgrade() -> None:
    """Create the questions, and the sales of gift cards."""
    questions()
    sales()


def sales() -> None:
    """Create what tills sell."""
    op.add_column("reward", sa.Column("sold_up_to_cents", sa.Integer(), nullable=True))
    op.create_table(
        "gift_card_sale",
        *whole("till_id", "outlet_id"),
        *words(receipt=40),
        *words(cashier=26, nullable=True),
        sa.Column("local_date", sa.Date(), nullable=False),
        *whole("value_cents"),
        *moments("sold_at", "recorded_at"),
        *moments("refunded_at", nullable=True),
        *owned("gift_card_sale", ("till_id", "till"), ("outlet_id", "outlet")),
        sa.UniqueConstraint(
            "brand_id", "till_id", "local_date", "receipt",
            name=op.f("uq_gift_card_sale_brand_id_till_id_local_date_receipt"),
        ),
        sa.CheckConstraint("value_cents > 0", name=op.f("ck_gift_card_sale_value")),
    )  # fmt: skip


def questions() -> None:
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
