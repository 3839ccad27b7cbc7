"""A brand's own templates: file by file over Leima's, all faults at once, the same again changes nothing."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.db import Database
from app.core.events import Event
from app.core.setup import Change, apply_file
from app.core.toml import FaultList
from app.network import setup as network
from app.network.models import Brand
from app.wallet import brand_templates as templates
from app.wallet import setup
from app.wallet.brand_templates import TemplateRefused, TemplateUnknown
from app.wallet.events import LookChanged
from app.wallet.images import PictureForm
from app.wallet.model import CardView
from app.wallet.models import WalletTemplateFile
from app.wallet.template_source import read_folder
from app.wallet.templates import SHIPPED, Template, load_template
from tests.builders import a_brand
from tests.wallet.test_images import a_picture

WORDS = read_folder(SHIPPED / "stamp-card.pass")["fi.lproj/pass.strings"]
MINE = {"fi.lproj/pass.strings": WORDS.replace(b"Yhteystiedot", "Kysy meiltä".encode())}
SHIPPED_CARD = load_template(SHIPPED / "stamp-card.pass")
View = Callable[..., CardView]


def _pictures(image: str, color: str = "red") -> dict[str, bytes]:
    """Return an image's three files, all of one color."""
    out = io.BytesIO()
    Image.new("RGB", (60, 40), color).save(out, "PNG")
    return {f"{image}{scale}.png": out.getvalue() for scale in ("", "@2x", "@3x")}


def _faults(session: Session, files: dict[str, bytes], name: str = "stamp-card") -> list[str]:
    with pytest.raises(TemplateRefused) as caught:
        templates.save(session, name, files)
    assert caught.value.extra == {"faults": caught.value.faults}
    return caught.value.faults


def _strip_color(template: Template, view: CardView) -> object:
    files = {entry.name: entry.data for entry in template.entries(view)}
    return Image.open(io.BytesIO(files["strip@2x.png"])).convert("RGB").getpixel((20, 20))


def test_file_of_the_brand_replaces_leimas_and_the_rest_stays(database: Database) -> None:
    brand_id, other_id = a_brand(database), a_brand(database, "puro")
    with database.unit(brand_id) as session:
        row = templates.save(session, "stamp-card", MINE)
        digest = row.digest

    with database.reading(brand_id) as session:
        own = templates.load(session, "stamp-card")
        assert templates.digests(session) == {"stamp-card": digest}
        assert templates.load(session, "coupon") == load_template(SHIPPED / "coupon.pass")
    with database.reading(other_id) as session:
        assert (templates.digests(session), templates.load(session, "stamp-card")) == ({}, SHIPPED_CARD)
    assert (own.words["fi"]["contact"], own.words["sv"]) == ("Kysy meiltä", SHIPPED_CARD.words["sv"])
    assert (own.apple, own.drawn) == (SHIPPED_CARD.apple, SHIPPED_CARD.drawn)
    assert own.digest != SHIPPED_CARD.digest


def test_saving_the_same_again_writes_nothing_and_another_replaces_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    brand_id, told = a_brand(database), list[Event]()
    monkeypatch.setattr(templates, "emit", lambda _session, event: told.append(event))
    with database.unit(brand_id) as session:
        first = templates.save(session, "stamp-card", MINE | _pictures("logo"))
        before = (first.id, first.digest, first.at)
    assert told == [LookChanged(brand_id=brand_id)]

    with database.unit(brand_id) as session:
        same = templates.save(session, "stamp-card", MINE | _pictures("logo"))
        assert ((same.id, same.digest, same.at), len(told)) == (before, 1)
        other = templates.save(session, "stamp-card", MINE)
        assert (other.id, other.digest != before[1]) == (before[0], True)
        assert session.scalars(select(WalletTemplateFile.path)).all() == ["fi.lproj/pass.strings"]
        templates.remove(session, "stamp-card")
        assert told == [LookChanged(brand_id=brand_id)] * 3


def test_removed_template_is_leimas_again(database: Database) -> None:
    brand_id = a_brand(database)
    with database.unit(brand_id) as session:
        templates.save(session, "coupon", _pictures("strip"))
        assert templates.remove(session, "coupon")
        assert not templates.remove(session, "coupon")
        assert (templates.digests(session), templates.own_files(session, "coupon")) == ({}, {})
        assert templates.load(session, "coupon").drawn == ("icon", "logo", "strip")


def test_uploaded_logo_stands_in_logo_and_icon_and_keeps_leimas_texts(session: Session, a_view: View) -> None:
    out = io.BytesIO()
    Image.new("RGB", (640, 200), "#00ff00").save(out, "JPEG", quality=100)

    templates.set_pictures(session, "stamp-card", {"logo": out.getvalue()})

    own = templates.load(session, "stamp-card")
    files = {entry.name: entry.data for entry in own.entries(a_view())}
    logo, icon = (Image.open(io.BytesIO(files[f"{name}@2x.png"])).convert("RGB") for name in ("logo", "icon"))
    assert set(templates.own_files(session, "stamp-card")) == {"logo.png", "logo@2x.png", "logo@3x.png"}
    assert (logo.size, icon.size, own.words, own.drawn) == ((320, 100), (58, 58), SHIPPED_CARD.words, ("icon", "strip"))
    assert logo.getpixel((9, 9)) == icon.getpixel((9, 9))
    assert icon.getcolors(1) is not None  # a logo without transparency fills the icon


