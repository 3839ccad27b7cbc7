"""A plan in sentences, for people who compare versions: each rule is one, and each step of a threshold or a tier."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.cards import reasons
from app.cards.rules import Plan, Rule, Tier
from app.cards.rules.parts import Conditions, Limit, Percent, Schedule
from app.cards.units import MONEY
from app.core.i18n import format_cents, format_day, format_number, month, ngettext, pick, weekday
from app.core.i18n import gettext as _

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Words:
    """What a plan's sentences are written with: the kind, the unit in this language, and rewards' names by slug."""

    kind: str
    unit: tuple[str, str]
    rewards: Mapping[str, str]

    def amount(self, n: int) -> str:
        """Write a number of the program's unit."""
        if self.kind in MONEY:
            return format_cents(n)
        return f"{format_number(n)} {self.unit[0 if n == 1 else 1]}"

    def reward(self, slug: str) -> str:
        """Name a reward."""
        return self.rewards.get(slug, slug)


@dataclass(frozen=True)
class Sentence:
    """What a part of a plan says; `key` tells the parts of two versions apart."""

    key: str
    text: str


@dataclass(frozen=True)
class Difference:
    """A part of a plan in two versions; None where one of them does not have it."""

    before: str | None
    after: str | None

    @property
    def sign(self) -> str:
        """Return whether it is new, gone, changed or the same."""
        if self.before is None or self.after is None:
            return "new" if self.before is None else "gone"
        return "same" if self.before == self.after else "changed"


def sentences(plan: Plan, words: Words, *, size: int | None = None, reward: str | None = None) -> list[Sentence]:
    """Return what a version says, in the language of this moment.

    Args:
        size, reward: of a stamp card.
    """
    found = [Sentence(f"rule {rule.name}", _rule(rule, words)) for rule in plan.rules]
    if size and reward:
        card = _("%(size)s fill the card: %(reward)s", size=words.amount(size), reward=words.reward(reward))
        found.append(Sentence("card", card))
    for step in plan.thresholds:
        at = format_cents(step.at) if words.kind in MONEY else words.amount(step.at)
        found.append(
            Sentence(f"threshold {step.at}", _("At %(at)s: %(reward)s", at=at, reward=words.reward(step.reward)))
        )
    if plan.repeats:
        found.append(Sentence("repeats", _("Then the count begins anew and keeps the rest")))
    found += [Sentence(key, text) for key, text in _terms(plan)]
    found += [Sentence(f"tier {tier.slug}", _tier(tier)) for tier in plan.tiers]
    return found


def difference(before: list[Sentence], after: list[Sentence]) -> list[Difference]:
    """Return two versions side by side, in the order of the newer one; what is gone comes last."""
    old = {one.key: one.text for one in before}
    new = {one.key: one.text for one in after}
    found = [Difference(old.get(key), text) for key, text in new.items()]
    return found + [Difference(text, None) for key, text in old.items() if key not in new]


def _rule(rule: Rule, words: Words) -> str:
    gives = [said for effect in rule.then if (said := _EFFECTS[effect.do](effect, words))]
    told = [" + ".join(gives), *_trigger(rule, words), *_conditions(rule.when), *_limits(rule.limit, words)]
    said = "; ".join(told)
    label = pick({str(language): text for language, text in (rule.label or {}).items()})
    return f"{label}: {said}" if label else said


def _trigger(rule: Rule, words: Words) -> list[str]:
    if rule.schedule is not None:
        return [_scheduled(rule.schedule)]
    if rule.at is not None:
        return [_("on reaching %(at)s", at=words.amount(rule.at))]
    said = {
        "visit": _("for a visit"), "join": _("for joining"), "first_purchase": _("for the first purchase"),
        "referral_qualified": _("for a friend who came"), "survey_answered": _("for an answered survey"),
        "birthday_month": _("in the birthday month"), "segment_entered": _("on entering a segment"),
        "threshold_reached": _("on reaching a threshold"), "schedule": _("on a schedule"),
    }  # fmt: skip
    return [said[rule.on]] if rule.on in said else []


def _scheduled(schedule: Schedule) -> str:
    day = format_day(schedule.day, with_year=True)
    words = {
        "once": _("on %(day)s", day=day), "week": _("every week from %(day)s on", day=day),
        "month": _("every month from %(day)s on", day=day), "year": _("every year from %(day)s on", day=day),
    }  # fmt: skip
    hour = f", {schedule.hour:02}:00" if schedule.hour else ""
    return words[schedule.every] + hour


def occasion(kind: str) -> str:
    """Return for what a rule gave something beside a purchase, for the member; `kind` is a trigger."""
    words = {
        "visit": _("For a visit"), "join": _("For joining"), "first_purchase": _("For your first purchase"),
        "referral_qualified": _("For a friend who came"), "survey_answered": _("For your answers"),
        "birthday_month": _("For your birthday month"), "threshold_reached": _("For what you have reached"),
    }  # fmt: skip
    return words.get(kind) or _("A gift for you")


def percent(bp: int) -> str:
    """Write basis points: `2.5`, `2,5`."""
    return format_number(Decimal(bp) / 100)


def _award(effect: Any, words: Words) -> str:
    n = words.amount(effect.n)
    return _("%(n)s each time", n=n) if effect.base else _("%(n)s extra", n=n)


def _per_amount(effect: Any, words: Words) -> str:
    values = {"n": words.amount(effect.n), "step": format_cents(effect.cents)}
    if effect.of == "lines":
        return _("%(n)s for each full %(step)s of these goods", **values)
    return _("%(n)s for each full %(step)s", **values)


