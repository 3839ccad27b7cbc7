"""A brand's colors as a stylesheet: the doors of members, tills and console share it."""

from app.network.models import Brand

READABLE = 4.5  # WCAG 2.2, contrast of text
LIGHT, DARK = "#ffffff", "#0b1020"


def brand_css(brand: Brand) -> str:
    """Return the brand's custom properties; text on its color is light or dark, whichever reads better."""
    on_brand = on_color(brand.brand_color, brand.brand_deep)
    soft = _soft(on_brand, brand.brand_color)
    return (
        f":root{{--brand:{brand.brand_color};--brand-deep:{brand.brand_deep};--on-brand:{on_brand};"
        f"--on-brand-soft:{soft};--ink:{brand.ink};--on-ink:{brand.on_ink}}}"
    )


def on_color(*backgrounds: str) -> str:
    """Return the text color whose worst contrast with the backgrounds (`#rrggbb`) is the better one."""
    return max(LIGHT, DARK, key=lambda text: min(contrast(text, background) for background in backgrounds))


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast ratio of two colors, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _soft(text: str, background: str) -> str:
    """Return the quietest mix of a text color with its background that still reads."""
    for share in range(75, 100, 5):
        mixed = _mix(text, background, share)
        if contrast(mixed, background) >= READABLE:
            return mixed
    return text


def _mix(one: str, other: str, percent: int) -> str:
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{(a * percent + b * (100 - percent)) // 100:02x}" for a, b in pairs)


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: str) -> float:
    parts = [value / 255 for value in _channels(color)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
