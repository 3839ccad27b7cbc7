"""The till path's statements as constants: measured, the ORM costs 28 times the driver's CPU, these about 5."""

from sqlalchemy import Date, bindparam, text

from app.core.tables import UtcDateTime

_MOMENTS = (bindparam("occurred_at", type_=UtcDateTime), bindparam("recorded_at", type_=UtcDateTime))

OPEN_ACCOUNT = text(
    "INSERT INTO account (brand_id, member_id, program_id, balance) VALUES (:brand_id, :member_id, :program_id, 0) "
    "ON CONFLICT (brand_id, member_id, program_id) DO NOTHING"
)
# Locked in id order on PostgreSQL. SQLite holds the write lock since BEGIN IMMEDIATE, and an ORDER BY id would make it
# walk UNIQUE (brand_id, id), that is, every account of the brand.
_LOCK_ACCOUNTS = "SELECT id, program_id, balance FROM account WHERE brand_id = :brand_id AND member_id = :member_id"
LOCK_ACCOUNTS = {
    "sqlite": text(_LOCK_ACCOUNTS),
    "postgresql": text(f"{_LOCK_ACCOUNTS} ORDER BY id FOR UPDATE"),
}
# Held against a merge that would move the member's accounts under a purchase that is on its way.
_HOLD_MEMBER = "SELECT state, merged_into_id FROM member WHERE brand_id = :brand_id AND id = :id {lock}"
HOLD_MEMBER = {
    "sqlite": text(_HOLD_MEMBER.format(lock="")),
    "postgresql": text(_HOLD_MEMBER.format(lock="FOR SHARE")),
}
INSERT_PURCHASE = text(
    "INSERT INTO purchase (brand_id, public_id, till_id, outlet_id, member_id, scan_id, receipt, local_date, "
    "occurred_at, "
    "recorded_at, total_cents, due_cents, cashier) VALUES (:brand_id, :public_id, :till_id, :outlet_id, "
    ":member_id, :scan_id, "
    ":receipt, :local_date, :occurred_at, :recorded_at, :total_cents, :due_cents, :cashier) "
    "ON CONFLICT (brand_id, till_id, local_date, receipt) DO NOTHING RETURNING id"
).bindparams(*_MOMENTS, bindparam("local_date", type_=Date))
INSERT_REFUND = text(
    "INSERT INTO refund (brand_id, public_id, purchase_id, till_id, amount_cents, occurred_at, recorded_at) "
    "VALUES (:brand_id, :public_id, :purchase_id, :till_id, :amount_cents, :occurred_at, :recorded_at) "
    "ON CONFLICT (brand_id, purchase_id) DO NOTHING RETURNING id"
).bindparams(*_MOMENTS)
INSERT_ENTRY = text(
    "INSERT INTO ledger_entry (brand_id, account_id, kind, amount, balance, occurred_at, recorded_at, "
    "purchase_id, refund_id, "
    "version_id, outlet_id, till_id, reason, source_kind, source_id, reverses_id) VALUES (:brand_id, "
    ":account_id, :kind, :amount, "
    ":balance, :occurred_at, :recorded_at, :purchase_id, :refund_id, :version_id, :outlet_id, :till_id, "
    ":reason, :source_kind, "
    ":source_id, :reverses_id) RETURNING id"
).bindparams(*_MOMENTS)
SET_BALANCE = text("UPDATE account SET balance = :balance WHERE brand_id = :brand_id AND id = :id")
