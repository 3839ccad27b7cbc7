"""A member's card in both wallets, from the rows of the service to the bytes that a phone takes."""

import json
import subprocess
from pathlib import Path
from typing import Any

import jwt
import pytest
import qrcode
import zxingcpp
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.cards.models import Program
from app.core import clock
from app.core.crypto import hash_token
from app.core.db import keyring
from app.fakes.wallet_chain import ISSUER_ID, WalletChain
from app.ledger.models import Account
from app.members import lookup
from app.members.models import Member
from app.network.models import Brand, Outlet
from app.rewards import service as rewards
from app.wallet import service as wallet
from app.wallet.google import MAX_LINK, SAVE_URL
from app.wallet.models import WalletPass
from app.wallet.rows import PURPOSE
from tests.builders import a_brand, a_member, an_outlet
from tests.members.races import at_once
from tests.wallet.shop import SIZE, START, Shop, a_program, face, fields_of, files_of


def claims_of(link: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(link.removeprefix(SAVE_URL), options={"verify_signature": False})
    return claims


def card_of(link: str) -> dict[str, Any]:
    found: dict[str, Any] = claims_of(link)["payload"]["loyaltyObjects"][0]
    return found


def class_of(link: str) -> dict[str, Any]:
    found: dict[str, Any] = claims_of(link)["payload"]["loyaltyClasses"][0]
    return found


def public_key(chain: WalletChain) -> rsa.RSAPublicKey:
    """Return what the service account's signatures are checked with."""
    key = load_pem_private_key(json.loads(chain.service_account)["private_key"].encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.public_key()


def test_pass_verifies_and_its_barcode_names_the_member(shop: Shop, tmp_path: Path) -> None:
    made = shop.apple()
    files = files_of(made)
    for name, data in (
        ("signature", files["signature"]),
        ("manifest", files["manifest.json"]),
        ("root", shop.chain.root),
    ):
        (tmp_path / name).write_bytes(data)
    paths = ("-in", "signature", "-content", "manifest", "-CAfile", "root")
    command = ("openssl", "smime", "-verify", "-binary", "-inform", "DER", *paths, "-purpose", "any")
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    code = qrcode.QRCode(box_size=4)
    code.add_data(face(made)["barcodes"][0]["message"])
    scanned = [found.text for found in zxingcpp.read_barcodes(code.make_image().get_image().convert("L"))]

    assert (checked.returncode, checked.stdout) == (0, files["manifest.json"]), checked.stderr
    assert scanned[0].startswith("HTTPS://LOCALHOST:8000/M/")
    with shop.runtime.database.reading(shop.brand_id) as session:
        found = lookup.find_by_code(session, scanned[0])
        assert found is not None
        assert found.id == shop.member_id
    assert (made.media_type, made.filename) == ("application/vnd.apple.pkpass", "meri-coffee.pkpass")


def test_pass_shows_stamps_coupon_and_the_ways_to_the_brand(small: Shop) -> None:
    with clock.moved(to=START):
        small.buy("1", cents=400 * (SIZE + 2))

        shown = fields_of(small.apple())

    assert (shown["balance"], shown["until"]) == (f"2/{SIZE}", "1 May 2026")
    assert shown["news"] == f"Your card: 2 of {SIZE} stamps. Ready to use: Free coffee."
    with small.runtime.database.reading(small.brand_id) as session:
        (coupon,) = rewards.of_member(session, small.member_id)
    assert shown["coupon"].replace(" ", "") == coupon.code
    home = "http://localhost:8000/meri"
    links = {key: shown[key].removeprefix(home) for key in ("card", "terms", "privacy", "stop")}
    assert links == {"card": "/", "terms": "/terms", "privacy": "/privacy", "stop": "/profile"}
    assert (shown["member"], shown["contact"]) == ("Aino K.", "Meri\nhei@meri.example")


def test_second_download_has_the_same_serial_and_token_and_the_stamps_of_now(shop: Shop) -> None:
    first = shop.apple()
    (kept,) = shop.rows()
    shop.buy("1", cents=800)

    second = shop.apple()

    (row,) = shop.rows()
    assert face(first)["serialNumber"] == face(second)["serialNumber"] == row.serial
    assert (row.token, row.token_hash, row.last_modified) == (kept.token, kept.token_hash, second.last_modified)
    assert second.last_modified > first.last_modified
    assert [fields_of(made)["balance"] for made in (first, second)] == [f"0/{SIZE}", f"2/{SIZE}"]


def test_token_is_sealed_long_and_found_by_its_hash(small: Shop) -> None:
    small.apple()

    (row,) = small.rows()
    assert row.token is not None
    token = small.runtime.database.keys.text(row.token)
    assert len(token) == 32  # base64 of 192 bits
    assert token.encode() not in row.token
    assert row.token_hash == small.runtime.database.keys.lookup(PURPOSE, token)
    assert row.token_hash != hash_token(token)


def test_another_members_pass_and_another_programs_pass_are_others(shop: Shop) -> None:
    other = shop.change(lambda session: a_member(session).id)
    shop.change(lambda session: a_program(session, "bakery", "bun"))

    made = [shop.apple(), shop.apple(other), shop.apple(program_slug="bakery")]
    shop.google()

    rows = shop.rows()
    assert [row.serial for row in rows[:3]] == [face(each)["serialNumber"] for each in made]
    assert len({row.serial for row in rows}) == 4
    assert len({row.token_hash for row in rows[:3]}) == 3
    assert face(made[0])["barcodes"] == face(made[2])["barcodes"] != face(made[1])["barcodes"]
    assert [fields_of(each)["program"] for each in made] == ["The coffee card", "The coffee card", "The bakery card"]
    assert (rows[3].kind, rows[3].token, rows[3].token_hash) == ("google", None, None)


def test_eight_downloads_at_once_make_one_row(shop: Shop) -> None:
    results = at_once(8, lambda _number: face(shop.apple())["serialNumber"])

    (row,) = shop.rows()
    assert results == [row.serial] * 8


def test_two_units_that_both_found_no_pass_end_with_one(shop: Shop) -> None:
    """The narrow window between looking and writing: on PostgreSQL both look before either writes."""
    program_id = shop.change(lambda session: session.scalars(select(Program.id)).one())

    def make(_number: int) -> str:
        with shop.runtime.database.unit(shop.brand_id) as session:
            return wallet.ensure_pass(session, member_id=shop.member_id, program_id=program_id, kind="apple").serial

    for _round in range(5):
        results = at_once(6, make)

        assert results == [shop.rows()[0].serial] * 6
        shop.change(lambda session: session.delete(session.scalars(select(WalletPass)).one()))


def test_another_brand_does_not_see_the_pass(small: Shop) -> None:
    small.apple()
    (row,) = small.rows()
    other = a_brand(small.runtime.database, "other")

    with small.runtime.database.reading(other) as session:
        assert wallet.find_pass(session, member_id=small.member_id, program_id=row.program_id, kind="apple") is None


def test_unknown_program_is_refused(small: Shop) -> None:
    with pytest.raises(wallet.CardUnknown):
        small.apple(program_slug="nothing")

    assert small.rows() == []


def test_pass_speaks_the_members_language(small: Shop) -> None:
    other = small.change(lambda session: a_member(session, language="sv").id)
    small.buy("1", cents=400 * SIZE)

    swedish = small.apple(other)

    assert fields_of(swedish)["program"] == "Kaffekortet"
    assert face(swedish)["storeCard"]["headerFields"][0]["label"] == "stämplar"


def test_debt_after_a_refund_is_written_as_it_is(small: Shop) -> None:
    small.buy("1")
    small.change(lambda session: session.execute(update(Account).values(balance=-2)))

    shown = fields_of(small.apple())
    assert (shown["balance"], shown["news"]) == (f"−2/{SIZE}", f"Your card: −2 of {SIZE} stamps.")


def test_brand_with_a_light_color_gets_dark_text(small: Shop) -> None:
    def lighten(session: Session) -> None:
        brand = session.get_one(Brand, small.brand_id)
        brand.brand_color, brand.brand_deep, brand.ink, brand.on_ink = "#ffe9c2", "#ffd890", "#7a1f1f", "#ffffff"

    small.change(lighten)

    found = face(small.apple())
    assert (found["backgroundColor"], found["foregroundColor"]) == ("rgb(255, 233, 194)", "rgb(16, 21, 31)")


def test_pass_knows_ten_outlets_the_members_own_first_then_the_nearest_and_no_web_shop(small: Shop) -> None:
    def open_shops(session: Session) -> None:
        for number in range(12):
            an_outlet(session, name=f"Shop {number:02}", latitude=60.0 + number / 100, longitude=24.9)
        an_outlet(session, name="A web shop", kind="web", latitude=1.0, longitude=1.0)
        own = session.scalars(select(Outlet).where(Outlet.name == "Shop 11")).one()
        session.get_one(Member, small.member_id).outlet_id = own.id

    small.change(open_shops)

    found = face(small.apple())["locations"]
    assert [place["relevantText"].split(":")[0] for place in found] == [
        f"Shop {number:02}" for number in range(11, 1, -1)
    ]  # fmt: skip
    assert found[0]["latitude"] == pytest.approx(60.11)


def test_save_link_names_the_members_object_with_a_rotating_code(shop: Shop) -> None:
    shop.buy("1", cents=1200)

    link = shop.google()

    claims = jwt.decode(
        link.removeprefix(SAVE_URL),
        public_key(shop.chain),
        algorithms=["RS256"],
        audience="google",
        options={"verify_iat": False},
    )
    (row,) = shop.rows()
    card = claims["payload"]["loyaltyObjects"][0]
    with shop.runtime.database.reading(shop.brand_id) as session:
        member = session.get_one(Member, shop.member_id)
        secret = keyring(session).decrypt(member.totp_secret)
        code = lookup.codes_of(session, member.id).code
    assert (card["id"], claims["origins"]) == (f"{ISSUER_ID}.{row.serial}", ["http://localhost:8000"])
    assert card["rotatingBarcode"]["valuePattern"] == f"HTTPS://LOCALHOST:8000/M/{code}.{{totp_value_0}}"
    assert card["rotatingBarcode"]["totpDetails"]["parameters"] == [{"key": secret.hex().upper(), "valueLength": 6}]
    assert card["loyaltyPoints"]["balance"]["string"] == f"3/{SIZE}"
    assert len(link) <= MAX_LINK


def test_second_save_link_has_the_same_object_and_members_share_a_class(shop: Shop) -> None:
    other = shop.change(lambda session: a_member(session).id)
    first, again, others = card_of(shop.google()), card_of(shop.google()), card_of(shop.google(other))

    assert first["id"] == again["id"] != others["id"]
    assert first["classId"] == others["classId"]
    assert first["classId"].startswith(f"{ISSUER_ID}.meri.")


def test_save_link_has_the_coupon_of_a_filled_card(small: Shop) -> None:
    small.buy("1", cents=400 * SIZE)

    link = small.google()

    (module,) = card_of(link)["textModulesData"]
    with small.runtime.database.reading(small.brand_id) as session:
        (coupon,) = rewards.of_member(session, small.member_id)
    assert (module["header"], module["body"].split("\n")[0].replace(" ", "")) == ("Free coffee", coupon.code)
    assert len(link) <= MAX_LINK


def test_changed_look_is_the_same_class_in_other_colors(small: Shop) -> None:
    before = class_of(small.google())

    def repaint(session: Session) -> None:
        session.get_one(Brand, small.brand_id).brand_color = "#102040"

    small.change(repaint)

    after = class_of(small.google())
    assert (after["id"], after["hexBackgroundColor"]) == (before["id"], "#102040")
    assert before["hexBackgroundColor"] != "#102040"


def test_phone_offers_the_pass_near_an_outlet_only(small: Shop) -> None:
    place = {"latitude": 60.1699, "longitude": 24.9384}
    small.change(lambda session: session.execute(update(Outlet).values(place)))

    shown = face(small.apple())

    assert shown["locations"][0].items() >= place.items()
    assert shown["maxDistance"] == 200
