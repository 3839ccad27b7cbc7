"""Invariants of member prices for `leima check-books`. Source: earning.md, "Invariants"."""

from app.core.checks import checks

INVARIANTS = checks({
    "3 each use of a member price is a line of its purchase": (
        "SELECT 'offer use ' || u.id FROM offer_use u LEFT JOIN purchase_line l ON l.brand_id = u.brand_id "
        "AND l.id = u.line_id AND l.purchase_id = u.purchase_id AND l.quantity = u.quantity "
        "WHERE u.brand_id = :brand_id AND l.id IS NULL"
    ),
    "7 compensation is settled for each item at a member price that did not come back": (
        "SELECT 'offer use ' || u.id || ': settled ' || u.settled || ', to settle ' || u.due FROM ("
        "SELECT o.id, COALESCE((SELECT sum(f.cents) FROM settlement_fact f WHERE f.brand_id = o.brand_id "
        "AND f.source_kind = 'offer_use' AND f.source_id = o.id), 0) AS settled, "
        "o.compensation_cents * (o.quantity - COALESCE((SELECT sum(r.quantity) FROM refund_line r "
        "WHERE r.brand_id = o.brand_id AND r.line_id = o.line_id), 0)) AS due "
        "FROM offer_use o WHERE o.brand_id = :brand_id) u WHERE u.settled <> u.due"
    ),
})  # fmt: skip
