"""Invariants of the ledger for `leima check-books`. Source: earning.md, "Invariants"."""

from app.core.checks import checks

INVARIANTS = checks({
    "1 cached balance = sum of entries": (
        "SELECT 'account ' || a.id || ': balance ' || a.balance || ', entries ' || COALESCE(sum(e.amount), 0) "
        "FROM account a LEFT JOIN ledger_entry e ON e.brand_id = a.brand_id AND e.account_id = a.id "
        "WHERE a.brand_id = :brand_id GROUP BY a.id, a.balance HAVING a.balance <> COALESCE(sum(e.amount), 0)"
    ),
    "1 cached pending = sum of entries": (
        "SELECT 'account ' || a.id || ': pending ' || a.pending || ', entries ' || COALESCE(sum(e.pending), 0) "
        "FROM account a LEFT JOIN ledger_entry e ON e.brand_id = a.brand_id AND e.account_id = a.id "
        "WHERE a.brand_id = :brand_id GROUP BY a.id, a.pending HAVING a.pending <> COALESCE(sum(e.pending), 0)"
    ),
    "2 a lot's rest = its amount less its allocations": (
        "SELECT 'lot ' || l.id || ': ' || l.remaining || ' of ' || l.amount || ', allocated ' || "
        "COALESCE(sum(a.amount), 0) FROM lot l LEFT JOIN lot_allocation a ON a.brand_id = l.brand_id "
        "AND a.lot_id = l.id WHERE l.brand_id = :brand_id GROUP BY l.id, l.remaining, l.amount "
        "HAVING l.remaining <> l.amount - COALESCE(sum(a.amount), 0) OR l.remaining < 0 OR l.remaining > l.amount"
    ),
    "2 allocations of each spend sum to it, of any other use to no more": (
        "SELECT 'entry ' || e.id || ': ' || e.kind || ' ' || (e.amount + e.pending) || ', allocated ' || "
        "COALESCE(sum(a.amount), 0) FROM ledger_entry e LEFT JOIN lot_allocation a ON a.brand_id = e.brand_id "
        "AND a.entry_id = e.id WHERE e.brand_id = :brand_id AND e.amount + e.pending < 0 "
        "GROUP BY e.id, e.kind, e.amount, e.pending HAVING COALESCE(sum(a.amount), 0) > -(e.amount + e.pending) OR "
        "(e.kind IN ('spend', 'fill', 'expire', 'forfeit') AND COALESCE(sum(a.amount), 0) <> -(e.amount + e.pending))"
    ),
    "2 what an entry adds lies in its lots or went back to others": (
        "SELECT 'entry ' || e.id || ': ' || (e.amount + e.pending) FROM ledger_entry e WHERE e.brand_id = :brand_id "
        "AND e.amount + e.pending > 0 AND e.amount + e.pending <> "
        "COALESCE((SELECT sum(l.amount) FROM lot l WHERE l.brand_id = e.brand_id AND l.entry_id = e.id), 0) - "
        "COALESCE((SELECT sum(a.amount) FROM lot_allocation a WHERE a.brand_id = e.brand_id AND a.entry_id = e.id), 0)"
    ),
    "2 open lots = balance and pending": (
        "SELECT 'account ' || a.id || ': balance ' || a.balance || ', pending ' || a.pending || ', lots ' || "
        "COALESCE(sum(l.remaining), 0) FROM account a LEFT JOIN lot l ON l.brand_id = a.brand_id "
        "AND l.account_id = a.id WHERE a.brand_id = :brand_id GROUP BY a.id, a.balance, a.pending HAVING "
        "COALESCE(sum(CASE WHEN NOT l.pending THEN l.remaining END), 0) <> "
        "CASE WHEN a.balance > 0 THEN a.balance ELSE 0 END OR "
        "COALESCE(sum(CASE WHEN l.pending THEN l.remaining END), 0) <> a.pending"
    ),
    "4 a purchase's lines and parts sum to it": (
        "SELECT 'purchase ' || p.id FROM purchase p LEFT JOIN purchase_line l ON l.brand_id = p.brand_id "
        "AND l.purchase_id = p.id WHERE p.brand_id = :brand_id "
        "GROUP BY p.id, p.total_cents, p.due_cents, p.discount_cents, p.spent_cents "
        "HAVING p.total_cents <> p.due_cents + p.discount_cents + p.spent_cents OR (count(l.id) > 0 AND ("
        "sum(l.quantity * l.unit_price_cents) <> p.total_cents OR sum(l.paid_cents) <> p.due_cents OR "
        "sum(l.discount_cents) <> p.discount_cents OR sum(l.spent_cents) <> p.spent_cents OR "
        "sum(l.quantity * l.unit_price_cents) <> sum(l.discount_cents + l.spent_cents + l.paid_cents)))"
    ),
    "4 no more of a line came back than was bought": (
        "SELECT 'line ' || l.id FROM purchase_line l JOIN refund_line r ON r.brand_id = l.brand_id "
        "AND r.line_id = l.id WHERE l.brand_id = :brand_id "
        "GROUP BY l.id, l.quantity, l.discount_cents, l.spent_cents, l.paid_cents "
        "HAVING sum(r.quantity) > l.quantity OR sum(r.paid_cents) > l.paid_cents OR "
        "sum(r.spent_cents) > l.spent_cents OR sum(r.discount_cents) > l.discount_cents"
    ),
    "4 refunds pay no more back than was paid": (
        "SELECT 'purchase ' || p.id FROM purchase p JOIN refund r ON r.brand_id = p.brand_id AND r.purchase_id = p.id "
        "WHERE p.brand_id = :brand_id GROUP BY p.id, p.total_cents, p.due_cents "
        "HAVING sum(r.amount_cents) > p.total_cents OR sum(r.paid_cents) > p.due_cents"
    ),
    "12 the running balance of each entry follows the one before": (
        "SELECT 'entry ' || x.id FROM (SELECT id, balance, sum(amount) OVER (PARTITION BY account_id ORDER BY id) "
        "AS total FROM ledger_entry WHERE brand_id = :brand_id) x WHERE x.balance <> x.total"
    ),
})  # fmt: skip
