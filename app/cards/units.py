"""How amounts of a program are written: money for kinds that count cents, numbers with their unit for the others."""

from app.core.i18n import format_cents, format_number, pick

MONEY = frozenset({"bonus", "cash_back", "gift_card"})  # their units are cents
MINUS = "\u2212"

Unit = tuple[str, str]  # singular and plural


def unit(texts: dict[str, list[str]]) -> Unit:
    """Return a unit's singular and plural in the language of this moment."""
    forms = pick({language: "\n".join(words) for language, words in texts.items()}).split("\n")
    return (forms[0], forms[-1])


def number(kind: str, amount: int) -> str:
    """Return an amount without its unit: `12,50 €`, `1,250`; below zero with a real minus sign."""
    return format_cents(amount) if kind in MONEY else format_number(amount).replace("-", MINUS)


def counted(kind: str, amount: int, forms: Unit) -> str:
    """Return an amount with its unit: `7 stamps`, `12,50 € bonus`."""
    name = forms[0] if abs(amount) == 1 and kind not in MONEY else forms[1]
    return f"{number(kind, amount)} {name}".strip()


def signed(kind: str, amount: int, forms: Unit) -> str:
    """Return a change with its sign and unit: `+1 stamp`, `−5,00 € bonus`."""
    return f"{'+' if amount > 0 else ''}{counted(kind, amount, forms)}"
