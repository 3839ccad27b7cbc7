"""A brand's own templates: what it has replaces Leima's folder file by file, what it omits stays Leima's.

Leima's part is never copied, so a brand that brings only a logo gets every later wording of Leima's.
"""

from collections.abc import Mapping
from functools import cache

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of
from app.core.errors import Invalid, NotFound
from app.core.events import emit
from app.core.i18n import gettext as _
from app.wallet import images
from app.wallet.events import LookChanged
from app.wallet.images import PictureForm, PictureTooLarge, PictureUnreadable
from app.wallet.models import WalletTemplate, WalletTemplateFile
from app.wallet.template_images import pictured
from app.wallet.template_source import Files, limits, read_folder
from app.wallet.templates import KIND_OF, SHIPPED, Template, TemplateError, digest, make


class TemplateUnknown(NotFound):
    """There is no template of this name."""

    code = "template_unknown"


class TemplateRefused(Invalid):
    """A brand's own template cannot be used; `faults` are lines such as `coupon.pass/pass.json:12: …`, all at once."""

    code = "template_invalid"

    def __init__(self, faults: list[str]) -> None:
        super().__init__(_("The template has faults."), faults=faults)
        self.faults = faults


def names() -> tuple[str, ...]:
    """Return the names of all templates."""
    return tuple(KIND_OF)


def digests(session: Session) -> dict[str, str]:
    """Return name → digest of the brand's own templates; a name that is missing is Leima's."""
    return dict(session.execute(select(WalletTemplate.name, WalletTemplate.digest)).all())


def load(session: Session, name: str) -> Template:
    """Return the brand's template, or Leima's where it has none.

    Raises:
        TemplateUnknown: no such name.
        TemplateRefused: it was right when it was saved; what it left to Leima has changed since.
    """
    _checked(name)
    return _make(name, own_files(session, name), f"{name}.pass")


def own_files(session: Session, name: str) -> dict[str, bytes]:
    """Return the files that the brand laid over Leima's, by path; none when the template is Leima's."""
    rows = (
        select(WalletTemplateFile.path, WalletTemplateFile.data)
        .join(WalletTemplate, WalletTemplate.id == WalletTemplateFile.template_id)
        .where(WalletTemplate.name == name)
    )
    return dict(session.execute(rows).all())


def save(session: Session, name: str, files: Files, *, shown_as: str = "") -> WalletTemplate:
    """Save a brand's own template in place of the one before; saving the same again changes nothing.

    Args:
        files: by path inside the folder, as `uploads.read_zip` gives them; pictures are written anew here.
        shown_as: how faults call the folder; NAME.pass when empty.

    Raises:
        TemplateUnknown: no such name.
        TemplateRefused: with every fault; nothing was changed.
    """
    _checked(name)
    shown_as = shown_as or f"{name}.pass"
    cleaned = _cleaned(files, shown_as)
    _make(name, cleaned, shown_as)
    return _store(session, name, cleaned)


def set_pictures(session: Session, name: str, pictures: Mapping[str, bytes]) -> WalletTemplate:
    """Replace images of a template by uploaded pictures; everything else of it stays as it is.

    Args:
        pictures: icon, logo or strip → the file; a logo without an icon stands on the icon too.

    Raises:
        TemplateUnknown, TemplateRefused.
        PictureTooLarge, PictureUnreadable, PictureForm: one of the pictures.
    """
    _checked(name)
    kept = {path: data for path, data in own_files(session, name).items() if not pictured({path: b""}) & set(pictures)}
    made = [images.picture_files(image, data) for image, data in sorted(pictures.items())]
    return save(session, name, kept | {path: data for files in made for path, data in files.items()})


def remove(session: Session, name: str) -> bool:
    """Go back to Leima's template; tell whether the brand had its own.

    Raises:
        TemplateUnknown: no such name.
    """
    _checked(name)
    row = session.scalar(select(WalletTemplate).where(WalletTemplate.name == name))
    if row is None:
        return False
    session.execute(delete(WalletTemplateFile).where(WalletTemplateFile.template_id == row.id))
    session.delete(row)
    session.flush()
    emit(session, LookChanged(brand_id=brand_of(session)))
    return True


def _checked(name: str) -> None:
    if name not in KIND_OF:
        raise TemplateUnknown(_("There is no such template."))


def _cleaned(files: Files, shown_as: str) -> dict[str, bytes]:
    """Return the files with their pictures written anew, within the limits before and after it."""
    if not files:
        raise TemplateRefused([f"{shown_as}: is empty"])
    faults = limits(shown_as, {path: len(data) for path, data in files.items()})
    cleaned: dict[str, bytes] = {}
    for path, data in files.items() if not faults else ():
        try:
            cleaned |= images.clean({path: data})
        except (PictureTooLarge, PictureUnreadable, PictureForm) as error:
            faults.append(f"{shown_as}/{path}: {error.message}")
    faults += limits(shown_as, {path: len(data) for path, data in cleaned.items()})
    if faults:
        raise TemplateRefused(faults)
    return cleaned


def _make(name: str, own: Files, shown_as: str) -> Template:
    try:
        return make(name, {**_shipped(name), **own}, kind=KIND_OF[name], own=pictured(own), shown_as=shown_as)
    except TemplateError as error:
        raise TemplateRefused(error.faults) from None


@cache
def _shipped(name: str) -> Files:
    """Return Leima's folder, read once."""
    return read_folder(SHIPPED / f"{name}.pass")


def _store(session: Session, name: str, files: Files) -> WalletTemplate:
    row = session.scalar(select(WalletTemplate).where(WalletTemplate.name == name).with_for_update())
    if row is not None and row.digest == digest(files):
        return row
    if row is None:
        row = WalletTemplate(name=name, digest=digest(files), at=clock.now())
        session.add(row)
    else:
        session.execute(delete(WalletTemplateFile).where(WalletTemplateFile.template_id == row.id))
        row.digest, row.at = digest(files), clock.now()
    session.flush()
    session.add_all(
        WalletTemplateFile(template_id=row.id, path=path, data=data) for path, data in sorted(files.items())
    )
    session.flush()
    emit(session, LookChanged(brand_id=brand_of(session)))
    return row
