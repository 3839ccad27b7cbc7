"""Reason codes of awards as sentences for people."""

from collections.abc import Callable, Mapping
from typing import Any

from app.cards import rules
from app.core.i18n import format_cents, format_number, ngettext, pick
from app.core.i18n import gettext as _

BIRTHDAY_LATELY = "birthday_lately"
Values = Mapping[str, Any]


def sentence(reason: str, values: Values, *, kind: str = "stamp_card") -> str:
    """Return why an award was nothing or less, in the language of this moment; empty where it was all of it.

    Args:
        reason: a code of `rules.evaluate` or of a limit; an unknown one still says that something was less.
        values: of the outcome; amounts in cents.
        kind: of the program: stamps are named, other units are not, since their words cannot be inflected.
    """
    if not reason:
        return ""
    said = _SENTENCES.get(reason, _less)(values, kind)
    label = pick(values.get("label") or {})
    return f"{label}: {said}" if label and said else said


def _money(values: Values, key: str) -> str:
    return format_cents(int(values.get(key, 0)))


def _below_one_step(values: Values, kind: str) -> str:
    if kind == "stamp_card":
        return _("%(missing)s short of the first stamp", missing=_money(values, "missing_cents"))
    return _("%(missing)s more would have earned something", missing=_money(values, "missing_cents"))


def _below_minimum(values: Values, kind: str) -> str:
    if kind == "stamp_card":
        return _("Below the smallest purchase that earns, %(amount)s", amount=_money(values, "min_cents"))
    return _("Earns from %(amount)s on", amount=_money(values, "min_cents"))


def _nothing_paid(_values: Values, kind: str) -> str:
    if kind == "stamp_card":
        return _("Nothing was paid, so nothing was earned")
    return _("There was nothing left to pay, so there was nothing to earn from")


def _too_few_items(values: Values, _kind: str) -> str:
    missing = int(values.get("missing", 1))
    return ngettext("One more of these products would earn", "%(n)s more of these products would earn", missing)


def _capped(values: Values, _kind: str) -> str:
    return _("One purchase earns %(most)s at most", most=format_number(int(values.get("most", rules.MAX_STAMPS))))


def _no_rate_yet(values: Values, _kind: str) -> str:
    if "missing_cents" in values:
        return _(
            "%(missing)s more in this period, and purchases begin to earn", missing=_money(values, "missing_cents")
        )
    return _("The rate is 0 %% now")


def _times(one: Callable[[int], str]) -> Callable[[Values, str], str]:
    return lambda values, _kind: one(int(values.get("times", 1)))


def _less(_values: Values, _kind: str) -> str:
    return _("A rule of the program gave less this time")


def _needs_approval(values: Values, _kind: str) -> str:
    if "most_cents" in values:
        return _("More than %(most)s at once needs a manager’s approval", most=_money(values, "most_cents"))
    most = format_number(int(values.get("most", 0)))
    return _("More than %(most)s at once needs a manager’s approval", most=most)


# `_` reads the language when it is called, so each sentence is made afresh.
_SENTENCES: dict[str, Callable[[Values, str], str]] = {
    "below_one_step": _below_one_step,
    "below_minimum": _below_minimum,
    "nothing_paid": _nothing_paid,
    "capped": _capped,
    "too_few_items": _too_few_items,
    "no_rate_yet": _no_rate_yet,
    "below_minimum_of_items": lambda values, _kind: _(
        "These products earn from %(amount)s on", amount=_money(values, "min_cents")
    ),
    "above_maximum": lambda values, _kind: _("Earns up to %(amount)s only", amount=_money(values, "max_cents")),
    "no_such_item": lambda _values, _kind: _("None of the products that earn was in the basket"),
    "no_rule_today": lambda _values, _kind: _("Earns on other days or at other hours"),
    "not_birthday_month": lambda _values, _kind: _("Earns in your birthday month"),
    "not_here": lambda _values, _kind: _("Earns in other shops"),
    "not_in_this_channel": lambda _values, _kind: _("Not for this way of buying"),
    "not_for_you": lambda _values, _kind: _("Meant for other members"),
    "no_rule": lambda _values, _kind: _("Nothing is earned for this"),
    "no_luck": lambda _values, _kind: _("No surprise this time"),
    "visited_today": lambda _values, _kind: _("Today’s visit here was counted already"),
    "first_n_over": lambda values, _kind: _(
        "The first %(first)s have had it", first=format_number(int(values.get("first", 0)))
    ),
    "budget_used": lambda _values, _kind: _("What was set aside for it has been given"),
    "limit_member_day": _times(lambda n: ngettext("Counts once a day", "Counts %(n)s times a day", n)),
    "limit_member_week": _times(lambda n: ngettext("Counts once a week", "Counts %(n)s times a week", n)),
    "limit_member_month": _times(lambda n: ngettext("Counts once a month", "Counts %(n)s times a month", n)),
    "limit_member_ever": _times(
        lambda n: ngettext("Counts once for each member", "Counts %(n)s times for each member", n)
    ),
    "limit_outlet_day": _times(
        lambda n: ngettext(
            "One purchase a day earns at the same shop", "%(n)s purchases a day earn at the same shop", n
        )
    ),
    "limit_day": _times(lambda n: ngettext("One purchase a day earns", "%(n)s purchases a day earn", n)),
    "limit_manual_day": _times(lambda n: ngettext("By hand, one a day at most", "By hand, %(n)s a day at most", n)),
    "limit_manual_hour": _times(
        lambda n: ngettext(
            "One cashier gives one an hour by hand at most", "One cashier gives %(n)s an hour by hand at most", n
        )
    ),
    BIRTHDAY_LATELY: lambda _values, _kind: _("The last birthday gift was less than ten months ago"),
    "needs_approval": _needs_approval,
    "own_card": lambda _values, _kind: _("On your own card, a colleague has to ring it up"),
}

CODES = frozenset(_SENTENCES)
LIMITS = ("first_n_over", "budget_used", "limit_member_day", "limit_member_week", "limit_member_month",
          "limit_member_ever", BIRTHDAY_LATELY)  # of rules  # fmt: skip


def summary(reason: str) -> str:
    """Return why many awards were nothing, in the language of this moment: without the figures of one purchase."""
    told = {
        "below_one_step": _("Too small for the first one"),
        "below_minimum": _("Below the smallest purchase that earns"),
        "below_minimum_of_items": _("Too little of the products that earn"),
        "too_few_items": _("Too few of the products that earn"),
        "above_maximum": _("Above the largest purchase that earns"),
        "no_rate_yet": _("The rate is 0 %% now"),
        "first_n_over": _("The first ones have had it"),
        "limit_member_day": _("The day’s limit was used up"),
        "limit_member_week": _("The week’s limit was used up"),
        "limit_member_month": _("The month’s limit was used up"),
        "limit_member_ever": _("The member’s limit was used up"),
    }
    return told.get(reason) or sentence(reason, {})
