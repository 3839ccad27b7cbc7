"""Rules of programs: their model as validated JSON, and the pure evaluation of it. See docs/program-rules.md."""

from app.cards.rules.asks import asks_for_tiers, ladder_periods, needs_seed, places_of, rewards_of, tiers_of
from app.cards.rules.balance import MOST_REWARDS, Crossed, Reached, crossed, fills, passed, serial_credit, use_share
from app.cards.rules.dates import expiry, last_due, period_end, period_start, release_at
from app.cards.rules.evaluate import MAX_STAMPS, evaluate
from app.cards.rules.facts import (
    Facts,
    Line,
    Outcome,
    Part,
    Used,
    facts_from_json,
    facts_to_json,
    parts_from_json,
    parts_to_json,
)
from app.cards.rules.model import (
    KINDS,
    Plan,
    Release,
    Rule,
    Shorthand,
    Tier,
    parse,
)
from app.cards.rules.standing import Day, TierReached, kept_until, needed, tier_for, tier_reached
from app.cards.rules.surprise import pick

__all__ = [
    "KINDS",
    "MAX_STAMPS",
    "MOST_REWARDS",
    "Crossed",
    "Day",
    "Facts",
    "Line",
    "Outcome",
    "Part",
    "Plan",
    "Reached",
    "Release",
    "Rule",
    "Shorthand",
    "Tier",
    "TierReached",
    "Used",
    "asks_for_tiers",
    "crossed",
    "evaluate",
    "expiry",
    "facts_from_json",
    "facts_to_json",
    "fills",
    "kept_until",
    "ladder_periods",
    "last_due",
    "needed",
    "needs_seed",
    "parse",
    "parts_from_json",
    "parts_to_json",
    "passed",
    "period_end",
    "period_start",
    "pick",
    "places_of",
    "release_at",
    "rewards_of",
    "serial_credit",
    "tier_for",
    "tier_reached",
    "tiers_of",
    "use_share",
]
