"""The rule model of a program's version: a plan, read from validated JSON. Source: earning.md, "Programs"."""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, TypeAdapter, model_validator

from app.cards.rules.parts import (
    Award,
    Cents,
    Conditions,
    Count,
    Effect,
    Frozen,
    Limit,
    Month,
    Multiply,
    Period,
    Points,
    Schedule,
    Slug,
    Texts,
    Whole,
    phases,
)

Kind = Literal["stamp_card", "bonus", "points", "visits", "cash_back", "serial_card", "standing"]
KINDS: tuple[str, ...] = get_args(Kind)
Trigger = Literal[
    "purchase",
    "visit",
    "join",
    "first_purchase",
    "referral_qualified",
    "survey_answered",
    "birthday_month",
    "segment_entered",
    "threshold_reached",
    "schedule",
]
PAID = ("purchase", "first_purchase")  # triggers at which an amount is due
COUNTING = ("award", "per_amount", "per_item", "percent", "multiply", "surprise")  # effects that give a number
_NEEDS_PURCHASE = ("per_amount", "per_item", "percent")


class Rule(Frozen):
    """One way of earning: what happens, when it counts, what it gives, and how often."""

    name: Slug
    label: Texts | None = None  # what a member reads, such as "weekend doubles"
    on: Trigger = "purchase"
    when: Conditions = Conditions.model_validate({})
    then: Annotated[tuple[Effect, ...], Field(min_length=1, max_length=20)]
    stack: Slug = "base"  # within a group, the best for the member wins; groups add up
    limit: Limit | None = None
    schedule: Schedule | None = None  # of on = "schedule": the days
    at: Annotated[Whole, Field(ge=1, le=1_000_000_000)] | None = None  # of on = "threshold_reached": the balance

    @model_validator(mode="after")
    def _sense(self) -> "Rule":
        kinds = [effect.do for effect in self.then]
        if self.on not in PAID:
            amounts = (self.when.min_cents, self.when.max_cents, self.when.lines)
            if any(given is not None for given in amounts) or set(kinds) & set(_NEEDS_PURCHASE):
                raise ValueError(f"rule {self.name}: nothing is paid on {self.on}, so no amounts or lines")
        if self.when.lines is None and any(getattr(effect, "of", "due") == "lines" for effect in self.then):
            raise ValueError(f'rule {self.name}: `of = "lines"` needs lines among its conditions')
        for name, trigger in (("schedule", "schedule"), ("at", "threshold_reached")):
            if getattr(self, name) is not None and self.on != trigger:
                raise ValueError(f"rule {self.name}: only a rule on {trigger} has the key {name}")
        if kinds.count("multiply") > 1:
            raise ValueError(f"rule {self.name}: one multiplier is enough, multiply them by hand")
        if self.limit and self.limit.budget and not set(kinds) & set(COUNTING):
            raise ValueError(f"rule {self.name}: a budget counts what is awarded, and this rule awards no number")
        return self

    @property
    def counts(self) -> bool:
        """Tell whether the rule gives a number by itself, so that a member may ask why it did not."""
        return any(effect.do in COUNTING and not isinstance(effect, Multiply) for effect in self.then)


class Threshold(Frozen):
    """A balance at which a reward is issued."""

    at: Annotated[Whole, Field(ge=1, le=1_000_000_000)]
    reward: Slug


class Release(Frozen):
    """Earned is pending until the first of the next of these months, local."""

    months: Annotated[tuple[Month, ...], Field(min_length=1, max_length=12)]

    @model_validator(mode="after")
    def _once(self) -> "Release":
        if len(set(self.months)) != len(self.months):
            raise ValueError("a month stands twice")
        return self


class Tier(Frozen):
    """A tier: what one reaches it by in a period, what it gives, and for how long it is kept."""

    slug: Slug
    name: Texts | None = None
    from_cents: Cents | None = None
    from_visits: Annotated[Whole, Field(ge=0, le=100_000)] | None = None
    period: Period = "year"
    discount_bp: Points = 0
    keeps_months: Annotated[Whole, Field(ge=0, le=120)] = 12  # full months after the one in which it was reached

    @model_validator(mode="after")
    def _one_measure(self) -> "Tier":
        if (self.from_cents is None) == (self.from_visits is None):
            raise ValueError(f"tier {self.slug}: give either from_cents or from_visits")
        return self


class SpeedStep(Frozen):
    """What comes back when all uses fall within some days, the first and the last day counted."""

    within_days: Annotated[Whole, Field(ge=1, le=3660)]
    credit_cents: Annotated[Cents, Field(ge=1)]


class Shorthand(Frozen):
    """The short form of a stamp card's plan.

    `per = "euros"`: `award` stamps for each full `cents`. `per = "purchase"`: `award` for each purchase of `cents` or
    more.
    """

    per: Literal["euros", "purchase"]
    cents: Cents = 0
    award: Annotated[Whole, Field(ge=1, le=100)] = 1

    @model_validator(mode="after")
    def _step(self) -> "Shorthand":
        if self.per == "euros" and self.cents == 0:
            raise ValueError("a stamp for each full 0 euros cannot be counted")
        return self

    def expanded(self) -> dict[str, Any]:
        """Return the plan that this stands for, as JSON."""
        if self.per == "euros":
            effect = {"do": "per_amount", "cents": self.cents, "n": self.award}
            return {"rules": [{"name": "per-euros", "then": [effect]}]}
        effect = {"do": "award", "n": self.award, "base": True}
        return {"rules": [{"name": "per-purchase", "when": {"min_cents": self.cents}, "then": [effect]}]}


