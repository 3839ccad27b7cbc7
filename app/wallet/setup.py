"""The `[wallet]` of a brand file: a logo, and folders that replace Leima's templates.

Source: docs/wallet-templates.md.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from app.core.events import emit
from app.core.setup import Entry, Item, Section, Setup
from app.core.toml import Place
from app.wallet import brand_templates, images
from app.wallet.brand_templates import TemplateRefused
from app.wallet.events import LookChanged
from app.wallet.images import PictureForm, PictureTooLarge, PictureUnreadable
from app.wallet.template_images import pictured
from app.wallet.template_source import MOST_BYTES, MOST_FILES, limits, read_folder

Name = Literal["stamp-card", "bonus-card", "coupon", "gift-card"]


class WalletIn(Entry):
    """The look of the brand's passes: paths are relative to the brand file."""

    key = ()
    logo: str = ""
    templates: dict[Name, str] = Field(default_factory=dict)


SECTIONS = (Section("wallet", WalletIn, many=False),)


def apply(setup: Setup) -> None:
    """Save the brand's own templates; what the file omits is left alone. Any change of the file may show on passes."""
    item = setup.one("wallet", WalletIn)
    if item is not None:
        _own(setup, item)
    if setup.changes and setup.brand is not None:
        emit(setup.session, LookChanged(brand_id=setup.brand.id))


def _own(setup: Setup, item: Item[WalletIn]) -> None:
    logo = _logo(setup, item.value.logo, (*item.place, "logo")) if item.value.logo else {}
    if logo is None:
        return
    for name in brand_templates.names():
        path = next((path for known, path in item.value.templates.items() if known == name), None)
        if path is not None:
            _folder(setup, name, path, (*item.place, "templates", name), logo)
        elif logo:
            known = brand_templates.own_files(setup.session, name)
            kept = {path: data for path, data in known.items() if not pictured({path: b""}) & {"logo"}}
            _save(setup, name, kept | logo, (*item.place, "logo"))


def _logo(setup: Setup, path: str, place: Place) -> dict[str, bytes] | None:
    """Return the files of the brand's logo; None after a fault."""
    found = _inside(setup, path, place)
    if found is None:
        return None
    try:
        if not found.is_file() or found.stat().st_size > images.MOST_BYTES:
            setup.fault(place, f"{path}: is no file of at most {images.MOST_BYTES:,} bytes")
            return None
        return images.picture_files("logo", found.read_bytes())
    except OSError as error:
        setup.fault(place, f"{path}: cannot be read: {error.strerror}")
    except (PictureTooLarge, PictureUnreadable, PictureForm) as error:
        setup.fault(place, f"{path}: {error.message}")
    return None


def _folder(setup: Setup, name: str, path: str, place: Place, logo: dict[str, bytes]) -> None:
    """Save the template of a folder; a logo in the folder is preferred to the brand's."""
    folder = _inside(setup, path, place)
    if folder is None:
        return
    try:
        if not folder.is_dir():
            setup.fault(place, f"{path}: is no folder")
            return
        faults = _too_much(folder, path)
        files = {} if faults else read_folder(folder)
    except OSError as error:
        faults = [f"{path}: cannot be read: {error.strerror}"]
    for fault in faults:
        setup.fault(place, fault)
    if not faults:
        _save(setup, name, files if "logo" in pictured(files) else logo | files, place, shown_as=path)


def _too_much(folder: Path, path: str) -> list[str]:
    """Return what is wrong with names and sizes, before a file is read: somebody may have named a home directory."""
    sizes: dict[str, int] = {}
    for found in folder.rglob("*"):
        name = found.relative_to(folder)
        if any(part.startswith(".") for part in name.parts) or found.is_dir():
            continue
        if not found.resolve().is_relative_to(folder):
            return [f"{path}/{name.as_posix()}: points outside the folder"]
        sizes[name.as_posix()] = found.stat().st_size if found.is_file() else MOST_BYTES + 1
        if len(sizes) > MOST_FILES:
            return [f"{path}: has more than {MOST_FILES} files"]
    return limits(path, sizes)


def _save(setup: Setup, name: str, files: dict[str, bytes], place: Place, *, shown_as: str = "") -> None:
    before = brand_templates.digests(setup.session).get(name)
    try:
        row = brand_templates.save(setup.session, name, files, shown_as=shown_as)
    except TemplateRefused as error:
        for fault in error.faults:
            setup.fault(place, fault)
        return
    if row.digest != before:
        setup.changed("~", f"wallet template {name}")


def _inside(setup: Setup, path: str, place: Place) -> Path | None:
    """Return the file or folder of a relative path that does not leave the brand file's folder."""
    document = setup.document.path
    if document is None:
        setup.fault(place, "a path needs a brand file that is read from a folder")
        return None
    home = document.resolve().parent
    given = Path(path)
    found = (home / given).resolve()
    if given.is_absolute() or ".." in given.parts or not found.is_relative_to(home):
        setup.fault(place, f"{path}: must be a relative path inside the folder of this file")
        return None
    return found
