"""Folders `wallet_templates/NAME.pass`: read, checked and hashed once at start. Pure.

A folder holds
- `pass.json`: Apple's pass; a placeholder such as `{{card.balance}}` is always a whole value, filled as JSON;
- `google.json`: `class` and `object` of Google's loyalty card, with the same placeholders;
- `xx.lproj/pass.strings`: the words of one language, UTF-8; a label without placeholder is one of them;
- `template.toml`: `kind`, `default_language`, `[images]` drawn or from files, `[notify]` field = message with %@;
- images from files at 1x to 3x.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.wallet import artwork
from app.wallet.archive import Entry
from app.wallet.model import CardView
from app.wallet.strings import encode_strings
from app.wallet.template_checks import IMAGES, Source, check
from app.wallet.values import card_values


class TemplateError(Exception):
    """A template cannot be used; `faults` are lines such as `stamp-card.pass/pass.json:12: …`, all of them at once."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Template:
    """A checked template; share it, never change it."""

    name: str
    kind: str
    default_language: str
    apple: Mapping[str, Any] = field(repr=False)
    google: Mapping[str, Any] = field(repr=False)
    words: Mapping[str, Mapping[str, str]] = field(repr=False)  # by language
    notify: Mapping[str, str]  # field key to message
    drawn: tuple[str, ...]  # images made from the brand's colors
    files: tuple[Entry, ...] = field(repr=False)  # images and words, the same in every pass
    digest: str  # of the whole folder: changes when anything in it does

    def values(self, view: CardView) -> dict[str, str]:
        """Return what the placeholders stand for on this card, with words in the member's language."""
        return card_values(view, self.words.get(view.language, self.words[self.default_language]))

    def entries(self, view: CardView) -> tuple[Entry, ...]:
        """Return the files of this card's pass beside `pass.json`; drawn images come from a cache."""
        stamps = min(max(view.stamps, 0), view.size)
        drawn = (_drawn(name, view, stamps, scale) for name in self.drawn for scale in artwork.SCALES)
        return (*drawn, *self.files)


_kept: dict[tuple[object, ...], Entry] = {}
_KEEP = 2048  # entries; about 10 kB each


def _drawn(name: str, view: CardView, stamps: int, scale: int) -> Entry:
    """Return a drawn image as an entry, drawing it only the first time in this process."""
    key = (name, view.colors, scale, *((stamps, view.size, view.prize_icon) if name == "strip" else ()))
    if (found := _kept.get(key)) is not None:
        return found
    if name == "strip":
        data = artwork.strip(view.colors, stamps, view.size, view.prize_icon, scale)
    else:
        data = (artwork.icon if name == "icon" else artwork.logo)(view.colors, scale)
    if len(_kept) >= _KEEP:
        _kept.clear()
    made = _kept[key] = Entry.of(file_name(name, scale), data)
    return made


def file_name(image: str, scale: int) -> str:
    """Return the file name of an image, such as `icon@2x.png`."""
    return f"{image}.png" if scale == 1 else f"{image}@{scale}x.png"


def load_templates(root: Path) -> dict[str, Template]:
    """Return every template under a folder by name, such as `stamp-card`.

    Raises:
        TemplateError: with the faults of all of them.
    """
    templates: dict[str, Template] = {}
    faults: list[str] = []
    for folder in sorted(root.glob("*.pass")):
        try:
            templates[folder.stem] = load_template(folder)
        except TemplateError as error:
            faults += error.faults
    if faults:
        raise TemplateError(faults)
    if not templates:
        raise TemplateError([f"{root.name}: no folder NAME.pass"])
    return templates


def load_template(folder: Path) -> Template:
    """Return the template of one folder.

    Raises:
        TemplateError: a file that is missing or broken, an unknown placeholder, a missing image, a field key used
            twice, a word that a language lacks: each with file and line.
    """
    source = Source.read(folder)
    faults = source.faults or check(source)
    if faults:
        raise TemplateError(faults)
    settings = source.settings
    ways: dict[str, str] = settings["images"]
    from_files = [file_name(image, scale) for image in ways if ways[image] == "file" for scale in artwork.SCALES]
    texts = (
        Entry.of(f"{language}.lproj/pass.strings", encode_strings(words)) for language, words in source.words.items()
    )
    return Template(
        name=folder.stem,
        kind=settings["kind"],
        default_language=settings["default_language"],
        apple=source.apple,
        google=source.google,
        words=source.words,
        notify=settings.get("notify", {}),
        drawn=tuple(image for image in IMAGES if ways.get(image) == "drawn"),
        files=(*(Entry.of(name, (folder / name).read_bytes()) for name in from_files), *texts),
        digest=_digest(folder),
    )


def _digest(folder: Path) -> str:
    """Return the hash of all files of a folder with their names."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        total.update(f"{path.relative_to(folder).as_posix()}\0{len(data)}\0".encode() + data)
    return total.hexdigest()
