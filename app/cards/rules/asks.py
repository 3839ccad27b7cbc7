"""What a plan asks its caller for, and what of the brand it names."""

from app.cards.rules.model import Plan
from app.cards.rules.parts import Issue, Percent, SetTier, Surprise


def ladder_periods(plan: Plan) -> frozenset[str]:
    """Return the periods whose spend a plan's rates depend on: what `Facts.period_cents` must hold."""
    effects = (effect for rule in plan.rules for effect in rule.then)
    return frozenset(effect.ladder.period for effect in effects if isinstance(effect, Percent) and effect.ladder)


def needs_seed(plan: Plan) -> bool:
    """Tell whether a plan holds a surprise, so that the caller stores a seed."""
    return any(isinstance(effect, Surprise) for rule in plan.rules for effect in rule.then)


def asks_for_tiers(plan: Plan) -> bool:
    """Tell whether a rule of a plan looks at the member's tier, so that the caller reads it."""
    return any(rule.when.tiers is not None for rule in plan.rules)


def tiers_of(plan: Plan) -> frozenset[str]:
    """Return the slugs of all tiers that a plan's rules look for or put a member into."""
    asked = {slug for rule in plan.rules for slug in rule.when.tiers or ()}
    effects = (effect for rule in plan.rules for effect in rule.then)
    return frozenset(asked | {effect.tier for effect in effects if isinstance(effect, SetTier)})


def places_of(plan: Plan) -> dict[str, frozenset[str]]:
    """Return the slugs of all outlets, resellers and chains that a plan's rules look for, by what they are."""
    return {
        name: frozenset(slug for rule in plan.rules for slug in getattr(rule.when, name) or ())
        for name in ("outlets", "resellers", "chains")
    }


def rewards_of(plan: Plan) -> frozenset[str]:
    """Return the short names of all rewards that a plan may give."""
    found = {threshold.reward for threshold in plan.thresholds}
    for effect in (effect for rule in plan.rules for effect in rule.then):
        if isinstance(effect, Issue):
            found.add(effect.reward)
        elif isinstance(effect, Surprise):
            found |= {pick.reward for pick in effect.picks if pick.reward}
    return frozenset(found)