def test_pictures_of_a_folder_are_written_anew(session: Session) -> None:
    noted = {path: data + b"something behind the end" for path, data in _pictures("logo").items()}

    templates.save(session, "stamp-card", noted)

    kept = templates.own_files(session, "stamp-card")
    assert set(kept) == set(noted)
    assert not any(b"behind" in data for data in kept.values())


def test_next_picture_replaces_its_own_and_leaves_the_others(session: Session) -> None:
    templates.save(session, "stamp-card", MINE | _pictures("strip-0") | _pictures("strip-5") | _pictures("logo"))

    templates.set_pictures(session, "stamp-card", {"strip": a_picture()})

    kept = templates.own_files(session, "stamp-card")
    assert {path for path in kept if path.startswith("strip")} == {"strip.png", "strip@2x.png", "strip@3x.png"}
    assert {"logo.png", "fi.lproj/pass.strings"} <= set(kept)
    with pytest.raises(PictureForm):
        templates.set_pictures(session, "stamp-card", {"strip": b"<svg/>"})
    assert templates.own_files(session, "stamp-card") == kept


@pytest.mark.parametrize(
    ("stamps", "color"),
    [(-3, "red"), (0, "red"), (4, "red"), (5, "lime"), (9, "lime"), (10, "blue"), (12, "blue")],
)
def test_strip_is_picked_by_the_highest_count_that_is_not_above(
    stamps: int, color: str, session: Session, a_view: View
) -> None:
    shown = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255)}
    strips = {**_pictures("strip-0", "red"), **_pictures("strip-5", "lime"), **_pictures("strip-10", "blue")}
    templates.save(session, "stamp-card", strips)

    assert _strip_color(templates.load(session, "stamp-card"), a_view(stamps=stamps, size=10)) == shown[color]


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({}, "stamp-card.pass: is empty"),
        ({"readme.md": b"x"}, "stamp-card.pass/readme.md: is no file of a template"),
        ({"strip-100.png": b"x"}, "stamp-card.pass/strip-100.png: is no file of a template"),
        ({"de.lproj/pass.strings": b""}, "stamp-card.pass/de.lproj/pass.strings: is no file of a template"),
        ({"../pass.json": b"{}"}, "stamp-card.pass/../pass.json: is no file of a template"),
        ({"pass.json": b" " * 64_001}, "stamp-card.pass/pass.json: is larger than 64,000 bytes"),
        ({"logo.png": bytes(512_001)}, "stamp-card.pass/logo.png: is larger than 512,000 bytes"),
        ({"logo.png": b"<svg/>"}, "stamp-card.pass/logo.png: Pictures must be of the kind PNG."),
        ({f"strip-{n}.png": b"" for n in range(61)}, "stamp-card.pass: has more than 60 files"),
        ({"pass.json": b"{}"}, "stamp-card.pass/pass.json:1: must have one of storeCard"),
        ({"pass.json": b'{\n"nfc": {}\n}'}, 'stamp-card.pass/pass.json:2: "nfc" is set by Leima'),
        ({"google.json": b'{"class": 1}'}, 'stamp-card.pass/google.json:1: has no "object"'),
        ({"logo.png": _pictures("logo")["logo.png"]}, "stamp-card.pass: the image logo@2x.png is missing"),
        (_pictures("strip-5"), "stamp-card.pass: the image strip-0.png is missing"),
        (_pictures("strip-0") | _pictures("strip"), "stamp-card.pass/strip.png: stands beside strip-0.png"),
        ({"template.toml": b'kind = "coupon"'}, "stamp-card.pass/template.toml:1: kind must be stamp_card"),
        ({"fi.lproj/pass.strings": b'"a" = "b";'}, 'stamp-card.pass/fi.lproj/pass.strings:1: has no word "card"'),
    ],
)
def test_each_fault_of_a_brands_template_is_named(files: dict[str, bytes], fault: str, session: Session) -> None:
    found = _faults(session, files)

    assert any(each.startswith(fault) for each in found), found
    assert templates.digests(session) == {}


def test_strip_by_count_is_refused_where_nothing_is_counted(session: Session) -> None:
    assert "only the strip of a stamp card" in _faults(session, _pictures("strip-0"), "coupon")[0]


def test_template_of_another_name_is_unknown(session: Session) -> None:
    for ask in (templates.load, templates.remove):
        with pytest.raises(TemplateUnknown):
            ask(session, "boarding-pass")
    with pytest.raises(TemplateUnknown):
        templates.save(session, "../coupon", MINE)
    assert templates.names() == ("stamp-card", "bonus-card", "coupon", "gift-card")


