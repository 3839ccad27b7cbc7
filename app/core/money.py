"""Money is integer cents and rates are basis points; halves round up."""

import re

from app.core.errors import Invalid
from app.core.i18n import gettext as _

MAX_CENTS = 1_000_000  # a basket over 10,000 euros is a slip of the finger

_TYPED = re.compile(r"(\d{1,9})(?:[.,](\d{1,2}))?")


class AmountInvalid(Invalid):
    """The typed amount is not a sum of money."""

    code = "amount_invalid"


def half_up(numerator: int, denominator: int) -> int:
    """Divide whole numbers and round halves away from zero, exactly."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    numerator, denominator = abs(numerator), abs(denominator)
    return sign * ((2 * numerator + denominator) // (2 * denominator))


def share(cents: int, basis_points: int) -> int:
    """Return a share of an amount: 500 basis points are 5 percent."""
    return half_up(cents * basis_points, 10_000)


def to_cents(text: str) -> int:
    """Read an amount in euros as people type it (`42`, `42,5`, `42.00`) into cents.

    Raises:
        AmountInvalid: not a number with at most two decimals.
    """
    match = _TYPED.fullmatch(text.strip().replace("\u00a0", "").replace(" ", "").removesuffix("€"))
    if match is None:
        raise AmountInvalid(_("The amount is not a sum of money."))
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))
