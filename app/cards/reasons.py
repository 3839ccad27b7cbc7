"""Reason codes of awards as sentences for people."""

from collections.abc import Mapping
from typing import Any

from app.core.i18n import format_cents
from app.core.i18n import gettext as _


def sentence(reason: str, details: Mapping[str, Any]) -> str:
    """Return why an award was nothing or less, in the language of this moment; empty where it was all of it.

    Args:
        details: what the rules told beside the code; an award of before them has none.
    """
    if reason == "below_one_step":
        return _("%(missing)s short of the first stamp", missing=format_cents(int(details.get("missing_cents", 0))))
    if reason == "below_minimum":
        least = int(details.get("min_cents", 0))
        return _("Below the smallest purchase that earns, %(amount)s", amount=format_cents(least))
    if reason == "nothing_paid":
        return _("Nothing was paid, so nothing was earned")
    if reason == "capped":
        return _("One purchase earns %(most)s at most", most=details.get("most", 300))
    return ""
