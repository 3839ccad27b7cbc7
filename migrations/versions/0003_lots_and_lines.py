"""Lots and lines: what was earned knows its expiry, a purchase its lines, a refund may take some of them.

Why: bonus expires and is spent, goods come back one by one, and programs of every kind earn.
Old code keeps running meanwhile: no: it writes refunds without `whole`. Tills are answered 500 until it is restarted.
Locks: ADD COLUMN with constant defaults and new tables; SQLite writes `award`, `refund`, `program` and
`program_version` anew.
Fill: the lots of what was earned before, in the order of the entries, and the figures of awards that were less than
expected; a few thousand of either take a second.
"""

from collections import deque

import sqlalchemy as sa
from alembic import op

from app.core.migrations import owned, refuse_changes, whole
from app.core.tables import UtcDateTime

revision = "0003"
down_revision = "0002"

APPEND_ONLY = ["purchase_line", "refund_line", "lot_allocation"]
OPEN = sa.text("remaining > 0")
WAITING = sa.text("remaining > 0 AND pending")
KINDS = "kind IN ('stamp_card', 'bonus', 'points', 'visits', 'cash_back', 'serial_card', 'standing')"


def upgrade() -> None:
    """Widen what is there, create what is new, and give the balances of before their lots."""
    columns()
    awards()
    refunds()
    programs()
    lines()
    lots()
    rule_uses()
    reward_issues()
    refuse_changes(*APPEND_ONLY)
    fill_lots()


