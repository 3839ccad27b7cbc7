"""How an award was counted, as a sentence for people: "2 stamps: 33.40 at 15.00 each; weekend doubles"."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from app.cards.rules import Part
from app.core.i18n import format_cents, format_number, pick
from app.core.i18n import gettext as _


def explain(parts: Sequence[Part], unit: tuple[str, str], *, amount: int | None = None, money: bool = False) -> str:
    """Return what was given and how it was counted, in the language of this moment; empty without parts.

    Args:
        parts: of an outcome; those with a label of the brand are told by it, others by their figures.
        unit: singular and plural in this language.
        amount: what was given, when it is less than the parts (a cap).
        money: the unit is cents, as of bonus and cash back.
    """
    if not parts:
        return ""
    given = sum(part.amount for part in parts) if amount is None else amount
    number = format_cents(given) if money else format_number(given)
    told = list(dict.fromkeys(_told(part, money=money) for part in parts))
    name = unit[0] if given == 1 and not money else unit[1]
    return _("%(number)s %(unit)s: %(how)s", number=number, unit=name, how="; ".join(told))


def _told(part: Part, *, money: bool) -> str:
    if label := pick(part.values.get("label") or {}):
        return label
    return _HOW[part.code](part, money)


def _amount(number: int, money: bool) -> str:
    return format_cents(number) if money else format_number(number)


def _per_amount(part: Part, money: bool) -> str:
    paid, step = format_cents(part.values["cents"]), format_cents(part.values["step_cents"])
    if part.values["n"] == 1 and not money:
        return _("%(paid)s at %(step)s each", paid=paid, step=step)
    n = _amount(part.values["n"], money)
    return _("%(paid)s, %(n)s for each %(step)s", paid=paid, n=n, step=step)


def _per_item(part: Part, money: bool) -> str:
    quantity, n = format_number(part.values["quantity"]), _amount(part.values["n"], money)
    return _("products %(quantity)s × %(n)s", quantity=quantity, n=n)


def _percent(part: Part, _money: bool) -> str:
    percent = format_number(Decimal(part.values["bp"]) / 100)
    return _("%(percent)s %% of %(paid)s", percent=percent, paid=format_cents(part.values["cents"]))


def _multiply(part: Part, _money: bool) -> str:
    times = part.values["times_bp"]
    return _("doubled") if times == 20_000 else _("times %(times)s", times=format_number(Decimal(times) / 10_000))


def _award(part: Part, money: bool) -> str:
    n = _amount(part.amount, money)
    return _("%(n)s each time", n=n) if part.phase == "base" else _("%(n)s extra", n=n)


def _surprise(part: Part, money: bool) -> str:
    return _("a surprise of %(n)s", n=_amount(part.amount, money))


_HOW: dict[str, Callable[[Part, bool], str]] = {
    "per_amount": _per_amount,
    "per_item": _per_item,
    "percent": _percent,
    "multiply": _multiply,
    "award": _award,
    "surprise": _surprise,
}
