"""Draw a pass's images from a brand's colors: icon, logo and the strip with its stamps. Pure.

Everything is drawn four times larger and reduced, and kept: a card has few states, and many members share each.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageColor, ImageDraw, ImageFont

from app.wallet.model import Colors

Point = tuple[float, float]

SCALES = (1, 2, 3)
STRIP = (375, 144)  # points, as Apple gives them for a store card
LOGO = 50
ICON = 29
MAX_PLACES = 40  # a strip cannot show more; the balance says the rest
_OVER = 4  # drawn this many times larger
_TILTS = (-8, 6, -3, 11, -12, 4, -6, 9, -5)  # each stamp sits at its own angle
_MARGIN, _GAP, _MAX_GAP = 16, 8, 22  # points


@lru_cache(maxsize=64)
def icon(colors: Colors, scale: int) -> bytes:
    """Return the square that notifications and mail show, as PNG; the phone rounds its corners."""
    side = ICON * scale
    image = Image.new("RGB", (side * _OVER, side * _OVER), colors.brand)
    _waves(ImageDraw.Draw(image), side * _OVER, colors.on_brand, rows=(0.40, 0.62), width=0.085, left=0.2)
    return _png(image.resize((side, side), Image.Resampling.LANCZOS))


@lru_cache(maxsize=64)
def logo(colors: Colors, scale: int) -> bytes:
    """Return the brand's stamp as the logo beside its name, as PNG with transparency."""
    side = LOGO * scale
    return _png(_stamp(colors, side, -6).quantize(64, method=Image.Quantize.FASTOCTREE))


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
            tile = _stamp(colors, pixels, _TILTS[number % len(_TILTS)])
        elif number == size - 1:
            tile = _prize(colors, pixels, prize)
        else:
            tile = _empty(colors, pixels, number + 1)
        image.paste(tile, (round(x * scale), round(y * scale)), tile)
    return _png(image.quantize(palette=_palette(colors), dither=Image.Dither.NONE))


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
def _stamp(colors: Colors, side: int, tilt: int) -> Image.Image:
    """Return a stamp: an uneven disc of ink with three waves, turned by `tilt` degrees."""

    def draw(pen: ImageDraw.ImageDraw, large: int) -> None:
        turns = [step * math.tau / 180 for step in range(180)]
        edge = [(_wobble(turn) * math.cos(turn), _wobble(turn) * math.sin(turn)) for turn in turns]
        pen.polygon(_turned([(large * (0.5 + x), large * (0.5 + y)) for x, y in edge], large, tilt), fill=colors.ink)
        _waves(pen, large, colors.on_ink, rows=(0.37, 0.52, 0.67), width=0.066, left=0.24, tilt=tilt)

    return _tile(side, colors.ink, draw)


def _turned(points: list[Point], side: int, tilt: float) -> list[Point]:
    """Return points turned around the middle by `tilt` degrees; turning the drawn picture takes ten times longer."""
    cos, sin, half = math.cos(math.radians(tilt)), math.sin(math.radians(tilt)), side / 2
    return [(half + (x - half) * cos - (y - half) * sin, half + (x - half) * sin + (y - half) * cos) for x, y in points]


def _wobble(turn: float) -> float:
    """Return the stamp's radius at an angle, as a share of its side: a disc cut by hand."""
    return 0.48 + 0.006 * math.sin(3 * turn + 0.6) + 0.005 * math.sin(5 * turn + 2.1) + 0.003 * math.sin(8 * turn)


