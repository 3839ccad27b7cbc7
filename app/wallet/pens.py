"""What every drawn image is made with: stamps, waves, little pictures, and how they become PNG files. Pure.

All measures are shares of a side. Everything is drawn four times larger and reduced, so that edges are smooth.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageColor, ImageDraw

from app.wallet.model import Colors

Point = tuple[float, float]
Pen = ImageDraw.ImageDraw

OVER = 4  # drawn this many times larger
QUIET = 1 / 9  # of the label color in what only enlivens the paper


@lru_cache(maxsize=256)
def stamp(colors: Colors, side: int, tilt: int) -> Image.Image:
    """Return a stamp: an uneven disc of ink with three waves, turned by `tilt` degrees."""

    def draw(pen: Pen, large: int) -> None:
        turns = [step * math.tau / 180 for step in range(180)]
        edge = [(_wobble(turn) * math.cos(turn), _wobble(turn) * math.sin(turn)) for turn in turns]
        pen.polygon(turned([(large * (0.5 + x), large * (0.5 + y)) for x, y in edge], large, tilt), fill=colors.ink)
        waves(pen, large, colors.on_ink, rows=(0.37, 0.52, 0.67), width=0.066, left=0.24, tilt=tilt)

    return tile(side, colors.ink, draw)


def turned(points: list[Point], side: int, tilt: float) -> list[Point]:
    """Return points turned around the middle by `tilt` degrees; turning the drawn picture takes ten times longer."""
    cos, sin, half = math.cos(math.radians(tilt)), math.sin(math.radians(tilt)), side / 2
    return [(half + (x - half) * cos - (y - half) * sin, half + (x - half) * sin + (y - half) * cos) for x, y in points]


def _wobble(turn: float) -> float:
    """Return the stamp's radius at an angle, as a share of its side: a disc cut by hand."""
    return 0.48 + 0.006 * math.sin(3 * turn + 0.6) + 0.005 * math.sin(5 * turn + 2.1) + 0.003 * math.sin(8 * turn)


def cup(pen: Pen, side: int, color: str) -> None:
    """Draw a steaming cup in the middle."""
    line = round(side * 0.042)

    def at(x: float, y: float) -> Point:
        return side * (0.5 + (x - 12.5) / 40), side * (0.5 + (y - 11.5) / 40)

    pen.rounded_rectangle((*at(5, 9), *at(16, 19)), radius=side * 0.085, outline=color, width=line)
    pen.arc((*at(13.6, 10.6), *at(19.4, 16.2)), 282, 78, fill=color, width=line)
    for x in (8.6, 12.4):
        steam = [at(x + 0.55 * math.sin(step / 12 * math.tau), 3.6 + step * 0.29) for step in range(13)]
        stroke(pen, steam, color, line)


def gift(pen: Pen, side: int, color: str) -> None:
    """Draw a box with a bow in the middle."""
    line = round(side * 0.042)

    def at(x: float, y: float) -> Point:
        return side * (0.5 + (x - 12) / 42), side * (0.5 + (y - 12.4) / 42)

    pen.rounded_rectangle((*at(4, 8.6), *at(20, 12.6)), radius=side * 0.022, outline=color, width=line)
    pen.rounded_rectangle((*at(5.4, 11.8), *at(18.6, 20.4)), radius=side * 0.03, outline=color, width=line)
    stroke(pen, [at(12, 8.8), at(12, 20)], color, line)
    for way in (-1, 1):
        bow = [
            at(12 + way * 4.6 * math.sin(t) * math.sin(t), 8.4 - 4.4 * math.sin(t) * abs(math.cos(t / 2)))
            for t in (step * math.pi / 16 for step in range(17))
        ]
        stroke(pen, bow, color, line)


def waves(
    pen: Pen,
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
        stroke(pen, turned(points, side, tilt), color, round(side * width))


def waves_at(
    pen: Pen, side: int, color: str, *, box: tuple[float, float, float, float], width: float, turns: float
) -> None:
    """Draw three waves that fill a box; all measures are shares of the side."""
    left, top, right, bottom = (side * share for share in box)
    rise = (bottom - top) / 3
    for row in range(3):
        middle = top + rise * (row + 0.5)
        points = [
            (left + (right - left) * step / 60, middle - rise * 0.26 * math.sin(step / 60 * turns * math.tau + 0.35))
            for step in range(61)
        ]
        stroke(pen, points, color, round(side * width))


def stroke(pen: Pen, points: list[Point], color: str, width: int) -> None:
    """Draw a line with round ends and joints; Pillow's own curved joints leave specks."""
    pen.line(points, fill=color, width=width)
    half = width / 2
    for x, y in points:
        pen.ellipse((x - half, y - half, x + half, y + half), fill=color)


def tile(side: int, paper: str, draw: Callable[[Pen, int], None]) -> Image.Image:
    """Return a small picture drawn large on transparent paper of the card's color, so that its edges stay clean."""
    large = Image.new("RGBA", (side * OVER, side * OVER), (*rgb(paper), 0))
    draw(ImageDraw.Draw(large), side * OVER)
    return large.reduce(OVER)


def reduced(image: Image.Image, colors: Colors) -> Image.Image:
    """Return a strip with a palette of its own colors and the steps between them."""
    steps, shown = _palette(colors)
    made = image.quantize(palette=steps, dither=Image.Dither.NONE)
    made.putpalette(shown)
    return made


@lru_cache(maxsize=64)
def _palette(colors: Colors) -> tuple[Image.Image, bytes]:
    """Return the colors of a strip as Pillow matches them, and as they are written.

    Chosen by hand, since a counted palette gives rare colors away: numbers turn yellow. Pillow matches only nearly, so
    each flat color is written exactly where it fell: the phone continues the paper around the strip.
    """
    brand, soft = colors.brand, colors.on_brand_soft
    pairs = (
        (brand, colors.ink, 12, 1),
        (colors.ink, colors.on_ink, 10, 1),
        (brand, soft, 10, 1),
        (brand, soft, 3, QUIET),
    )
    steps = [mix(one, other, most * step / (count - 1)) for one, other, count, most in pairs for step in range(count)]
    matched = Image.new("P", (1, 1))
    matched.putpalette([part for step in steps for part in step])
    flat = [
        mix(brand, soft, QUIET),
        rgb(soft),
        rgb(colors.on_ink),
        rgb(colors.ink),
        rgb(brand),
    ]  # the paper counts most
    row = Image.frombytes("RGB", (len(flat), 1), bytes(part for color in flat for part in color))
    for place, color in zip(row.quantize(palette=matched, dither=Image.Dither.NONE).tobytes(), flat, strict=True):
        steps[place] = color
    return matched, bytes(part for step in steps for part in step)


def mix(one: str, other: str, share: float) -> tuple[int, int, int]:
    """Return `one` with `share` (0 to 1) of `other` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(rgb(one), rgb(other), strict=True))
    return red, green, blue


def rgb(color: str) -> tuple[int, int, int]:
    """Return the parts of a color such as `#183f8c`."""
    red, green, blue = ImageColor.getrgb(color)[:3]
    return red, green, blue


def png(image: Image.Image) -> bytes:
    """Return an image as a PNG file; the same image gives the same bytes."""
    out = BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
