"""Invariants of cards and coupons for `leima check-books`. Source: earning.md, "Invariants"."""

from app.core.checks import checks

# What ended unused of a run's units is not taken back.
_EXPIRED = (
    "(SELECT COALESCE(sum(x.amount), 0) FROM ledger_entry g "
    "JOIN lot l ON l.brand_id = g.brand_id AND (l.entry_id = g.id OR l.origin_entry_id = g.id) "
    "JOIN lot_allocation x ON x.brand_id = l.brand_id AND x.lot_id = l.id "
    "JOIN ledger_entry o ON o.brand_id = x.brand_id AND o.id = x.entry_id AND o.kind = 'expire' "
    "WHERE g.brand_id = t.brand_id AND g.source_kind = 'trigger' AND g.source_id = t.id AND g.kind = 'earn')"
)
INVARIANTS = checks(
    {
        "1b each purchase's awards are its earn entries": (
            "SELECT 'purchase ' || w.purchase_id || ': awarded ' || w.amount || ', booked ' || "
            "COALESCE(sum(e.amount + e.pending), 0) FROM award w "
            "LEFT JOIN ledger_entry e ON e.brand_id = w.brand_id AND e.purchase_id = w.purchase_id AND e.kind = 'earn' "
            "AND e.version_id = w.version_id WHERE w.brand_id = :brand_id "
            "GROUP BY w.id, w.purchase_id, w.amount HAVING w.amount <> COALESCE(sum(e.amount + e.pending), 0)"
        ),
        "1c each run of a trigger is its entries, and what was taken back is": "".join(
            (
                "SELECT 'run ' || t.id || ': gave ' || t.amount FROM trigger_run t "
                "LEFT JOIN ledger_entry e ON e.brand_id = t.brand_id AND e.source_kind = 'trigger' "
                "AND e.source_id = t.id WHERE t.brand_id = :brand_id GROUP BY t.brand_id, t.id, t.amount, "
                "t.taken_back_at HAVING "
                "COALESCE(sum(CASE WHEN e.kind = 'earn' THEN e.amount + e.pending ELSE 0 END), 0) <> t.amount OR "
                "COALESCE(sum(CASE WHEN e.kind <> 'earn' THEN e.amount + e.pending ELSE 0 END), 0) "
                "NOT BETWEEN CASE WHEN t.taken_back_at IS NULL THEN 0 ELSE -t.amount END "
                "AND CASE WHEN t.taken_back_at IS NULL THEN 0 ELSE ",
                _EXPIRED,
                " - t.amount END UNION ALL "
                "SELECT 'entry ' || e.id FROM ledger_entry e LEFT JOIN trigger_run t ON t.brand_id = e.brand_id "
                "AND t.id = e.source_id WHERE e.brand_id = :brand_id AND e.source_kind = 'trigger' AND t.id IS NULL",
            )
        ),
        "3 a redeemed coupon has one live redemption, any other none": (
            "SELECT 'coupon ' || c.id || ': ' || c.state || ', live redemptions ' || count(r.id) FROM coupon c "
            "LEFT JOIN redemption r ON r.brand_id = c.brand_id AND r.coupon_id = c.id AND r.reversed_at IS NULL "
            "WHERE c.brand_id = :brand_id GROUP BY c.id, c.state "
            "HAVING count(r.id) <> CASE WHEN c.state = 'redeemed' THEN 1 ELSE 0 END"
        ),
        "3b each fill has its coupon or gift card, each of these of a fill its entry": (
            "SELECT 'fill ' || e.id FROM ledger_entry e LEFT JOIN coupon c ON c.brand_id = e.brand_id "
            "AND c.source_kind = 'fill' AND c.source_id = e.id LEFT JOIN gift_card g ON g.brand_id = e.brand_id "
            "AND g.source_kind = 'fill' AND g.source_id = e.id WHERE e.brand_id = :brand_id AND e.kind = 'fill' "
            "AND (c.id IS NULL) = (g.id IS NULL) UNION ALL "
            "SELECT 'coupon ' || c.id FROM coupon c LEFT JOIN ledger_entry e ON e.brand_id = c.brand_id "
            "AND e.id = c.source_id AND e.kind = 'fill' "
            "WHERE c.brand_id = :brand_id AND c.source_kind = 'fill' AND e.id IS NULL UNION ALL "
            "SELECT 'gift card ' || g.id FROM gift_card g LEFT JOIN ledger_entry e ON e.brand_id = g.brand_id "
            "AND e.id = g.source_id AND e.kind = 'fill' "
            "WHERE g.brand_id = :brand_id AND g.source_kind = 'fill' AND e.id IS NULL"
        ),
        "3e each spend of a purchase is settled, less what came back": (
            "SELECT 'entry ' || e.id FROM ledger_entry e JOIN account a ON a.brand_id = e.brand_id "
            "AND a.id = e.account_id JOIN program p ON p.brand_id = a.brand_id AND p.id = a.program_id "
            "WHERE e.brand_id = :brand_id AND e.kind = 'spend' AND p.kind = 'bonus' AND "
            "-e.amount - COALESCE((SELECT sum(r.amount) FROM ledger_entry r WHERE r.brand_id = e.brand_id "
            "AND r.reverses_id = e.id AND r.kind = 'reverse_spend'), 0) <> "
            "COALESCE((SELECT sum(f.cents) FROM settlement_fact f WHERE f.brand_id = e.brand_id "
            "AND f.source_kind = 'ledger_entry' AND f.source_id = e.id AND f.kind = 'bonus_spent'), 0)"
        ),
        "3f a bonus that a scan's purchase spent was spent by a scan that may redeem": (
            "SELECT 'entry ' || e.id FROM ledger_entry e JOIN purchase p ON p.brand_id = e.brand_id "
            "AND p.id = e.purchase_id JOIN scan s ON s.brand_id = p.brand_id AND s.id = p.scan_id "
            "WHERE e.brand_id = :brand_id AND e.kind = 'spend' AND NOT s.may_redeem"
        ),
        "3c a revoked coupon or gift card of a fill has its fill_undo": (
            "SELECT 'coupon ' || c.id FROM coupon c LEFT JOIN ledger_entry e ON e.brand_id = c.brand_id "
            "AND e.kind = 'fill_undo' AND e.reverses_id = c.source_id "
            "WHERE c.brand_id = :brand_id AND c.source_kind = 'fill' AND c.state = 'revoked' AND e.id IS NULL "
            "UNION ALL "
            "SELECT 'gift card ' || g.id FROM gift_card g LEFT JOIN ledger_entry e ON e.brand_id = g.brand_id "
            "AND e.kind = 'fill_undo' AND e.reverses_id = g.source_id "
            "WHERE g.brand_id = :brand_id AND g.source_kind = 'fill' AND g.state = 'revoked' AND e.id IS NULL"
        ),
        "3d each reward that a rule or a threshold gave has its coupon or gift card, each of these its reward": (
            "SELECT 'reward issue ' || i.id FROM reward_issue i LEFT JOIN coupon c ON c.brand_id = i.brand_id "
            "AND c.source_kind = 'issue' AND c.source_id = i.id LEFT JOIN gift_card g ON g.brand_id = i.brand_id "
            "AND g.source_kind = 'issue' AND g.source_id = i.id WHERE i.brand_id = :brand_id "
            "AND (c.id IS NULL OR c.reward_id <> i.reward_id) = (g.id IS NULL OR g.reward_id <> i.reward_id) UNION ALL "
            "SELECT 'coupon ' || c.id FROM coupon c LEFT JOIN reward_issue i ON i.brand_id = c.brand_id "
            "AND i.id = c.source_id WHERE c.brand_id = :brand_id AND c.source_kind = 'issue' AND i.id IS NULL "
            "UNION ALL "
            "SELECT 'gift card ' || g.id FROM gift_card g LEFT JOIN reward_issue i ON i.brand_id = g.brand_id "
            "AND i.id = g.source_id WHERE g.brand_id = :brand_id AND g.source_kind = 'issue' AND i.id IS NULL"
        ),
        "4 every upward reference resolves": (
            "SELECT 'account ' || a.id FROM account a LEFT JOIN program p ON p.brand_id = a.brand_id AND p.id = "
            "a.program_id "
            "WHERE a.brand_id = :brand_id AND p.id IS NULL UNION ALL "
            "SELECT 'entry ' || e.id FROM ledger_entry e LEFT JOIN program_version v ON v.brand_id = e.brand_id "
            "AND v.id = e.version_id WHERE e.brand_id = :brand_id AND v.id IS NULL"
        ),
        "4c tiers point to versions of their own program": (
            "SELECT 'tier hold ' || h.id FROM tier_hold h JOIN program_version v ON v.brand_id = h.brand_id "
            "AND v.id = h.version_id WHERE h.brand_id = :brand_id AND v.program_id <> h.program_id UNION ALL "
            "SELECT 'tier change ' || c.id FROM tier_change c JOIN program_version v ON v.brand_id = c.brand_id "
            "AND v.id = c.version_id WHERE c.brand_id = :brand_id AND v.program_id <> c.program_id"
        ),
        "12c each change of a tier follows the one before": (
            "SELECT 'tier change ' || x.id FROM (SELECT id, was, lag(tier, 1, '') OVER "
            "(PARTITION BY member_id, program_id ORDER BY id) AS before FROM tier_change WHERE brand_id = :brand_id) x "
            "WHERE x.was <> x.before"
        ),
        "12d who holds a tier was told of one": (
            "SELECT 'tier hold ' || h.id FROM tier_hold h WHERE h.brand_id = :brand_id AND NOT h.settled "
            "AND NOT EXISTS (SELECT 1 FROM tier_change c WHERE c.brand_id = h.brand_id "
            "AND c.member_id = h.member_id AND c.program_id = h.program_id)"
        ),
        "12b no card is fuller than its size": (
            "SELECT 'account ' || a.id || ': ' || a.balance FROM account a JOIN program_version v ON v.brand_id = "
            "a.brand_id "
            "AND v.program_id = a.program_id WHERE a.brand_id = :brand_id AND v.number = (SELECT max(w.number) "
            "FROM program_version w "
            "WHERE w.brand_id = a.brand_id AND w.program_id = a.program_id) AND a.balance >= v.size "
            "AND NOT EXISTS (SELECT 1 FROM program_version o WHERE o.brand_id = a.brand_id "
            "AND o.program_id = a.program_id AND o.size > a.balance)"
        ),
    }
)
