"""Which rules count: what triggers them, which of their conditions fail, and which limits are used up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from app.cards.rules.facts import Facts, Line, Used
from app.cards.rules.model import PAID, Rule
from app.cards.rules.parts import Conditions, Hours, Lines

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Miss:
    """Why a rule did not count, or gave less: a code and the values for its sentence."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)


def hears(rule: Rule, facts: Facts) -> bool:
    """Tell whether a rule is about what happened. A purchase is also a visit, and may be the member's first."""
    if facts.rule and rule.name != facts.rule:
        return False
    if rule.on == facts.trigger:
        return True
    if facts.trigger != "purchase":
        return False
    return rule.on == "visit" or (rule.on == "first_purchase" and facts.first_purchase)


def matching(rule: Rule, facts: Facts) -> tuple[Line, ...]:
    """Return the lines that a rule asks for; all of them where it asks for none."""
    return _of(rule.when.lines, facts.lines)


def _of(wanted: Lines | None, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    if wanted is None or (wanted.skus is None and wanted.groups is None):
        return lines
    return tuple(line for line in lines if line.sku in (wanted.skus or ()) or line.group in (wanted.groups or ()))


def misses(rule: Rule, facts: Facts) -> tuple[Miss, ...]:
    """Return the conditions that fail, one of each kind, those that a member can change least first."""
    when = rule.when
    return tuple(
        miss
        for miss in (*_who_and_where(when, facts), _when(when, facts), *_lines(when, facts), *_amount(when, facts))
        if miss is not None
    )


def _who_and_where(when: Conditions, facts: Facts) -> Iterator[Miss | None]:
    def allowed(*pairs: tuple[tuple[str, ...] | None, str]) -> bool:
        return all(values is None or value in values for values, value in pairs)

    if not allowed((when.member_kinds, facts.member_kind), (when.tiers, facts.tier)):
        yield Miss("not_for_you")
    if not allowed((when.outlets, facts.outlet), (when.resellers, facts.reseller), (when.chains, facts.chain)):
        yield Miss("not_here")
    if not allowed((when.channels, facts.channel)):
        yield Miss("not_in_this_channel")
    if when.birthday_month and not facts.birthday_month:
        yield Miss("not_birthday_month")


def _when(when: Conditions, facts: Facts) -> Miss | None:
    day, in_hours = _evening(when.hours, facts)
    in_week = when.weekdays is None or _WEEKDAYS[day.weekday()] in when.weekdays
    begun = when.first_day is None or when.first_day <= day
    going_on = when.last_day is None or day <= when.last_day
    return None if in_hours and in_week and begun and going_on else Miss("no_rule_today")


def _evening(hours: Hours | None, facts: Facts) -> tuple[date, bool]:
    """Return the day that a moment belongs to, after midnight the evening's, and whether it lies in the hours."""
    day = facts.at.date()
    if hours is None:
        return day, True
    minute = facts.at.strftime("%H:%M")
    if hours.start < hours.end:
        return day, hours.start <= minute < hours.end
    if minute < hours.end:
        return day - timedelta(days=1), True
    return day, minute >= hours.start


def _lines(when: Conditions, facts: Facts) -> Iterator[Miss]:
    if when.lines is None:
        return
    found = _of(when.lines, facts.lines)
    quantity, paid = sum(line.quantity for line in found), sum(line.paid_cents for line in found)
    if quantity <= 0:
        yield Miss("no_such_item")
    elif quantity < (fewest := when.lines.min_quantity):
        yield Miss("too_few_items", {"quantity": fewest, "missing": fewest - quantity})
    elif paid < when.lines.min_cents:
        least = when.lines.min_cents
        yield Miss("below_minimum_of_items", {"min_cents": least, "missing_cents": least - paid})


def _amount(when: Conditions, facts: Facts) -> Iterator[Miss]:
    if when.min_cents is not None and facts.due_cents < when.min_cents:
        missing = when.min_cents - facts.due_cents
        yield Miss("below_minimum", {"min_cents": when.min_cents, "missing_cents": missing})
    if when.max_cents is not None and facts.due_cents > when.max_cents:
        yield Miss("above_maximum", {"max_cents": when.max_cents})


def used_up(rule: Rule, used: Used) -> Miss | None:
    """Return which limit of a rule is used up: the member's longest first, since it lasts longest."""
    if rule.limit is None:
        return None
    if member := rule.limit.member:
        for name in ("ever", "month", "week", "day"):
            most = getattr(member, name)
            if most is not None and getattr(used, f"member_{name}") >= most:
                return Miss(f"limit_member_{name}", {"times": most})
    if rule.limit.first_n is not None and used.everybody >= rule.limit.first_n:
        return Miss("first_n_over", {"first": rule.limit.first_n})
    if rule.limit.budget is not None and used.awarded >= rule.limit.budget:
        return Miss("budget_used")
    return None


def is_paid(facts: Facts) -> bool:
    """Tell whether an amount is due at what happened."""
    return facts.trigger in PAID
