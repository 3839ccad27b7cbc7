"""Money is integer cents and rates are basis points; halves round up."""

import re
from collections.abc import Sequence

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


def split(cents: int, weights: Sequence[int]) -> list[int]:
    """Split an amount by weights into whole cents that sum to it: the largest remainders get the cents left over.

    Args:
        weights: 0 or more; equal remainders go to the earlier ones. Where all are 0, nothing is split.
    """
    total = sum(weights)
    if total == 0:
        return [0 for _weight in weights]
    parts = [cents * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(cents * weights[place] % total), place))
    for place in by_remainder[: cents - sum(parts)]:
        parts[place] += 1
    return parts


def to_cents(text: str) -> int:
    """Read an amount in euros as people type it (`42`, `42,5`, `42.00`) into cents.

    Raises:
        AmountInvalid: not a number with at most two decimals.
    """
    match = _TYPED.fullmatch(text.strip().replace("\u00a0", "").replace(" ", "").removesuffix("€"))
    if match is None:
        raise AmountInvalid(_("The amount is not a sum of money."))
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))
