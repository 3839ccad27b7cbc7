"""Builders of plans and of facts about a purchase, for the tests of pure rules."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.cards.rules import Facts, Outcome, Plan, evaluate, parse

HELSINKI = ZoneInfo("Europe/Helsinki")
WEDNESDAY = datetime(2026, 11, 18, 12, 0, tzinfo=HELSINKI)


def local(*when: int, fold: int = 0) -> datetime:
    """Build a moment by the clocks in Helsinki; `fold=1` is the second time of an hour that comes twice."""
    year, month, day, *rest = when
    return datetime(year, month, day, *rest, fold=fold, tzinfo=HELSINKI)


def a_rule(name: str = "base", *then: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Build a rule as JSON: a stamp for each full 4 euros unless it says what it gives."""
    return {"name": name, "then": list(then) or [{"do": "per_amount", "cents": 400, "n": 1}], **fields}


def a_plan(*rules: dict[str, Any], kind: str = "stamp_card", **fields: Any) -> Plan:
    """Build a plan of rules, or of the one that `a_rule` is by itself."""
    return parse(kind, {"rules": list(rules) or [a_rule()], **fields})


def some_facts(due_cents: int = 1000, **fields: Any) -> Facts:
    """Build a purchase on a Wednesday at noon in Helsinki."""
    values = {"kind": "stamp_card", "trigger": "purchase", "at": WEDNESDAY, "due_cents": due_cents, **fields}
    return Facts(**values)


def given(*rules: dict[str, Any], due_cents: int = 1000, kind: str = "stamp_card", **facts: Any) -> Outcome:
    """Evaluate rules for a purchase in one go."""
    return evaluate(a_plan(*rules, kind=kind), some_facts(due_cents, kind=kind, **facts))


def award(n: int, **fields: Any) -> dict[str, Any]:
    """Build an award of a fixed number."""
    return {"do": "award", "n": n, **fields}


def per_amount(cents: int, n: int = 1, **fields: Any) -> dict[str, Any]:
    """Build an award for each full amount."""
    return {"do": "per_amount", "cents": cents, "n": n, **fields}


def percent(bp: int, **fields: Any) -> dict[str, Any]:
    """Build a bonus of some basis points."""
    return {"do": "percent", "bp": bp, **fields}


def times(times_bp: int) -> dict[str, Any]:
    """Build a multiplier: 20,000 doubles."""
    return {"do": "multiply", "times_bp": times_bp}
