"""Reads numbers, money and percentages as people type them, and collects what is wrong by field."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from app.core.i18n import gettext as _

Form = Mapping[str, str]
MOST_CENTS = 100_000_000

_NUMBER = re.compile(r"(\d{1,7})(?:[.,](\d{1,2}))?")


def hundredths(text: str) -> int | None:
    """Return a number with at most two decimals in hundredths, `4,5` is 450; None where it is none."""
    match = _NUMBER.fullmatch(text.strip().replace("\u00a0", "").replace(" ", "").rstrip("€%").strip())
    if match is None:
        return None
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))


def euros(cents: int) -> str:
    """Write cents for a field: `4`, `4.50`."""
    return f"{cents // 100}" if cents % 100 == 0 else f"{cents // 100}.{cents % 100:02}"


def percent_text(bp: int) -> str:
    """Write basis points for a field, as percent: `2.5`."""
    return euros(bp).rstrip("0") if bp % 100 else euros(bp)


class Reader:
    """One form: reads its fields and remembers in `errors` what is wrong with which."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.errors: dict[str, str] = {}

    def text(self, name: str) -> str:
        """Return a field without spaces around it; empty where it is missing."""
        return self.form.get(name, "").strip()

    def needs(self, name: str) -> None:
        """Say that a field must be filled in."""
        self.errors.setdefault(name, _("Fill this in."))

    def choice(self, name: str, known: Sequence[str]) -> str:
        """Return one of some words; the first one without another."""
        value = self.text(name)
        return value if value in known else known[0]

    def whole(
        self, name: str, *, low: int, high: int, needed: bool = False, otherwise: int | None = None
    ) -> int | None:
        """Return a whole number, `otherwise` where the field is empty."""
        text = self.text(name)
        if not text:
            if needed:
                self.needs(name)
            return otherwise
        if text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high:
            return int(text)
        self.errors.setdefault(name, _("Write a whole number from %(low)s to %(high)s.", low=low, high=high))
        return otherwise

    def cents(self, name: str, *, needed: bool = False, most: int = MOST_CENTS) -> int | None:
        """Return an amount typed in euros, in cents; a needed one is above 0."""
        return self._hundredths(
            name, needed=needed, low=1 if needed else 0, high=most, say=_("Write an amount, such as 4 or 4.50.")
        )

    def percent(self, name: str, *, needed: bool = False, low: int = 0, high: int = 10_000) -> int | None:
        """Return a percentage in basis points."""
        said = _("Write a percentage from %(low)s to %(high)s.", low=percent_text(low), high=percent_text(high))
        return self._hundredths(name, needed=needed, low=low, high=high, say=said)

    def times(self, name: str) -> int | None:
        """Return a multiplier in basis points: `2` is 20,000."""
        value = self._hundredths(name, needed=False, low=101, high=10_000, say=_("Write a number such as 2 or 1.5."))
        return value * 100 if value else None

    def _hundredths(self, name: str, *, needed: bool, low: int, high: int, say: str) -> int | None:
        text = self.text(name)
        if not text:
            if needed:
                self.needs(name)
            return None
        value = hundredths(text)
        if value is None or not low <= value <= high:
            self.errors.setdefault(name, say)
            return None
        return value

    def day(self, name: str) -> str:
        """Return a day that must be filled in, as `2026-12-06`; empty where it is none."""
        text = self.text(name)
        if not text:
            self.needs(name)
            return ""
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            self.errors.setdefault(name, _("Choose a day."))
            return ""

    def names(self, name: str, *, needed: bool = False) -> list[str]:
        """Return names that stand in one field, with commas between them."""
        found = [part.strip()[:64] for part in self.text(name).split(",") if part.strip()]
        if needed and not found:
            self.needs(name)
        return list(dict.fromkeys(found))

    def rows(
        self,
        most: int,
        columns: Sequence[str],
        *,
        cents: Sequence[str] = (),
        percents: Sequence[str] = (),
        wholes: Sequence[str] = (),
        needed: bool = False,
    ) -> list[dict[str, Any]]:
        """Return rows of fields `column_1`, `column_2`…; an empty row is left out, a half one is a fault.

        Args:
            cents, percents, wholes: how columns are read; others are text.
            needed: at least one row.
        """
        found = []
        for number in range(1, most + 1):
            fields = {column: f"{column}_{number}" for column in columns}
            if not any(self.text(field) for field in fields.values()):
                continue
            row: dict[str, Any] = {}
            for column, field in fields.items():
                if column in cents:
                    row[column] = self.cents(field)
                elif column in percents:
                    row[column] = self.percent(field)
                elif column in wholes:
                    row[column] = self.whole(field, low=0, high=1_000_000_000)
                else:
                    row[column] = self.text(field)
                if row[column] in (None, ""):
                    self.needs(field)
            found.append(row)
        if needed and not found:
            self.needs(f"{columns[0]}_1")
        return found