BRAND = '[brand]\nslug = "meri"\nname = "Meri"\n\n'
MODULES = (network, setup)


def applied(database: Database, folder: Path, text: str, *, dry_run: bool = False) -> list[Change]:
    """Apply a brand file; return its changes to templates."""
    file = folder / "brand.toml"
    file.write_text(BRAND + text)
    changes = apply_file(database, file, MODULES, dry_run=dry_run)
    return [change for change in changes if change.what.startswith("wallet")]


def refused(database: Database, folder: Path, text: str) -> list[tuple[int, str]]:
    with pytest.raises(FaultList) as caught:
        applied(database, folder, text)
    return [(fault.line, fault.message) for fault in caught.value.faults]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a brand's logo and one word of its own."""
    words = tmp_path / "passes" / "card" / "fi.lproj"
    words.mkdir(parents=True)
    (words / "pass.strings").write_bytes(MINE["fi.lproj/pass.strings"])
    (tmp_path / "passes" / "card" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "logo.webp").write_bytes(a_picture("WEBP", (640, 200)))
    return tmp_path


BOTH = '[wallet]\nlogo = "logo.webp"\ntemplates = { "stamp-card" = "passes/card" }\n'


def test_file_sets_the_brands_templates_and_twice_is_once(sqlite: Database, folder: Path) -> None:
    would = applied(sqlite, folder, BOTH, dry_run=True)
    did = applied(sqlite, folder, BOTH)

    assert [(change.sign, change.what) for change in did] == [
        ("~", f"wallet template {name}") for name in templates.names()
    ]
    assert (would, applied(sqlite, folder, BOTH), applied(sqlite, folder, "")) == (did, [], [])
    with sqlite.reading() as session:
        brand_id = session.scalars(select(Brand.id)).one()
    with sqlite.reading(brand_id) as session:
        card, coupon = templates.load(session, "stamp-card"), templates.load(session, "coupon")
    assert (card.words["fi"]["contact"], card.drawn, coupon.drawn) == (
        "Kysy meiltä", ("icon", "strip"), ("icon", "strip"),
    )  # fmt: skip


def test_logo_alone_keeps_what_the_brand_had(sqlite: Database, folder: Path) -> None:
    applied(sqlite, folder, '[wallet]\ntemplates = { "stamp-card" = "passes/card" }\n')

    changes = applied(sqlite, folder, '[wallet]\nlogo = "logo.webp"\n')

    assert len(changes) == 4
    with sqlite.reading() as session:
        brand_id = session.scalars(select(Brand.id)).one()
    with sqlite.reading(brand_id) as session:
        assert templates.load(session, "stamp-card").words["fi"]["contact"] == "Kysy meiltä"


def test_faults_of_a_template_come_with_its_own_file_and_line(sqlite: Database, folder: Path) -> None:
    (folder / "passes" / "card" / "pass.json").write_text('{\n"serialNumber": "1"}')

    found = refused(sqlite, folder, BOTH)

    assert (7, 'passes/card/pass.json:2: "serialNumber" is set by Leima') in found
    assert len(found) > 2
    with sqlite.reading() as session:
        assert session.scalar(select(func.count(Brand.id))) == 0


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[wallet]\nlogo = "../logo.webp"', "../logo.webp: must be a relative path inside the folder of this file"),
        ('[wallet]\nlogo = "/etc/passwd"', "/etc/passwd: must be a relative path inside the folder of this file"),
        ('[wallet]\nlogo = "missing.png"', "missing.png: is no file of at most 1,000,000 bytes"),
        ('[wallet]\nlogo = "brand.toml"', "brand.toml: Pictures must be of the kind PNG, JPEG, WEBP."),
        ('[wallet]\nlogo = "away.png"', "away.png: must be a relative path inside the folder of this file"),
        ("[wallet]\ntemplates = { coupon = 'nowhere' }", "nowhere: is no folder"),
        ("[wallet]\ntemplates = { coupon = 'linked' }", "linked/pass.json: points outside the folder"),
        ("[wallet]\ntemplates = { coupon = '.' }", "./away.png: points outside the folder"),
        ("[wallet]\ntemplates = { bus = 'x' }", "[key]: input should be 'stamp-card', 'bonus-card', 'coupon' or"),
        ("[wallet]\nbadge = 'x'", "unknown key 'badge'"),
    ],
)
def test_each_fault_of_the_section_is_told_with_its_line(text: str, fault: str, sqlite: Database, folder: Path) -> None:
    (folder / "away.png").symlink_to("/etc/hostname")
    (folder / "linked").mkdir()
    (folder / "linked" / "pass.json").symlink_to("/etc/hostname")

    found = refused(sqlite, folder, text)

    assert any(line == 6 and message.startswith(fault) for line, message in found), found
