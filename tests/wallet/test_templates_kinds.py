"""Every kind of pass: its placeholders, what its Apple pass says, and that Google's own schema takes its payload."""

import io
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import qrcode
import zxingcpp
from PIL import Image

from app.wallet.apple import build_pass
from app.wallet.model import BonusView, CardView, CouponPassView, CouponView, GiftCardView, Links, PassView
from app.wallet.placeholders import KINDS
from app.wallet.signer import Signer
from app.wallet.templates import KIND_OF, SHIPPED, Template, load_templates
from app.wallet.values import fill
from tests.wallet.google_schema import validator

DOCS = Path(__file__).parents[2] / "docs" / "wallet-templates.md"
TEMPLATES = load_templates(SHIPPED)
LINKS = Links(
    card="https://meri.example/meri/",
    coupons="https://meri.example/meri/coupons",
    terms="https://meri.example/meri/terms",
    privacy="https://meri.example/meri/privacy",
    stop="https://meri.example/meri/profile",
    logo="https://meri.example/meri/logo.png",
)
WHO: dict[str, Any] = {
    "brand_name": "Meri Roastery",
    "member_name": "Päivi Ö.",
    "member_qr": "HTTPS://MERI.EXAMPLE/M/ABCDEFGH23456789",
    "spoken_code": "7K3Q X9P2",
    "language": "fi",
    "links": LINKS,
    "contact": "hei@meri.example",
    "message": "Suljettu perjantaina",
}
COFFEE = CouponView("Ilmainen kahvi", "ABCDEFGHJKLM7", "30.11.2026")
VIEWS: dict[str, PassView] = {
    "stamp-card": CardView(**WHO, program_name="Kahvikortti", unit="leimaa", stamps=7, size=10, coupons=(COFFEE,)),
    "bonus-card": BonusView(
        **WHO, program_name="Bonus", balance="12,50 €", rate="5 %", expiry="2,00 € 31.12.2026", coupons=(COFFEE,)
    ),
    "coupon": CouponPassView(
        **WHO, title="Ilmainen kahvi", code="ABCDEFGHJKLM7", until="30.11.2026", terms="Yksi kuppi.", where="kaikki"
    ),
    "gift-card": GiftCardView(
        **WHO, title="Lahja", code="GFTABCDEFGH23", balance="30,00 €", cents=3000, until="31.12.2027"
    ),
}
GOOGLE = {"stamp-card": "Loyalty", "bonus-card": "Loyalty", "coupon": "Offer", "gift-card": "GiftCard"}
OVER = {
    "redeemed": ("Käytetty", "COMPLETED"),
    "expired": ("Vanhentunut", "EXPIRED"),
    "revoked": ("Peruttu", "INACTIVE"),
}


def packed(name: str, signer: Signer, **changes: Any) -> dict[str, bytes]:
    """Return the files of a built pass; `changes` differ from the example."""
    data = build_pass(TEMPLATES[name], _changed(name, **changes), signer=signer, serial="01J8ZQ5W3YV7N6K4T2R0P9M8AB")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {path: archive.read(path) for path in archive.namelist()}


def _changed(name: str, **changes: Any) -> PassView:
    return replace(VIEWS[name], **changes)


