"""What each effect of a rule offers, before limits and stack groups: parts with the figures they were counted from."""

from collections.abc import Iterator
from typing import Any

from app.cards.rules.facts import Facts, Part
from app.cards.rules.matching import Miss, matching
from app.cards.rules.model import Rule
from app.cards.rules.parts import Award, Multiply, PerAmount, Percent, PerItem, Surprise
from app.cards.rules.surprise import pick
from app.core.money import half_up, share

HUNDRED = 10_000  # percent, in basis points


def base(rule: Rule, facts: Facts) -> Iterator[Part]:
    """Give the parts that multipliers multiply; one of 0 where a step, an item or a cent is missing."""
    for effect in rule.then:
        if isinstance(effect, Award) and effect.base:
            yield _part(rule, "base", effect.n, "award")
        elif isinstance(effect, PerAmount):
            cents = _cents(rule, facts, effect.of)
            steps = max(cents, 0) // effect.cents
            values = {"cents": cents, "step_cents": effect.cents, "n": effect.n, "of": effect.of}
            yield _part(rule, "base", steps * effect.n, "per_amount", **values)
        elif isinstance(effect, PerItem):
            quantity = max(sum(line.quantity for line in matching(rule, facts)), 0)
            yield _part(rule, "base", quantity * effect.n, "per_item", quantity=quantity, n=effect.n)
        elif isinstance(effect, Percent):
            cents, bp = _cents(rule, facts, effect.of), rate(effect, facts)
            yield _part(rule, "base", share(max(cents, 0), bp), "percent", cents=cents, bp=bp, of=effect.of)


def multiplied(rule: Rule, amount: int) -> Iterator[Part]:
    """Give what a multiplier adds to the base: once the base for a doubling, rounded half up."""
    for effect in rule.then:
        if isinstance(effect, Multiply) and (extra := half_up(amount * (effect.times_bp - HUNDRED), HUNDRED)):
            yield _part(rule, "multiplier", extra, "multiply", times_bp=effect.times_bp)


def fixed(rule: Rule, facts: Facts) -> Iterator[Part]:
    """Give what is not multiplied: awards and numbers that a surprise picks."""
    for effect in rule.then:
        if isinstance(effect, Award) and not effect.base:
            yield _part(rule, "fixed", effect.n, "award")
        elif isinstance(effect, Surprise) and (n := effect.picks[picked(rule, effect, facts)].n):
            yield _part(rule, "fixed", n, "surprise")


def picked(rule: Rule, effect: Surprise, facts: Facts) -> int:
    """Return which of a surprise's picks it is, see `surprise.pick`."""
    return pick(facts.seed, rule.name, [possible.weight for possible in effect.picks])


def rate(effect: Percent, facts: Facts) -> int:
    """Return the rate in basis points that holds for the member's spend so far.

    Raises:
        KeyError: the facts lack the spend of the ladder's period; a wrong rate would go unseen.
    """
    found = effect.bp
    if effect.ladder:
        spent = facts.period_cents[effect.ladder.period]
        for step in effect.ladder.steps:
            found = step.bp if spent >= step.from_cents else found
    return found


def shortage(rule: Rule, facts: Facts) -> Miss | None:
    """Return what the nearest effect of a rule lacks to give anything; the rule's conditions hold."""
    found = [miss for effect in rule.then if (miss := _lacking(rule, effect, facts))]
    return min(found, key=lambda miss: miss.values.get("missing_cents", 0), default=None)


def _lacking(rule: Rule, effect: object, facts: Facts) -> Miss | None:
    if isinstance(effect, PerAmount):
        missing = effect.cents - _cents(rule, facts, effect.of)
        return Miss("below_one_step", {"missing_cents": missing, "step_cents": effect.cents})
    if isinstance(effect, Percent):
        if bp := rate(effect, facts):
            least = -(-HUNDRED // (2 * bp))  # half a cent rounds up to the first one
            missing = least - _cents(rule, facts, effect.of)
            return Miss("below_one_step", {"missing_cents": missing, "step_cents": least})
        spent = facts.period_cents[effect.ladder.period] if effect.ladder else 0
        ahead = [step.from_cents - spent for step in (effect.ladder.steps if effect.ladder else ()) if step.bp]
        return Miss("no_rate_yet", {"missing_cents": min(ahead)} if ahead else {})
    if isinstance(effect, PerItem):
        return Miss("no_such_item")
    if isinstance(effect, Surprise) and effect.picks[picked(rule, effect, facts)].reward is None:
        return Miss("no_luck")
    return None


def _cents(rule: Rule, facts: Facts, of: str) -> int:
    return sum(line.paid_cents for line in matching(rule, facts)) if of == "lines" else facts.due_cents


def _part(rule: Rule, phase: str, amount: int, code: str, **values: Any) -> Part:
    label = {"label": dict(rule.label)} if rule.label else {}
    return Part(rule.name, phase, amount, code, {**values, **label})
