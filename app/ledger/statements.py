"""The till path's statements as constants: measured, the ORM costs 28 times the driver's CPU, these about 5."""

from sqlalchemy import Boolean, bindparam, text

from app.core.sql import Sql
from app.core.tables import UtcDateTime

OPEN_ACCOUNT = Sql(
    "INSERT INTO account (brand_id, member_id, program_id, balance) VALUES (:brand_id, :member_id, :program_id, 0) "
    "ON CONFLICT (brand_id, member_id, program_id) DO NOTHING"
)
# Locked in id order on PostgreSQL. SQLite holds the write lock since BEGIN IMMEDIATE, and an ORDER BY id would make it
# walk UNIQUE (brand_id, id), that is, every account of the brand.
_LOCK_ACCOUNTS = (
    "SELECT id, program_id, balance, pending FROM account WHERE brand_id = :brand_id AND member_id = :member_id"
)
LOCK_ACCOUNTS = {
    "sqlite": Sql(_LOCK_ACCOUNTS),
    "postgresql": Sql(f"{_LOCK_ACCOUNTS} ORDER BY id FOR UPDATE"),
}
# What is over and has not ended yet: `used` could be used until then, `ripe` would have been released before it ended.
_OVER = (
    "COALESCE((SELECT sum(l.remaining) FROM lot l WHERE l.brand_id = a.brand_id AND l.account_id = a.id "
    "AND l.remaining > 0 AND l.expires_at <= :at AND {which}), 0)"
)
_BALANCES = (
    "SELECT a.program_id, a.balance, {used} AS used, {ripe} AS ripe FROM account a "
    "WHERE a.brand_id = :brand_id AND a.member_id = :member_id"
)
BALANCES = text(
    _BALANCES.format(
        used=_OVER.format(which="NOT l.pending"), ripe=_OVER.format(which="l.pending AND l.release_at < l.expires_at")
    )
).bindparams(bindparam("at", type_=UtcDateTime))
# Held against a merge that would move the member's accounts under a purchase that is on its way.
_HOLD_MEMBER = "SELECT state, merged_into_id FROM member WHERE brand_id = :brand_id AND id = :id {lock}"
HOLD_MEMBER = {
    "sqlite": Sql(_HOLD_MEMBER.format(lock="")),
    "postgresql": Sql(_HOLD_MEMBER.format(lock="FOR SHARE")),
}
INSERT_PURCHASE = Sql(
    "INSERT INTO purchase (brand_id, public_id, till_id, outlet_id, member_id, scan_id, receipt, local_date, "
    "occurred_at, recorded_at, total_cents, due_cents, discount_cents, spent_cents, cashier, approver) VALUES "
    "(:brand_id, :public_id, :till_id, :outlet_id, :member_id, :scan_id, :receipt, :local_date, :occurred_at, "
    ":recorded_at, :total_cents, :due_cents, :discount_cents, :spent_cents, :cashier, :approver) "
    "ON CONFLICT (brand_id, till_id, local_date, receipt) DO NOTHING RETURNING id"
)
INSERT_LINE = Sql(
    "INSERT INTO purchase_line (brand_id, purchase_id, number, sku, item_group, quantity, unit_price_cents, "
    "vat_rate_bp, discount_cents, spent_cents, paid_cents) VALUES (:brand_id, :purchase_id, :number, :sku, "
    ":item_group, :quantity, :unit_price_cents, :vat_rate_bp, :discount_cents, :spent_cents, :paid_cents)"
)
INSERT_REFUND = text(
    "INSERT INTO refund (brand_id, public_id, purchase_id, till_id, amount_cents, paid_cents, whole, occurred_at, "
    "recorded_at) VALUES (:brand_id, :public_id, :purchase_id, :till_id, :amount_cents, :paid_cents, :whole, "
    ":occurred_at, :recorded_at) ON CONFLICT DO NOTHING RETURNING id"
).bindparams(
    bindparam("occurred_at", type_=UtcDateTime), bindparam("recorded_at", type_=UtcDateTime),
    bindparam("whole", type_=Boolean),
)  # fmt: skip
INSERT_ENTRY = Sql(
    "INSERT INTO ledger_entry (brand_id, account_id, kind, amount, balance, pending, occurred_at, recorded_at, "
    "purchase_id, refund_id, version_id, outlet_id, till_id, cashier, approver, rule, reason, source_kind, source_id, "
    "reverses_id) VALUES (:brand_id, :account_id, :kind, :amount, :balance, :pending, :occurred_at, :recorded_at, "
    ":purchase_id, :refund_id, :version_id, :outlet_id, :till_id, :cashier, :approver, :rule, :reason, :source_kind, "
    ":source_id, :reverses_id) RETURNING id"
)
SET_BALANCE = Sql("UPDATE account SET balance = :balance, pending = :pending WHERE brand_id = :brand_id AND id = :id")

