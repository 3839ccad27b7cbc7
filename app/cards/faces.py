"""A card in words and figures, as phone, till, console and wallets write it, in the language of this moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from app.cards.rules import Plan
from app.cards.rules.model import Tier
from app.cards.rules.parts import Conditions, Percent
from app.cards.units import MONEY, counted, number
from app.cards.views import Card
from app.core import clock
from app.core.i18n import format_cents, format_day, format_number, ngettext, pick
from app.core.i18n import gettext as _

_ALWAYS = Conditions.model_validate({})


@dataclass(frozen=True)
class Face:
    """What a card shows. `goal` stands under its name, `notes` below the figure."""

    figure: str  # "7", "12,50 €"; empty where there is none yet
    of: str  # what the figure is a part of; empty where it is none
    said: str  # the figure as a sentence
    goal: str
    notes: tuple[str, ...] = ()
    done: int = 0  # of `whole`, as a bar draws it
    whole: int = 0  # 0: there is nothing to fill
    seal: str = ""  # what every purchase gives, such as "2 %"

    @property
    def short(self) -> str:
        """Return the figure in one word: `7/10`, `12,50 €`."""
        return f"{self.figure}/{self.of}" if self.of else self.figure


def face(card: Card, zone: str) -> Face:
    """Return a card as it is shown.

    Args:
        zone: the brand's; days of expiry and release are its own.
    """
    return _FACES[card.kind](card, zone)


def figure(card: Card) -> str:
    """Return what a card holds in one word, as a list shows it."""
    return face(card, "UTC").short


def rate(plan: Plan) -> str:
    """Return what every purchase gives: `2 %`, or `1–2.5 %` where a ladder decides; empty where rules tell it apart."""
    plain = [
        effect
        for rule in plan.rules
        for effect in rule.then
        if rule.on == "purchase" and rule.when == _ALWAYS and rule.limit is None and isinstance(effect, Percent)
    ]
    if len(plain) != 1 or plain[0].of != "due":
        return ""
    steps = plain[0].ladder.steps if plain[0].ladder else ()
    rates = sorted({plain[0].bp, *(step.bp for step in steps)})
    low, high = _percent(rates[0]), _percent(rates[-1])
    return f"{low} %" if low == high else f"{low}–{high} %"


def day(at: datetime, zone: str) -> str:
    """Return a day in the brand's zone, with its year when that is not this year."""
    local = clock.local_date(at, zone)
    return format_day(local, with_year=local.year != clock.local_date(clock.now(), zone).year)


def last_day(at: datetime, zone: str) -> str:
    """Return the last day of something that is gone at a moment."""
    return day(at - timedelta(microseconds=1), zone)


def _notes(card: Card, zone: str) -> tuple[str, ...]:
    """Return what waits, what ends first, and what is owed."""
    found = []
    money, holding = card.kind in MONEY, card.holding
    if card.owed:
        owed = ngettext("The next one pays for a refund", "The next %(num)s pay for a refund", card.owed)
        amount = number(card.kind, card.owed)
        found.append(_("The next %(amount)s pays for a refund", amount=amount) if money else owed)
    if part := holding.releases:
        values = {"amount": _counted(card, part.amount), "day": day(part.at, zone)}
        n = 1 if money else part.amount
        found.append(ngettext("%(amount)s waits until %(day)s", "%(amount)s wait until %(day)s", n, **values))
    if part := holding.expires:
        values = {"amount": _counted(card, part.amount), "day": last_day(part.at, zone)}
        n = 1 if money else part.amount
        found.append(ngettext("%(amount)s expires on %(day)s", "%(amount)s expire on %(day)s", n, **values))
    return tuple(found)


def _counted(card: Card, amount: int) -> str:
    return number(card.kind, amount) if card.kind in MONEY else counted(card.kind, amount, card.unit)


