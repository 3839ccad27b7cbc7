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
    """Return the way to the next tier: its name, a sentence, a shorter one below its name, and a bar."""
    name = tier_name(way.tier)
    text, short = _("Your next purchase makes you %(tier)s", tier=name), _("Your next purchase brings it")
    if way.left:
        values = {"amount": _amount(way.tier, way.left), "day": last_day(way.ends, g.brand.zone)}
        text = _("%(amount)s more by %(day)s makes you %(tier)s", tier=name, **values)
        short = _("%(amount)s more by %(day)s", **values)
    return {"name": name, "text": text, "short": short, **_bar(way)}


def way_to_keep(one: Standing, way: Way) -> dict[str, Any]:
    """Return what keeps the tier that is held, and what is left without it."""
    name, zone = tier_name(way.tier), g.brand.zone
    values = {
        "amount": _amount(way.tier, way.left),
        "day": last_day(way.ends, zone),
        "until": last_day(way.keeps, zone),
    }
    text = _("%(amount)s more by %(day)s keeps %(tier)s until %(until)s", tier=name, **values)
    short = _("%(amount)s more by %(day)s keeps it until %(until)s", **values)
    end = one.held.until if one.held and one.held.until else way.ends
    lost = _("Without it, it ends on %(day)s", day=last_day(end, zone))
    if one.held and one.held.below:
        lost = _("Without it, you are %(tier)s from %(day)s on", tier=tier_name(one.held.below), day=day(end, zone))
    return {"name": name, "text": text, "short": short, "lost": lost, **_bar(way)}


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
