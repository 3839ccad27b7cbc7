"""Invariants of gift cards, grants and seats for `leima check-books`. Source: earning.md, "Invariants"."""

from app.core.checks import checks

INVARIANTS = checks({
    "1 a gift card's balance = sum of its entries": (
        "SELECT 'gift card ' || c.id || ': balance ' || c.balance_cents || ', entries ' || "
        "COALESCE(sum(e.amount_cents), 0) FROM gift_card c LEFT JOIN gift_card_entry e ON e.brand_id = c.brand_id "
        "AND e.gift_card_id = c.id WHERE c.brand_id = :brand_id GROUP BY c.id, c.balance_cents "
        "HAVING c.balance_cents <> COALESCE(sum(e.amount_cents), 0) OR c.balance_cents < 0"
    ),
    "1 a gift card is loaded once, with what it was worth": (
        "SELECT 'gift card ' || c.id FROM gift_card c LEFT JOIN gift_card_entry e ON e.brand_id = c.brand_id "
        "AND e.gift_card_id = c.id AND e.kind = 'load' WHERE c.brand_id = :brand_id "
        "GROUP BY c.id, c.initial_cents HAVING count(e.id) <> 1 OR sum(e.amount_cents) <> c.initial_cents"
    ),
    "1 a gift card's state fits what is left on it": (
        "SELECT 'gift card ' || id || ': ' || state || ' with ' || balance_cents FROM gift_card "
        "WHERE brand_id = :brand_id AND (state = 'active') <> (balance_cents > 0)"
    ),
    "2 no more of a gift card's use came back than was used": (
        "SELECT 'entry ' || e.id FROM gift_card_entry e JOIN gift_card_entry r ON r.brand_id = e.brand_id "
        "AND r.reverses_id = e.id WHERE e.brand_id = :brand_id GROUP BY e.id, e.kind, e.amount_cents "
        "HAVING e.kind <> 'use' OR sum(r.amount_cents) > -e.amount_cents"
    ),
    "3 each use of a gift card names its outlet and till": (
        "SELECT 'entry ' || e.id FROM gift_card_entry e LEFT JOIN till t ON t.brand_id = e.brand_id "
        "AND t.id = e.till_id AND t.outlet_id = e.outlet_id "
        "WHERE e.brand_id = :brand_id AND e.kind = 'use' AND t.id IS NULL"
    ),
    "3 each use of a gift card is settled, less what came back": (
        "SELECT 'entry ' || e.id FROM gift_card_entry e WHERE e.brand_id = :brand_id AND e.kind = 'use' AND "
        "-e.amount_cents - COALESCE((SELECT sum(r.amount_cents) FROM gift_card_entry r WHERE r.brand_id = e.brand_id "
        "AND r.reverses_id = e.id), 0) <> COALESCE((SELECT sum(f.cents) FROM settlement_fact f "
        "WHERE f.brand_id = e.brand_id AND f.source_kind = 'gift_card_entry' AND f.source_id = e.id), 0)"
    ),
    "3 each sold gift card is settled": (
        "SELECT 'gift card ' || g.id FROM gift_card g WHERE g.brand_id = :brand_id AND g.sold_cents <> "
        "-COALESCE((SELECT sum(f.cents) FROM settlement_fact f WHERE f.brand_id = g.brand_id "
        "AND f.source_kind = 'gift_card' AND f.source_id = g.id AND f.reverses_id IS NULL), 0)"
    ),
    "3 each sold gift card has its sale, each sale its card, which is revoked where it was refunded": (
        "SELECT 'sale ' || s.id FROM gift_card_sale s LEFT JOIN gift_card g ON g.brand_id = s.brand_id "
        "AND g.source_kind = 'sale' AND g.source_id = s.id AND g.sold_cents = s.value_cents "
        "WHERE s.brand_id = :brand_id AND (g.id IS NULL OR (s.refunded_at IS NOT NULL AND g.state <> 'revoked')) "
        "UNION ALL SELECT 'gift card ' || g.id FROM gift_card g LEFT JOIN gift_card_sale s ON s.brand_id = g.brand_id "
        "AND s.id = g.source_id AND g.source_kind = 'sale' "
        "WHERE g.brand_id = :brand_id AND g.sold_cents > 0 AND s.id IS NULL UNION ALL "
        "SELECT 'sale ' || s.id FROM gift_card_sale s JOIN gift_card g ON g.brand_id = s.brand_id "
        "AND g.source_kind = 'sale' AND g.source_id = s.id WHERE s.brand_id = :brand_id "
        "AND (s.refunded_at IS NOT NULL) <> (COALESCE((SELECT sum(f.cents) FROM settlement_fact f "
        "WHERE f.brand_id = g.brand_id AND f.source_kind = 'gift_card' AND f.source_id = g.id), 0) = 0)"
    ),
    "3 each grant by hand has its coupon or gift card": (
        "SELECT 'grant ' || h.id FROM hand_grant h LEFT JOIN coupon c ON c.brand_id = h.brand_id "
        "AND c.source_kind = 'hand' AND c.source_id = h.id LEFT JOIN gift_card g ON g.brand_id = h.brand_id "
        "AND g.source_kind = 'hand' AND g.source_id = h.id WHERE h.brand_id = :brand_id "
        "AND (c.id IS NULL) = (g.id IS NULL) UNION ALL "
        "SELECT 'coupon ' || c.id FROM coupon c LEFT JOIN hand_grant h ON h.brand_id = c.brand_id "
        "AND h.id = c.source_id WHERE c.brand_id = :brand_id AND c.source_kind = 'hand' AND h.id IS NULL UNION ALL "
        "SELECT 'gift card ' || g.id FROM gift_card g LEFT JOIN hand_grant h ON h.brand_id = g.brand_id "
        "AND h.id = g.source_id WHERE g.brand_id = :brand_id AND g.source_kind = 'hand' AND h.id IS NULL"
    ),
    "3 an invitation's seats = its replies, and no more than there are": (
        "SELECT 'reward ' || r.id || ': ' || r.seats_taken || ' taken, replies ' || COALESCE(sum(i.seats), 0) "
        "FROM reward r LEFT JOIN coupon c ON c.brand_id = r.brand_id AND c.reward_id = r.id "
        "LEFT JOIN invitation_reply i ON i.brand_id = c.brand_id AND i.coupon_id = c.id "
        "WHERE r.brand_id = :brand_id GROUP BY r.id, r.seats_taken, r.seats "
        "HAVING r.seats_taken <> COALESCE(sum(i.seats), 0) OR r.seats_taken > r.seats"
    ),
    "12 the running balance of each gift card's entry follows the one before": (
        "SELECT 'entry ' || x.id FROM (SELECT id, balance_cents, sum(amount_cents) OVER "
        "(PARTITION BY gift_card_id ORDER BY id) AS total FROM gift_card_entry WHERE brand_id = :brand_id) x "
        "WHERE x.balance_cents <> x.total"
    ),
})  # fmt: skip
