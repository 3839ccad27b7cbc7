"""Limits against misuse, manual stamps, cardboard cards, flags, and PINs of managers.

Why: misuse is cut or flagged, and a manager approves at the till.
Old code keeps running meanwhile: yes; what is new is nullable or has a default, and old code cuts nothing.
Locks: ADD COLUMN with constant defaults and new tables.
Fill: none; a brand that says nothing has the limits' defaults.
"""

import sqlalchemy as sa
from alembic import op

from app.core.migrations import moments, owned, refuse_changes, whole, words

revision = "0008"
down_revision = "0007"

APPEND_ONLY = ["manual_stamp", "cardboard_card"]


def upgrade() -> None:
    """Widen what is there, then create what is new."""
    op.add_column("brand", sa.Column("limits", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("staff", sa.Column("phone", sa.String(length=20), nullable=True))
    op.add_column("staff", sa.Column("pin_hash", sa.String(length=64), nullable=True))
    op.create_index("ix_staff_phone", "staff", ["phone", "brand_id"])
    manual_stamps()
    cardboard_cards()
    flags()
    refuse_changes(*APPEND_ONLY)


def manual_stamps() -> None:
    """Create the stamps that a cashier gives without a purchase."""
    points = {
        "member_id": "member", "program_id": "program", "version_id": "program_version", "till_id": "till",
        "outlet_id": "outlet",
    }  # fmt: skip
    op.create_table(
        "manual_stamp",
        *whole(*points, "wanted", "amount"),
        *words(cashier=26, reason=20, cut=40),
        *words(approver=26, nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        *moments("occurred_at", "recorded_at"),
        *owned("manual_stamp", *points.items(), public=True),
        sa.CheckConstraint("wanted > 0 AND amount >= 0 AND amount <= wanted", name=op.f("ck_manual_stamp_amount")),
        sa.CheckConstraint("(amount = 0) = (cut <> '')", name=op.f("ck_manual_stamp_cut")),
    )
    op.create_index("ix_manual_stamp_member", "manual_stamp", ["member_id", "brand_id", "local_date"])
    op.create_index("ix_manual_stamp_cashier", "manual_stamp", ["cashier", "brand_id", "occurred_at"])


def cardboard_cards() -> None:
    """Create the cardboard cards that were moved over."""
    points = {"member_id": "member", "program_id": "program", "till_id": "till", "outlet_id": "outlet"}
    op.create_table(
        "cardboard_card",
        *whole(*points, "stamps"),
        *words(cashier=26, approver=26),
        *moments("at"),
        *owned("cardboard_card", *points.items(), public=True),
        sa.UniqueConstraint(
            "brand_id", "member_id", "program_id", name=op.f("uq_cardboard_card_brand_id_member_id_program_id")
        ),
        sa.CheckConstraint("stamps > 0", name=op.f("ck_cardboard_card_stamps")),
    )


def flags() -> None:
    """Create what the brand is to judge."""
    points = {
        "member_id": "member", "purchase_id": "purchase", "manual_stamp_id": "manual_stamp", "outlet_id": "outlet",
    }  # fmt: skip
    rules = {
        "state": "state IN ('open', 'approved', 'reversed')",
        "judged": "(state = 'open') = (judged_at IS NULL)",
        "judge": "(judged_by IS NULL) = (judged_at IS NULL)",
        "what": "(purchase_id IS NULL) <> (manual_stamp_id IS NULL)",
    }
    op.create_table(
        "flag",
        *whole("member_id", "outlet_id"),
        *whole("purchase_id", "manual_stamp_id", nullable=True),
        *words(kind=40, state=8),
        *words(staff=26, judged_by=26, nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        *moments("at"),
        *moments("judged_at", nullable=True),
        *owned("flag", *points.items(), public=True),
        *(sa.CheckConstraint(rule, name=op.f(f"ck_flag_{name}")) for name, rule in rules.items()),
    )
    op.create_index("ix_flag_purchase", "flag", ["purchase_id", "brand_id"])
    op.create_index("ix_flag_stamp", "flag", ["manual_stamp_id", "brand_id"])
    op.create_index("ix_flag_state", "flag", ["state", "brand_id", "at"])
