"""Wallet passes live: devices, registrations, counters, classes, certificates, templates and messages.

Why: passes update themselves; coupons have passes of their own beside the cards.
Old code keeps running meanwhile: yes; it fills `program_id` always, and what is new has a default or is its own table.
Locks: ADD COLUMN with constant defaults and one DROP NOT NULL on PostgreSQL; SQLite writes `wallet_pass` anew.
Fill: none; a pass from before is marked changed by its next download.
"""

import sqlalchemy as sa
from alembic import op

from app.core.tables import UtcDateTime

revision = "0002"
down_revision = "0001"

GOOGLE_DUE = sa.text("kind = 'google' AND version > synced")
DEVICE_DUE = sa.text("due > woken")


def upgrade() -> None:
    """Widen `wallet_pass` while nothing refers to it, then create what does."""
    passes()
    tables()
    more_tables()


def passes() -> None:
    """Let a pass show a coupon, and keep what its phones know."""
    # Stated here, since SQLite's rebuild would forget the CHECK constraints; there are no triggers on this table.
    before = None if op.get_bind().dialect.name == "postgresql" else passes_before()
    with op.batch_alter_table("wallet_pass", copy_from=before) as batch:
        batch.alter_column("program_id", existing_type=sa.Integer(), nullable=True)
        batch.add_column(sa.Column("coupon_id", sa.Integer(), nullable=True))
        for name in ("version", "synced"):
            batch.add_column(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
        batch.add_column(sa.Column("fingerprint", sa.String(length=64), server_default="", nullable=False))
        batch.add_column(sa.Column("pass_type", sa.String(length=120), nullable=True))
        for name in ("served_at", "sending_until", "asked_at", "added_at", "removed_at"):
            batch.add_column(sa.Column(name, UtcDateTime(), nullable=True))
        for name in ("saves", "removals"):
            batch.add_column(sa.Column(name, sa.Integer(), server_default="0", nullable=False))
        batch.add_column(sa.Column("notified", sa.JSON(), server_default="[]", nullable=False))
        batch.create_unique_constraint(
            op.f("uq_wallet_pass_brand_id_coupon_id_kind"), ["brand_id", "coupon_id", "kind"]
        )
        batch.create_foreign_key(
            op.f("fk_wallet_pass_brand_id_coupon_id"), "coupon", ["brand_id", "coupon_id"], ["brand_id", "id"]
        )
        batch.create_check_constraint(
            op.f("ck_wallet_pass_shows_one_thing"), "(program_id IS NULL) <> (coupon_id IS NULL)"
        )
    op.create_index(
        "ix_wallet_pass_due", "wallet_pass", ["brand_id"], sqlite_where=GOOGLE_DUE, postgresql_where=GOOGLE_DUE
    )


def passes_before() -> sa.Table:
    """Return `wallet_pass` as 0001 made it."""
    return sa.Table(
        "wallet_pass",
        sa.MetaData(),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("program_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("serial", sa.String(length=26), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("last_modified", UtcDateTime(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("(kind = 'apple') = (token IS NOT NULL)", name="ck_wallet_pass_token_fits"),
        sa.CheckConstraint("kind IN ('apple', 'google')", name="ck_wallet_pass_kind"),
        sa.CheckConstraint("(token IS NULL) = (token_hash IS NULL)", name="ck_wallet_pass_token_hash_fits"),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name="fk_wallet_pass_brand_id_member_id"
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "program_id"], ["program.brand_id", "program.id"], name="fk_wallet_pass_brand_id_program_id"
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name="fk_wallet_pass_brand_id"),
        sa.PrimaryKeyConstraint("id", name="pk_wallet_pass"),
        sa.UniqueConstraint("brand_id", "id", name="uq_wallet_pass_brand_id_id"),
        sa.UniqueConstraint(
            "brand_id", "member_id", "program_id", "kind", name="uq_wallet_pass_brand_id_member_id_program_id_kind"
        ),
        sa.UniqueConstraint("serial", name="uq_wallet_pass_serial"),
        sa.UniqueConstraint("token_hash", name="uq_wallet_pass_token_hash"),
    )


