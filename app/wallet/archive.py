"""A zip archive of ready entries: stored, with one fixed date, so that the same files give the same bytes. Pure."""

import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

_LOCAL = struct.Struct("<IHHHHHIIIHH")
_CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
_END = struct.Struct("<IHHHHIIH")
_VERSION = 20
_UTF8_NAMES = 0x800
_TIME, _DATE = 0, (1 << 5) | 1  # 1 January 1980, the first day that zip knows
_MADE_BY_UNIX = (3 << 8) | _VERSION
_MODE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a pass with the sums that manifest and archive need, counted once."""

    name: str
    data: bytes = field(repr=False)
    sha1: str  # Apple's manifest knows no other
    crc32: int

    @classmethod
    def of(cls, name: str, data: bytes) -> "Entry":
        """Return the entry of a file."""
        return cls(name, data, hashlib.sha1(data, usedforsecurity=False).hexdigest(), zlib.crc32(data))


def archive(entries: Sequence[Entry]) -> bytes:
    """Return the zip file of these entries in this order.

    `zipfile` counts every sum again and locks and seeks for each entry; a pass is small and its images never change.
    """
    body: list[bytes] = []
    index: list[bytes] = []
    at = 0
    for entry in entries:
        name, size = entry.name.encode(), len(entry.data)
        same = (_UTF8_NAMES, 0, _TIME, _DATE, entry.crc32, size, size, len(name), 0)
        body += (_LOCAL.pack(0x04034B50, _VERSION, *same), name, entry.data)
        index += (_CENTRAL.pack(0x02014B50, _MADE_BY_UNIX, _VERSION, *same, 0, 0, 0, _MODE, at), name)
        at += _LOCAL.size + len(name) + size
    listing = b"".join(index)
    count = len(entries)
    return b"".join((*body, listing, _END.pack(0x06054B50, 0, 0, count, count, len(listing), at, 0)))