@lru_cache(maxsize=256)
def _empty(colors: Colors, side: int, number: int) -> Image.Image:
    """Return a place that waits for its stamp: a quiet ring with its number."""

    def draw(pen: ImageDraw.ImageDraw, large: int) -> None:
        inset, line = large * 0.025, max(large * 0.026, 1.5)
        pen.ellipse(
            (inset, inset, large - inset, large - inset),
            outline=_mix(colors.brand, colors.on_brand_soft, 0.42),
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

    return _tile(side, colors.brand, draw)


@lru_cache(maxsize=64)
def _prize(colors: Colors, side: int, prize: str) -> Image.Image:
    """Return the last place: a dotted ring in ink around what a full card gives."""

    def draw(pen: ImageDraw.ImageDraw, large: int) -> None:
        dot = large * 0.021
        for step in range(30):
            turn = step * math.tau / 30
            x, y = (large / 2 + 0.455 * large * f(turn) for f in (math.cos, math.sin))
            pen.ellipse((x - dot, y - dot, x + dot, y + dot), fill=colors.ink)
        (_cup if prize == "cup" else _gift)(pen, large, colors.ink)

    return _tile(side, colors.brand, draw)


def _cup(pen: ImageDraw.ImageDraw, side: int, color: str) -> None:
    """Draw a steaming cup in the middle."""
    line = round(side * 0.042)

    def at(x: float, y: float) -> Point:
        return side * (0.5 + (x - 12.5) / 40), side * (0.5 + (y - 11.5) / 40)

    pen.rounded_rectangle((*at(5, 9), *at(16, 19)), radius=side * 0.085, outline=color, width=line)
    pen.arc((*at(13.6, 10.6), *at(19.4, 16.2)), 282, 78, fill=color, width=line)
    for x in (8.6, 12.4):
        steam = [at(x + 0.55 * math.sin(step / 12 * math.tau), 3.6 + step * 0.29) for step in range(13)]
        _stroke(pen, steam, color, line)


def _gift(pen: ImageDraw.ImageDraw, side: int, color: str) -> None:
    """Draw a box with a bow in the middle."""
    line = round(side * 0.042)

    def at(x: float, y: float) -> Point:
        return side * (0.5 + (x - 12) / 42), side * (0.5 + (y - 12.4) / 42)

    pen.rounded_rectangle((*at(4, 8.6), *at(20, 12.6)), radius=side * 0.022, outline=color, width=line)
    pen.rounded_rectangle((*at(5.4, 11.8), *at(18.6, 20.4)), radius=side * 0.03, outline=color, width=line)
    _stroke(pen, [at(12, 8.8), at(12, 20)], color, line)
    for way in (-1, 1):
        bow = [
            at(12 + way * 4.6 * math.sin(t) * math.sin(t), 8.4 - 4.4 * math.sin(t) * abs(math.cos(t / 2)))
            for t in (step * math.pi / 16 for step in range(17))
        ]
        _stroke(pen, bow, color, line)


def _waves(
    pen: ImageDraw.ImageDraw,
    side: int,
    color: str,
    *,
    rows: tuple[float, ...],
    width: float,
    left: float,
    tilt: float = 0,
) -> None:
    """Draw the brand's waves; all measures are shares of the side, the last of three rows is shorter."""
    for index, row in enumerate(rows):
        start = left + (0.075 if index == 2 else 0)
        length = 1 - 2 * start
        swing = 0.034 if index == 2 else 0.042
        points = [
            (side * (start + length * step / 60), side * (row - swing * math.sin(step / 60 * 1.5 * math.tau + 0.35)))
            for step in range(61)
        ]
        _stroke(pen, _turned(points, side, tilt), color, round(side * width))


def _stroke(pen: ImageDraw.ImageDraw, points: list[Point], color: str, width: int) -> None:
    """Draw a line with round ends and joints; Pillow's own curved joints leave specks."""
    pen.line(points, fill=color, width=width)
    half = width / 2
    for x, y in points:
        pen.ellipse((x - half, y - half, x + half, y + half), fill=color)


def _tile(side: int, paper: str, draw: Callable[[ImageDraw.ImageDraw, int], None]) -> Image.Image:
    """Return a small picture drawn large on transparent paper of the card's color, so that its edges stay clean."""
    large = Image.new("RGBA", (side * _OVER, side * _OVER), (*_rgb(paper), 0))
    draw(ImageDraw.Draw(large), side * _OVER)
    return large.resize((side, side), Image.Resampling.LANCZOS)


@lru_cache(maxsize=64)
def _palette(colors: Colors) -> Image.Image:
    """Return the colors of a strip: the four flat ones and the steps between those that touch.

    Chosen by hand, since a counted palette gives rare colors away: numbers turn yellow.
    """
    pairs = ((colors.brand, colors.ink, 12), (colors.ink, colors.on_ink, 10), (colors.brand, colors.on_brand_soft, 10))
    steps = [_mix(one, other, step / (count - 1)) for one, other, count in pairs for step in range(count)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for step in steps for part in step])
    return palette


def _mix(one: str, other: str, share: float) -> tuple[int, int, int]:
    """Return `one` with `share` (0 to 1) of `other` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(_rgb(one), _rgb(other), strict=True))
    return red, green, blue


def _rgb(color: str) -> tuple[int, int, int]:
    red, green, blue = ImageColor.getrgb(color)[:3]
    return red, green, blue


def _png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
