"""A zip archive of ready entries: stored, with one fixed date, so that the same files give the same bytes. Pure."""

import hashlib
import struct
import zlib
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import NamedTuple

_LOCAL = struct.Struct("<IHHHHHIIIHH")
_CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHI")  # up to the place of the local header, which follows
_PLACE = struct.Struct("<I")
_END = struct.Struct("<IHHHHIIH")
_VERSION = 20
_UTF8_NAMES = 0x800
_TIME, _DATE = 0, (1 << 5) | 1  # 1 January 1980, the first day that zip knows
_MADE_BY_UNIX = (3 << 8) | _VERSION
_MODE = 0o100644 << 16


class Entry(NamedTuple):
    """A file of a pass with all that manifest and archive say of it, made once: images are the same in every pass."""

    name: str
    data: bytes
    line: bytes  # of the manifest: name and SHA-1, as Apple wants it; empty for what it leaves out
    local: bytes  # the header before the data
    head: bytes  # the index's entry, up to the place of that header
    path: bytes  # what follows it: the name again

    @classmethod
    def of(cls, name: str, data: bytes, *, listed: bool = True) -> "Entry":
        """Return the entry of a file; the manifest itself and its signature are not `listed`."""
        line = b""
        if listed:
            line = f'{quoted(name)}:"{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"'.encode()
        path, size = name.encode(), len(data)
        same = (_UTF8_NAMES, 0, _TIME, _DATE, zlib.crc32(data), size, size, len(path), 0)
        local = _LOCAL.pack(0x04034B50, _VERSION, *same) + path
        return cls(
            name, data, line, local, _CENTRAL.pack(0x02014B50, _MADE_BY_UNIX, _VERSION, *same, 0, 0, 0, _MODE), path
        )

    def __repr__(self) -> str:
        return f"Entry({self.name!r}, {len(self.data)} bytes)"


def manifest(entries: Sequence[Entry]) -> bytes:
    """Return the JSON object that names every listed file with its hash."""
    return b"{%b}" % b",".join([entry.line for entry in entries if entry.line])


def archive(entries: Sequence[Entry]) -> bytes:
    """Return the zip file of these entries in this order.

    `zipfile` counts every sum again and locks and seeks for each entry; a pass is small and its images never change.
    """
    body: list[bytes] = []
    index: list[bytes] = []
    at = 0
    for _name, data, _line, local, head, path in entries:
        body += (local, data)
        index.append(head + _PLACE.pack(at) + path)
        at += len(local) + len(data)
    listing, count = b"".join(index), len(entries)
    body += (listing, _END.pack(0x06054B50, 0, 0, count, count, len(listing), at, 0))
    return b"".join(body)