class Plan(Frozen):
    """All rules of a program's version. Which of the keys a kind may have, `parse` checks."""

    rules: Annotated[tuple[Rule, ...], Field(max_length=50)] = ()
    thresholds: Annotated[tuple[Threshold, ...], Field(max_length=50)] = ()
    repeats: bool = False  # the count begins anew after the highest threshold, the remainder is kept
    expires_after_months: Annotated[Whole, Field(ge=0, le=120)] | None = None
    release: Release | None = None
    tiers: Annotated[tuple[Tier, ...], Field(max_length=20)] = ()
    uses: Annotated[Count, Field(le=1000)] | None = None
    price_cents: Cents | None = None
    valid_months: Annotated[Whole, Field(ge=0, le=120)] | None = None
    speed_steps: Annotated[tuple[SpeedStep, ...], Field(max_length=20)] = ()

    @model_validator(mode="before")
    @classmethod
    def _long_form(cls, data: Any) -> Any:
        return Shorthand.model_validate(data).expanded() if isinstance(data, dict) and "per" in data else data

    @model_validator(mode="after")
    def _consistent(self) -> "Plan":
        for what, names in (
            ("rules", [rule.name for rule in self.rules]),
            ("tiers", [tier.slug for tier in self.tiers]),
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"two {what} have one name")
        for rule, budget in ((rule, rule.limit and rule.limit.budget) for rule in self.rules):
            # A rival that wins its base leaves more of the budget for its awards: paying more could earn less.
            if budget and len(phases(rule.then)) > 1 and sum(rule.stack == other.stack for other in self.rules) > 1:
                raise ValueError(f"rule {rule.name}: a budget of base and awards needs a stack of its own")
        rising = [threshold.at for threshold in self.thresholds]
        if rising != sorted(set(rising)):
            raise ValueError("the thresholds must rise")
        if self.repeats and not self.thresholds:
            raise ValueError("repeats needs thresholds to begin anew after")
        days = [step.within_days for step in self.speed_steps]
        credits = [step.credit_cents for step in self.speed_steps]
        if days != sorted(set(days)) or credits != sorted(set(credits), reverse=True):
            raise ValueError("speed_steps must rise in days and fall in credit: the faster, the more comes back")
        if credits and credits[0] > (self.price_cents or 0):
            raise ValueError("a speed step cannot give back more than the price")
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON that `parse` reads to an equal plan; what is not said is left out."""
        return self.model_dump(mode="json", exclude_defaults=True)


_EARNS = {"rules", "expires_after_months"}
_MAY_HAVE: dict[str, set[str]] = {
    "stamp_card": _EARNS,
    "bonus": {*_EARNS, "release"},
    "points": {*_EARNS, "thresholds", "repeats"},
    "visits": {*_EARNS, "thresholds", "repeats"},
    "cash_back": {*_EARNS, "thresholds", "repeats"},
    "serial_card": {"uses", "price_cents", "valid_months", "speed_steps"},
    "standing": {"rules", "tiers"},
}
_NEEDS: dict[str, set[str]] = {
    **{kind: {"rules"} for kind in ("stamp_card", "bonus", "points", "visits")},
    "cash_back": {"rules", "thresholds", "repeats"},
    "serial_card": {"uses", "price_cents", "valid_months"},
    "standing": {"tiers"},
}
_GIFTS = {"issue", "set_tier", "message"}
_EFFECTS: dict[str, set[str]] = {
    "stamp_card": {*_GIFTS, "surprise", "award", "per_amount", "per_item", "multiply"},
    "bonus": {*_GIFTS, *COUNTING},
    "points": {*_GIFTS, *COUNTING} - {"percent"},
    "visits": {*_GIFTS, "award"},
    "cash_back": {*_GIFTS, *COUNTING},
    "standing": _GIFTS,
}


def faults(kind: str, plan: Plan) -> list[str]:
    """Return what a program's kind does not allow in a plan, as sentences."""
    given = {name for name, field in Plan.model_fields.items() if getattr(plan, name) != field.default}
    told = [f"a {kind} has no {name}" for name in sorted(given - _MAY_HAVE[kind])]
    told += [f"a {kind} needs {name}" for name in sorted(_NEEDS[kind] - given)]
    for rule in plan.rules:
        others = {effect.do for effect in rule.then} - _EFFECTS.get(kind, set())
        told += [f"rule {rule.name}: a {kind} has no effect {name}" for name in sorted(others)]
        awards = [effect.n for effect in rule.then if isinstance(effect, Award)]
        if kind == "visits" and rule.on in (*PAID, "visit") and sum(awards) > 1:
            told.append(f"rule {rule.name}: a visit counts once")
    if kind == "cash_back" and len(plan.thresholds) > 1:
        told.append("a cash_back has one threshold: every so many cents a gift card")
    return told


class _Checked(Frozen):
    """A plan beside the kind that it must fit: pydantic words and collects the faults."""

    kind: Kind
    plan: Plan

    @model_validator(mode="after")
    def _fits(self) -> "_Checked":
        if told := faults(self.kind, self.plan):
            raise ValueError("; ".join(told))
        return self


_CHECKED = TypeAdapter(_Checked)


def parse(kind: str, data: Any) -> Plan:
    """Return the plan of a program's kind from JSON, the shorthand too, or from a plan.

    Raises:
        pydantic.ValidationError: what is wrong, and where; everything that the kind does not allow at once.
    """
    return _CHECKED.validate_python({"kind": kind, "plan": data}).plan
