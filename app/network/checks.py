"""Numbers and colors that can be proven wrong without asking anybody: pure functions."""

import re

from app.core.errors import Invalid
from app.core.i18n import gettext as _

TEXTS = ("#f8fafd", "#10151f", "#ffffff", "#000000")  # on the brand's colors: the tokens', else the first to be read
LEAST_CONTRAST = 4.5  # WCAG 2.2, level AA

_BUSINESS_ID = re.compile(r"([0-9]{7})-?([0-9])")
_BUSINESS_WEIGHTS = (7, 9, 10, 5, 8, 4, 2)
_VAT_NUMBER = re.compile(r"(?:FI[0-9]{8}|(?!FI)[A-Z]{2}[0-9A-Z]{2,12})")
_COLOR = re.compile(r"#[0-9a-f]{6}")
_IBAN_LENGTHS = {"FI": 18, "SE": 24, "EE": 20, "LV": 21, "LT": 20, "DE": 22, "DK": 18, "NO": 15}


class BusinessIdInvalid(Invalid):
    """Not a Finnish business id, or its check digit is wrong."""

    code = "business_id_invalid"


class VatNumberInvalid(Invalid):
    """Not a VAT number of the European Union."""

    code = "vat_number_invalid"


class IbanInvalid(Invalid):
    """Not an IBAN, or its check digits are wrong."""

    code = "iban_invalid"


class ColorInvalid(Invalid):
    """Not a color written #rrggbb."""

    code = "color_invalid"


class ContrastTooLow(Invalid):
    """Two colors of the brand cannot be read on each other."""

    code = "contrast_too_low"


def business_id(text: str) -> str:
    """Return a Finnish business id as `1234567-1`.

    Raises:
        BusinessIdInvalid: wrong form or check digit.

    Source: Finnish Tax Administration, weights 7 9 10 5 8 4 2, modulo 11.
    """
    match = _BUSINESS_ID.fullmatch(text.strip())
    if match is None:
        raise BusinessIdInvalid(_("A business id has the form 1234567-1."))
    rest = sum(weight * int(digit) for weight, digit in zip(_BUSINESS_WEIGHTS, match[1], strict=True)) % 11
    if rest == 1 or int(match[2]) != (11 - rest) % 11:
        raise BusinessIdInvalid(_("The check digit of the business id is wrong."))
    return f"{match[1]}-{match[2]}"


def vat_number(text: str) -> str:
    """Return a VAT number without spaces; a Finnish one is FI and the business id's digits.

    Raises:
        VatNumberInvalid: wrong form, or a Finnish one whose check digit is wrong.
    """
    number = re.sub(r"[\s-]", "", text).upper()
    if not _VAT_NUMBER.fullmatch(number):
        raise VatNumberInvalid(_("A Finnish VAT number has the form FI12345671."))
    if number.startswith("FI"):
        try:
            business_id(number[2:])
        except BusinessIdInvalid:
            raise VatNumberInvalid(_("The check digit of the VAT number is wrong.")) from None
    return number


def iban(text: str) -> str:
    """Return an IBAN without spaces.

    Raises:
        IbanInvalid: wrong form, length or check digits. Source: ISO 13616, mod 97.
    """
    number = re.sub(r"\s", "", text).upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}", number):
        raise IbanInvalid(_("An IBAN starts with two letters and two digits."))
    if len(number) != _IBAN_LENGTHS.get(number[:2], len(number)):
        raise IbanInvalid(_("An IBAN of this country has %(n)s characters.", n=_IBAN_LENGTHS[number[:2]]))
    if int("".join(str(int(symbol, 36)) for symbol in number[4:] + number[:4])) % 97 != 1:
        raise IbanInvalid(_("The check digits of the IBAN are wrong."))
    return number


def color(text: str) -> str:
    """Return a color as `#rrggbb` in lower case.

    Raises:
        ColorInvalid: anything else.
    """
    if not _COLOR.fullmatch(text.strip().lower()):
        raise ColorInvalid(_("A color is written #rrggbb."))
    return text.strip().lower()


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors, 1 to 21. Source: WCAG 2.2, relative luminance."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def on_brand(brand_color: str) -> str:
    """Return the text color for the brand's colors; one of them can be read on any color there is."""
    return next(text for text in TEXTS if contrast(brand_color, text) >= LEAST_CONTRAST)


def soft_on_brand(brand_color: str, brand_deep: str) -> str:
    """Return the color of secondary text: as far towards the brand's color as both papers let it be read."""
    text = on_brand(brand_color)
    for share in (0.3, 0.2, 0.1):
        mixed = _mix(text, brand_color, share)
        if min(contrast(mixed, brand_color), contrast(mixed, brand_deep)) >= LEAST_CONTRAST:
            return mixed
    return text


def check_theme(*, brand_color: str, brand_deep: str, ink: str, on_ink: str) -> None:
    """Refuse colors that cannot be read on each other.

    Raises:
        ContrastTooLow: names every pair under 4.5:1.
    """
    text = on_brand(brand_color)
    pairs = {
        "brand": (brand_color, text),
        "deep": (brand_deep, text),
        "ink / on_ink": (ink, on_ink),
        "ink / brand": (ink, brand_color),
    }
    low = [f"{name} {contrast(*pair):.2f}:1" for name, pair in pairs.items() if contrast(*pair) < LEAST_CONTRAST]
    if low:
        raise ContrastTooLow(
            _("The contrast must be at least 4.5:1, and it is not for %(pairs)s.", pairs=", ".join(low))
        )


def _luminance(text: str) -> float:
    parts = [int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(one: str, other: str, share: float) -> str:
    pairs = [(int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
