"""Rows of a program's form for rules beside purchases: for what, and what is given. Pure, as `plan_forms`."""

from collections.abc import Iterable
from typing import Any

from app.cards.form_values import Form, Reader, euros
from app.cards.rules import Rule
from app.cards.rules.parts import Award, Issue
from app.cards.units import MONEY

ROWS = 4
EVERY = ("once", "week", "month", "year")
Json = dict[str, Any]


def choices(kind: str) -> tuple[str, ...]:
    """Return the triggers that a kind of program has rows for."""
    if kind == "serial_card":
        return ()
    first = () if kind == "visits" else ("first_purchase",)  # a visit counts once
    reached = ("threshold_reached",) if kind in ("points", "visits") else ()
    return ("join", *first, "birthday_month", "schedule", *reached)


def to_rules(kind: str, reader: Reader, taken: Iterable[str]) -> list[Json]:
    """Return the rules that the rows say; an empty row is left out, what is wrong is an error of its field.

    Args:
        taken: names of other rules.
    """
    found: list[Json] = []
    names = set(taken)
    for number in range(1, ROWS + 1):
        on = reader.text(f"beside_{number}")
        if on not in choices(kind):
            continue
        name = reader.text(f"beside_name_{number}") or on.replace("_", "-")
        while name in names:
            name = f"{name[:37]}-{number}"
        names.add(name)
        rule: Json = {"name": name, "on": on, "then": _gives(kind, reader, number), "stack": name}
        if on == "schedule":
            every = reader.choice(f"beside_every_{number}", EVERY)
            rule["schedule"] = {"day": reader.day(f"beside_day_{number}"), "every": every}
        elif on == "threshold_reached":
            rule["at"] = reader.whole(f"beside_at_{number}", low=1, high=1_000_000_000, needed=True)
        found.append(rule)
    return found


def _gives(kind: str, reader: Reader, number: int) -> list[Json]:
    field = f"beside_n_{number}"
    given: list[Json] = []
    n = None
    if kind != "standing":
        n = reader.cents(field, most=100_000) if kind in MONEY else reader.whole(field, low=1, high=10_000)
    if n:
        given.append({"do": "award", "n": n})
    if reward := reader.text(f"beside_reward_{number}"):
        given.append({"do": "issue", "reward": reward})
    if not given:
        reader.needs(f"beside_reward_{number}" if kind == "standing" else field)
    return given


def from_rules(kind: str, rules: Iterable[Rule]) -> Form:
    """Return the fields that say the rules beside purchases, or as much of them as the rows can."""
    fields: dict[str, str] = {}
    shown = [rule for rule in rules if rule.on in choices(kind)]
    for number, rule in enumerate(shown[:ROWS], 1):
        fields |= {f"beside_{number}": rule.on, f"beside_name_{number}": rule.name}
        for effect in rule.then:
            if isinstance(effect, Award):
                fields[f"beside_n_{number}"] = euros(effect.n) if kind in MONEY else str(effect.n)
            elif isinstance(effect, Issue):
                fields[f"beside_reward_{number}"] = effect.reward
        if rule.schedule is not None:
            fields[f"beside_day_{number}"] = rule.schedule.day.isoformat()
            fields[f"beside_every_{number}"] = rule.schedule.every
        if rule.at is not None:
            fields[f"beside_at_{number}"] = str(rule.at)
    return fields
