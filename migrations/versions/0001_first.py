"""The first schema: network, members, ledger, rewards, cards, jobs.

Why: the main job, end to end.
Old code keeps running meanwhile: there is none.
Locks: none, the tables are new.
Fill: none.
"""

import sqlalchemy as sa
from alembic import op

from app.core.migrations import refuse_changes
from app.core.tables import UtcDateTime

revision = "0001"
down_revision = None

APPEND_ONLY = ["award", "consent_event", "ledger_entry", "purchase", "refund"]


def upgrade() -> None:
    """Create the tables, then the triggers that keep append-only rows as they are."""
    tables()
    refuse_changes(*APPEND_ONLY)


def tables() -> None:
    """Create every table."""
    op.create_table(
        "brand",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("brand_color", sa.String(length=7), nullable=False),
        sa.Column("brand_deep", sa.String(length=7), nullable=False),
        sa.Column("ink", sa.String(length=7), nullable=False),
        sa.Column("on_ink", sa.String(length=7), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("default_language", sa.String(length=2), nullable=False),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.Column("lowest_age", sa.Integer(), nullable=False),
        sa.Column("contact", sa.String(length=120), nullable=False),
        sa.Column("welcome_reward_id", sa.Integer(), nullable=True),
        sa.Column("welcome_at_till", sa.Boolean(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand")),
        sa.UniqueConstraint("slug", name=op.f("uq_brand_slug")),
        info={"no_brand": "it is the brand"},
    )
    op.create_table(
        "counter",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_counter")),
        info={"no_brand": "keys are hashes over brand, contact or address"},
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=True),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("unique_key", sa.String(length=160), nullable=True),
        sa.Column("slot", sa.String(length=160), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("run_at", UtcDateTime(), nullable=False),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("slot", name=op.f("uq_job_slot")),
        info={"no_brand": "jobs of the installation have no brand; brand_id is set on all others", "finds_brand": True},
    )
    op.create_index(
        "ix_job_done",
        "job",
        ["finished_at"],
        unique=False,
        sqlite_where=sa.text("state = 'done'"),
        postgresql_where=sa.text("state = 'done'"),
    )
    op.create_index(
        "ix_job_leased",
        "job",
        ["leased_until"],
        unique=False,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "ix_job_queued",
        "job",
        ["priority", "run_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "uq_job_unique_key",
        "job",
        ["unique_key"],
        unique=True,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "chain",
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_chain_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_chain_brand_id_id")),
        sa.UniqueConstraint("brand_id", "slug", name=op.f("uq_chain_brand_id_slug")),
        info={"append_only": False},
    )
    op.create_table(
        "cost_centre",
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_cost_centre_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_centre")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_cost_centre_brand_id_id")),
        sa.UniqueConstraint("brand_id", "slug", name=op.f("uq_cost_centre_brand_id_slug")),
        info={"append_only": False},
    )
    op.create_table(
        "door_session",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=60), nullable=False),
        sa.Column("door", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_door_session_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_door_session")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_door_session_brand_id_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_door_session_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_door_session_token_hash")),
        info={"append_only": False},
    )
    op.create_index(op.f("ix_door_session_subject_id"), "door_session", ["subject_id"], unique=False)
    op.create_table(
        "program",
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("unit", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('stamp_card')", name=op.f("ck_program_kind")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_program_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_program_brand_id_id")),
        sa.UniqueConstraint("brand_id", "slug", name=op.f("uq_program_brand_id_slug")),
        sa.UniqueConstraint("public_id", name=op.f("uq_program_public_id")),
        info={"append_only": False},
    )
    op.create_table(
        "welcome_gift",
        sa.Column("contact_hash", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_welcome_gift_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_welcome_gift")),
        sa.UniqueConstraint("brand_id", "contact_hash", name=op.f("uq_welcome_gift_brand_id_contact_hash")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_welcome_gift_brand_id_id")),
        info={"append_only": False},
    )
    op.create_table(
        "wording",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_wording_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wording")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_wording_brand_id_id")),
        sa.UniqueConstraint(
            "brand_id", "kind", "language", "version", name=op.f("uq_wording_brand_id_kind_language_version")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_wording_public_id")),
        info={"append_only": False},
    )
    op.create_table(
        "reseller",
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("business_id", sa.String(length=20), nullable=False),
        sa.Column("vat_number", sa.String(length=20), nullable=True),
        sa.Column("self_billing_since", sa.Date(), nullable=True),
        sa.Column("iban", sa.String(length=34), nullable=True),
        sa.Column("chain_id", sa.Integer(), nullable=True),
        sa.Column("account_manager_id", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "chain_id"], ["chain.brand_id", "chain.id"], name=op.f("fk_reseller_brand_id_chain_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_reseller_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reseller")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_reseller_brand_id_id")),
        sa.UniqueConstraint("brand_id", "slug", name=op.f("uq_reseller_brand_id_slug")),
        sa.UniqueConstraint("public_id", name=op.f("uq_reseller_public_id")),
        info={"append_only": False},
    )
    op.create_table(
        "reward",
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("icon", sa.String(length=10), nullable=False),
        sa.Column("face_cents", sa.Integer(), nullable=False),
        sa.Column("settlement_cents", sa.Integer(), nullable=False),
        sa.Column("fee_cents", sa.Integer(), nullable=False),
        sa.Column("cost_centre_id", sa.Integer(), nullable=True),
        sa.Column("valid_days", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "cost_centre_id"],
            ["cost_centre.brand_id", "cost_centre.id"],
            name=op.f("fk_reward_brand_id_cost_centre_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_reward_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_reward_brand_id_id")),
        sa.UniqueConstraint("brand_id", "slug", name=op.f("uq_reward_brand_id_slug")),
        info={"append_only": False},
    )
    op.create_table(
        "outlet",
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("reseller_id", sa.Integer(), nullable=False),
        sa.Column("chain_id", sa.Integer(), nullable=True),
        sa.Column("street", sa.String(length=120), nullable=False),
        sa.Column("postcode", sa.String(length=10), nullable=False),
        sa.Column("city", sa.String(length=60), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('shop', 'web', 'kiosk')", name=op.f("ck_outlet_kind")),
        sa.ForeignKeyConstraint(
            ["brand_id", "chain_id"], ["chain.brand_id", "chain.id"], name=op.f("fk_outlet_brand_id_chain_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "reseller_id"],
            ["reseller.brand_id", "reseller.id"],
            name=op.f("fk_outlet_brand_id_reseller_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_outlet_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outlet")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_outlet_brand_id_id")),
        sa.UniqueConstraint("brand_id", "slug", name=op.f("uq_outlet_brand_id_slug")),
        sa.UniqueConstraint("public_id", name=op.f("uq_outlet_public_id")),
        info={"append_only": False},
    )
    op.create_table(
        "program_version",
        sa.Column("program_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("reward_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("size BETWEEN 1 AND 100", name=op.f("ck_program_version_size")),
        sa.ForeignKeyConstraint(
            ["brand_id", "program_id"],
            ["program.brand_id", "program.id"],
            name=op.f("fk_program_version_brand_id_program_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "reward_id"],
            ["reward.brand_id", "reward.id"],
            name=op.f("fk_program_version_brand_id_reward_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_program_version_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program_version")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_program_version_brand_id_id")),
        sa.UniqueConstraint(
            "brand_id", "program_id", "number", name=op.f("uq_program_version_brand_id_program_id_number")
        ),
        info={"append_only": False},
    )
    op.create_table(
        "staff",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("reseller_id", sa.Integer(), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(role IN ('reseller_manager', 'cashier')) = (reseller_id IS NOT NULL)", name=op.f("ck_staff_role_fits")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "reseller_id"],
            ["reseller.brand_id", "reseller.id"],
            name=op.f("fk_staff_brand_id_reseller_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_staff_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_staff_brand_id_id")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_email")),
        sa.UniqueConstraint("public_id", name=op.f("uq_staff_public_id")),
        info={"append_only": False},
    )
    op.create_index("ix_staff_reseller", "staff", ["brand_id", "reseller_id"], unique=False)
    op.create_table(
        "member",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.Column("first_name", sa.String(length=60), nullable=True),
        sa.Column("last_name", sa.String(length=60), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("postcode", sa.String(length=10), nullable=True),
        sa.Column("birth_month", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("outlet_id", sa.Integer(), nullable=True),
        sa.Column("joined_at", UtcDateTime(), nullable=False),
        sa.Column("age_confirmed", sa.Boolean(), nullable=False),
        sa.Column("terms_id", sa.Integer(), nullable=True),
        sa.Column("privacy_id", sa.Integer(), nullable=True),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=False),
        sa.Column("totp_step", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "merged_into_id"],
            ["member.brand_id", "member.id"],
            name=op.f("fk_member_brand_id_merged_into_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "outlet_id"], ["outlet.brand_id", "outlet.id"], name=op.f("fk_member_brand_id_outlet_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_member_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_member_brand_id_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_member_public_id")),
        info={"append_only": False},
    )
    op.create_index("ix_member_joined", "member", ["brand_id", "joined_at"], unique=False)
    op.create_index("ix_member_merged", "member", ["brand_id", "merged_into_id"], unique=False)
    op.create_table(
        "till",
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("outlet_id", sa.Integer(), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "outlet_id"], ["outlet.brand_id", "outlet.id"], name=op.f("fk_till_brand_id_outlet_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_till_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_till")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_till_brand_id_id")),
        sa.UniqueConstraint("brand_id", "outlet_id", "slug", name=op.f("uq_till_brand_id_outlet_id_slug")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_till_key_hash")),
        sa.UniqueConstraint("public_id", name=op.f("uq_till_public_id")),
        info={"append_only": False},
    )
    op.create_table(
        "account",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("program_id", sa.Integer(), nullable=False),
        sa.Column("balance", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_account_brand_id_member_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_account_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_account_brand_id_id")),
        sa.UniqueConstraint(
            "brand_id", "member_id", "program_id", name=op.f("uq_account_brand_id_member_id_program_id")
        ),
        info={"append_only": False},
    )
    op.create_table(
        "answer",
        sa.Column("till_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "till_id"], ["till.brand_id", "till.id"], name=op.f("fk_answer_brand_id_till_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_answer_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_answer_brand_id_id")),
        sa.UniqueConstraint("brand_id", "till_id", "key", name=op.f("uq_answer_brand_id_till_id_key")),
        info={"append_only": False},
    )
    op.create_index(op.f("ix_answer_at"), "answer", ["at"], unique=False)
    op.create_table(
        "consent_event",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("wording_id", sa.Integer(), nullable=True),
        sa.Column("wording_sha256", sa.String(length=64), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("outlet_id", sa.Integer(), nullable=True),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"],
            ["member.brand_id", "member.id"],
            name=op.f("fk_consent_event_brand_id_member_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "outlet_id"],
            ["outlet.brand_id", "outlet.id"],
            name=op.f("fk_consent_event_brand_id_outlet_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "wording_id"],
            ["wording.brand_id", "wording.id"],
            name=op.f("fk_consent_event_brand_id_wording_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_consent_event_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_event")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_consent_event_brand_id_id")),
        info={"append_only": True},
    )
    op.create_index(
        "ix_consent_newest", "consent_event", ["brand_id", "member_id", "channel", "purpose", "id"], unique=False
    )
    op.create_table(
        "contact",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=5), nullable=False),
        sa.Column("value", sa.String(length=254), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('email', 'phone')", name=op.f("ck_contact_kind")),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_contact_brand_id_member_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_contact_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_contact_brand_id_id")),
        sa.UniqueConstraint(
            "brand_id", "member_id", "kind", "value", name=op.f("uq_contact_brand_id_member_id_kind_value")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_contact_public_id")),
        info={"append_only": False},
    )
    op.create_index(op.f("ix_contact_member_id"), "contact", ["member_id"], unique=False)
    op.create_index(
        "ix_contact_waiting",
        "contact",
        ["brand_id", "kind", "value"],
        unique=False,
        sqlite_where=sa.text("confirmed_at IS NULL"),
        postgresql_where=sa.text("confirmed_at IS NULL"),
    )
    op.create_index(
        "uq_contact_confirmed",
        "contact",
        ["brand_id", "kind", "value"],
        unique=True,
        sqlite_where=sa.text("confirmed_at IS NOT NULL"),
        postgresql_where=sa.text("confirmed_at IS NOT NULL"),
    )
    op.create_table(
        "contact_code",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=5), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=False),
        sa.Column("contact_hash", sa.String(length=64), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("link_hash", sa.String(length=64), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_contact_code_brand_id_member_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_contact_code_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_code")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_contact_code_brand_id_id")),
        sa.UniqueConstraint("link_hash", name=op.f("uq_contact_code_link_hash")),
        sa.UniqueConstraint("public_id", name=op.f("uq_contact_code_public_id")),
        info={"append_only": False},
    )
    op.create_index("ix_contact_code_browser", "contact_code", ["brand_id", "browser_hash"], unique=False)
    op.create_index(op.f("ix_contact_code_contact_hash"), "contact_code", ["contact_hash"], unique=False)
    op.create_table(
        "coupon",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("reward_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("last_four", sa.String(length=4), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("source_kind", sa.String(length=20), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('issued', 'redeemed', 'expired', 'revoked')", name=op.f("ck_coupon_state")),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_coupon_brand_id_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "reward_id"], ["reward.brand_id", "reward.id"], name=op.f("fk_coupon_brand_id_reward_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_coupon_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon")),
        sa.UniqueConstraint("brand_id", "code_hash", name=op.f("uq_coupon_brand_id_code_hash")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_coupon_brand_id_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_coupon_public_id")),
        info={"append_only": False},
    )
    op.create_index("ix_coupon_day", "coupon", ["brand_id", "issued_at"], unique=False)
    op.create_index("ix_coupon_due", "coupon", ["state", "expires_at"], unique=False)
    op.create_index("ix_coupon_member", "coupon", ["brand_id", "member_id"], unique=False)
    op.create_index("uq_coupon_source", "coupon", ["brand_id", "source_kind", "source_id"], unique=True)
    op.create_table(
        "member_code",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("spoken", sa.String(length=8), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_member_code_brand_id_member_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_member_code_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_code")),
        sa.UniqueConstraint("brand_id", "code", name=op.f("uq_member_code_brand_id_code")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_member_code_brand_id_id")),
        sa.UniqueConstraint("brand_id", "spoken", name=op.f("uq_member_code_brand_id_spoken")),
        info={"append_only": False},
    )
    op.create_index(op.f("ix_member_code_member_id"), "member_code", ["member_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(length=6), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("dedupe", sa.String(length=80), nullable=False),
        sa.Column("subscription_id", sa.Integer(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_message_brand_id_member_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_message_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("brand_id", "dedupe", name=op.f("uq_message_brand_id_dedupe")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_message_brand_id_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_message_public_id")),
        info={"append_only": False},
    )
    op.create_index("ix_message_member", "message", ["brand_id", "member_id"], unique=False)
    op.create_table(
        "push_subscription",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("login_id", sa.Integer(), nullable=True),
        sa.Column("endpoint", sa.LargeBinary(), nullable=False),
        sa.Column("endpoint_hash", sa.String(length=64), nullable=False),
        sa.Column("p256dh", sa.String(length=100), nullable=False),
        sa.Column("auth", sa.String(length=40), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"],
            ["member.brand_id", "member.id"],
            name=op.f("fk_push_subscription_brand_id_member_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_push_subscription_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscription")),
        sa.UniqueConstraint("brand_id", "endpoint_hash", name=op.f("uq_push_subscription_brand_id_endpoint_hash")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_push_subscription_brand_id_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_push_subscription_public_id")),
        info={"append_only": False},
    )
    op.create_index(op.f("ix_push_subscription_login_id"), "push_subscription", ["login_id"], unique=False)
    op.create_index("ix_push_subscription_member", "push_subscription", ["brand_id", "member_id"], unique=False)
    op.create_table(
        "scan",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("till_id", sa.Integer(), nullable=False),
        sa.Column("may_redeem", sa.Boolean(), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("note", sa.String(length=12), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_scan_brand_id_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "till_id"], ["till.brand_id", "till.id"], name=op.f("fk_scan_brand_id_till_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_scan_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_scan_brand_id_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_scan_public_id")),
        info={"append_only": False},
    )
    op.create_index(op.f("ix_scan_member_id"), "scan", ["member_id"], unique=False)
    op.create_table(
        "wallet_pass",
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
        sa.CheckConstraint("(kind = 'apple') = (token IS NOT NULL)", name=op.f("ck_wallet_pass_token_fits")),
        sa.CheckConstraint("kind IN ('apple', 'google')", name=op.f("ck_wallet_pass_kind")),
        sa.CheckConstraint("(token IS NULL) = (token_hash IS NULL)", name=op.f("ck_wallet_pass_token_hash_fits")),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_wallet_pass_brand_id_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "program_id"],
            ["program.brand_id", "program.id"],
            name=op.f("fk_wallet_pass_brand_id_program_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_wallet_pass_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_pass")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_wallet_pass_brand_id_id")),
        sa.UniqueConstraint(
            "brand_id",
            "member_id",
            "program_id",
            "kind",
            name=op.f("uq_wallet_pass_brand_id_member_id_program_id_kind"),
        ),
        sa.UniqueConstraint("serial", name=op.f("uq_wallet_pass_serial")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_wallet_pass_token_hash")),
        info={"append_only": False},
    )
    op.create_table(
        "purchase",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("till_id", sa.Integer(), nullable=False),
        sa.Column("outlet_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("scan_id", sa.Integer(), nullable=True),
        sa.Column("receipt", sa.String(length=40), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("total_cents", sa.Integer(), nullable=False),
        sa.Column("due_cents", sa.Integer(), nullable=False),
        sa.Column("cashier", sa.String(length=26), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("total_cents >= 0 AND due_cents >= 0", name=op.f("ck_purchase_not_negative")),
        sa.ForeignKeyConstraint(
            ["brand_id", "member_id"], ["member.brand_id", "member.id"], name=op.f("fk_purchase_brand_id_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "outlet_id"], ["outlet.brand_id", "outlet.id"], name=op.f("fk_purchase_brand_id_outlet_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "scan_id"], ["scan.brand_id", "scan.id"], name=op.f("fk_purchase_brand_id_scan_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "till_id"], ["till.brand_id", "till.id"], name=op.f("fk_purchase_brand_id_till_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_purchase_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_purchase_brand_id_id")),
        sa.UniqueConstraint(
            "brand_id", "till_id", "local_date", "receipt", name=op.f("uq_purchase_brand_id_till_id_local_date_receipt")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_purchase_public_id")),
        info={"append_only": True},
    )
    op.create_index("ix_purchase_day", "purchase", ["brand_id", "occurred_at"], unique=False)
    op.create_index("ix_purchase_member", "purchase", ["brand_id", "member_id", "occurred_at"], unique=False)
    op.create_index("ix_purchase_till", "purchase", ["brand_id", "till_id", "id"], unique=False)
    op.create_table(
        "award",
        sa.Column("purchase_id", sa.Integer(), nullable=False),
        sa.Column("program_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "program_id"], ["program.brand_id", "program.id"], name=op.f("fk_award_brand_id_program_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "purchase_id"],
            ["purchase.brand_id", "purchase.id"],
            name=op.f("fk_award_brand_id_purchase_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "version_id"],
            ["program_version.brand_id", "program_version.id"],
            name=op.f("fk_award_brand_id_version_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_award_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_award")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_award_brand_id_id")),
        sa.UniqueConstraint(
            "brand_id", "purchase_id", "program_id", name=op.f("uq_award_brand_id_purchase_id_program_id")
        ),
        info={"append_only": True},
    )
    op.create_index("ix_award_program", "award", ["brand_id", "program_id"], unique=False)
    op.create_table(
        "redemption",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("coupon_id", sa.Integer(), nullable=False),
        sa.Column("till_id", sa.Integer(), nullable=False),
        sa.Column("outlet_id", sa.Integer(), nullable=False),
        sa.Column("purchase_id", sa.Integer(), nullable=True),
        sa.Column("scan_id", sa.Integer(), nullable=True),
        sa.Column("settlement_cents", sa.Integer(), nullable=False),
        sa.Column("fee_cents", sa.Integer(), nullable=False),
        sa.Column("cost_centre_id", sa.Integer(), nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("reversed_at", UtcDateTime(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "cost_centre_id"],
            ["cost_centre.brand_id", "cost_centre.id"],
            name=op.f("fk_redemption_brand_id_cost_centre_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "coupon_id"], ["coupon.brand_id", "coupon.id"], name=op.f("fk_redemption_brand_id_coupon_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "outlet_id"], ["outlet.brand_id", "outlet.id"], name=op.f("fk_redemption_brand_id_outlet_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "purchase_id"],
            ["purchase.brand_id", "purchase.id"],
            name=op.f("fk_redemption_brand_id_purchase_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "scan_id"], ["scan.brand_id", "scan.id"], name=op.f("fk_redemption_brand_id_scan_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "till_id"], ["till.brand_id", "till.id"], name=op.f("fk_redemption_brand_id_till_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_redemption_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemption")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_redemption_brand_id_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_redemption_public_id")),
        info={"append_only": False},
    )
    op.create_index("ix_redemption_coupon", "redemption", ["brand_id", "coupon_id"], unique=False)
    op.create_index("ix_redemption_day", "redemption", ["brand_id", "occurred_at"], unique=False)
    op.create_index("ix_redemption_purchase", "redemption", ["brand_id", "purchase_id"], unique=False)
    op.create_index("ix_redemption_scan", "redemption", ["brand_id", "scan_id"], unique=False)
    op.create_index(
        "uq_redemption_live",
        "redemption",
        ["brand_id", "coupon_id"],
        unique=True,
        sqlite_where=sa.text("reversed_at IS NULL"),
        postgresql_where=sa.text("reversed_at IS NULL"),
    )
    op.create_table(
        "refund",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("purchase_id", sa.Integer(), nullable=False),
        sa.Column("till_id", sa.Integer(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "purchase_id"],
            ["purchase.brand_id", "purchase.id"],
            name=op.f("fk_refund_brand_id_purchase_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "till_id"], ["till.brand_id", "till.id"], name=op.f("fk_refund_brand_id_till_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_refund_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_refund_brand_id_id")),
        sa.UniqueConstraint("brand_id", "purchase_id", name=op.f("uq_refund_brand_id_purchase_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_refund_public_id")),
        info={"append_only": True},
    )
    op.create_table(
        "ledger_entry",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=14), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("balance", sa.Integer(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("purchase_id", sa.Integer(), nullable=True),
        sa.Column("refund_id", sa.Integer(), nullable=True),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("outlet_id", sa.Integer(), nullable=True),
        sa.Column("till_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("source_kind", sa.String(length=20), nullable=True),
        sa.Column("source_id", sa.Integer(), nullable=True),
        sa.Column("reverses_id", sa.Integer(), nullable=True),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["brand_id", "account_id"],
            ["account.brand_id", "account.id"],
            name=op.f("fk_ledger_entry_brand_id_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "purchase_id"],
            ["purchase.brand_id", "purchase.id"],
            name=op.f("fk_ledger_entry_brand_id_purchase_id"),
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "refund_id"], ["refund.brand_id", "refund.id"], name=op.f("fk_ledger_entry_brand_id_refund_id")
        ),
        sa.ForeignKeyConstraint(
            ["brand_id", "reverses_id"],
            ["ledger_entry.brand_id", "ledger_entry.id"],
            name=op.f("fk_ledger_entry_brand_id_reverses_id"),
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_ledger_entry_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("brand_id", "id", name=op.f("uq_ledger_entry_brand_id_id")),
        info={"append_only": True},
    )
    op.create_index("ix_ledger_entry_account", "ledger_entry", ["brand_id", "account_id", "id"], unique=False)
    op.create_index("ix_ledger_entry_purchase", "ledger_entry", ["brand_id", "purchase_id"], unique=False)
    op.create_index("ix_ledger_entry_refund", "ledger_entry", ["brand_id", "refund_id"], unique=False)
    # ### end Alembic commands ###
