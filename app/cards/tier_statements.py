"""The statements of tiers on the till path, as constants."""

from sqlalchemy import Boolean, Date, bindparam, text

from app.core.tables import UtcDateTime

# Spend is due less what refunds paid back; an outlet counts once a day as a visit, unless all of it came back.
DAYS = (
    text(
        "SELECT p.local_date, sum(p.due_cents - COALESCE((SELECT sum(r.paid_cents) FROM refund r "
        "WHERE r.brand_id = p.brand_id AND r.purchase_id = p.id), 0)) AS cents, "
        "count(DISTINCT CASE WHEN p.due_cents > 0 AND NOT EXISTS (SELECT 1 FROM refund w "
        "WHERE w.brand_id = p.brand_id AND w.purchase_id = p.id AND w.whole) THEN p.outlet_id END) AS visits "
        "FROM purchase p WHERE p.brand_id = :brand_id AND p.member_id = :member_id AND p.occurred_at >= :since "
        "AND p.occurred_at < :until GROUP BY p.local_date"
    )
    .bindparams(bindparam("since", type_=UtcDateTime), bindparam("until", type_=UtcDateTime))
    .columns(local_date=Date)
)
HOLD_COLUMNS = ("program_id", "version_id", "tier", "source", "reached_on", "until", "purchase_id", "trigger_run_id")
HOLD = text(
    "INSERT INTO tier_hold (brand_id, member_id, program_id, version_id, tier, source, reached_on, until, "
    "purchase_id, trigger_run_id, settled) VALUES (:brand_id, :member_id, :program_id, :version_id, :tier, :source, "
    ":reached_on, :until, :purchase_id, :trigger_run_id, :settled) "
    "ON CONFLICT (brand_id, member_id, program_id, tier, source) DO UPDATE SET version_id = excluded.version_id, "
    "until = excluded.until, purchase_id = excluded.purchase_id, trigger_run_id = excluded.trigger_run_id, "
    "settled = :settled, "
    "reached_on = CASE WHEN tier_hold.until < :begins THEN excluded.reached_on ELSE tier_hold.reached_on END "
    "WHERE excluded.until > tier_hold.until"
).bindparams(
    bindparam("reached_on", type_=Date), bindparam("until", type_=UtcDateTime), bindparam("begins", type_=UtcDateTime),
    bindparam("settled", type_=Boolean),
)  # fmt: skip
NEWEST = text(
    "SELECT tier FROM tier_change WHERE brand_id = :brand_id AND member_id = :member_id AND program_id = :program_id "
    "ORDER BY id DESC LIMIT 1"
)
# The plus keeps SQLite from walking all holds of the brand by its UNIQUE (brand_id, id).
DUE = text(
    "SELECT member_id FROM tier_hold WHERE +brand_id = :brand_id AND NOT settled AND until <= :now "
    "ORDER BY until, id LIMIT :most"
).bindparams(bindparam("now", type_=UtcDateTime))
