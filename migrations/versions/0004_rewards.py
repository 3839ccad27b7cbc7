"""Rewards of every kind: percent and limits, reservations, gift cards, grants by hand, replies to invitations.

Why: brands reward by more than a free product, and tills hold a coupon while a basket is rung up.
Old code keeps running meanwhile: yes; what is new is nullable or has a default, and it never holds a coupon.
Locks: ADD COLUMN with constant defaults and new tables; SQLite writes `coupon` anew.
Fill: none.
"""

import sqlalchemy as sa
from alembic import op

from app.core.migrations import owned, refuse_changes, whole, words
from app.core.tables import UtcDateTime

revision = "0004"
down_revision = "0003"

APPEND_ONLY = ["gift_card_entry", "hand_grant"]
ACTIVE = sa.text("state = 'active'")


def upgrade() -> None:
    """Widen what is there, then create what is new."""
    columns()
    reservations()
    gift_cards()
    entries()
    grants()
    refuse_changes(*APPEND_ONLY)


def columns() -> None:
    """Add columns with constant defaults: neither database writes a row for them."""
    for name in ("valid_from", "valid_until"):
        op.add_column("reward", sa.Column(name, UtcDateTime(), nullable=True))
    for name in ("percent_bp", "cap_cents", "seats"):
        op.add_column("reward", sa.Column(name, sa.Integer(), nullable=True))
    for name in ("min_basket_cents", "seats_taken"):
        op.add_column("reward", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    for name in ("skus", "groups", "outlets"):
        op.add_column("reward", sa.Column(name, sa.JSON(), server_default="[]", nullable=False))
    op.add_column("redemption", sa.Column("discount_cents", sa.Integer(), server_default="0", nullable=False))
    for table in ("reward", "redemption"):
        op.add_column(table, sa.Column("vat_code", sa.String(length=20), server_default="", nullable=False))
        op.add_column(table, sa.Column("campaign", sa.String(length=40), nullable=True))


def reservations() -> None:
    """Let a till hold a coupon. SQLite cannot read a CHECK, and there are no triggers on this table."""
    with op.batch_alter_table("coupon") as batch:
        batch.add_column(sa.Column("reserved_till_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("reserved_until", UtcDateTime(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_coupon_brand_id_reserved_till_id"), "till", ["brand_id", "reserved_till_id"], ["brand_id", "id"]
        )
        batch.create_check_constraint(
            op.f("ck_coupon_reserved"), "(reserved_till_id IS NULL) = (reserved_until IS NULL)"
        )
        if op.get_bind().dialect.name == "sqlite":
            batch.create_check_constraint(
                op.f("ck_coupon_state"), "state IN ('issued', 'redeemed', 'expired', 'revoked')"
            )


def gift_cards() -> None:
    """Create the stored value."""
    op.create_table(
        "gift_card",
        *words(public_id=26, code_hash=64, last_four=4, state=8, source_kind=20),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        *whole("initial_cents", "balance_cents", "sold_cents", "source_id"),
        *whole("member_id", "reward_id", "cost_centre_id", nullable=True),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        *owned("gift_card", ("member_id", "member"), ("reward_id", "reward"), ("cost_centre_id", "cost_centre")),
        sa.UniqueConstraint("brand_id", "code_hash", name=op.f("uq_gift_card_brand_id_code_hash")),
        sa.UniqueConstraint("public_id", name=op.f("uq_gift_card_public_id")),
        sa.CheckConstraint("state IN ('active', 'used', 'expired', 'revoked')", name=op.f("ck_gift_card_state")),
        sa.CheckConstraint("balance_cents >= 0 AND balance_cents <= initial_cents", name=op.f("ck_gift_card_within")),
    )
    op.create_index("ix_gift_card_member", "gift_card", ["member_id", "brand_id"])
    op.create_index("ix_gift_card_due", "gift_card", ["expires_at"], sqlite_where=ACTIVE, postgresql_where=ACTIVE)
    op.create_index("uq_gift_card_source", "gift_card", ["brand_id", "source_kind", "source_id"], unique=True)


def entries() -> None:
    """Create the gift cards' ledger."""
    points = {
        "gift_card_id": "gift_card", "purchase_id": "purchase", "outlet_id": "outlet", "till_id": "till",
        "reverses_id": "gift_card_entry",
    }  # fmt: skip
    rules = {
        "kind": "kind IN ('load', 'use', 'reverse_use', 'expire', 'revoke')",
        "sign": "(amount_cents > 0) = (kind IN ('load', 'reverse_use')) AND amount_cents <> 0",
        "place": "kind <> 'use' OR (outlet_id IS NOT NULL AND till_id IS NOT NULL)",
        "reverses": "(kind = 'reverse_use') = (reverses_id IS NOT NULL)",
    }
    op.create_table(
        "gift_card_entry",
        *words(kind=12),
        *whole("gift_card_id", "amount_cents", "balance_cents"),
        *whole("purchase_id", "outlet_id", "till_id", "reverses_id", nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        *owned("gift_card_entry", *points.items()),
        *(sa.CheckConstraint(rule, name=op.f(f"ck_gift_card_entry_{name}")) for name, rule in rules.items()),
    )
    for name, column in (("card", "gift_card_id"), ("purchase", "purchase_id"), ("reverses", "reverses_id")):
        op.create_index(f"ix_gift_card_entry_{name}", "gift_card_entry", [column, "brand_id"])


def grants() -> None:
    """Create the grants by hand and the replies to invitations."""
    op.create_table(
        "hand_grant",
        *whole("member_id", "reward_id"),
        *words(staff=26, reason=20),
        sa.Column("at", UtcDateTime(), nullable=False),
        *owned("hand_grant", ("member_id", "member"), ("reward_id", "reward")),
    )
    op.create_index("ix_hand_grant_member", "hand_grant", ["member_id", "brand_id"])
    op.create_table(
        "invitation_reply",
        *whole("coupon_id", "seats"),
        *words(answer=3),
        sa.Column("at", UtcDateTime(), nullable=False),
        *owned("invitation_reply", ("coupon_id", "coupon")),
        sa.UniqueConstraint("brand_id", "coupon_id", name=op.f("uq_invitation_reply_brand_id_coupon_id")),
        sa.CheckConstraint("answer IN ('yes', 'no')", name=op.f("ck_invitation_reply_answer")),
        sa.CheckConstraint("seats >= 0 AND (answer = 'yes' OR seats = 0)", name=op.f("ck_invitation_reply_seats")),
    )
