"""The old names of the one rule of a stamp card, until every caller evaluates plans; then this module goes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.cards.rules.evaluate import evaluate
from app.cards.rules.facts import Facts
from app.cards.rules.model import Shorthand, parse

_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=ZoneInfo("UTC"))  # the shorthand has no condition of time


@dataclass(frozen=True)
class DueOutcome:
    """What a shorthand gives: a whole number of stamps, the rule's name, and a reason code."""

    amount: int
    rule: str
    reason: str = ""


def evaluate_due(rule: dict[str, Any] | Shorthand, *, due_cents: int) -> DueOutcome:
    """Return what an amount due in cents earns by a shorthand."""
    known = rule if isinstance(rule, Shorthand) else Shorthand.model_validate(rule)
    facts = Facts(kind="stamp_card", trigger="purchase", at=_ANY_MOMENT, due_cents=due_cents)
    outcome = evaluate(parse("stamp_card", known.expanded()), facts)
    return DueOutcome(outcome.amount, f"per_{known.per}", outcome.reason)


def missing(rule: dict[str, Any], *, due_cents: int) -> int:
    """Return the cents that were missing for the first award; 0 where it was earned."""
    return max(Shorthand.model_validate(rule).cents - due_cents, 0)
