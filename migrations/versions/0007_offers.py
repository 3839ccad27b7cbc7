"""Tiers, serial cards and offers: what a member holds, what was bought in advance, and prices for members.

Why: standing discounts follow from a state, prepaid uses and member prices are sold at tills and settled.
Old code keeps running meanwhile: yes; all of it are new tables.
Locks: new tables only.
Fill: none; the next sale of a member finds the tier that was reached before.
"""

import sqlalchemy as sa
from alembic import op

from app.core.migrations import moments, owned, refuse_changes, whole, words

revision = "0007"
down_revision = "0006"

APPEND_ONLY = ["tier_change", "offer_use"]


def upgrade() -> None:
    """Create what is new."""
    tiers()
    serial_cards()
    offers()
    refuse_changes(*APPEND_ONLY)


OF_PROGRAM = (("member_id", "member"), ("program_id", "program"), ("version_id", "program_version"))


def tiers() -> None:
    """Create what a member holds, and how it came to be."""
    op.create_table(
        "tier_hold",
        *whole("member_id", "program_id", "version_id"),
        *words(tier=40, source=5),
        sa.Column("reached_on", sa.Date(), nullable=False),
        *moments("until"),
        *whole("purchase_id", nullable=True),
        sa.Column("settled", sa.Boolean(), nullable=False),
        *owned("tier_hold", *OF_PROGRAM, ("purchase_id", "purchase")),
        sa.UniqueConstraint(
            "brand_id",
            "member_id",
            "program_id",
            "tier",
            "source",
            name=op.f("uq_tier_hold_brand_id_member_id_program_id_tier_source"),
        ),
        sa.CheckConstraint("source IN ('spend', 'rule')", name=op.f("ck_tier_hold_source")),
        sa.CheckConstraint("(source = 'rule') = (purchase_id IS NOT NULL)", name=op.f("ck_tier_hold_sale")),
    )
    op.create_index("ix_tier_hold_member", "tier_hold", ["member_id", "brand_id", "program_id"])
    unsettled = sa.text("NOT settled")
    op.create_index("ix_tier_hold_due", "tier_hold", ["until"], sqlite_where=unsettled, postgresql_where=unsettled)
    op.create_table(
        "tier_change",
        *whole("member_id", "program_id", "version_id"),
        *words(was=40, tier=40, reason=10),
        *whole("purchase_id", "refund_id", nullable=True),
        *moments("occurred_at", "recorded_at"),
        *owned("tier_change", *OF_PROGRAM, ("purchase_id", "purchase"), ("refund_id", "refund")),
        sa.CheckConstraint(
            "reason IN ('reached', 'rule', 'ended', 'refund', 'merged')", name=op.f("ck_tier_change_reason")
        ),
        sa.CheckConstraint("was <> tier", name=op.f("ck_tier_change_differs")),
    )
    op.create_index("ix_tier_change_member", "tier_change", ["member_id", "brand_id", "program_id"])


def serial_cards() -> None:
    """Create what was bought in advance, and its uses."""
    place = (("till_id", "till"), ("outlet_id", "outlet"))
    op.create_table(
        "serial_card",
        *words(public_id=26, receipt=40),
        sa.Column("cashier", sa.String(length=26), nullable=True),
        *whole("member_id", "program_id", "version_id", "till_id", "outlet_id", "price_cents"),
        *whole("uses", "used", "lost", "frozen_cents", "owed_cents"),
        *whole("entry_id", nullable=True),
        sa.Column("local_date", sa.Date(), nullable=False),
        *moments("sold_at", "recorded_at", "expires_at"),
        *moments("refunded_at", nullable=True),
        *owned("serial_card", *OF_PROGRAM, *place, ("entry_id", "ledger_entry")),
        sa.UniqueConstraint("public_id", name=op.f("uq_serial_card_public_id")),
        sa.UniqueConstraint(
            "brand_id", "till_id", "local_date", "receipt",
            name=op.f("uq_serial_card_brand_id_till_id_local_date_receipt"),
        ),
        sa.CheckConstraint("used >= 0 AND lost >= 0 AND used + lost <= uses", name=op.f("ck_serial_card_uses")),
        sa.CheckConstraint(
            "frozen_cents BETWEEN 0 AND price_cents AND owed_cents >= 0", name=op.f("ck_serial_card_cents")
        ),
        sa.CheckConstraint("refunded_at IS NULL OR used + lost = 0", name=op.f("ck_serial_card_refunded")),
    )  # fmt: skip
    op.create_index("ix_serial_card_member", "serial_card", ["member_id", "brand_id", "program_id"])
    op.create_table(
        "serial_use",
        *words(public_id=26),
        *whole("card_id", "entry_id", "till_id", "outlet_id", "uses", "share_cents", "credit_cents", "offset_cents"),
        *whole("credit_entry_id", "gift_card_id", nullable=True),
        sa.Column("local_date", sa.Date(), nullable=False),
        *moments("occurred_at", "recorded_at"),
        *moments("credit_back_at", "reversed_at", nullable=True),
        *owned(
            "serial_use", ("card_id", "serial_card"), ("entry_id", "ledger_entry"), *place,
            ("credit_entry_id", "ledger_entry"), ("gift_card_id", "gift_card"),
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_serial_use_public_id")),
        sa.CheckConstraint("uses > 0 AND share_cents >= 0", name=op.f("ck_serial_use_some")),
        sa.CheckConstraint("credit_cents >= 0 AND offset_cents >= 0", name=op.f("ck_serial_use_credit")),
    )  # fmt: skip
    op.create_index("ix_serial_use_card", "serial_use", ["card_id", "brand_id"])


def offers() -> None:
    """Create the prices for members, and the lines that had them."""
    op.create_table(
        "offer",
        *words(slug=40, hours_from=5, hours_to=5, vat_code=20),
        sa.Column("campaign", sa.String(length=40), nullable=True),
        sa.Column("name", sa.JSON(), nullable=False),
        *whole("price_cents", "percent_bp", "per_day", "cost_centre_id", nullable=True),
        *whole("compensation_cents"),
        *(
            sa.Column(name, sa.JSON(), server_default="[]", nullable=False)
            for name in ("skus", "groups", "weekdays", "outlets", "tiers")
        ),
        *moments("valid_from", "valid_until", nullable=True),
        *owned("offer", ("cost_centre_id", "cost_centre")),
        sa.UniqueConstraint("brand_id", "slug", name=op.f("uq_offer_brand_id_slug")),
        sa.CheckConstraint("(price_cents IS NULL) <> (percent_bp IS NULL)", name=op.f("ck_offer_price")),
    )
    op.create_table(
        "offer_use",
        *whole("offer_id", "member_id", "purchase_id", "line_id", "quantity", "compensation_cents"),
        sa.Column("local_date", sa.Date(), nullable=False),
        *moments("at"),
        *owned(
            "offer_use", ("offer_id", "offer"), ("member_id", "member"), ("purchase_id", "purchase"),
            ("line_id", "purchase_line"),
        ),
        sa.UniqueConstraint("brand_id", "line_id", name=op.f("uq_offer_use_brand_id_line_id")),
        sa.CheckConstraint("quantity > 0 AND compensation_cents >= 0", name=op.f("ck_offer_use_some")),
    )  # fmt: skip
    op.create_index("ix_offer_use_purchase", "offer_use", ["purchase_id", "brand_id"])
    op.create_index("ix_offer_use_member", "offer_use", ["member_id", "brand_id", "local_date"])