def _percent(effect: Percent, _words: Words) -> str:
    told = [_("%(percent)s %% of what is paid", percent=percent(effect.bp))]
    if effect.of == "lines":
        told = [_("%(percent)s %% of these goods", percent=percent(effect.bp))]
    periods = {"month": _("a month"), "quarter": _("a quarter"), "year": _("a year")}
    if effect.ladder:
        for step in effect.ladder.steps:
            values = {"percent": percent(step.bp), "from": format_cents(step.from_cents)}
            told.append(_("%(percent)s %% from %(from)s %(period)s on", period=periods[effect.ladder.period], **values))
    return ", ".join(told)


def _multiply(effect: Any, _words: Words) -> str:
    times = effect.times_bp
    return _("doubled") if times == 20_000 else _("times %(times)s", times=format_number(Decimal(times) / 10_000))


_EFFECTS: dict[str, Callable[[Any, Words], str]] = {
    "award": _award,
    "per_amount": _per_amount,
    "per_item": lambda effect, words: _("%(n)s for each item", n=words.amount(effect.n)),
    "percent": _percent,
    "multiply": _multiply,
    "issue": lambda effect, words: _("gives: %(reward)s", reward=words.reward(effect.reward)),
    "set_tier": lambda effect, _words: _("tier: %(tier)s", tier=effect.tier),
    "message": lambda effect, _words: _("message: %(key)s", key=effect.key),
    "surprise": lambda effect, _words: ngettext(
        "a surprise with one possibility", "a surprise with %(n)s possibilities", len(effect.picks)
    ),
}


def _conditions(when: Conditions) -> Iterator[str]:
    if when.min_cents:
        yield _("from %(amount)s on", amount=format_cents(when.min_cents))
    if when.max_cents is not None:
        yield _("up to %(amount)s", amount=format_cents(when.max_cents))
    if when.lines is not None:
        goods = ", ".join([*(when.lines.skus or ()), *(when.lines.groups or ())])
        yield _("goods: %(goods)s", goods=goods or _("all"))
        if when.lines.min_quantity > 1:
            yield _("%(n)s of them or more", n=format_number(when.lines.min_quantity))
    for slugs in (when.outlets, when.resellers, when.chains, when.channels):
        if slugs:
            yield _("only: %(names)s", names=", ".join(slugs))
    if when.weekdays:
        yield ", ".join(weekday(DAYS.index(day)) for day in when.weekdays)
    if when.hours:
        yield f"{when.hours.start}–{when.hours.end}"
    if when.member_kinds:
        names = {"person": _("private people"), "company": _("companies")}
        yield ", ".join(names[kind] for kind in when.member_kinds)
    if when.tiers:
        yield _("tiers: %(names)s", names=", ".join(when.tiers))
    if when.birthday_month:
        yield _("in the birthday month")
    yield from _days(when)


def _days(when: Conditions) -> Iterator[str]:
    if when.first_day:
        yield _("from %(day)s", day=format_day(when.first_day, with_year=True))
    if when.last_day:
        yield _("until %(day)s", day=format_day(when.last_day, with_year=True))


def _limits(limit: Limit | None, words: Words) -> Iterator[str]:
    if limit is None:
        return
    for span in ("day", "week", "month", "ever"):
        times = getattr(limit.member, span, None)
        if times:
            yield _lower(reasons.sentence(f"limit_member_{span}", {"times": times}))
    if limit.first_n:
        yield ngettext("for the first one", "for the first %(n)s", limit.first_n)
    if limit.budget:
        yield _("%(amount)s in all", amount=words.amount(limit.budget))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _terms(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan.expires_after_months == 0:
        yield "expires", _("What was earned ends with its month")
    elif plan.expires_after_months:
        months = plan.expires_after_months
        yield "expires", ngettext("Ends one month after the month it was earned in",
                                  "Ends %(n)s months after the month it was earned in", months)  # fmt: skip
    if plan.release:
        names = ", ".join(month(number) for number in sorted(plan.release.months))
        yield "release", _("Can be spent from the first of: %(months)s", months=names)
    if plan.uses:
        values = {"uses": format_number(plan.uses), "price": format_cents(plan.price_cents or 0)}
        yield "uses", _("%(uses)s uses for %(price)s", **values)
        yield "valid", ngettext("Good for one month", "Good for %(n)s months", plan.valid_months or 0)
    for step in plan.speed_steps:
        values = {"credit": format_cents(step.credit_cents), "days": format_number(step.within_days)}
        yield f"step {step.within_days}", _("%(credit)s come back when all are used within %(days)s days", **values)


def _tier(tier: Tier) -> str:
    periods = {"month": _("a month"), "quarter": _("a quarter"), "year": _("a year")}
    name = pick({str(language): text for language, text in (tier.name or {}).items()}) or tier.slug
    if tier.from_cents is not None:
        begins = _("from %(amount)s on", amount=format_cents(tier.from_cents))
    else:
        begins = ngettext("from one visit on", "from %(n)s visits on", tier.from_visits or 0)
    values = {"name": name, "begins": begins, "period": periods[tier.period], "percent": percent(tier.discount_bp)}
    kept = ngettext("kept for one month", "kept for %(n)s months", tier.keeps_months)
    return _("%(name)s %(begins)s %(period)s: %(percent)s %% off", **values) + "; " + kept
