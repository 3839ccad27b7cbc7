"""A member's card in both wallets, from the rows of the service to the bytes that a phone takes."""

import dataclasses
import io
import json
import subprocess
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import qrcode
import zxingcpp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.cards import service as cards
from app.cards.models import Program, ProgramVersion
from app.core import clock
from app.core.crypto import hash_token, new_token
from app.core.db import Database, keyring
from app.core.errors import Unavailable
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.fakes.wallet_chain import ISSUER_ID, UNTIL, WalletChain, issue, private_pem, wallet_chain
from app.ledger.models import Account
from app.ledger.service import Basket
from app.members import lookup
from app.members.models import Member
from app.network.models import Brand, Outlet, Till
from app.rewards import service as rewards
from app.rewards.models import Reward
from app.wallet import service as wallet
from app.wallet.google import MAX_LINK, SAVE_URL
from app.wallet.models import WalletPass
from app.wallet.service import PassFile
from tests.builders import a_brand, a_member, an_outlet
from tests.members.races import at_once

FOREVER = clock.datetime(2000, 1, 1, tzinfo=clock.UTC)
START = clock.datetime(2026, 3, 2, 9, 0, tzinfo=clock.UTC)
SIZE = 5


@dataclasses.dataclass
class Shop:
    """A brand with one stamp card and one member, and the process that serves it."""

    runtime: Runtime
    brand_id: int
    member_id: int
    chain: WalletChain

    def apple(self, member_id: int | None = None, **options: Any) -> PassFile:
        """Download the pass as a GET does: with a session that only reads."""
        with self.runtime.database.reading(self.brand_id) as session:
            return wallet.apple_pass(session, self.runtime, self._member(session, member_id), **options)

    def google(self, member_id: int | None = None) -> str:
        with self.runtime.database.reading(self.brand_id) as session:
            return wallet.google_link(session, self.runtime, self._member(session, member_id))

    def buy(self, receipt: str, cents: int = 400) -> None:
        with self.runtime.database.unit(self.brand_id) as session:
            till = session.scalars(select(Till).order_by(Till.id).limit(1)).one()
            basket = Basket(cents, receipt, clock.now())
            cards.record_purchase(session, basket, member=self._member(session, None), till=till)

    def change(self, what: Callable[[Session], object]) -> Any:
        with self.runtime.database.unit(self.brand_id) as session:
            return what(session)

    def rows(self) -> list[WalletPass]:
        with self.runtime.database.reading(self.brand_id) as session:
            return list(session.scalars(select(WalletPass).order_by(WalletPass.id)))

    def _member(self, session: Session, member_id: int | None) -> Member:
        return session.get_one(Member, member_id or self.member_id)


def a_program(session: Session, slug: str = "coffee", icon: str = "cup") -> Program:
    """Build a stamp card: a stamp for each full 4 euros, five of them a free coffee."""
    reward = Reward(slug=f"free-{slug}", name={"en": "Free coffee", "sv": "Gratis kaffe"}, icon=icon)
    name, unit = {"en": f"The {slug} card", "sv": "Kaffekortet"}, {"en": ["stamp", "stamps"], "sv": ["st.", "stämplar"]}
    program = Program(slug=slug, name=name, unit=unit, position=len(slug))
    session.add_all((reward, program))
    session.flush()
    rule = {"per": "euros", "cents": 400, "award": 1}
    version = {"number": 1, "valid_from": FOREVER, "size": SIZE, "rule": rule}
    session.add(ProgramVersion(program_id=program.id, reward_id=reward.id, **version))
    session.flush()
    return program


def a_shop(database: Database, settings: Settings, chain: WalletChain, **fields: Any) -> Shop:
    """Build a brand with a card and a member, served with a certificate that is right unless `fields` say other."""
    brand_id = a_brand(database, contact="hei@meri.example")
    with database.unit(brand_id) as session:
        a_program(session)
        member_id = a_member(session, last_name="Korhonen").id
    files = {
        "apple_certificate": chain.certificate, "apple_key": chain.key, "apple_wwdr": chain.wwdr,
        "google_service_account": chain.service_account,
    }  # fmt: skip
    settings.data_dir.mkdir(exist_ok=True)
    paths: dict[str, Any] = {name: settings.data_dir / name for name in files}
    for name, data in files.items():
        paths[name].write_bytes(data)
    served = settings.model_copy(update={**paths, "google_issuer": ISSUER_ID, **fields})
    return Shop(Runtime(served, database), brand_id, member_id, chain)


