"""Zipped template folders: what is taken, and that nothing hostile gets past a cap."""

import io
import random
import stat
import struct
import zipfile
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wallet import images
from app.wallet.template_source import read_folder
from app.wallet.templates import SHIPPED
from app.wallet.uploads import TemplateArchive, read_zip

Entries = Sequence[tuple[str | zipfile.ZipInfo, bytes]]
ZIP = zipfile.ZIP_DEFLATED


def a_zip(entries: Entries, method: int = ZIP) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()


def _refusal(data: bytes) -> str:
    with pytest.raises(TemplateArchive) as caught:
        read_zip(data)
    assert caught.value.code == "template_archive"
    return caught.value.reason


@pytest.mark.parametrize("top", ["", "stamp-card.pass/", "minun kortti.pass/"])
def test_folder_is_read_whether_it_is_wrapped_or_not(top: str) -> None:
    files = read_folder(SHIPPED / "stamp-card.pass")

    assert read_zip(a_zip([(top + path, data) for path, data in files.items()])) == files


def test_what_a_mac_adds_is_left_out() -> None:
    entries = [("a.pass/", b""), ("a.pass/.DS_Store", b"x"), ("a.pass/pass.json", b"{}"), ("__MACOSX/a.pass/._x", b"x")]

    assert read_zip(a_zip(entries)) == {"pass.json": b"{}"}


def _a_link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("pass.json")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([("/etc/pass.json", b"{}")], "outside"),
        ([("../pass.json", b"{}")], "outside"),
        ([("a.pass/../../pass.json", b"{}")], "outside"),
        ([("a\\pass.json", b"{}")], "outside"),
        ([("C:pass.json", b"{}")], "outside"),
        ([("a//pass.json", b"{}")], "outside"),
        ([(_a_link(), b"/etc/passwd")], "no_file"),
        ([(f"{number}.txt", b"") for number in range(61)], "too_many_files"),
        ([("pass.json", random.Random(1).randbytes(5000) * 103)], "too_large"),  # below the ratio, above 512 kB
    ],
)
def test_each_hostile_listing_is_refused_by_name(entries: Entries, reason: str) -> None:
    assert _refusal(a_zip(entries)) == reason


def test_file_that_stands_twice_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = a_zip([("pass.json", b"{}"), ("pass.json", b"[]")])

    assert _refusal(twice) == "twice"


def test_archive_of_more_than_its_cap_is_refused_while_it_is_read() -> None:
    text = random.Random(1).randbytes(5000) * 90  # packs to a fiftieth, below the ratio
    packed = a_zip([(f"{number}.txt", text) for number in range(5)])

    assert len(packed) < 100_000
    assert _refusal(packed) == "too_large"


def test_bomb_is_refused_by_its_ratio_and_when_its_listing_lies() -> None:
    bomb = a_zip([("pass.json", bytes(500_000))])
    honest = zipfile.ZipFile(io.BytesIO(bomb)).infolist()[0]
    lying = bomb.replace(struct.pack("<I", honest.file_size), struct.pack("<I", 100))

    assert honest.file_size / honest.compress_size > 200
    assert _refusal(bomb) == "too_large"
    assert _refusal(lying) == "unreadable"


def test_encrypted_and_unusually_packed_entries_are_refused() -> None:
    plain = a_zip([("pass.json", b"{}")])
    at = plain.index(b"PK\x01\x02")
    encrypted = plain[: at + 8] + b"\x01" + plain[at + 9 :]

    assert _refusal(encrypted) == "encrypted"
    assert _refusal(a_zip([("pass.json", b"{}" * 90)], zipfile.ZIP_LZMA)) == "unreadable"


@given(st.integers(0, 3000), st.binary(min_size=1, max_size=40))
def test_damaged_archive_is_read_or_refused_and_never_crashes(at: int, noise: bytes) -> None:
    good = a_zip([(path, data) for path, data in read_folder(SHIPPED / "coupon.pass").items()])
    damaged = good[: at % len(good)] + noise + good[at % len(good) + len(noise) :]

    try:
        count = len(read_zip(damaged))
    except (TemplateArchive, images.PictureForm, images.PictureUnreadable):
        count = 0

    assert count <= 60


def test_what_is_no_zip_file_is_refused() -> None:
    assert _refusal(b"") == "unreadable"
    assert _refusal(b"PK\x03\x04" + bytes(50)) == "unreadable"
    assert _refusal(bytes(2_000_001)) == "too_large"
