"""Reason codes of awards as sentences for people."""

from typing import Any

from app.cards import rules
from app.core.i18n import format_cents
from app.core.i18n import gettext as _


def sentence(reason: str, *, rule: dict[str, Any], due_cents: int) -> str:
    """Return why an award was nothing or less, in the language of this moment; empty where it was all of it."""
    if reason == "below_one_step":
        missing = format_cents(rules.missing(rule, due_cents=due_cents))
        return _("%(missing)s short of the first stamp", missing=missing)
    if reason == "below_minimum":
        return _("Below the smallest purchase that earns, %(amount)s", amount=format_cents(int(rule["cents"])))
    if reason == "nothing_paid":
        return _("Nothing was paid, so nothing was earned")
    if reason == "capped":
        return _("One purchase earns %(most)s at most", most=rules.MAX_STAMPS)
    return ""
