"""Invariants of serial cards for `leima check-books`. Source: earning.md, "Invariants"."""

from app.core.checks import checks

_LEFT = (
    "(SELECT brand_id, member_id, program_id, expires_at, sum(uses - used - lost) AS amount FROM serial_card "
    "WHERE brand_id = :brand_id AND refunded_at IS NULL GROUP BY brand_id, member_id, program_id, expires_at)"
)
_LOTS = (
    "(SELECT a.brand_id, a.id, a.member_id, a.program_id, l.expires_at, sum(l.remaining) AS amount FROM account a "
    "JOIN program p ON p.brand_id = a.brand_id AND p.id = a.program_id AND p.kind = 'serial_card' "
    "JOIN lot l ON l.brand_id = a.brand_id AND l.account_id = a.id AND l.remaining > 0 "
    "WHERE a.brand_id = :brand_id GROUP BY a.brand_id, a.id, a.member_id, a.program_id, l.expires_at)"
)
_SAME = (
    "x.brand_id = y.brand_id AND x.member_id = y.member_id AND x.program_id = y.program_id "
    "AND x.expires_at = y.expires_at"
)
# A fact of a source and its reversals: what is left of it.
_NET = (
    "COALESCE((SELECT sum(f.cents) FROM settlement_fact f WHERE f.brand_id = {row}.brand_id "
    "AND f.source_kind = '{kind}' AND f.source_id = {row}.id), 0)"
)
INVARIANTS = checks({
    "1 a serial card's counts = its live uses": (
        "SELECT 'serial card ' || c.id || ': used ' || c.used || ', settled ' || c.frozen_cents FROM serial_card c "
        "LEFT JOIN serial_use u ON u.brand_id = c.brand_id AND u.card_id = c.id AND u.reversed_at IS NULL "
        "WHERE c.brand_id = :brand_id GROUP BY c.id, c.used, c.frozen_cents "
        "HAVING c.used <> COALESCE(sum(u.uses), 0) OR c.frozen_cents <> COALESCE(sum(u.share_cents), 0)"
    ),
    "1 the uses of a used up serial card sum to its price": (
        "SELECT 'serial card ' || id || ': ' || frozen_cents || ' of ' || price_cents FROM serial_card "
        "WHERE brand_id = :brand_id AND used = uses AND frozen_cents <> price_cents"
    ),
    "2 open lots of serial cards = what is left of the cards": "".join((
        "SELECT 'account ' || x.id || ': lots ' || x.amount || ', cards ' || COALESCE(y.amount, 0) FROM ", _LOTS, " x "
        "LEFT JOIN ", _LEFT, " y ON ", _SAME, " WHERE x.amount <> COALESCE(y.amount, 0)",
    )),
    # A merged member's own account may have ended them.
    "2 what is left of serial cards lies in lots or has expired": "".join((
        "SELECT 'member ' || y.member_id || ': cards ' || y.amount FROM ", _LEFT, " y LEFT JOIN ", _LOTS, " x "
        "ON ", _SAME, " WHERE y.amount <> COALESCE(x.amount, 0) AND NOT EXISTS (SELECT 1 "
        "FROM ledger_entry e JOIN account a ON a.brand_id = e.brand_id AND a.id = e.account_id "
        "JOIN member m ON m.brand_id = a.brand_id AND m.id = a.member_id "
        "WHERE e.brand_id = y.brand_id AND y.member_id IN (m.id, m.merged_into_id) AND a.program_id = y.program_id "
        "AND e.kind = 'expire' AND e.occurred_at = y.expires_at)",
    )),
    "3 each serial card and each use of it has its entries": (
        "SELECT 'serial card ' || c.id FROM serial_card c LEFT JOIN ledger_entry e ON e.brand_id = c.brand_id "
        "AND e.id = c.entry_id AND e.kind = 'earn' AND e.amount = c.uses WHERE c.brand_id = :brand_id "
        "AND e.id IS NULL UNION ALL "
        "SELECT 'serial use ' || u.id FROM serial_use u LEFT JOIN ledger_entry e ON e.brand_id = u.brand_id "
        "AND e.id = u.entry_id AND e.kind = 'spend' AND e.amount = -u.uses "
        "LEFT JOIN ledger_entry r ON r.brand_id = u.brand_id AND r.reverses_id = u.entry_id "
        "AND r.kind = 'reverse_spend' AND r.amount = u.uses WHERE u.brand_id = :brand_id "
        "AND (e.id IS NULL OR (r.id IS NULL) <> (u.reversed_at IS NULL))"
    ),
    "3 each credit of a serial card went into a bonus or onto a gift card": (
        "SELECT 'serial use ' || u.id FROM serial_use u LEFT JOIN ledger_entry e ON e.brand_id = u.brand_id "
        "AND e.id = u.credit_entry_id AND e.amount + e.pending = u.credit_cents "
        "LEFT JOIN gift_card g ON g.brand_id = u.brand_id AND g.id = u.gift_card_id "
        "AND g.initial_cents = u.credit_cents WHERE u.brand_id = :brand_id "
        "AND CASE WHEN u.credit_cents > 0 THEN 1 ELSE 0 END <> "
        "CASE WHEN e.id IS NULL THEN 0 ELSE 1 END + CASE WHEN g.id IS NULL THEN 0 ELSE 1 END"
    ),
    "7 what outlets took in for serial cards and gave for their uses is settled": "".join((
        "SELECT 'serial card ' || c.id FROM serial_card c WHERE c.brand_id = :brand_id AND ",
        _NET.format(row="c", kind="serial_card"),
        " <> CASE WHEN c.refunded_at IS NULL THEN -c.price_cents ELSE 0 END UNION ALL "
        "SELECT 'serial use ' || u.id FROM serial_use u WHERE u.brand_id = :brand_id AND ",
        _NET.format(row="u", kind="serial_use"),
        " <> CASE WHEN u.reversed_at IS NULL THEN u.share_cents ELSE 0 END",
    )),
})  # fmt: skip
