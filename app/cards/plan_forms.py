"""The common plan of each kind by plain fields: what a form says becomes a plan, and a plan fills the form.

A plan that says more than the fields is told by `covers`: it is then edited whole. Pure: knows no database.
"""

from collections.abc import Callable, Mapping
from typing import Any

from app.cards import beside_forms, rules
from app.cards.form_values import Form, Reader, euros, percent_text
from app.cards.rules import Plan
from app.core.i18n import LANGUAGES

ROWS = 4  # steps, thresholds and tiers that a form has room for
KINDS = ("stamp_card", "bonus", "points", "visits", "cash_back", "serial_card", "standing")
WITH_EXTRAS = ("stamp_card", "bonus", "points")  # have a weekend and a limit by day
Json = dict[str, Any]


def to_plan(kind: str, form: Form) -> tuple[Json, dict[str, str]]:
    """Return the plan that a form says, as JSON, and what is wrong, by field; a faulty plan is not to be used."""
    reader = Reader(form)
    plan = _BUILD[kind](reader)
    if kind in WITH_EXTRAS:
        _extras(reader, plan)
    if kind not in ("serial_card", "standing"):
        months = reader.whole("expires", low=0, high=120)
        if months is not None:
            plan["expires_after_months"] = months
    beside = beside_forms.to_rules(kind, reader, [rule["name"] for rule in plan.get("rules", ())])
    if beside:
        plan["rules"] = [*plan.get("rules", ()), *beside]
    return plan, reader.errors


