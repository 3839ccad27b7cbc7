"""Uploaded pictures: what is refused before it is decoded, and what is left of the rest."""

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from app.wallet import images
from app.wallet.images import PictureForm, PictureTooLarge, PictureUnreadable, clean, picture_files, read_picture

Refusal = type[PictureForm] | type[PictureTooLarge] | type[PictureUnreadable]


def a_picture(kind: str = "PNG", size: tuple[int, int] = (300, 120), mode: str = "RGB", **options: Any) -> bytes:
    """Return a picture with a gradient in it."""
    image = Image.linear_gradient("L").resize(size).convert(mode)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def a_png_that_says(width: int, height: int) -> bytes:
    """Return a PNG whose header promises a size that its few bytes cannot hold."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def a_webp_that_says(width: int, height: int) -> bytes:
    """Return a WebP of an extended header alone."""
    body = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (width - 1).to_bytes(3, "little")
    body += (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def an_animation(kind: str) -> bytes:
    frames = [Image.new("RGB", (60, 60), color) for color in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_known_kinds_are_read(kind: str) -> None:
    assert (read_picture(a_picture(kind)).size, read_picture(a_picture(kind)).mode) == ((300, 120), "RGB")


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (SVG, PictureForm),
        (b"", PictureForm),
        (a_picture("GIF"), PictureForm),
        (a_picture("BMP"), PictureForm),
        (an_animation("PNG"), PictureForm),
        (an_animation("WEBP"), PictureForm),
        (a_picture(size=(15, 200)), PictureForm),
        (a_picture() + bytes(images.MOST_BYTES), PictureTooLarge),
        (a_png_that_says(2001, 2000), PictureTooLarge),
        (a_png_that_says(100_000, 1000), PictureTooLarge),  # Pillow warns of it
        (a_png_that_says(100_000, 100_000), PictureTooLarge),  # Pillow refuses it
        (a_webp_that_says(16_000, 16_000), PictureTooLarge),
        (a_webp_that_says(100, 100), PictureUnreadable),
        (a_png_that_says(200, 200), PictureUnreadable),
        (a_picture()[:-200], PictureUnreadable),
        (a_picture("JPEG")[:900], PictureUnreadable),
        (a_picture("WEBP")[:-60], PictureUnreadable),
        (b"\x89PNG\r\n\x1a\n", PictureUnreadable),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", PictureUnreadable),
    ],
    ids=range(19),
)
def test_each_unfit_picture_is_refused_by_name(data: bytes, refusal: Refusal) -> None:
    with pytest.raises(refusal):
        read_picture(data)


def test_codes_of_refusals_never_change() -> None:
    assert [refusal.code for refusal in (PictureTooLarge, PictureUnreadable, PictureForm)] == [
        "picture_too_large",
        "picture_unreadable",
        "picture_form",
    ]


@given(st.binary(max_size=300), st.sampled_from(["PNG", "JPEG", "WEBP"]), st.integers(0, 400))
def test_damaged_picture_is_read_or_refused_and_never_crashes(noise: bytes, kind: str, at: int) -> None:
    good = a_picture(kind, (40, 40))
    at = min(at, len(good))
    damaged = good[:at] + noise + good[at + len(noise) :]

    try:
        mode = read_picture(damaged).mode
    except (PictureForm, PictureTooLarge, PictureUnreadable):
        mode = "refused"

    assert mode in ("RGB", "RGBA", "refused")


def test_metadata_is_left_behind_and_the_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "taken at home"  # turn right, and a description
    data = a_picture("JPEG", (300, 120), exif=exif, comment=b"secret")
    assert b"taken at home" in data

    picture = read_picture(data)
    files = picture_files("logo", data)

    assert (picture.size, picture.info) == ((120, 300), {})
    assert not any(b"home" in file or b"secret" in file or b"eXIf" in file for file in files.values())


def test_colors_of_another_profile_become_those_of_the_web() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    broken = a_picture(icc_profile=b"no profile at all")
    same = a_picture(icc_profile=lab.tobytes())

    assert read_picture(same).tobytes() == read_picture(a_picture()).tobytes()
    assert read_picture(broken).tobytes() == read_picture(a_picture()).tobytes()
    assert all(b"iCCP" not in file for file in picture_files("strip", same).values())


def test_picture_of_a_printer_and_one_of_16_bits_are_read() -> None:
    deep = Image.new("I;16", (100, 40), 0x8000)
    out = io.BytesIO()
    deep.save(out, "PNG")

    assert read_picture(a_picture("JPEG", mode="CMYK")).mode == "RGB"
    assert read_picture(out.getvalue()).getpixel((5, 5)) == (128, 128, 128)


@pytest.mark.parametrize(
    ("name", "given", "points"),
    [
        ("logo", (640, 200), (160, 50)),
        ("logo", (300, 300), (50, 50)),
        ("logo", (1600, 100), (160, 10)),
        ("icon", (512, 512), (29, 29)),
        ("icon", (300, 100), (29, 29)),
        ("strip", (1200, 800), (375, 144)),
        ("strip", (40, 40), (375, 144)),
    ],
)
def test_picture_gets_apples_size_at_each_scale(name: str, given: tuple[int, int], points: tuple[int, int]) -> None:
    files = picture_files(name, a_picture("WEBP", given))

    assert [Image.open(io.BytesIO(data)).size for data in files.values()] == [
        (points[0] * scale, points[1] * scale) for scale in (1, 2, 3)
    ]
    assert list(files) == [f"{name}.png", f"{name}@2x.png", f"{name}@3x.png"]


def test_icon_with_transparency_is_shown_whole() -> None:
    wide = Image.new("RGBA", (200, 100), (255, 0, 0, 255))
    wide.paste((0, 0, 0, 0), (0, 0, 1, 1))
    out = io.BytesIO()
    wide.save(out, "PNG")

    icon = Image.open(io.BytesIO(picture_files("icon", out.getvalue())["icon@3x.png"])).convert("RGBA")

    assert icon.getpixel((43, 3)) == (0, 0, 0, 0)
    assert icon.getpixel((43, 43)) == (255, 0, 0, 255)


def test_other_picture_than_those_of_a_pass_is_refused() -> None:
    with pytest.raises(PictureForm):
        picture_files("background", a_picture())


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_picture_that_is_written_anew_twice_stays_the_same(mode: str) -> None:
    noise = Image.merge("RGB", [Image.effect_noise((700, 400), 90).rotate(90 * turn) for turn in range(3)])
    out = io.BytesIO()
    noise.convert(mode).save(out, "PNG")

    once = clean({"strip@3x.png": out.getvalue()[: images.MOST_BYTES]} if len(out.getvalue()) < 10**6 else {})
    drawn = {"logo.png": a_picture(size=(160, 50), mode=mode if mode != "P" else "RGB"), "pass.json": b"{}"}

    assert clean(once) == once
    assert clean(clean(drawn)) == clean(drawn)
    assert clean(drawn)["pass.json"] == b"{}"
    assert Image.open(io.BytesIO(clean(drawn)["logo.png"])).size == (160, 50)


def test_picture_of_few_colors_keeps_each_of_them() -> None:
    image = Image.new("RGBA", (64, 64))
    for x in range(64):
        for y in range(64):
            image.putpixel((x, y), (x // 4, 200 + y // 16, 7, 255 if x > 5 else y // 22 * 80))
    out = io.BytesIO()
    image.save(out, "PNG")

    kept = Image.open(io.BytesIO(clean({"icon.png": out.getvalue()})["icon.png"]))

    assert (kept.mode, kept.convert("RGBA").tobytes()) == ("P", image.tobytes())


@pytest.mark.parametrize("data", [a_picture("JPEG"), a_picture(size=(1001, 1000))], ids=["no png", "too many pixels"])
def test_picture_of_a_template_that_does_not_fit_is_named(data: bytes) -> None:
    with pytest.raises((PictureForm, PictureTooLarge)) as caught:
        clean({"strip@3x.png": data})

    assert caught.value.extra["path"] == "strip@3x.png"
