"""Draw the strips of bonus card, coupon and gift card: waves on the brand's paper, and what the pass is at its right.

The phone writes the balance or the offer over the left of the strip, so only quiet waves go there. Pure.
"""

import math
from collections.abc import Callable
from functools import lru_cache

from PIL import Image, ImageDraw

from app.wallet import pens
from app.wallet.artwork import STRIP
from app.wallet.model import Colors
from app.wallet.pens import OVER, Pen, Point

_PALE = 4 / 9  # of the label color in the lines of what is over
_SIDE = 190  # points of the square on which a thing is drawn before it is turned
_MIDDLE = (294, 73)  # where its middle stands on the strip, in points


@lru_cache(maxsize=64)
def bonus(colors: Colors, scale: int) -> bytes:
    """Return the strip of a bonus card, a pile of stamps, as PNG."""
    strip = _paper(colors, scale)
    for x, y, side in ((204, 36, 72), (232, 29, 86), (262, 21, 102)):
        gap, pixels = round(5 * scale), round(side * scale)
        at = (round(x * scale), round(y * scale))
        rim = _disc(colors.brand, pixels + 2 * gap)
        strip.paste(rim, (at[0] - gap, at[1] - gap), rim)
        front = pens.stamp(colors, pixels, -9) if side == 102 else _disc(colors.ink, pixels)
        strip.paste(front, at, front)
    return _finished(colors, strip)


@lru_cache(maxsize=128)
def coupon(colors: Colors, prize: str, usable: bool, scale: int) -> bytes:
    """Return the strip of a coupon, a ticket with what it gives, as PNG; one that is over is a mere outline.

    Args:
        prize: cup or gift.
    """
    pale = _hex(pens.mix(colors.brand, colors.on_brand_soft, _PALE))

    def draw(pen: Pen, large: int) -> None:
        edge = _ticket(large)
        if usable:
            pen.polygon(edge, fill=colors.ink)
        else:
            pens.stroke(pen, [*edge, edge[0]], pale, round(large * 0.011))
        line = colors.on_ink if usable else pale
        for step in range(9):  # the perforation
            y, dot = large * (0.345 + step * 0.0387), large * 0.006
            pen.ellipse((large * 0.39 - dot, y - dot, large * 0.39 + dot, y + dot), fill=line)
        _inset(pen, large, 0.612, 0.5, 0.62, pens.cup if prize == "cup" else pens.gift, line)
        pens.waves_at(pen, large, line, box=(0.2, 0.37, 0.345, 0.63), width=0.022, turns=1)

    return _finished(colors, _with(_paper(colors, scale), colors, scale, -9, draw))


@lru_cache(maxsize=64)
def gift_card(colors: Colors, scale: int) -> bytes:
    """Return the strip of a gift card, a card with a ribbon, as PNG."""

    def draw(pen: Pen, large: int) -> None:
        box = (large * 0.14, large * 0.285, large * 0.86, large * 0.735)
        pen.rounded_rectangle(box, radius=large * 0.045, fill=colors.ink)
        width = large * 0.052
        x, y = large * 0.36, large * 0.44
        pen.rectangle((x - width / 2, box[1], x + width / 2, box[3]), fill=colors.on_ink)
        pen.rectangle((box[0], y - width / 2, box[2], y + width / 2), fill=colors.on_ink)
        _bow(pen, large, (x, y), colors)
        pens.waves_at(pen, large, colors.on_ink, box=(0.47, 0.54, 0.78, 0.68), width=0.02, turns=2.5)

    return _finished(colors, _with(_paper(colors, scale), colors, scale, -9, draw))


def _disc(color: str, side: int) -> Image.Image:
    """Return a plain disc."""
    return pens.tile(side, color, lambda pen, large: pen.ellipse((0, 0, large - 1, large - 1), fill=color))


def _paper(colors: Colors, scale: int) -> Image.Image:
    """Return the brand's paper with quiet waves over its whole width."""
    width, height = STRIP[0] * scale * OVER, STRIP[1] * scale * OVER
    large = Image.new("RGB", (width, height), colors.brand)
    pen, color = ImageDraw.Draw(large), _hex(pens.mix(colors.brand, colors.on_brand_soft, pens.QUIET))
    for row in range(4):
        middle = height * (0.14 + 0.27 * row)
        points: list[Point] = [
            (width * (step / 90), middle - height * 0.045 * math.sin(step / 90 * 5.5 * math.tau + 0.9 * row))
            for step in range(-1, 93)
        ]
        pens.stroke(pen, points, color, round(height * 0.05))
    return large.reduce(OVER)


def _with(strip: Image.Image, colors: Colors, scale: int, tilt: float, draw: Callable[[Pen, int], None]) -> Image.Image:
    """Return the strip with a thing on it, drawn upright on a square and turned by `tilt` degrees."""
    side = _SIDE * scale
    large = Image.new("RGBA", (side * OVER, side * OVER), (*pens.rgb(colors.ink), 0))
    draw(ImageDraw.Draw(large), side * OVER)
    thing = large.rotate(-tilt, Image.Resampling.BILINEAR).reduce(OVER)
    strip.paste(thing, (round(_MIDDLE[0] * scale - side / 2), round(_MIDDLE[1] * scale - side / 2)), thing)
    return strip


def _ticket(side: int) -> list[Point]:
    """Return the edge of a ticket: round corners, and a bite above and below its perforation."""
    left, top, right, bottom = (side * share for share in (0.15, 0.29, 0.85, 0.71))
    corner, bite, fold = side * 0.035, side * 0.028, side * 0.39

    def arc(x: float, y: float, radius: float, start: float, end: float) -> list[Point]:
        turns = (math.radians(start + (end - start) * step / 16) for step in range(17))
        return [(x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns]

    return [
        *arc(left + corner, top + corner, corner, 180, 270),
        *arc(fold, top, bite, 180, 0),
        *arc(right - corner, top + corner, corner, 270, 360),
        *arc(right - corner, bottom - corner, corner, 0, 90),
        *arc(fold, bottom, bite, 360, 180),
        *arc(left + corner, bottom - corner, corner, 90, 180),
    ]


def _inset(
    pen: Pen, large: int, x: float, y: float, share: float, draw: Callable[[Pen, int, str], None], color: str
) -> None:
    """Draw a little picture around a point; all measures are shares of the side."""
    side = round(large * share)
    tile = Image.new("L", (side, side), 0)
    draw(ImageDraw.Draw(tile), side, "white")
    pen.bitmap((round(large * x - side / 2), round(large * y - side / 2)), tile, fill=color)


def _bow(pen: Pen, large: int, middle: Point, colors: Colors) -> None:
    """Draw the ribbon's bow: two loops, edged in ink so that they stand off the ribbon."""
    for color, width in ((colors.ink, 0.056), (colors.on_ink, 0.03)):
        for way in (-1, 1):
            loop = [
                (
                    middle[0] + way * large * 0.16 * math.sin(turn) * math.sin(turn),
                    middle[1] - large * 0.14 * math.sin(turn) * abs(math.cos(turn / 2)),
                )
                for turn in (step * math.pi / 24 for step in range(25))
            ]
            pens.stroke(pen, loop, color, round(large * width))
    knot = large * 0.03
    pen.ellipse((middle[0] - knot, middle[1] - knot, middle[0] + knot, middle[1] + knot), fill=colors.on_ink)


def _finished(colors: Colors, strip: Image.Image) -> bytes:
    return pens.png(pens.reduced(strip, colors))


def _hex(color: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