def tables() -> None:
    """Create what refers to brands alone, and the brand's own templates."""
    op.create_table(
        "wallet_channel",
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("paused_until", UtcDateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(length=60), nullable=False),
        sa.Column("fault_at", UtcDateTime(), nullable=True),
        sa.Column("worked_at", UtcDateTime(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_wallet_channel_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_channel")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_wallet_channel_brand_id_id")),
        sa.UniqueConstraint("brand_id", "kind", name=op.f("uq_wallet_channel_brand_id_kind")),
        info={"append_only": False},
    )
    op.create_table(
        "wallet_counter",
        sa.Column("epoch", sa.String(length=8), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_wallet_counter_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_counter")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_wallet_counter_brand_id_id")),
        sa.UniqueConstraint("brand_id", name=op.f("uq_wallet_counter_brand_id")),
        info={"append_only": False},
    )
    op.create_table(
        "wallet_credential",
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("imported_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_wallet_credential_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_credential")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_wallet_credential_brand_id_id")),
        sa.UniqueConstraint("brand_id", "kind", name=op.f("uq_wallet_credential_brand_id_kind")),
        info={"append_only": False},
    )
    op.create_table(
        "wallet_device",
        sa.Column("device_hash", sa.String(length=64), nullable=False),
        sa.Column("pass_type", sa.String(length=120), nullable=False),
        sa.Column("push_token", sa.LargeBinary(), nullable=False),
        sa.Column("push_token_hash", sa.String(length=64), nullable=False),
        sa.Column("token_at", UtcDateTime(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("woken", sa.BigInteger(), nullable=False),
        sa.Column("woken_at", UtcDateTime(), nullable=True),
        sa.Column("sending_until", UtcDateTime(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_wallet_device_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_device")),
        sa.UniqueConstraint(
            "brand_id", "device_hash", "pass_type", name=op.f("uq_wallet_device_brand_id_device_hash_pass_type")
        ),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_wallet_device_brand_id_id")),
        info={"append_only": False},
    )
    op.create_index(
        "ix_wallet_device_due",
        "wallet_device",
        ["brand_id"],
        unique=False,
        sqlite_where=DEVICE_DUE,
        postgresql_where=DEVICE_DUE,
    )
    op.create_table(
        "wallet_fault",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_wallet_fault_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_fault")),
        sa.UniqueConstraint("brand_id", "day", "code", name=op.f("uq_wallet_fault_brand_id_day_code")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_wallet_fault_brand_id_id")),
        info={"append_only": False},
    )
    op.create_table(
        "wallet_nonce",
        sa.Column("nonce_hash", sa.String(length=64), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_wallet_nonce_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_nonce")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_wallet_nonce_brand_id_id")),
        sa.UniqueConstraint("brand_id", "nonce_hash", name=op.f("uq_wallet_nonce_brand_id_nonce_hash")),
        info={"append_only": False},
    )
    op.create_index("ix_wallet_nonce_ends", "wallet_nonce", ["ends_at"], unique=False)
    op.create_table(
        "wallet_template",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_wallet_template_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_template")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_wallet_template_brand_id_id")),
        sa.UniqueConstraint("brand_id", "name", name=op.f("uq_wallet_template_brand_id_name")),
        info={"append_only": False},
    )
    op.create_table(
        "wallet_template_file",
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(length=80), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "template_id"],
            ["wallet_template.brand_id", "wallet_template.id"],
            name=op.f("fk_wallet_template_file_brand_id_template_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_wallet_template_file_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_template_file")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_wallet_template_file_brand_id_id")),
        sa.UniqueConstraint(
            "brand_id", "template_id", "path", name=op.f("uq_wallet_template_file_brand_id_template_id_path")
        ),
        info={"append_only": False},
    )


def more_tables() -> None:
    """Create what refers to programs, rewards, staff and passes."""
    op.create_table(
        "wallet_class",
        sa.Column("program_id", sa.Integer(), nullable=True),
        sa.Column("reward_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("issuer_id", sa.String(length=30), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("(program_id IS NULL) <> (reward_id IS NULL)", name=op.f("ck_wallet_class_shows_one_thing")),
        sa.ForeignKeyConstraint(
            ["brand_id", "program_id"],
            ["program.brand_id", "program.id"],
            name=op.f("fk_wallet_class_brand_id_program_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "reward_id"], ["reward.brand_id", "reward.id"], name=op.f("fk_wallet_class_brand_id_reward_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_wallet_class_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_class")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_wallet_class_brand_id_id")),
        sa.UniqueConstraint("brand_id", "program_id", name=op.f("uq_wallet_class_brand_id_program_id")),
        sa.UniqueConstraint("brand_id", "reward_id", name=op.f("uq_wallet_class_brand_id_reward_id")),
        info={"append_only": False},
    )
    op.create_table(
        "wallet_news",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("header", sa.JSON(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "staff_id"], ["staff.brand_id", "staff.id"], name=op.f("fk_wallet_news_brand_id_staff_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_wallet_news_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_news")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_wallet_news_brand_id_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_wallet_news_public_id")),
        info={"append_only": False},
    )
    op.create_table(
        "wallet_message",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("pass_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=9), nullable=False),
        sa.Column("header", sa.String(length=60), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "pass_id"],
            ["wallet_pass.brand_id", "wallet_pass.id"],
            name=op.f("fk_wallet_message_brand_id_pass_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_wallet_message_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_message")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_wallet_message_brand_id_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_wallet_message_public_id")),
        info={"append_only": False},
    )
    op.create_index("ix_wallet_message_pass", "wallet_message", ["brand_id", "pass_id"], unique=False)
    op.create_table(
        "wallet_registration",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("pass_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "device_id"],
            ["wallet_device.brand_id", "wallet_device.id"],
            name=op.f("fk_wallet_registration_brand_id_device_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "pass_id"],
            ["wallet_pass.brand_id", "wallet_pass.id"],
            name=op.f("fk_wallet_registration_brand_id_pass_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_wallet_registration_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_registration")),
        sa.UniqueConstraint(
            "brand_id", "device_id", "pass_id", name=op.f("uq_wallet_registration_brand_id_device_id_pass_id")
        ),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_wallet_registration_brand_id_id")),
        info={"append_only": False},
    )
    op.create_index("ix_wallet_registration_pass", "wallet_registration", ["brand_id", "pass_id"], unique=False)
