"""Pictures and zipped folders that people upload: checked before anything is decoded, and written anew. Pure.

Nothing of a file survives but its pixels: no metadata, no color profile, no second frame.
"""

import struct
import sys
import zlib
from collections.abc import Mapping
from io import BytesIO

from PIL import Image, ImageCms, ImageOps

from app.core.errors import Invalid
from app.core.i18n import gettext as _
from app.wallet.artwork import ICON, LOGO, SCALES, STRIP
from app.wallet.template_source import IMAGES, picture_names

MOST_BYTES = 1_000_000
MOST_PIXELS = 4_000_000  # of a picture that is made smaller here
MOST_PIXELS_AS_IS = 1_000_000  # of a picture that keeps its size: a strip at 3x has half of that
LEAST_SIDE = 16  # pixels
LOGO_BOX = (160, LOGO)  # points: Apple shows no more
_SMALL_ENOUGH = 120_000  # bytes; a larger file gets a palette
_MAGIC = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"RIFF": "WEBP"}
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, IndexError, KeyError, TypeError,
           OverflowError, MemoryError)  # fmt: skip
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)


class PictureTooLarge(Invalid):
    """A picture has too many bytes or pixels."""

    code = "picture_too_large"


class PictureUnreadable(Invalid):
    """A picture is broken or cut off."""

    code = "picture_unreadable"


class PictureForm(Invalid):
    """A picture is of a kind that is not taken: another format, animated, or hardly anything."""

    code = "picture_form"


def read_picture(data: bytes, *, formats: tuple[str, ...] = ("PNG", "JPEG", "WEBP")) -> Image.Image:
    """Return an uploaded picture: upright, in sRGB, without anything beside its pixels; mode RGB or RGBA.

    Raises:
        PictureTooLarge, PictureUnreadable, PictureForm.
    """
    return _read(data, formats, MOST_PIXELS)


def picture_files(name: str, data: bytes) -> dict[str, bytes]:
    """Return an uploaded picture as the three files of a template's image, by path.

    A logo keeps its form within 160 × 50 points; an icon is a square, a strip 375 × 144: they are filled, and what
    stands over is cut off, but an icon with transparency is shown whole.

    Args:
        name: icon, logo or strip.

    Raises:
        PictureTooLarge, PictureUnreadable; PictureForm also for another name.
    """
    if name not in IMAGES:
        raise PictureForm(_("A pass has an icon, a logo and a strip, no other pictures."))
    picture = read_picture(data)
    return {
        path: encode(_fitted(name, picture, scale)) for path, scale in zip(picture_names(name), SCALES, strict=True)
    }