def from_plan(kind: str, plan: Plan) -> dict[str, str]:
    """Return the fields that say a plan, or as much of it as they can."""
    fields = _FILL[kind](plan)
    if plan.expires_after_months is not None:
        fields["expires"] = str(plan.expires_after_months)
    beside = plan.rules if kind == "standing" else plan.rules[1:]
    fields |= beside_forms.from_rules(kind, beside)
    for rule in plan.rules[1:]:
        if rule.then[0].do == "multiply":
            fields |= {"weekend": percent_text(rule.then[0].times_bp // 100), "weekend_name": rule.name}
            fields |= {f"weekend_label_{language}": text for language, text in (rule.label or {}).items()}
    if plan.rules and kind != "standing":
        fields["rule"] = plan.rules[0].name
        limit = plan.rules[0].limit
        if limit and limit.member and limit.member.day:
            fields["day_limit"] = str(limit.member.day)
    return fields


def covers(kind: str, plan: Plan) -> bool:
    """Tell whether the fields can say all of a plan."""
    said, errors = to_plan(kind, from_plan(kind, plan))
    if errors:
        return False
    try:
        return rules.parse(kind, said) == plan
    except ValueError:
        return False


def _extras(reader: Reader, plan: Json) -> None:
    times = reader.times("weekend")
    if times:
        label = {code: text for code in LANGUAGES if (text := reader.text(f"weekend_label_{code}"))}
        rule = {"name": reader.text("weekend_name") or "weekend", "when": {"weekdays": ["sat", "sun"]},
                "then": [{"do": "multiply", "times_bp": times}]}  # fmt: skip
        plan["rules"].append(rule | ({"label": label} if label else {}))
    most = reader.whole("day_limit", low=1, high=1000)
    if most:
        plan["rules"][0]["limit"] = {"member": {"day": most}}


def _base(reader: Reader, effect: Json, **fields: Any) -> Json:
    return {"name": reader.text("rule") or "base", "then": [effect], **fields}


def _stamp_card(reader: Reader) -> Json:
    per, n = reader.choice("per", ("euros", "purchase", "item")), reader.whole("n", low=1, high=100, otherwise=1)
    if per == "euros":
        effect = {"do": "per_amount", "cents": reader.cents("step", needed=True), "n": n}
        return {"rules": [_base(reader, effect)]}
    if per == "item":
        groups = reader.names("groups", needed=True)
        return {"rules": [_base(reader, {"do": "per_item", "n": n}, when={"lines": {"groups": groups}})]}
    least = reader.cents("least")
    when = {"when": {"min_cents": least}} if least is not None else {}
    return {"rules": [_base(reader, {"do": "award", "n": n, "base": True}, **when)]}


def _fill_stamp_card(plan: Plan) -> dict[str, str]:
    rule = plan.rules[0]
    effect: Any = rule.then[0]
    fields = {"n": str(getattr(effect, "n", 1))}
    if effect.do == "per_item":
        return fields | {"per": "item", "groups": ", ".join((rule.when.lines and rule.when.lines.groups) or ())}
    if effect.do == "award":
        return fields | {"per": "purchase", "least": _money(rule.when.min_cents)}
    return fields | {"per": "euros", "step": _money(getattr(effect, "cents", None))}


def _bonus(reader: Reader) -> Json:
    effect: Json = {"do": "percent", "bp": reader.percent("percent", needed=True, high=10_000) or 0}
    steps = reader.rows(ROWS, ("from", "rate"), cents=("from",), percents=("rate",))
    if steps:
        named = [{"from_cents": row["from"], "bp": row["rate"]} for row in steps]
        effect["ladder"] = {"period": reader.choice("period", ("month", "quarter", "year")), "steps": named}
    plan: Json = {"rules": [_base(reader, effect)]}
    months = [number for number in range(1, 13) if reader.text(f"release_{number}")]
    return plan | ({"release": {"months": months}} if months else {})


def _fill_bonus(plan: Plan) -> dict[str, str]:
    effect: Any = plan.rules[0].then[0]
    fields = {"percent": percent_text(getattr(effect, "bp", 0))}
    ladder = getattr(effect, "ladder", None)
    for number, step in enumerate(ladder.steps if ladder else (), 1):
        fields |= {f"from_{number}": euros(step.from_cents), f"rate_{number}": percent_text(step.bp)}
    if ladder:
        fields["period"] = ladder.period
    return fields | {f"release_{number}": "1" for number in (plan.release.months if plan.release else ())}


def _thresholds(reader: Reader, *, needed: bool = False) -> Json:
    found = reader.rows(ROWS, ("at", "reward"), wholes=("at",), needed=needed)
    plan: Json = {"thresholds": [{"at": row["at"], "reward": row["reward"]} for row in found]} if found else {}
    return plan | ({"repeats": True} if found and reader.text("repeats") else {})


def _fill_thresholds(plan: Plan) -> dict[str, str]:
    fields = {"repeats": "1"} if plan.repeats else {}
    for number, step in enumerate(plan.thresholds, 1):
        fields |= {f"at_{number}": str(step.at), f"reward_{number}": step.reward}
    return fields


def _points(reader: Reader) -> Json:
    effect = {"do": "per_amount", "cents": reader.cents("step", needed=True),
              "n": reader.whole("n", low=1, high=1000, otherwise=1)}  # fmt: skip
    return {"rules": [_base(reader, effect)], **_thresholds(reader)}


def _fill_points(plan: Plan) -> dict[str, str]:
    effect: Any = plan.rules[0].then[0]
    fields = {"step": _money(getattr(effect, "cents", None)), "n": str(getattr(effect, "n", 1))}
    return fields | _fill_thresholds(plan)


def _visits(reader: Reader) -> Json:
    rule = {"name": reader.text("rule") or "visit", "on": "visit", "then": [{"do": "award", "n": 1, "base": True}]}
    return {"rules": [rule], **_thresholds(reader)}


def _cash_back(reader: Reader) -> Json:
    rule = {"name": reader.text("rule") or "paid", "then": [{"do": "percent", "bp": 10_000}]}
    every, reward = reader.cents("every", needed=True), reader.text("gift")
    if not reward:
        reader.needs("gift")
    return {"rules": [rule], "thresholds": [{"at": every, "reward": reward}], "repeats": True}


def _fill_cash_back(plan: Plan) -> dict[str, str]:
    return {"every": euros(plan.thresholds[0].at), "gift": plan.thresholds[0].reward}


def _serial_card(reader: Reader) -> Json:
    steps = reader.rows(ROWS, ("days", "credit"), wholes=("days",), cents=("credit",))
    plan: Json = {
        "uses": reader.whole("uses", low=1, high=1000, needed=True),
        "price_cents": reader.cents("price", needed=True),
        "valid_months": reader.whole("valid", low=0, high=120, needed=True),
    }
    named = [{"within_days": row["days"], "credit_cents": row["credit"]} for row in steps]
    return plan | ({"speed_steps": named} if named else {})


def _fill_serial_card(plan: Plan) -> dict[str, str]:
    fields = {"uses": str(plan.uses), "price": _money(plan.price_cents), "valid": str(plan.valid_months)}
    for number, step in enumerate(plan.speed_steps, 1):
        fields |= {f"days_{number}": str(step.within_days), f"credit_{number}": euros(step.credit_cents)}
    return fields


def _standing(reader: Reader) -> Json:
    by, period = reader.choice("by", ("spend", "visits")), reader.choice("period", ("year", "quarter", "month"))
    found = reader.rows(
        ROWS, ("tier", "from", "rate", "keeps"), percents=("rate",), needed=True,
        wholes=("keeps",) if by == "spend" else ("from", "keeps"), cents=("from",) if by == "spend" else (),
    )  # fmt: skip
    column = "from_cents" if by == "spend" else "from_visits"
    tiers = [
        {"slug": row["tier"], column: row["from"], "period": period, "discount_bp": row["rate"],
         "keeps_months": row["keeps"]}
        for row in found
    ]  # fmt: skip
    return {"tiers": tiers}


def _fill_standing(plan: Plan) -> dict[str, str]:
    first = plan.tiers[0]
    fields = {"by": "spend" if first.from_cents is not None else "visits", "period": first.period}
    for number, tier in enumerate(plan.tiers, 1):
        begins = _money(tier.from_cents) if tier.from_cents is not None else str(tier.from_visits)
        fields |= {f"tier_{number}": tier.slug, f"from_{number}": begins, f"keeps_{number}": str(tier.keeps_months)}
        fields[f"rate_{number}"] = percent_text(tier.discount_bp)
    return fields


def _money(cents: int | None) -> str:
    return euros(cents) if cents is not None else ""


_BUILD: Mapping[str, Callable[[Reader], Json]] = {
    "stamp_card": _stamp_card, "bonus": _bonus, "points": _points, "visits": _visits, "cash_back": _cash_back,
    "serial_card": _serial_card, "standing": _standing,
}  # fmt: skip
_FILL: Mapping[str, Callable[[Plan], dict[str, str]]] = {
    "stamp_card": _fill_stamp_card, "bonus": _fill_bonus, "points": _fill_points, "visits": _fill_thresholds,
    "cash_back": _fill_cash_back, "serial_card": _fill_serial_card, "standing": _fill_standing,
}  # fmt: skip