@pytest.fixture
def shop(database: Database, settings: Settings, chain: WalletChain) -> Shop:
    return a_shop(database, settings, chain)


@pytest.fixture
def small(sqlite: Database, settings: Settings, chain: WalletChain) -> Shop:
    """The same where the kind of database makes no difference."""
    return a_shop(sqlite, settings, chain)


def files_of(made: PassFile) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(made.body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def face(made: PassFile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files_of(made)["pass.json"])
    return found


def fields_of(made: PassFile) -> dict[str, str]:
    return {field["key"]: field["value"] for part in face(made)["storeCard"].values() for field in part}


def claims_of(link: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(link.removeprefix(SAVE_URL), options={"verify_signature": False})
    return claims


def card_of(link: str) -> dict[str, Any]:
    found: dict[str, Any] = claims_of(link)["payload"]["loyaltyObjects"][0]
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
    command = (
        "openssl smime -verify -binary -inform DER -in signature -content manifest -CAfile root -purpose any".split()
    )
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
    assert (row.token, row.token_hash, row.last_modified) == (kept.token, kept.token_hash, first.last_modified)
    assert [fields_of(made)["balance"] for made in (first, second)] == [f"0/{SIZE}", f"2/{SIZE}"]


def test_token_is_sealed_long_and_found_by_its_hash(small: Shop) -> None:
    small.apple()

    (row,) = small.rows()
    assert row.token is not None
    token = small.runtime.database.keys.text(row.token)
    assert len(token) == 32  # base64 of 192 bits
    assert token.encode() not in row.token
    assert row.token_hash == small.runtime.database.keys.lookup(wallet.PURPOSE, token)
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


def test_pass_can_be_made_within_a_unit_that_writes(shop: Shop) -> None:
    made = shop.change(
        lambda session: wallet.apple_pass(session, shop.runtime, session.get_one(Member, shop.member_id))
    )

    assert face(made)["serialNumber"] == shop.rows()[0].serial


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

    assert fields_of(small.apple())["balance"] == f"-2/{SIZE}"


def test_brand_with_a_light_color_gets_dark_text(small: Shop) -> None:
    def lighten(session: Session) -> None:
        brand = session.get_one(Brand, small.brand_id)
        brand.brand_color, brand.brand_deep, brand.ink, brand.on_ink = "#ffe9c2", "#ffd890", "#7a1f1f", "#ffffff"

    small.change(lighten)

    found = face(small.apple())
    assert (found["backgroundColor"], found["foregroundColor"]) == ("rgb(255, 233, 194)", "rgb(16, 21, 31)")


def test_pass_knows_ten_outlets_the_members_own_first_and_no_web_shop(small: Shop) -> None:
    def open_shops(session: Session) -> None:
        for number in range(12):
            an_outlet(session, name=f"Shop {number:02}", latitude=60.0 + number / 100, longitude=24.9)
        an_outlet(session, name="A web shop", kind="web", latitude=1.0, longitude=1.0)
        own = session.scalars(select(Outlet).where(Outlet.name == "Shop 11")).one()
        session.get_one(Member, small.member_id).outlet_id = own.id

    small.change(open_shops)

    found = face(small.apple())["locations"]
    assert [place["relevantText"].split(":")[0] for place in found] == [
        "Shop 11", *(f"Shop {number:02}" for number in range(9))
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
    assert first["classId"].startswith(f"{ISSUER_ID}.meri.coffee.")


def test_changed_look_is_a_class_of_its_own(small: Shop) -> None:
    before = card_of(small.google())["classId"]

    def repaint(session: Session) -> None:
        session.get_one(Brand, small.brand_id).brand_color = "#102040"

    small.change(repaint)

    assert card_of(small.google())["classId"] != before


@pytest.mark.parametrize("gone", ["apple_certificate", "apple_key", "apple_wwdr"])
def test_missing_certificate_stops_passes_with_a_code_and_purchases_go_on(
    gone: str, database: Database, settings: Settings, chain: WalletChain
) -> None:
    shop = a_shop(database, settings, chain, **{gone: None})

    with pytest.raises(Unavailable) as refused:
        shop.apple()
    shop.buy("1")

    assert (refused.value.status, refused.value.code) == (503, "wallet_certificate_missing")
    assert shop.rows() == []
    assert wallet.available(shop.runtime) == wallet.Available(apple=False, google=True)
    assert not wallet.is_self_made(shop.runtime)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("apple_certificate", "wallet_certificate_unreadable"),
        ("apple_key", "wallet_key_unreadable"),
        ("apple_wwdr", "wallet_certificate_unreadable"),
    ],
)
@pytest.mark.parametrize("how", ["truncated", "removed"])
def test_broken_file_is_named_and_its_repair_needs_no_restart(name: str, code: str, how: str, small: Shop) -> None:
    path: Path = getattr(small.runtime.settings, name)
    right = path.read_bytes()
    small.apple()
    if how == "removed":
        path.unlink()
    else:
        path.write_bytes(right[:300])

    with pytest.raises(Unavailable) as refused:
        small.apple()
    path.write_bytes(right)

    assert refused.value.code == code
    assert wallet.available(small.runtime).apple
    assert face(small.apple())["serialNumber"] == small.rows()[0].serial


def test_renewed_certificate_signs_the_next_pass(small: Shop, tmp_path: Path) -> None:
    before = files_of(small.apple())["signature"]
    renewed = wallet_chain(tmp_path / "renewed")
    settings = small.runtime.settings
    for path, data in (
        (settings.apple_certificate, renewed.certificate),
        (settings.apple_key, renewed.key),
        (settings.apple_wwdr, renewed.wwdr),
    ):
        assert path is not None
        path.write_bytes(data)

    after = files_of(small.apple())["signature"]

    old, new = (_serial_number(chain) for chain in (small.chain, renewed))
    assert (old in before, new in before, old in after, new in after) == (True, False, False, True)


def _serial_number(chain: WalletChain) -> bytes:
    """Return the certificate's number as a signature names its signer."""
    number = x509.load_pem_x509_certificate(chain.certificate).serial_number
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def test_certificate_that_expires_takes_the_button_away(small: Shop) -> None:
    assert wallet.available(small.runtime).apple

    with clock.moved(to=UNTIL + timedelta(seconds=1)):
        with pytest.raises(Unavailable) as refused:
            small.apple()
        offered = wallet.available(small.runtime)

    assert refused.value.code == "wallet_certificate_expired"
    assert not offered.apple


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"google_issuer": ""}, "wallet_google_account_missing"),
        ({"google_service_account": None}, "wallet_google_account_missing"),
        ({"google_service_account": Path("nothing.json")}, "wallet_google_account_unusable"),
    ],
)
def test_missing_service_account_stops_google_alone(
    fields: dict[str, Any], code: str, sqlite: Database, settings: Settings, chain: WalletChain
) -> None:
    shop = a_shop(sqlite, settings, chain, **fields)

    with pytest.raises(Unavailable) as refused:
        shop.google()

    assert (refused.value.status, refused.value.code) == (503, code)
    assert shop.rows() == []
    assert wallet.available(shop.runtime) == wallet.Available(apple=True, google=False)
    assert shop.apple().body.startswith(b"PK")


