"""Drawn images: Apple's sizes, the brand's colors, one picture for each state, the same bytes each time."""

import io
from collections.abc import Callable

import pytest
from PIL import Image

from app.network import checks
from app.wallet import artwork, pens, scenes
from app.wallet.model import Colors

LIGHT = Colors(brand="#f4efe4", on_brand="#1b1b1b", on_brand_soft="#6b6458", ink="#9c2a1d", on_ink="#ffffff")
DARK = Colors(brand="#101418", on_brand="#ffffff", on_brand_soft="#b9bdc2", ink="#e8e3d8", on_ink="#101418")
Strip = Callable[[Colors, int], bytes]
MINT = Colors(brand="#d9f2e6", on_brand="#10251b", on_brand_soft="#4d6b5d", ink="#0b5d3b", on_ink="#ffffff")
SCENES: dict[str, Strip] = {
    "bonus": scenes.bonus,
    "coupon with a gift": lambda colors, scale: scenes.coupon(colors, "gift", True, scale),
    "coupon with a cup": lambda colors, scale: scenes.coupon(colors, "cup", True, scale),
    "coupon that is over": lambda colors, scale: scenes.coupon(colors, "gift", False, scale),
    "gift card": scenes.gift_card,
}


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGBA").convert("RGB")


def _share(data: bytes, color: str) -> float:
    """Return the share of a picture that has exactly a color."""
    image = _opened(data)
    counts = image.getcolors(image.width * image.height) or []
    return sum(count for count, found in counts if found == pens.rgb(color)) / (image.width * image.height)


@pytest.mark.parametrize("size", [*range(1, 21), 30, 60])
def test_every_count_up_to_a_full_card_is_drawn(size: int) -> None:
    pictures = {artwork.strip(Colors(), stamps, size, "gift", 1) for stamps in range(min(size, artwork.MAX_PLACES) + 1)}

    assert len(pictures) == min(size, artwork.MAX_PLACES) + 1


@pytest.mark.parametrize("colors", [Colors(), LIGHT, DARK, MINT], ids=["cobalt", "light", "dark", "mint"])
@pytest.mark.parametrize("size", [1, 5, 10, 20, 40])
def test_more_stamps_are_more_ink_on_the_brands_paper(colors: Colors, size: int) -> None:
    inks = [_share(artwork.strip(colors, stamps, size, "cup", 1), colors.ink) for stamps in (0, size - 1, size)]

    assert inks[0] <= inks[1] < inks[2]
    assert _share(artwork.strip(colors, 0, size, "cup", 1), colors.brand) > 0.6


def test_images_have_apples_sizes_and_follow_the_brands_colors() -> None:
    red = Colors(brand="#7a1020", ink="#ffffff", on_ink="#7a1020")
    for scale in artwork.SCALES:
        for picture, side in ((artwork.icon(red, scale), 29), (artwork.logo(red, scale), 50)):
            assert _opened(picture).size == (side * scale, side * scale)
        strip = _opened(artwork.strip(red, 3, 10, "cup", scale))
        assert strip.size == (375 * scale, 144 * scale)
        assert strip.getpixel((0, 0)) == (0x7A, 0x10, 0x20)


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("colors", [Colors(), LIGHT, DARK, MINT], ids=["cobalt", "light", "dark", "mint"])
def test_scene_leaves_the_left_to_the_text_of_the_phone(name: str, colors: Colors) -> None:
    for scale in artwork.SCALES:
        drawn = SCENES[name](colors, scale)
        strip = _opened(drawn)
        left = strip.crop((0, 0, 180 * scale, 144 * scale))

        assert strip.size == (375 * scale, 144 * scale)
        assert _share(drawn, colors.brand) > 0.45
        shades = [color for _count, color in left.getcolors(9) or []]
        assert len(shades) > 1
        assert min(checks.contrast(colors.on_brand, "#{:02x}{:02x}{:02x}".format(*color)) for color in shades) > 4.5


def test_scenes_differ_from_each_other_and_what_is_over_has_no_ink() -> None:
    pictures = {name: draw(Colors(), 2) for name, draw in SCENES.items()}

    assert len(set(pictures.values())) == len(SCENES)
    assert _share(pictures["coupon with a gift"], Colors().ink) > 0.05
    assert _share(pictures["coupon that is over"], Colors().ink) == 0


def test_same_picture_has_the_same_bytes_when_it_is_drawn_anew() -> None:
    draws: list[tuple[Callable[..., bytes], tuple[object, ...]]] = [
        (artwork.icon, (LIGHT, 2)),
        (artwork.logo, (LIGHT, 2)),
        (artwork.strip, (LIGHT, 7, 10, "cup", 2)),
        (scenes.bonus, (LIGHT, 2)),
        (scenes.coupon, (LIGHT, "cup", True, 2)),
        (scenes.gift_card, (LIGHT, 2)),
    ]
    before = [draw(*given) for draw, given in draws]
    for kept in (artwork.icon, artwork.logo, artwork.strip, scenes.bonus, scenes.coupon, scenes.gift_card):
        kept.cache_clear()
    for tile in ("stamp", "_palette"):
        getattr(pens, tile).cache_clear()

    assert [draw(*given) for draw, given in draws] == before


def _logo(mode: str, color: tuple[int, ...]) -> bytes:
    image = Image.new(mode, (300, 100), color)
    if mode == "RGBA":
        image.paste((0, 0, 0, 0), (0, 0, 20, 100))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_logo_with_transparency_stands_on_the_brands_color_in_the_icon() -> None:
    icon = _opened(artwork.icon(DARK, 3, _logo("RGBA", (255, 0, 0, 255))))

    assert icon.size == (87, 87)
    assert icon.getpixel((2, 2)) == pens.rgb(DARK.brand)
    assert icon.getpixel((50, 43)) == (255, 0, 0)


def test_logo_without_transparency_fills_the_icon() -> None:
    icon = _opened(artwork.icon(DARK, 2, _logo("RGB", (0, 128, 0))))

    assert {color for _count, color in icon.getcolors() or []} == {(0, 128, 0)}
