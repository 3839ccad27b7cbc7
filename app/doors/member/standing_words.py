"""The way to a tier in sentences: what is missing, by when, and what is lost without it."""

from typing import Any

from flask import g

from app.cards.faces import day, last_day, tier_name
from app.cards.rules import Tier
from app.cards.standing import Standing, Way
from app.core import i18n
from app.core.i18n import gettext as _
from app.core.i18n import ngettext


def ahead(one: Standing) -> str:
    """Say in a sentence how far the next tier is; at the highest, how far it is to keep it, if it is."""
    if one.ahead:
        return str(way_ahead(one.ahead)["text"])
    return str(way_to_keep(one, one.keep)["text"]) if one.keep else ""


def way_ahead(way: Way) -> dict[str, Any]:
    """Return the way to the next tier: its name, a sentence, and a bar."""
    name, by = tier_name(way.tier), last_day(way.ends, g.brand.zone)
    if not way.left:
        text = _("Your next purchase makes you %(tier)s", tier=name)
    else:
        text = _("%(amount)s more by %(day)s makes you %(tier)s", amount=_amount(way.tier, way.left), day=by, tier=name)
    return {"name": name, "text": text, **_bar(way)}


def way_to_keep(one: Standing, way: Way) -> dict[str, Any]:
    """Return what keeps the tier that is held, and what is left without it."""
    name, zone = tier_name(way.tier), g.brand.zone
    text = _(
        "%(amount)s more by %(day)s keeps %(tier)s until %(until)s", amount=_amount(way.tier, way.left),
        day=last_day(way.ends, zone), tier=name, until=last_day(way.keeps, zone),
    )  # fmt: skip
    end = one.held.until if one.held and one.held.until else way.ends
    below = tier_name(one.held.below) if one.held and one.held.below else ""
    lost = _("Without it, %(tier)s ends on %(day)s", tier=name, day=last_day(end, zone))
    if below:
        lost = _("Without it, you are %(tier)s from %(day)s on", tier=below, day=day(end, zone))
    return {"name": name, "text": text, "lost": lost, **_bar(way)}


def _bar(way: Way) -> dict[str, Any]:
    so_far, whole = _figure(way.tier, way.done), _amount(way.tier, way.whole)
    return {
        "share": min(100, 100 * max(way.done, 0) // way.whole) if way.whole else 100,
        "figure": _("%(n)s of %(whole)s", n=so_far, whole=whole),
    }


def _figure(tier: Tier, n: int) -> str:
    return i18n.format_number(n) if tier.from_cents is None else i18n.format_cents(n)


def _amount(tier: Tier, n: int) -> str:
    if tier.from_cents is None:
        return ngettext("%(n)s visit", "%(n)s visits", n)
    return i18n.format_cents(n)
