"""A template folder as a zip file that somebody uploads: every cap holds while it is read. Pure."""

import stat
import struct
import zipfile
import zlib
from io import BytesIO
from pathlib import PurePosixPath

from app.core.errors import Invalid
from app.core.i18n import gettext as _
from app.wallet.template_source import MOST_BYTES, MOST_BYTES_EACH, MOST_FILES

_RATIO = 200  # a text of spaces has more; a template has none
_BROKEN = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, ValueError, struct.error,
           NotImplementedError, RuntimeError, OverflowError, IndexError)  # fmt: skip
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class TemplateArchive(Invalid):
    """A zip file cannot be taken; `reason` says why in one word."""

    code = "template_archive"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message, reason=reason)
        self.reason = reason


def read_zip(data: bytes) -> dict[str, bytes]:
    """Return the files of a zipped template folder by path, as they are: `brand_templates.save` checks and cleans them.

    All may stand in one top folder NAME.pass. What a Mac adds (`__MACOSX`, `.DS_Store`) is left out.

    Raises:
        TemplateArchive: no zip file, or one that holds too much, hides something, or points outside.
    """
    if len(data) > MOST_BYTES:
        raise _too_large()
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return _without_top(_read(archive))
    except _BROKEN:
        raise TemplateArchive(_("The zip file cannot be read: it is broken or cut off."), "unreadable") from None


def _read(archive: zipfile.ZipFile) -> dict[str, bytes]:
    infos = [info for info in archive.infolist() if not info.is_dir() and not _is_of_a_mac(info.filename)]
    if len(infos) > MOST_FILES:
        raise TemplateArchive(_("The zip file holds more than %(n)s files.", n=MOST_FILES), "too_many_files")
    files: dict[str, bytes] = {}
    left = MOST_BYTES
    for info in infos:
        _check(info)
        if info.filename in files:
            raise TemplateArchive(_("The zip file holds a file twice."), "twice")
        files[info.filename] = _taken(archive, info, min(left, max(MOST_BYTES_EACH.values())))
        left -= len(files[info.filename])
    return files


def _check(info: zipfile.ZipInfo) -> None:
    """Refuse an entry by what the listing says, before a byte of it is read."""
    path, mode = info.orig_filename, info.external_attr >> 16
    parts = path.split("/")
    if "\\" in path or "\0" in path or ":" in path or any(part in ("", ".", "..") for part in parts):
        raise TemplateArchive(_("A path in the zip file points outside."), "outside")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise TemplateArchive(_("The zip file holds a link."), "no_file")
    if info.flag_bits & 0x1:
        raise TemplateArchive(_("The zip file is encrypted."), "encrypted")
    if info.compress_type not in _METHODS:
        raise TemplateArchive(_("The zip file is packed in an unusual way."), "unreadable")
    if info.file_size > _RATIO * max(info.compress_size, 1):
        raise _too_large()


def _taken(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    """Return an entry's bytes; reading stops at the cap, whatever the listing says."""
    with archive.open(info) as entry:
        found = entry.read(most + 1)
        if len(found) > most:
            raise _too_large()
        return found


def _too_large() -> TemplateArchive:
    return TemplateArchive(_("The zip file holds more than %(n)s kB.", n=MOST_BYTES // 1000), "too_large")


def _is_of_a_mac(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return "__MACOSX" in parts[:1] or ".DS_Store" in parts[-1:]


def _without_top(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files by their path inside the one top folder NAME.pass, when there is one."""
    tops = {path.split("/")[0] for path in files if "/" in path}
    whole = len(tops) == 1 and all("/" in path for path in files) and next(iter(tops)).endswith(".pass")
    return {path.split("/", 1)[1]: data for path, data in files.items()} if whole else files