def test_chain_of_the_demo_is_self_made_and_apples_own_is_not(small: Shop) -> None:
    assert wallet.is_self_made(small.runtime)
    settings = small.runtime.settings
    authority, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    apple = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Apple Inc.")])
    subject = x509.load_pem_x509_certificate(small.chain.certificate).subject
    signed = issue(subject, key.public_key(), apple, authority, pass_type_id=small.chain.pass_type_id)
    wwdr = issue(apple, authority.public_key(), apple, authority, authority=True)
    texts = (signed.public_bytes(Encoding.PEM), private_pem(key), wwdr.public_bytes(Encoding.PEM))
    for path, data in zip((settings.apple_certificate, settings.apple_key, settings.apple_wwdr), texts, strict=True):
        assert path is not None
        path.write_bytes(data)

    assert not wallet.is_self_made(small.runtime)
    assert small.apple().body.startswith(b"PK")


def test_key_with_a_passphrase_opens_with_the_right_one_only(
    sqlite: Database, settings: Settings, chain: WalletChain
) -> None:
    secret = new_token()
    shop = a_shop(sqlite, settings, chain, apple_key_password=secret)
    path = shop.runtime.settings.apple_key
    assert path is not None
    key = load_pem_private_key(chain.key, None)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(secret.encode())))

    assert shop.apple().body.startswith(b"PK")
    wrong = dataclasses.replace(
        shop, runtime=Runtime(shop.runtime.settings.model_copy(update={"apple_key_password": "wrong"}), sqlite)
    )
    with pytest.raises(Unavailable) as refused:
        wrong.apple()
    assert refused.value.code == "wallet_key_unreadable"
    assert secret not in repr(shop.runtime.shared)
