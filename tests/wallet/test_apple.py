"""A pass as a phone takes it: signature, manifest, pass.json, barcode."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import qrcode
import zxingcpp
from PIL import Image

from app.core import clock
from app.fakes.wallet_chain import UNTIL
from app.wallet import signer as signers
from app.wallet.apple import Place, build_pass
from app.wallet.model import CardView, CouponView
from app.wallet.signer import Signer
from app.wallet.templates import Template
from tests.wallet.readers import unpack

View = Callable[..., CardView]


@pytest.fixture(scope="module")
def packed(template: Template, signer: Signer, a_view: View) -> bytes:
    return build_pass(template, a_view(), signer=signer, serial="01J8ZQ5W3YV7N6K4T2R0P9M8AB")


def _face(packed: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(unpack(packed)["pass.json"])
    return found


def _fields(face: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {field["key"]: field for part in face["storeCard"].values() for field in part}


def test_manifest_names_every_file_with_its_hash(packed: bytes) -> None:
    files = unpack(packed)
    manifest = json.loads(files["manifest.json"])
    rest = {name: data for name, data in files.items() if name not in ("manifest.json", "signature")}

    assert manifest == {name: hashlib.sha1(data).hexdigest() for name, data in rest.items()}  # noqa: S324
    assert {f"{image}{scale}.png" for image in ("icon", "logo", "strip") for scale in ("", "@2x", "@3x")} <= set(rest)


def test_files_are_stored_with_one_fixed_date(packed: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        found = {(info.compress_type, info.date_time) for info in archive.infolist()}

    assert found == {(zipfile.ZIP_STORED, (1980, 1, 1, 0, 0, 0))}


def test_pass_says_what_the_card_is(packed: bytes) -> None:
    face = _face(packed)
    fields = _fields(face)

    assert (face["formatVersion"], face["passTypeIdentifier"], face["teamIdentifier"]) == (
        1,
        "pass.fi.leima.demo",
        "LEIMADEMO1",
    )
    assert face["serialNumber"] == "01J8ZQ5W3YV7N6K4T2R0P9M8AB"
    assert (face["backgroundColor"], face["sharingProhibited"]) == ("rgb(24, 63, 140)", True)
    assert (fields["balance"]["value"], fields["balance"]["label"]) == ("7/10", "leimaa")
    assert fields["news"]["changeMessage"] == "%@"
    assert [key for key, field in fields.items() if "changeMessage" in field] == ["news"]
    assert {"terms", "privacy", "contact", "card", "stop"} <= set(fields)
    assert all(isinstance(field["value"], str) for field in fields.values())
    assert "barcode" not in face
    assert not {"webServiceURL", "authenticationToken", "groupingIdentifier", "nfc"} & set(face)


def test_coupon_of_a_filled_card_shows_its_code_and_until_when(packed: bytes) -> None:
    fields = _fields(_face(packed))

    assert (fields["coupon"]["label"], fields["coupon"]["value"]) == ("Ilmainen kahvi", "ABCD EFGH JKLM 7")
    assert fields["until"]["value"] == "30.11.2026"
    assert fields["coupons"]["value"] == "Ilmainen kahvi\nABCD EFGH JKLM 7\nVoimassa asti: 30.11.2026"


def test_card_without_coupon_shows_program_and_member_and_nothing_empty(
    template: Template, signer: Signer, a_view: View
) -> None:
    packed = build_pass(template, a_view(coupons=(), news="", contact=""), signer=signer, serial="1")

    fields = _fields(_face(packed))
    assert (fields["program"]["value"], fields["name"]["value"]) == ("Kahvikortti", "Päivi Ö.")
    assert not {"coupon", "until", "coupons", "news", "contact"} & set(fields)
    assert not [value for value in _leaves(_face(packed)) if value in ("", None)]


def test_coupon_that_never_ends_has_no_empty_until(template: Template, signer: Signer, a_view: View) -> None:
    view = a_view(coupons=(CouponView("Ilmainen pulla", "ABCDEFGHJKLM7", ""),))

    fields = _fields(_face(build_pass(template, view, signer=signer, serial="1")))

    assert "until" not in fields
    assert fields["coupons"]["value"] == "Ilmainen pulla\nABCD EFGH JKLM 7"


def test_web_service_expiry_places_and_void_are_written_when_given(
    template: Template, signer: Signer, a_view: View
) -> None:
    packed = build_pass(
        template,
        a_view(),
        signer=signer,
        serial="1",
        token="0123456789abcdef",
        web_service_url="https://meri.example/apple/",
        expires=datetime(2027, 1, 31, 22, 0, tzinfo=UTC),
        voided=True,
        places=[Place(60.1699, 24.9384, "Meri Kallio")] * 12,
        max_distance=150,
    )

    face = _face(packed)
    assert (face["webServiceURL"], face["authenticationToken"]) == ("https://meri.example/apple/", "0123456789abcdef")
    assert (face["expirationDate"], face["voided"], face["maxDistance"]) == ("2027-01-31T22:00:00+00:00", True, 150)
    assert face["locations"] == [{"latitude": 60.1699, "longitude": 24.9384, "relevantText": "Meri Kallio"}] * 10


def test_barcode_drawn_from_the_pass_is_read_as_the_members_code(packed: bytes) -> None:
    barcode = _face(packed)["barcodes"][0]
    assert (barcode["format"], barcode["messageEncoding"]) == ("PKBarcodeFormatQR", "iso-8859-1")
    assert barcode["altText"] == "7K3Q X9P2"

    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=4)
    code.add_data(barcode["message"])
    image = code.make_image().get_image().convert("L")

    assert [found.text for found in zxingcpp.read_barcodes(image)] == ["HTTPS://MERI.EXAMPLE/M/ABCDEFGH23456789"]


def test_strip_shows_as_many_stamps_as_the_card_has(template: Template, signer: Signer, a_view: View) -> None:
    ink = (0xF5, 0xD3, 0x37)
    counts = []
    for stamps in (-2, 0, 1, 5, 9, 10):
        strip = unpack(build_pass(template, a_view(stamps=stamps), signer=signer, serial="1"))["strip.png"]
        image = Image.open(io.BytesIO(strip)).convert("RGB")
        assert image.size == (375, 144)
        counts.append(sum(count for count, color in image.getcolors(65536) or () if color == ink))

    assert counts[0] == counts[1] < counts[2] < counts[3] < counts[4] < counts[5]


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_words_of_each_language_survive(language: str, packed: bytes) -> None:
    words = unpack(packed)[f"{language}.lproj/pass.strings"]

    assert words.startswith(b"\xff\xfe")
    expected = {"fi": '"coupons" = "Valmiina käyttöön";', "sv": '"card" = "Öppna kortet";', "en": '"news" = "Latest";'}
    assert expected[language] in words.decode("utf-16").splitlines()


def test_same_values_give_the_same_bytes_but_for_the_signature(
    template: Template, signer: Signer, a_view: View, packed: bytes
) -> None:
    again = unpack(build_pass(template, a_view(), signer=signer, serial="01J8ZQ5W3YV7N6K4T2R0P9M8AB"))

    assert {name: data for name, data in again.items() if name != "signature"} == {
        name: data for name, data in unpack(packed).items() if name != "signature"
    }


def test_place_without_words_says_nothing_empty(template: Template, signer: Signer, a_view: View) -> None:
    packed = build_pass(template, a_view(), signer=signer, serial="1", places=[Place(60.1, 24.9)], max_distance=None)

    face = _face(packed)
    assert (face["locations"], "maxDistance" in face) == ([{"latitude": 60.1, "longitude": 24.9}], False)


def test_braces_in_a_members_name_stay_as_they_are(template: Template, signer: Signer, a_view: View) -> None:
    view = a_view(member_name='{{member.qr}} "\\ \n', coupons=())

    assert _fields(_face(build_pass(template, view, signer=signer, serial="1")))["name"]["value"] == view.member_name


def test_certificate_that_ends_while_the_process_runs_stops_passes(
    template: Template, signer: Signer, a_view: View
) -> None:
    with clock.moved(to=UNTIL + timedelta(seconds=1)), pytest.raises(signers.CertificateExpired):
        build_pass(template, a_view(), signer=signer, serial="1")


def _leaves(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return [leaf for value in node.values() for leaf in _leaves(value)]
    if isinstance(node, list):
        return [leaf for value in node for leaf in _leaves(value)]
    return [node]