def columns() -> None:
    """Add columns with constant defaults: neither database writes a row for them."""
    for name in ("discount_cents", "spent_cents"):
        op.add_column("purchase", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.add_column("purchase", sa.Column("approver", sa.String(length=26), nullable=True))
    op.add_column("account", sa.Column("pending", sa.Integer(), server_default="0", nullable=False))
    op.add_column("ledger_entry", sa.Column("pending", sa.Integer(), server_default="0", nullable=False))
    op.add_column("ledger_entry", sa.Column("cashier", sa.String(length=26), nullable=True))
    op.add_column("ledger_entry", sa.Column("approver", sa.String(length=26), nullable=True))
    op.add_column("ledger_entry", sa.Column("rule", sa.String(length=40), server_default="", nullable=False))


def awards() -> None:
    """Let an award say how it came about, and those of before why they were nothing or less."""
    with op.batch_alter_table("award") as batch:
        batch.alter_column("rule", existing_type=sa.String(length=20), type_=sa.String(length=40))
    op.add_column("award", sa.Column("parts", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("award", sa.Column("details", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("award", sa.Column("facts", sa.JSON(), server_default="{}", nullable=False))
    if op.get_bind().dialect.name == "sqlite":
        fill_details()
        refuse_changes("award")  # the rebuild has dropped them silently
        return
    op.execute("ALTER TABLE award DISABLE TRIGGER USER")
    fill_details()
    op.execute("ALTER TABLE award ENABLE TRIGGER USER")


def fill_details() -> None:
    """Count again what the sentences of awards name; rules of before say `per`, `cents` and `award`."""
    bind = op.get_bind()
    told = sa.text(
        "SELECT a.brand_id, a.id, a.reason, p.due_cents, v.rule FROM award a "
        "JOIN purchase p ON p.brand_id = a.brand_id AND p.id = a.purchase_id "
        "JOIN program_version v ON v.brand_id = a.brand_id AND v.id = a.version_id "
        "WHERE a.reason IN ('below_one_step', 'below_minimum', 'capped') ORDER BY a.id"
    ).columns(rule=sa.JSON)
    rows = [
        {"brand_id": brand_id, "id": award_id, "details": _details(reason, due_cents, rule)}
        for brand_id, award_id, reason, due_cents, rule in bind.execute(told)
    ]
    keep = sa.text("UPDATE award SET details = :details WHERE brand_id = :brand_id AND id = :id")
    if rows:
        bind.execute(keep.bindparams(sa.bindparam("details", type_=sa.JSON)), rows)


def _details(reason: str, due_cents: int, rule: dict[str, int]) -> dict[str, int]:
    least = rule["cents"]
    if reason == "below_one_step":
        return {"missing_cents": least - due_cents, "step_cents": least}
    if reason == "below_minimum":
        return {"min_cents": least, "missing_cents": least - due_cents}
    return {"most": 300, "earned": due_cents // least * rule.get("award", 1)}


def refunds() -> None:
    """Let a purchase have several refunds, of which one takes all that is left."""
    if op.get_bind().dialect.name == "postgresql":
        op.add_column("refund", sa.Column("paid_cents", sa.Integer(), nullable=True))
        op.add_column("refund", sa.Column("whole", sa.Boolean(), server_default=sa.true(), nullable=False))
        op.execute("ALTER TABLE refund DISABLE TRIGGER USER")
        op.execute("UPDATE refund SET paid_cents = amount_cents WHERE brand_id IS NOT NULL")
        op.execute("ALTER TABLE refund ENABLE TRIGGER USER")
        op.alter_column("refund", "paid_cents", nullable=False)
        op.alter_column("refund", "whole", server_default=None)
        op.drop_constraint("uq_refund_brand_id_purchase_id", "refund")
    else:
        with op.batch_alter_table("refund") as batch:
            batch.add_column(sa.Column("paid_cents", sa.Integer(), server_default="0", nullable=False))
            batch.add_column(sa.Column("whole", sa.Boolean(), server_default=sa.true(), nullable=False))
            batch.drop_constraint("uq_refund_brand_id_purchase_id", type_="unique")
        op.execute("UPDATE refund SET paid_cents = amount_cents WHERE brand_id IS NOT NULL")
        with op.batch_alter_table("refund") as batch:
            batch.alter_column("paid_cents", server_default=None)
            batch.alter_column("whole", server_default=None)
        refuse_changes("refund")  # a rebuild drops them silently
    op.create_index("ix_refund_purchase", "refund", ["purchase_id", "brand_id"])
    op.create_index(
        "uq_refund_whole", "refund", ["brand_id", "purchase_id"], unique=True, sqlite_where=sa.text("whole = 1"),
        postgresql_where=sa.text("whole"),
    )  # fmt: skip


def programs() -> None:
    """Let programs be of every kind, and versions fill nothing. SQLite cannot read a CHECK: all are stated again."""
    with op.batch_alter_table("program") as batch:
        if op.get_bind().dialect.name == "postgresql":
            batch.drop_constraint(op.f("ck_program_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_program_kind"), KINDS)
    with op.batch_alter_table("program_version") as batch:
        if op.get_bind().dialect.name == "postgresql":
            batch.drop_constraint(op.f("ck_program_version_size"), type_="check")
        batch.alter_column("size", existing_type=sa.Integer(), nullable=True)
        batch.alter_column("reward_id", existing_type=sa.Integer(), nullable=True)
        batch.create_check_constraint(op.f("ck_program_version_size"), "size BETWEEN 1 AND 10000000")
        batch.create_check_constraint(
            op.f("ck_program_version_fills_with_reward"), "(size IS NULL) = (reward_id IS NULL)"
        )


def lines() -> None:
    """Create the lines of purchases and refunds, and the notes."""
    op.create_table(
        "purchase_line",
        *whole("purchase_id", "number", "quantity", "unit_price_cents", "discount_cents", "spent_cents", "paid_cents"),
        sa.Column("sku", sa.String(length=40), nullable=False),
        sa.Column("item_group", sa.String(length=40), nullable=False),
        sa.Column("vat_rate_bp", sa.Integer(), nullable=True),
        *owned("purchase_line", ("purchase_id", "purchase")),
        sa.UniqueConstraint(
            "brand_id", "purchase_id", "number", name=op.f("uq_purchase_line_brand_id_purchase_id_number")
        ),
        sa.CheckConstraint("quantity > 0 AND unit_price_cents >= 0", name=op.f("ck_purchase_line_positive")),
        sa.CheckConstraint(
            "discount_cents >= 0 AND spent_cents >= 0 AND paid_cents >= 0", name=op.f("ck_purchase_line_parts")
        ),
    )
    op.create_table(
        "refund_line",
        *whole("refund_id", "line_id", "quantity", "discount_cents", "spent_cents", "paid_cents"),
        *owned("refund_line", ("refund_id", "refund"), ("line_id", "purchase_line")),
        sa.UniqueConstraint("brand_id", "refund_id", "line_id", name=op.f("uq_refund_line_brand_id_refund_id_line_id")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_refund_line_positive")),
    )
    op.create_index("ix_refund_line_line", "refund_line", ["line_id", "brand_id"])
    op.create_table(
        "note",
        sa.Column("source_kind", sa.String(length=20), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        *owned("note"),
    )
    op.create_index("ix_note_source", "note", ["brand_id", "source_kind", "source_id"])


def lots() -> None:
    """Create the lots and what is taken from them."""
    op.create_table(
        "lot",
        *whole("account_id", "entry_id", "amount", "remaining"),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("release_at", UtcDateTime(), nullable=True),
        *owned("lot", ("account_id", "account"), ("entry_id", "ledger_entry")),
        sa.CheckConstraint("amount > 0 AND remaining BETWEEN 0 AND amount", name=op.f("ck_lot_within")),
    )
    op.create_index("ix_lot_entry", "lot", ["entry_id", "brand_id"])
    for name, columns, where in (
        ("ix_lot_open", ["account_id", "brand_id"], OPEN),
        ("ix_lot_expiry", ["expires_at"], OPEN),
        ("ix_lot_release", ["release_at"], WAITING),
    ):
        op.create_index(name, "lot", columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "lot_allocation",
        *whole("lot_id", "entry_id", "amount"),
        *owned("lot_allocation", ("lot_id", "lot"), ("entry_id", "ledger_entry")),
    )
    op.create_index("ix_lot_allocation_lot", "lot_allocation", ["lot_id", "brand_id"])
    op.create_index("ix_lot_allocation_entry", "lot_allocation", ["entry_id", "brand_id"])


def rule_uses() -> None:
    """Create what limits, "the first N" and budgets count."""
    op.create_table(
        "rule_use",
        *whole("program_id", "member_id", "awarded"),
        sa.Column("purchase_id", sa.Integer(), nullable=True),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        *owned("rule_use", ("program_id", "program"), ("member_id", "member"), ("purchase_id", "purchase")),
    )
    op.create_index("ix_rule_use_member", "rule_use", ["member_id", "brand_id", "program_id"])
    op.create_table(
        "rule_total",
        *whole("program_id", "times", "awarded"),
        sa.Column("rule", sa.String(length=40), nullable=False),
        *owned("rule_total", ("program_id", "program")),
        sa.UniqueConstraint("brand_id", "program_id", "rule", name=op.f("uq_rule_total_brand_id_program_id_rule")),
    )


def reward_issues() -> None:
    """Create the rewards that rules and thresholds give."""
    op.create_table(
        "reward_issue",
        *whole("program_id", "version_id", "member_id", "reward_id", "round"),
        sa.Column("purchase_id", sa.Integer(), nullable=True),
        sa.Column("threshold", sa.Integer(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        *owned(
            "reward_issue", ("program_id", "program"), ("version_id", "program_version"), ("member_id", "member"),
            ("purchase_id", "purchase"), ("reward_id", "reward"),
        ),
    )  # fmt: skip
    op.create_index("ix_reward_issue_member", "reward_issue", ["member_id", "brand_id", "program_id"])
    op.create_index("ix_reward_issue_purchase", "reward_issue", ["purchase_id", "brand_id"])


def fill_lots() -> None:
    """Play the entries of before, account by account: first in, first used, and a debt is paid by what follows."""
    bind = op.get_bind()
    accounts = bind.execute(sa.text("SELECT brand_id, id FROM account ORDER BY id")).all()
    entries = sa.text(
        "SELECT id, amount FROM ledger_entry WHERE brand_id = :brand_id AND account_id = :account_id ORDER BY id"
    )
    for brand_id, account_id in accounts:
        rows = bind.execute(entries, {"brand_id": brand_id, "account_id": account_id}).all()
        _play(bind, brand_id, account_id, [(row.id, row.amount) for row in rows])


def _play(bind: sa.Connection, brand_id: int, account_id: int, entries: list[tuple[int, int]]) -> None:
    new_lot = sa.text(
        "INSERT INTO lot (brand_id, account_id, entry_id, amount, remaining, pending) "
        "VALUES (:brand_id, :account_id, :entry_id, :amount, :remaining, :pending) RETURNING id"
    ).bindparams(sa.bindparam("pending", type_=sa.Boolean()))
    plus = [[entry_id, amount, amount] for entry_id, amount in entries if amount > 0]
    open_lots, owed, taken = deque[list[int]](), deque[list[int]](), list[tuple[int, int, int]]()
    waiting = iter(plus)
    for entry_id, amount in entries:
        if amount > 0:
            open_lots.append(next(waiting))
        elif amount < 0:
            owed.append([entry_id, -amount])
        while open_lots and owed:
            lot, debt = open_lots[0], owed[0]
            part = min(lot[2], debt[1])
            taken.append((lot[0], debt[0], part))
            lot[2], debt[1] = lot[2] - part, debt[1] - part
            if lot[2] == 0:
                open_lots.popleft()
            if debt[1] == 0:
                owed.popleft()
    ids = {}
    for entry_id, amount, remaining in plus:
        values = {"brand_id": brand_id, "account_id": account_id, "entry_id": entry_id, "amount": amount}
        ids[entry_id] = bind.execute(new_lot, {**values, "remaining": remaining, "pending": False}).scalar_one()
    if taken:
        bind.execute(
            sa.text(
                "INSERT INTO lot_allocation (brand_id, lot_id, entry_id, amount) "
                "VALUES (:brand_id, :lot_id, :entry_id, :amount)"
            ),
            [
                {"brand_id": brand_id, "lot_id": ids[source], "entry_id": into, "amount": part}
                for source, into, part in taken
            ],
        )
