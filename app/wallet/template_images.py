"""Where a template's images come from: drawn, files, or files by count; and what can be wrong with them. Pure."""

import re
from collections.abc import Mapping

from app.wallet.template_source import IMAGES, Files, Source, picture_names, strip_counts

DRAWN, FILE, BY_COUNT = "drawn", "file", "by_count"
REQUIRED = ("icon", "logo")
_PNG = b"\x89PNG\r\n\x1a\n"


def pictured(files: Files) -> frozenset[str]:
    """Return the images that a folder has pictures of."""
    alone = {image for image in IMAGES if any(name in files for name in picture_names(image))}
    return frozenset(alone | ({"strip"} if strip_counts(files) else set()))


def ways(source: Source, own: frozenset[str]) -> dict[str, str]:
    """Return image → drawn, file or by_count; pictures that a brand laid over the folder (`own`) are always used."""
    said = {image: str(way) for image, way in source.ways.items()}
    return said | {image: _way_of(image, source.files) for image in own}


def _way_of(image: str, files: Files) -> str:
    return BY_COUNT if image == "strip" and strip_counts(files) else FILE


def check(source: Source, own: frozenset[str]) -> None:
    """Icon and logo are there, drawn or as PNG files at 1x, 2x and 3x; a strip by count begins at 0."""
    found = ways(source, own)
    toml = "template.toml"
    for image in REQUIRED:
        if image not in found:
            source.fault(toml, source.line(toml, r"(?m)^\[images\]"), f"[images] has no {image}")
    for image, way in found.items():
        line = source.line(toml, rf"(?m)^{re.escape(image)}\s*=")
        if image not in IMAGES or way not in (DRAWN, FILE, BY_COUNT) or (way == BY_COUNT and image != "strip"):
            known = f'{", ".join(IMAGES)}, each "drawn" or "file", strip also "by_count"'
            source.fault(toml, line, f'{image} = "{way}": known are {known}')
        else:
            _check_files(source, "" if image in own else toml, line, image, way)


def _check_files(source: Source, asked_in: str, line: int, image: str, way: str) -> None:
    if way == BY_COUNT:
        if source.settings.get("kind") != "stamp_card":
            source.fault(asked_in, line if asked_in else 0, "only the strip of a stamp card has a picture by_count")
        if "strip.png" in source.files:
            source.fault("strip.png", 0, "stands beside strip-0.png: have one picture, or one for each count")
    for path in pictures(source.files, image, way):
        if path not in source.files:
            source.fault(asked_in, line if asked_in else 0, f"the image {path} is missing")
        elif not source.files[path].startswith(_PNG):
            source.fault(path, 0, "is no PNG")


def pictures(files: Mapping[str, bytes], image: str, way: str) -> tuple[str, ...]:
    """Return the files that an image is made of; none when it is drawn."""
    if way == FILE:
        return picture_names(image)
    if way == BY_COUNT:
        counts = sorted({0, *strip_counts(files)})
        return tuple(name for count in counts for name in picture_names(f"strip-{count}"))
    return ()
