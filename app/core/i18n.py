"""Three languages from the start: catalogues, the language of this moment, and how numbers and times are written."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date as _date
from babel.dates import format_datetime as _datetime
from babel.dates import get_day_names, get_month_names
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal

LANGUAGES = ("fi", "sv", "en")
FOLDER = Path(__file__).parent / "translations"

_language: ContextVar[str] = ContextVar("language", default="en")


@cache
def catalog(language: str) -> dict[str, tuple[str, ...]]:
    """Return a catalogue, msgid → its forms. Read from the .po file: there is no build step."""
    path = FOLDER / language / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        messages = read_po(file, locale=language)
    found: dict[str, tuple[str, ...]] = {}
    for message in messages:
        if not message.id or message.fuzzy:
            continue
        given = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
        forms = tuple(form for form in given if form)
        if len(forms) == len(given):
            found[message.id[0] if isinstance(message.id, (list, tuple)) else message.id] = forms
    return found


def language() -> str:
    """Return the language of this request, job or command."""
    return _language.get()


@contextmanager
def use_language(name: str) -> Iterator[None]:
    """Speak a language for a while; an unknown one is English."""
    token = _language.set(name if name in LANGUAGES else "en")
    try:
        yield
    finally:
        _language.reset(token)


def set_language(name: str) -> None:
    """Speak a language from here on in this context (a request)."""
    _language.set(name if name in LANGUAGES else "en")


def gettext(message: str, **values: Any) -> str:
    """Return a sentence in the language of this moment, with `%(name)s` filled in."""
    forms = catalog(_language.get()).get(message)
    sentence = forms[0] if forms else message
    return sentence % values if values else sentence.replace("%%", "%")


def ngettext(one: str, many: str, n: int, **values: Any) -> str:
    """Return the sentence that fits a count, with `%(n)s` filled in. All three languages have two forms."""
    forms = catalog(_language.get()).get(one) or (one, many)
    return (forms[0] if n == 1 else forms[-1]) % {"n": n, "num": n, **values}


def pick(texts: dict[str, str], fallback: str = "en") -> str:
    """Return a text of the brand in the language of this moment, else in the fallback, else any."""
    return texts.get(_language.get()) or texts.get(fallback) or next(iter(texts.values()), "")


def negotiate(header: str, allowed: tuple[str, ...], default: str) -> str:
    """Choose a language by an Accept-Language header."""
    wishes: list[tuple[float, str]] = []
    for part in header[:400].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wishes.append((float(weight or 1), tag.split("-")[0].lower()))
        except ValueError:
            continue
    for _, tag in sorted(wishes, key=lambda wish: -wish[0]):
        if tag in allowed:
            return tag
    return default


def _locale(name: str | None) -> Locale:
    return Locale.parse({"en": "en_IE", "sv": "sv_FI"}.get(name or _language.get(), name or _language.get()))


def format_cents(cents: int, language: str | None = None) -> str:
    """Write an amount of cents as money: `4,60 €`; below zero with a real minus sign in every language."""
    return format_currency(cents / 100, "EUR", locale=_locale(language)).replace("-", "\u2212")


def format_number(number: int | Decimal, language: str | None = None) -> str:
    """Write a number in groups: `3,195`, `3 195`; a decimal with what follows its point: `2.5`, `2,5`."""
    return format_decimal(number, locale=_locale(language))


def format_datetime(moment: datetime, zone: str, language: str | None = None) -> str:
    """Write a moment in the brand's zone, short."""
    return _datetime(moment.astimezone(ZoneInfo(zone)), "short", locale=_locale(language))


def format_time(moment: datetime, zone: str, language: str | None = None) -> str:
    """Write the hour and minute of a moment in the brand's zone: `08:14`."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%H.%M" if (language or _language.get()) == "fi" else "%H:%M")


def format_day(day: date, language: str | None = None, *, with_year: bool = False) -> str:
    """Write a day as people say it on a card: `30 Nov`, `30.11.`."""
    patterns = {"fi": "d.M.", "sv": "d MMM", "en": "d MMM"}
    pattern = patterns[language or _language.get()] + (
        {"fi": "yyyy"}.get(language or _language.get(), " yyyy") if with_year else ""
    )
    return _date(day, pattern, locale=_locale(language))


def format_date(day: date, language: str | None = None) -> str:
    """Write a day: `30 Nov 2026`."""
    return _date(day, "medium", locale=_locale(language))


def weekday(index: int, language: str | None = None) -> str:
    """Name a day of the week, 0 is Monday: `Saturday`, `lauantai`, `lördag`."""
    return str(get_day_names("wide", "stand-alone", locale=_locale(language))[index])


def month(number: int, language: str | None = None) -> str:
    """Name a month, 1 is January: `June`, `kesäkuu`, `juni`."""
    return str(get_month_names("wide", "stand-alone", locale=_locale(language))[number])
