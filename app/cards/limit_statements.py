"""What limits count, as constants for the till's path: few rows of a member and of who became it, each by an index."""

from sqlalchemy import bindparam, text

from app.cards.situation import of_family
from app.core.sql import Sql
from app.core.tables import UtcDateTime

LIMITS = Sql("SELECT CAST(limits AS TEXT) FROM brand WHERE id = :brand_id")

_EARNED = (
    "(EXISTS (SELECT 1 FROM award a WHERE a.brand_id = p.brand_id AND a.purchase_id = p.id AND a.amount > 0) "
    "OR EXISTS (SELECT 1 FROM reward_issue i WHERE i.brand_id = p.brand_id AND i.purchase_id = p.id)) "
    "AND NOT EXISTS (SELECT 1 FROM refund r WHERE r.brand_id = p.brand_id AND r.purchase_id = p.id AND r.whole)"
)
_SPAN = (bindparam("since", type_=UtcDateTime), bindparam("until", type_=UtcDateTime))

_AROUND = (
    "SELECT p.outlet_id, p.occurred_at, o.kind, o.latitude, o.longitude, h.kind AS here_kind, "
    "h.latitude AS here_latitude, h.longitude AS here_longitude, "
    "CASE WHEN {earned} THEN 1 ELSE 0 END AS earned FROM purchase p "
    "JOIN outlet o ON o.brand_id = p.brand_id AND o.id = p.outlet_id "
    "JOIN outlet h ON h.brand_id = p.brand_id AND h.id = :outlet_id "
    "WHERE p.brand_id = :brand_id AND p.member_id {of_family} "
    "AND p.occurred_at >= :since AND p.occurred_at < :until"
)
AROUND = of_family(_AROUND.replace("{earned}", _EARNED))
# Two halves, since an OR would walk the brand's staff.
_OWNER = (
    "SELECT s.public_id, s.reseller_id FROM contact c JOIN staff s ON s.brand_id = c.brand_id AND s.{kind} = c.value "
    "WHERE c.brand_id = :brand_id AND c.member_id = :member_id AND c.kind = '{kind}' "
    "AND c.confirmed_at IS NOT NULL AND (s.ended_at IS NULL OR s.ended_at > :now)"
)
OWNER = Sql(" UNION ALL ".join(_OWNER.format(kind=kind) for kind in ("email", "phone")))
# Colleagues of a reseller's people stand at that reseller's tills; the brand's people have them everywhere.
IS_COLLEAGUE = text(
    "SELECT 1 FROM outlet WHERE brand_id = :brand_id AND id = :outlet_id "
    "AND reseller_id = COALESCE(:reseller_id, reseller_id)"
)
_BY_COLLEAGUES = (
    "SELECT (SELECT count(*) FROM purchase p JOIN outlet o ON o.brand_id = p.brand_id AND o.id = p.outlet_id "
    "WHERE p.brand_id = :brand_id AND p.member_id {of_family} "
    "AND p.occurred_at >= :since AND p.occurred_at < :until "
    "AND COALESCE(p.cashier, '') <> :owner AND o.reseller_id = COALESCE(:reseller_id, o.reseller_id) AND {earned}) + "
    "(SELECT count(*) FROM manual_stamp m JOIN outlet o ON o.brand_id = m.brand_id AND o.id = m.outlet_id "
    "WHERE m.brand_id = :brand_id AND m.member_id {of_family} AND m.local_date >= :first AND m.local_date < :next "
    "AND m.cashier <> :owner AND o.reseller_id = COALESCE(:reseller_id, o.reseller_id) AND m.amount > 0)"
)
BY_COLLEAGUES = of_family(_BY_COLLEAGUES.replace("{earned}", _EARNED))

_MANUAL_OF_MEMBER = (
    "SELECT COALESCE(sum(amount), 0) FROM manual_stamp WHERE brand_id = :brand_id AND member_id {of_family} "
    "AND local_date = :day"
)
MANUAL_OF_MEMBER = of_family(_MANUAL_OF_MEMBER)
MANUAL_OF_CASHIER = text(
    "SELECT COALESCE(sum(amount), 0) FROM manual_stamp WHERE brand_id = :brand_id AND cashier = :cashier "
    "AND occurred_at > :since AND occurred_at < :until"
).bindparams(*_SPAN)
# Locked after the member's accounts: nobody who holds a cashier waits for an account.
_HOLD_CASHIER = "SELECT id FROM staff WHERE brand_id = :brand_id AND public_id = :cashier {lock}"
HOLD_CASHIER = {
    "sqlite": text(_HOLD_CASHIER.format(lock="")),
    "postgresql": text(_HOLD_CASHIER.format(lock="FOR NO KEY UPDATE")),
}