def _collected(card: Card, zone: str) -> Face:
    """Stamps, points and visits: a number on its way to the next reward."""
    at, shown = card.next_at, number(card.kind, card.balance)
    if at is None:
        goal = _("Every reward is reached") if card.reward else ""
        done = 1 if card.reward else 0
        return Face(shown, "", counted(card.kind, card.balance, card.unit), goal, _notes(card, zone), done, done)
    left, size = at - card.balance, format_number(at)
    goal = ngettext(
        "%(reward)s after %(num)s more", "%(reward)s after %(num)s more", left, reward=card.reward,
        num=format_number(left),
    )  # fmt: skip
    said = _("%(n)s of %(size)s %(unit)s", n=shown, size=size, unit=card.unit[1])
    return Face(shown, size, said, goal, _notes(card, zone), min(card.stamps, at), at)


def _bonus(card: Card, zone: str) -> Face:
    percent = rate(card.program.plan)
    goal = _("%(rate)s of every purchase is yours", rate=percent) if percent else _("Grows with your purchases")
    said = counted(card.kind, card.balance, card.unit)
    return Face(number(card.kind, card.balance), "", said, goal, _notes(card, zone), seal=percent)


def _cash_back(card: Card, zone: str) -> Face:
    at = card.size
    left = format_cents(at - card.balance)
    goal = _("%(left)s until %(reward)s", left=left, reward=card.reward)
    if card.worth_cents:
        goal = _("%(left)s until the next gift card of %(worth)s", left=left, worth=format_cents(card.worth_cents))
    shown, size = format_cents(card.balance), format_cents(at)
    said = _("%(n)s of %(size)s %(unit)s", n=shown, size=size, unit=card.unit[1])
    return Face(shown, size, said, goal, _notes(card, zone), card.stamps, at)


def _serial_card(card: Card, zone: str) -> Face:
    plan, uses = card.program.plan, card.balance
    most = plan.uses or 0
    said = counted(card.kind, uses, card.unit)
    if uses <= 0:
        price = format_cents(plan.price_cents or 0)
        goal = _("%(uses)s for %(price)s, from the till", uses=counted(card.kind, most, card.unit), price=price)
        return Face(number(card.kind, uses), "", said, goal, _notes(card, zone))
    ends = card.holding.expires
    goal = _("Valid until %(day)s", day=last_day(ends.at, zone)) if ends else ""
    notes = _notes(card, zone) if ends and ends.amount < uses else ()  # several cards: the first ends before the others
    of = format_number(most) if uses <= most else ""
    return Face(number(card.kind, uses), of, said, goal, notes, min(uses, most), most)


def _standing(card: Card, zone: str) -> Face:
    every, goal = card.program.plan.tiers, _("Your benefits grow with your purchases")
    if card.tier is None:
        return Face("", "", "", goal, tuple(tier_line(tier) for tier in every))
    held = card.tier.tier
    ahead = tuple(tier_line(tier) for tier in every[every.index(held) + 1 :]) if held in every else ()
    if card.tier.until is not None:
        goal = _("Valid until %(day)s", day=last_day(card.tier.until, zone))
    name = tier_name(held)
    return Face(name, "", name, goal, ahead, seal=f"{_percent(held.discount_bp)} %" if held.discount_bp else "")


def tier_name(tier: Tier) -> str:
    """Return what a tier is called in the language of this moment."""
    return pick(dict(tier.name.items())) if tier.name else tier.slug.replace("-", " ").capitalize()


def _percent(basis_points: int) -> str:
    return format_number(Decimal(basis_points) / 100)


def tier_line(tier: Tier) -> str:
    """Return what a tier gives and what it takes: `Silver from 500.00 € a year: 3 %`."""
    visits = tier.from_visits or 0
    amount = (
        ngettext("%(n)s visit", "%(n)s visits", visits) if tier.from_cents is None else format_cents(tier.from_cents)
    )
    values = {"tier": tier_name(tier), "amount": amount}
    periods = {
        "month": _("%(tier)s from %(amount)s a month", **values),
        "quarter": _("%(tier)s from %(amount)s a quarter", **values),
        "year": _("%(tier)s from %(amount)s a year", **values),
    }
    return f"{periods[tier.period]}: {_percent(tier.discount_bp)} %" if tier.discount_bp else periods[tier.period]


_FACES: dict[str, Callable[[Card, str], Face]] = {
    "stamp_card": _collected,
    "points": _collected,
    "visits": _collected,
    "bonus": _bonus,
    "cash_back": _cash_back,
    "serial_card": _serial_card,
    "standing": _standing,
}
