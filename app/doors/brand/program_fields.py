"""What the form of a program begins with, and its names and units in the brand's languages."""

from typing import Any

from flask import g

from app.cards import beside_forms
from app.cards.form_values import Reader
from app.core import i18n
from app.core.i18n import gettext as _

LONGEST = {"name": 60, "unit": 30}  # characters

DEFAULTS: dict[str, dict[str, str]] = {
    "stamp_card": {"per": "euros", "step": "4", "n": "1", "size": "10"},
    "bonus": {"percent": "2", "period": "year", "expires": "12"},
    "points": {"step": "1", "n": "1", "repeats": "1"},
    "visits": {"repeats": "1"},
    "cash_back": {"every": "500"},
    "serial_card": {"uses": "10", "price": "90", "valid": "12"},
    "standing": {"by": "spend", "period": "year"},
}
_STAMPS = {"fi": ("leima", "leimaa"), "sv": ("stämpel", "stämplar"), "en": ("stamp", "stamps")}
_EUROS = {"fi": ("euro", "euroa"), "sv": ("euro", "euro"), "en": ("euro", "euros")}
_VISITS = {"fi": ("käynti", "käyntiä"), "sv": ("besök", "besök"), "en": ("visit", "visits")}
_USES = {"fi": ("käyttökerta", "käyttökertaa"), "sv": ("gång", "gånger"), "en": ("use", "uses")}
UNITS: dict[str, dict[str, tuple[str, str]]] = {
    "stamp_card": _STAMPS,
    "bonus": {"fi": ("bonus", "bonusta"), "sv": ("bonus", "bonus"), "en": ("bonus", "bonus")},
    "points": {"fi": ("piste", "pistettä"), "sv": ("poäng", "poäng"), "en": ("point", "points")},
    "visits": _VISITS,
    "cash_back": _EUROS,
    "serial_card": _USES,
    "standing": _VISITS,
}


def languages() -> list[dict[str, str]]:
    """Return the brand's languages, with how a form names them."""
    names = {"fi": _("In Finnish"), "sv": _("In Swedish"), "en": _("In English")}
    return [{"code": code, "name": names[code]} for code in i18n.LANGUAGES if code in g.brand.languages]


def limits() -> dict[str, int]:
    """Return how long texts may be."""
    return LONGEST


def beside(kind: str) -> dict[str, Any] | None:
    """Return what the rows for rules beside purchases offer; None where a kind has none."""
    words = {
        "join": _("Joining"), "first_purchase": _("The first purchase"), "birthday_month": _("The birthday month"),
        "schedule": _("A day"), "threshold_reached": _("A balance that is reached"),
    }  # fmt: skip
    every = {"once": _("never"), "week": _("every week"), "month": _("every month"), "year": _("every year")}
    found = {name: words[name] for name in beside_forms.choices(kind)}
    return {"rows": range(1, beside_forms.ROWS + 1), "triggers": found, "every": every} if found else None


def texts(reader: Reader) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the name and the unit by language; what is missing or too long is an error of its field."""
    name, unit = {}, {}
    for language in languages():
        code = language["code"]
        name[code] = _text(reader, f"name_{code}", LONGEST["name"])
        unit[code] = [_text(reader, f"unit_{form}_{code}", LONGEST["unit"]) for form in ("one", "many")]
    return name, unit


def _text(reader: Reader, field: str, longest: int) -> str:
    text = reader.text(field)
    if not text:
        reader.needs(field)
    elif len(text) > longest:
        reader.errors[field] = _("At most %(most)s characters.", most=longest)
    return text
