"""Templates `wallet_templates/NAME.pass`, Leima's own or a brand's: checked and hashed when they are loaded. Pure.

The format is described in docs/wallet-templates.md.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from app.wallet import drawn, template_images
from app.wallet.archive import Entry
from app.wallet.model import PassView
from app.wallet.placeholders import values_of
from app.wallet.strings import encode_strings
from app.wallet.template_checks import check
from app.wallet.template_source import IMAGES, Files, Source, picture_names, read_folder, strip_counts

SHIPPED = Path(__file__).parents[2] / "wallet_templates"
KIND_OF = {"stamp-card": "stamp_card", "bonus-card": "bonus_card", "coupon": "coupon", "gift-card": "gift_card"}


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
    strips: tuple[tuple[int, tuple[Entry, ...]], ...] = field(repr=False)  # pictures by count of stamps, rising
    logo: bytes = field(repr=False)  # the picture of the logo at 3x, which a drawn icon shows; empty without one
    digest: str  # of the whole folder: changes when anything in it does

    def values(self, view: PassView) -> dict[str, str]:
        """Return what the placeholders stand for on this pass, with words in the member's language."""
        language = view.language if view.language in self.words else self.default_language
        return self._labels[language] | values_of(view, self.words[language])

    @cached_property
    def _labels(self) -> dict[str, dict[str, str]]:
        return {code: {f"word.{key}": word for key, word in words.items()} for code, words in self.words.items()}

    def entries(self, view: PassView) -> tuple[Entry, ...]:
        """Return the files of a pass beside `pass.json`; drawn images come from a cache."""
        made = (entry for image in self.drawn for entry in drawn.entries(image, view, self.logo))
        return (*made, *self._strip(drawn.stamps_of(view)), *self.files)

    def _strip(self, stamps: int) -> tuple[Entry, ...]:
        """Return the picture of the highest count that is not above the card's."""
        return next((entries for count, entries in reversed(self.strips) if count <= stamps), ())


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
    return make(folder.stem, read_folder(folder), kind=KIND_OF.get(folder.stem, ""), shown_as=folder.name)


def make(name: str, files: Files, *, kind: str = "", own: frozenset[str] = frozenset(), shown_as: str = "") -> Template:
    """Return the template that files make.

    Args:
        files: by path inside the folder.
        kind: the one that it has to be; any when empty.
        own: images whose pictures a brand laid over the folder: used whatever `template.toml` says.
        shown_as: how faults call the folder; NAME.pass when empty.

    Raises:
        TemplateError: as `load_template`.
    """
    source = Source.of(shown_as or f"{name}.pass", files)
    faults = source.faults or check(source, kind=kind, own=own)
    if faults:
        raise TemplateError(faults)
    settings, ways = source.settings, template_images.ways(source, own)
    pictures = [path for image in IMAGES if ways.get(image) == template_images.FILE for path in picture_names(image)]
    texts = ((f"{language}.lproj/pass.strings", encode_strings(words)) for language, words in source.words.items())
    by_count = ways.get("strip") == template_images.BY_COUNT
    return Template(
        name=name,
        kind=settings["kind"],
        default_language=settings["default_language"],
        apple=source.apple.data,
        google=source.google.data,
        words=source.words,
        notify=settings.get("notify", {}),
        drawn=tuple(image for image in IMAGES if ways.get(image) == template_images.DRAWN),
        files=(*(Entry.of(path, files[path]) for path in pictures), *(Entry.of(path, data) for path, data in texts)),
        strips=tuple((count, _strip(files, count)) for count in strip_counts(files)) if by_count else (),
        logo=files["logo@3x.png"] if ways.get("logo") == template_images.FILE else b"",
        digest=digest(files),
    )


def _strip(files: Files, count: int) -> tuple[Entry, ...]:
    """Return the picture of a count under the names that a phone looks for."""
    names = zip(picture_names(f"strip-{count}"), picture_names("strip"), strict=True)
    return tuple(Entry.of(shown, files[path]) for path, shown in names)


def digest(files: Files) -> str:
    """Return the hash of files with their names."""
    total = hashlib.sha256()
    for path, data in sorted(files.items()):
        total.update(f"{path}\0{len(data)}\0".encode() + data)
    return total.hexdigest()