def face(name: str, signer: Signer, **changes: Any) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return pass.json and its fields by key."""
    found: dict[str, Any] = json.loads(packed(name, signer, **changes)["pass.json"])
    style = found.get("storeCard") or found["coupon"]
    return found, {field["key"]: field for part in style.values() for field in part}


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("language", ["fi", "sv", "en"])
@pytest.mark.parametrize("bare", [False, True])
def test_google_takes_class_and_object_of_every_kind(name: str, language: str, bare: bool) -> None:
    template = TEMPLATES[name]
    view = _changed(name, language=language, **({"contact": "", "message": "", "news": ""} if bare else {}))
    values = template.values(view) | {"member.qr_pattern": "HTTPS://X.{totp_value_0}", "member.totp_key": "AB" * 20}

    for part, ids in (("class", {"id": "1.c"}), ("object", {"id": "1.o", "classId": "1.c"})):
        check = validator(f"{GOOGLE[name]}{part.title()}")
        payload = ids | fill(template.google[part], values)
        assert [error.message for error in check.iter_errors(payload)] == []
        assert list(check.iter_errors(payload | {"state": "LIVE", "reviewStatus": "READY"}))


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_pass_of_every_kind_has_texts_everywhere_and_all_images(name: str, language: str, signer: Signer) -> None:
    made = packed(name, signer, language=language)
    _found, fields = face(name, signer, language=language)

    assert {f"{image}{scale}.png" for image in ("icon", "logo", "strip") for scale in ("", "@2x", "@3x")} <= set(made)
    assert all(isinstance(field["value"], str) and field["value"] for field in fields.values())
    assert [key for key, field in fields.items() if field.get("changeMessage")] == ["message"]
    assert {"terms", "privacy", "contact", "card", "stop"} <= set(fields)
    assert "{{" not in made["pass.json"].decode()


@pytest.mark.parametrize(
    ("name", "message", "text"),
    [
        ("stamp-card", WHO["member_qr"], "7K3Q X9P2"),
        ("bonus-card", WHO["member_qr"], "7K3Q X9P2"),
        ("coupon", "ABCDEFGHJKLM7", "ABCD EFGH JKLM 7"),
        ("gift-card", "GFTABCDEFGH23", "GFTA BCDE FGH2 3"),
    ],
)
def test_barcode_is_what_the_till_reads(name: str, message: str, text: str, signer: Signer) -> None:
    [barcode] = face(name, signer)[0]["barcodes"]

    [read] = zxingcpp.read_barcodes(qrcode.make(barcode["message"]).convert("L"))
    assert (barcode["format"], read.text, barcode["altText"]) == ("PKBarcodeFormatQR", message, text)


@pytest.mark.parametrize("state", OVER)
def test_coupon_that_is_over_says_so_in_place_of_its_code(state: str, signer: Signer) -> None:
    before, usable = face("coupon", signer)
    after, fields = face("coupon", signer, state=state)
    google = fill(TEMPLATES["coupon"].google["object"], TEMPLATES["coupon"].values(_changed("coupon", state=state)))

    assert (usable["code"]["value"], "state" in usable, len(before["barcodes"])) == ("ABCD EFGH JKLM 7", False, 1)
    assert (fields["state"]["value"], "code" in fields, "barcodes" in after) == (OVER[state][0], False, False)
    assert (google["state"], "barcode" in google) == (OVER[state][1], False)
    assert "ABCDEFGHJKLM7" not in json.dumps(after)


def test_back_of_the_stamp_card_leads_to_the_passes_of_its_coupons(signer: Signer) -> None:
    _found, fields = face("stamp-card", signer)

    assert fields["coupon_passes"]["value"] == LINKS.coupons
    assert (fields["message"]["value"], fields["message"]["changeMessage"]) == ("Suljettu perjantaina", "%@")


@pytest.mark.parametrize("name", TEMPLATES)
def test_strip_of_a_kind_has_apples_size_and_its_own_picture(name: str, signer: Signer) -> None:
    strips = {other: packed(other, signer)["strip@3x.png"] for other in TEMPLATES}

    with Image.open(io.BytesIO(strips[name])) as strip:
        assert strip.size == (1125, 432)
    assert [other for other, data in strips.items() if data == strips[name]] == [name]


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_placeholder_has_a_value_and_no_value_is_unknown(name: str) -> None:
    template, kind = TEMPLATES[name], KINDS[KIND_OF[name]]
    values = template.values(VIEWS[name])

    assert {key for key in values if not key.startswith("word.")} == kind.names
    assert not kind.google_names & kind.names
    assert all(isinstance(value, str) for value in values.values())


@pytest.mark.parametrize("name", TEMPLATES)
def test_words_that_the_values_are_made_with_are_there(name: str) -> None:
    for language, words in TEMPLATES[name].words.items():
        assert all(words[word] for word in KINDS[KIND_OF[name]].words), language


def documented() -> dict[str, set[str]]:
    """Return kind → placeholders that docs/wallet-templates.md names for it."""
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) < 3:
            continue
        names = re.findall(r"`([a-z]+\.[a-z_]+)`", cells[0])
        if not line.startswith("| `") or not names:
            continue
        for kind in KINDS if cells[1] == "all" else cells[1].split(", "):
            found[kind] |= set(names)
    return found


def test_documented_placeholders_are_the_real_ones() -> None:
    assert documented() == {kind: set(about.names | about.google_names) for kind, about in KINDS.items()}


def test_placeholder_of_another_kind_is_unknown() -> None:
    assert "card.unit" not in KINDS["coupon"].names
    assert not any("gift" in name for kind in ("stamp_card", "bonus_card", "coupon") for name in KINDS[kind].names)
    assert isinstance(TEMPLATES["coupon"], Template)
