"""Rules of programs: their model as validated JSON, and the pure evaluation of it. See docs/program-rules.md."""

from app.cards.rules.balance import MOST_REWARDS, Crossed, Reached, crossed, fills, kept_until, serial_credit, tier_for
from app.cards.rules.compat import evaluate_due, missing
from app.cards.rules.dates import expiry, period_start, release_at
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
    ladder_periods,
    needs_seed,
    parse,
    rewards_of,
)
from app.cards.rules.surprise import pick

StampRule = Shorthand  # the name of old

__all__ = [
    "KINDS",
    "MAX_STAMPS",
    "MOST_REWARDS",
    "Crossed",
    "Facts",
    "Line",
    "Outcome",
    "Part",
    "Plan",
    "Reached",
    "Release",
    "Rule",
    "Shorthand",
    "StampRule",
    "Tier",
    "Used",
    "crossed",
    "evaluate",
    "evaluate_due",
    "expiry",
    "facts_from_json",
    "facts_to_json",
    "fills",
    "kept_until",
    "ladder_periods",
    "missing",
    "needs_seed",
    "parse",
    "parts_from_json",
    "parts_to_json",
    "period_start",
    "pick",
    "release_at",
    "rewards_of",
    "serial_credit",
    "tier_for",
]