# Everything about lots happens under their account's lock.
INSERT_LOT = Sql(
    "INSERT INTO lot (brand_id, account_id, entry_id, amount, remaining, expires_at, pending, release_at, "
    "origin_entry_id) VALUES (:brand_id, :account_id, :entry_id, :amount, :amount, :expires_at, :pending, :release_at, "
    ":origin)"
)
# Soonest expiry first, equal dates by age, no expiry last.
OPEN_LOTS = Sql(
    "SELECT id, entry_id, remaining, expires_at, pending, release_at, origin_entry_id FROM lot "
    "WHERE brand_id = :brand_id AND account_id = :account_id AND remaining > 0 "
    "ORDER BY CASE WHEN expires_at IS NULL THEN 1 ELSE 0 END, expires_at, id"
)
USE_LOT = Sql("UPDATE lot SET remaining = remaining - :amount WHERE brand_id = :brand_id AND id = :lot_id")
RELEASE_LOT = Sql("UPDATE lot SET pending = :no WHERE brand_id = :brand_id AND id = :id")
# What ended unused of what an entry had brought, wherever a merge or a reversal has put it.
EXPIRED_OF = Sql(
    "SELECT COALESCE(sum(a.amount), 0) FROM lot l JOIN lot_allocation a ON a.brand_id = l.brand_id AND a.lot_id = l.id "
    "JOIN ledger_entry e ON e.brand_id = a.brand_id AND e.id = a.entry_id AND e.kind = 'expire' "
    "WHERE l.brand_id = :brand_id AND (l.entry_id = :entry_id OR l.origin_entry_id = :entry_id)"
)
ALLOCATE = Sql(
    "INSERT INTO lot_allocation (brand_id, lot_id, entry_id, amount) VALUES (:brand_id, :lot_id, :entry_id, :amount)"
)
# What entries took and no lot has given yet: read only while the balance is below zero.
OPEN_DEBTS = Sql(
    "SELECT e.id, e.reverses_id, -e.amount - e.pending - COALESCE(sum(a.amount), 0) AS owed FROM ledger_entry e "
    "LEFT JOIN lot_allocation a ON a.brand_id = e.brand_id AND a.entry_id = e.id "
    "WHERE e.brand_id = :brand_id AND e.account_id = :account_id AND e.amount < 0 "
    "GROUP BY e.id, e.reverses_id, e.amount, e.pending "
    "HAVING -e.amount - e.pending - COALESCE(sum(a.amount), 0) > 0 ORDER BY e.id"
)
# What an entry took from each lot, less what reversals of it have returned: the last to expire comes back first.
# Reversals are found through the lots, since no index leads from an entry to those that reverse it.
TAKEN_BY = text(
    "SELECT l.id, l.account_id, l.expires_at, l.pending, l.release_at, "
    "COALESCE(l.origin_entry_id, l.entry_id) AS origin, t.taken + COALESCE("
    "(SELECT sum(b.amount) FROM lot_allocation b JOIN ledger_entry r ON r.brand_id = b.brand_id AND r.id = b.entry_id "
    "WHERE b.brand_id = l.brand_id AND b.lot_id = l.id AND b.amount < 0 AND r.reverses_id = :entry_id), 0) AS taken "
    "FROM (SELECT lot_id, sum(amount) AS taken FROM lot_allocation "
    "WHERE brand_id = :brand_id AND entry_id = :entry_id GROUP BY lot_id) t "
    "JOIN lot l ON l.brand_id = :brand_id AND l.id = t.lot_id "
    "ORDER BY CASE WHEN l.expires_at IS NULL THEN 0 ELSE 1 END, l.expires_at DESC, l.id DESC"
).columns(expires_at=UtcDateTime, release_at=UtcDateTime, pending=Boolean)
