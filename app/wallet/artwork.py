"""Draw a pass's images from a brand's colors: icon, logo, and the strip of a stamp card. Pure.

The strips of the other kinds stand in `scenes`. Images are kept: a card has few states, and many members share each.
"""

import math
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont, ImageOps

from app.wallet import pens
from app.wallet.model import Colors
from app.wallet.pens import Pen, Point

SCALES = (1, 2, 3)
STRIP = (375, 144)  # points, as Apple gives them for a store card and a coupon
LOGO = 50
ICON = 29
MAX_PLACES = 40  # a strip cannot show more; the balance says the rest
_TILTS = (-8, 6, -3, 11, -12, 4, -6, 9, -5)  # each stamp sits at its own angle
_MARGIN, _GAP, _MAX_GAP = 16, 8, 22  # points
_RIM = 0.14  # of an icon's side that stays free around a brand's logo


@lru_cache(maxsize=64)
def icon(colors: Colors, scale: int, logo: bytes = b"") -> bytes:
    """Return the square that notifications and mail show, as PNG; the phone rounds its corners.

    Args:
        logo: a brand's own, as checked PNG: it stands on the brand's color; a picture without transparency fills it.
    """
    side = ICON * scale
    if logo:
        return pens.png(_square(colors, side, Image.open(BytesIO(logo), formats=("PNG",))))
    image = Image.new("RGB", (side * pens.OVER, side * pens.OVER), colors.brand)
    pens.waves(ImageDraw.Draw(image), side * pens.OVER, colors.on_brand, rows=(0.40, 0.62), width=0.085, left=0.2)
    return pens.png(image.reduce(pens.OVER))


def _square(colors: Colors, side: int, logo: Image.Image) -> Image.Image:
    """Return a logo in a square."""
    if not logo.has_transparency_data:
        return ImageOps.fit(logo.convert("RGB"), (side, side), Image.Resampling.LANCZOS)
    room = round(side * (1 - 2 * _RIM))
    small = ImageOps.contain(logo.convert("RGBA"), (room, room), Image.Resampling.LANCZOS)
    square = Image.new("RGB", (side, side), colors.brand)
    square.paste(small, ((side - small.width) // 2, (side - small.height) // 2), small)
    return square


@lru_cache(maxsize=64)
def logo(colors: Colors, scale: int) -> bytes:
    """Return the brand's stamp as the logo beside its name, as PNG with transparency."""
    side = LOGO * scale
    return pens.png(pens.stamp(colors, side, -6).quantize(64, method=Image.Quantize.FASTOCTREE))


@lru_cache(maxsize=512)
def strip(colors: Colors, stamps: int, size: int, prize: str, scale: int) -> bytes:
    """Return the strip of a card with its places, `stamps` of them stamped, as PNG.

    Counts below zero and above `size` are drawn as empty and as full.
    """
    width, height = STRIP[0] * scale, STRIP[1] * scale
    image = Image.new("RGB", (width, height), colors.brand)
    places, side = _places(min(size, MAX_PLACES))
    pixels = round(side * scale)
    for number, (x, y) in enumerate(places):
        if number < stamps:
            tile = pens.stamp(colors, pixels, _TILTS[number % len(_TILTS)])
        elif number == size - 1:
            tile = _prize(colors, pixels, prize)
        else:
            tile = _empty(colors, pixels, number + 1)
        image.paste(tile, (round(x * scale), round(y * scale)), tile)
    return pens.png(pens.reduced(image, colors))


def _places(size: int) -> tuple[list[Point], float]:
    """Return the upper left corner of each place and their side, in points: the largest that fit."""
    best: tuple[float, int, int] = (0, 1, 1)
    for rows in range(1, size + 1):
        columns = math.ceil(size / rows)
        across = (STRIP[0] - 2 * _MARGIN - (columns - 1) * _GAP) / columns
        down = (STRIP[1] - 2 * _GAP - (rows - 1) * _GAP) / rows
        best = max(best, (min(across, down, 76), -rows, columns))
    side, rows, columns = best[0], -best[1], best[2]
    gap = min(_MAX_GAP, (STRIP[0] - 2 * _MARGIN - columns * side) / max(1, columns - 1))
    rise = min(_GAP, gap)
    top = (STRIP[1] - rows * side - (rows - 1) * rise) / 2
    left = (STRIP[0] - columns * side - (columns - 1) * gap) / 2
    return [
        (left + (place % columns) * (side + gap), top + (place // columns) * (side + rise)) for place in range(size)
    ], side


@lru_cache(maxsize=256)
def _empty(colors: Colors, side: int, number: int) -> Image.Image:
    """Return a place that waits for its stamp: a quiet ring with its number."""

    def draw(pen: Pen, large: int) -> None:
        inset, line = large * 0.025, max(large * 0.026, 1.5)
        pen.ellipse(
            (inset, inset, large - inset, large - inset),
            outline=pens.mix(colors.brand, colors.on_brand_soft, 0.42),
            width=round(line),
        )
        font = ImageFont.load_default(large * 0.27)
        pen.text(
            (large / 2, large / 2),
            str(number),
            fill=colors.on_brand_soft,
            font=font,
            anchor="mm",
            stroke_width=large * 0.005,
        )

    return pens.tile(side, colors.brand, draw)


@lru_cache(maxsize=64)
def _prize(colors: Colors, side: int, prize: str) -> Image.Image:
    """Return the last place: a dotted ring in ink around what a full card gives."""

    def draw(pen: Pen, large: int) -> None:
        dot = large * 0.021
        for step in range(30):
            turn = step * math.tau / 30
            x, y = (large / 2 + 0.455 * large * f(turn) for f in (math.cos, math.sin))
            pen.ellipse((x - dot, y - dot, x + dot, y + dot), fill=colors.ink)
        (pens.cup if prize == "cup" else pens.gift)(pen, large, colors.ink)

    return pens.tile(side, colors.brand, draw)