def square(logo: bytes, side: int, paper: str) -> bytes:
    """Return a logo in the middle of a square, as PNG: Google shows it in a circle, so its corners stay empty.

    Args:
        logo: a picture of ours, such as `logo@3x.png` of a template.
        side: pixels.
        paper: `#rrggbb` behind it.
    """
    picture = _read(logo, ("PNG",), MOST_PIXELS).convert("RGBA")
    most = round(side * 0.66)
    shrink = min(most / picture.width, most / picture.height)
    size = (max(1, round(picture.width * shrink)), max(1, round(picture.height * shrink)))
    small, image = picture.resize(size, Image.Resampling.LANCZOS), Image.new("RGB", (side, side), paper)
    image.paste(small, ((side - size[0]) // 2, (side - size[1]) // 2), small)
    return encode(image)


def clean(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return a template's files with its pictures decoded and written anew in their size.

    Doing it again changes nothing.

    Raises:
        PictureTooLarge, PictureUnreadable, PictureForm: `extra["path"]` says which.
    """
    return {path: _cleaned(path, data) if path.endswith(".png") else data for path, data in sorted(files.items())}


def _cleaned(path: str, data: bytes) -> bytes:
    try:
        return encode(_read(data, ("PNG",), MOST_PIXELS_AS_IS))
    except (PictureTooLarge, PictureUnreadable, PictureForm) as error:
        error.extra["path"] = path
        raise


def encode(image: Image.Image) -> bytes:
    """Return a picture as PNG, with a palette where that loses nothing or the file would be large.

    What is read from the result gives the same bytes again: a template that is saved twice has one digest.
    """
    if image.getcolors(256) is not None:
        return _with_palette(image)
    found = _png(image)
    if len(found) <= _SMALL_ENOUGH:
        return found
    method = Image.Quantize.FASTOCTREE if image.mode == "RGBA" else Image.Quantize.MEDIANCUT
    return min(found, _with_palette(image.quantize(256, method=method).convert(image.mode)), key=len)


def _with_palette(image: Image.Image) -> bytes:
    """Return a picture of at most 256 colors with exactly these: Pillow's own way there shifts some of them."""
    pixels = memoryview(image.convert("RGBA").tobytes()).cast("I")
    colors = sorted(
        {color: color.to_bytes(4, sys.byteorder) for color in set(pixels)}.items(), key=lambda pair: pair[1]
    )
    colors.sort(key=lambda pair: pair[1][3])  # the transparent ones first: those after the last of them need no alpha
    places = {color: place for place, (color, _parts) in enumerate(colors)}
    reduced = Image.frombytes("P", image.size, bytes(map(places.__getitem__, pixels)))
    reduced.putpalette(b"".join(parts[:3] for _color, parts in colors))
    alpha = bytes(parts[3] for _color, parts in colors).rstrip(b"\xff")
    return _png(reduced, **({"transparency": alpha} if alpha else {}))


def _png(image: Image.Image, **options: bytes) -> bytes:
    out = BytesIO()
    image.save(out, "PNG", optimize=True, **options)
    return out.getvalue()


def _read(data: bytes, formats: tuple[str, ...], most_pixels: int) -> Image.Image:
    if len(data) > MOST_BYTES:
        raise PictureTooLarge(_("The picture is larger than %(n)s kB.", n=MOST_BYTES // 1000))
    if _format(data) not in formats:
        raise PictureForm(_("Pictures must be of the kind %(kinds)s.", kinds=", ".join(formats)))
    try:
        if _format(data) == "WEBP":  # its reader takes memory for all pixels before it says how many there are
            _check_size(*_webp_size(data), most_pixels)
        with Image.open(BytesIO(data), formats=formats) as image:
            _check_size(*image.size, most_pixels)
            # A photo may hold further pictures behind its first: they are left behind, nothing moves.
            if getattr(image, "n_frames", 1) > 1 and _format(data) != "JPEG":
                raise PictureForm(_("The picture is animated."))
            image.load()
            return _bare(image)
    except _BOMBS:
        raise _too_many(most_pixels) from None
    except _BROKEN:
        raise PictureUnreadable(_("The picture cannot be read: it is broken or cut off.")) from None


def _format(data: bytes) -> str:
    found = next((name for magic, name in _MAGIC.items() if data.startswith(magic)), "")
    return "" if found == "WEBP" and data[8:12] != b"WEBP" else found


def _check_size(width: int, height: int, most_pixels: int) -> None:
    if width * height > most_pixels:
        raise _too_many(most_pixels)
    if min(width, height) < LEAST_SIDE:
        raise PictureForm(_("The picture is smaller than %(n)s pixels.", n=LEAST_SIDE))


def _too_many(most_pixels: int) -> PictureTooLarge:
    return PictureTooLarge(_("The picture has more than %(n)s million pixels.", n=most_pixels // 1_000_000))


def _webp_size(data: bytes) -> tuple[int, int]:
    """Return width and height as the header of a WebP file says. Source: RFC 9649, sections 2.5 to 2.7."""
    chunk, body = data[12:16], data[20:30]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no picture in it")


def _bare(image: Image.Image) -> Image.Image:
    """Return the pixels alone, turned as the camera was held, in sRGB."""
    profile, clear = image.info.get("icc_profile"), image.has_transparency_data
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if profile and not clear and image.mode in ("RGB", "CMYK", "L"):
        image = _srgb(image, profile)
    elif profile and image.mode == "RGBA":
        image = Image.merge("RGBA", (*_srgb(image.convert("RGB"), profile).split(), image.getchannel("A")))
    mode = "RGBA" if clear else "RGB"
    image = image.convert(mode)
    if clear and image.getchannel("A").getextrema() == (255, 255):
        mode, image = "RGB", image.convert("RGB")
    return Image.frombytes(mode, image.size, image.tobytes())


def _srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Return a picture in the colors of the web; a profile that cannot be read says nothing."""
    try:
        given = ImageCms.ImageCmsProfile(BytesIO(profile))
        found = ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, *_BROKEN):
        return image.convert("RGB")
    return found or image.convert("RGB")


def _fitted(name: str, picture: Image.Image, scale: int) -> Image.Image:
    how = Image.Resampling.LANCZOS
    if name == "strip":
        return ImageOps.fit(picture, (STRIP[0] * scale, STRIP[1] * scale), how)
    if name == "logo":
        share = min(LOGO_BOX[0] / picture.width, LOGO_BOX[1] / picture.height)
        width, height = (max(1, round(side * share)) * scale for side in picture.size)
        return picture.resize((width, height), how)
    side = (ICON * scale, ICON * scale)
    return ImageOps.pad(picture, side, how) if picture.mode == "RGBA" else ImageOps.fit(picture, side, how)
