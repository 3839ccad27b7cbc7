"""A brand's own certificate and service account: imported or refused by name, sealed, walled, read at once."""

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from sqlalchemy import select
from structlog.testing import capture_logs

from app.core import clock
from app.core.crypto import Keyring
from app.core.db import Database
from app.core.errors import LeimaError
from app.core.jobs import Job
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.fakes.wallet_chain import UNTIL, WalletChain, private_pem
from app.wallet import credentials
from app.wallet import service as wallet
from app.wallet.models import WalletCredential
from app.wallet.signer import Signer
from app.wallet.tools import Tools
from tests.builders import a_brand
from tests.wallet.certs import PASS_TYPE, PASSPHRASE, TEAM, Certs, certs
from tests.wallet.certs import text as pem_of
from tests.wallet.phoneside import register
from tests.wallet.shop import Shop, a_shop, face

__all__ = ["certs"]


def keep(shop: Shop, **given: Any) -> WalletCredential:
    """Import a certificate for the shop's brand."""
    found: WalletCredential = shop.change(lambda session: credentials.import_apple(session, **given))
    return found


def refusal(shop: Shop, **given: Any) -> str:
    with pytest.raises(LeimaError) as refused:
        keep(shop, **given)
    return refused.value.code


def kept(shop: Shop) -> list[WalletCredential]:
    with shop.runtime.database.reading(shop.brand_id) as session:
        return list(session.scalars(select(WalletCredential).order_by(WalletCredential.kind)))


def signer(shop: Shop, brand_id: int | None = None) -> Signer:
    with shop.runtime.database.reading(brand_id or shop.brand_id) as session:
        return Tools.of(shop.runtime).signer(session)


def jobs_of(shop: Shop, name: str) -> list[dict[str, Any]]:
    with shop.runtime.database.reading() as session:
        return [json.loads(job.arguments) for job in session.scalars(select(Job).where(Job.name == name))]


@pytest.mark.parametrize("way", ["pem", "p12", "p12 with WWDR apart", "p12 without passphrase"])
def test_own_certificate_signs_the_next_pass_without_a_restart(way: str, shop: Shop, certs: Certs) -> None:
    given = {
        "pem": certs.pem(),
        "p12": {"p12": certs.p12(), "password": PASSPHRASE},
        "p12 with WWDR apart": {
            "p12": certs.p12(with_wwdr=False), "password": PASSPHRASE, "wwdr": certs.wwdr.public_bytes(Encoding.DER)
        },
        "p12 without passphrase": {"p12": certs.p12(passphrase=b""), "password": b""},
    }  # fmt: skip
    assert face(shop.apple())["passTypeIdentifier"] == shop.chain.pass_type_id

    row = keep(shop, **given[way])

    assert (row.names, row.expires_at) == ({"pass_type": PASS_TYPE, "team": TEAM}, UNTIL)
    assert (face(shop.apple())["passTypeIdentifier"], face(shop.apple())["teamIdentifier"]) == (PASS_TYPE, TEAM)
    assert jobs_of(shop, "wallet.credential_changed") == [{"brand_id": shop.brand_id, "kind": "apple"}]


def test_keychain_of_old_is_read_too(small: Shop, certs: Certs, tmp_path: Path) -> None:
    """Apple's keychain still locks with RC2 and triple DES."""
    for name, data in (("c", pem_of(certs.certificate())), ("k", private_pem(certs.mine)), ("w", pem_of(certs.wwdr))):
        (tmp_path / name).write_bytes(data)
    paths = ("-in", "c", "-inkey", "k", "-certfile", "w", "-out", "p12", "-passout", "pass:vanha")
    subprocess.run(["openssl", "pkcs12", "-export", "-legacy", *paths], cwd=tmp_path, check=True, capture_output=True)

    keep(small, p12=(tmp_path / "p12").read_bytes(), password=b"vanha")

    assert signer(small).pass_type_id == PASS_TYPE


def test_each_fault_is_refused_by_name_and_nothing_is_kept(shop: Shop, certs: Certs) -> None:
    faults = certs.faults()

    found = [(code, refusal(shop, **given)) for code, given in faults]

    assert [code for code, _given in faults] == [told for _code, told in found]
    assert kept(shop) == []
    assert jobs_of(shop, "wallet.credential_changed") == []


def test_fault_leaves_the_certificate_before_in_place(small: Shop, certs: Certs) -> None:
    keep(small, **certs.pem())

    assert refusal(small, **certs.pem() | {"wwdr": b""}) == "wallet_wwdr_missing"

    assert signer(small).pass_type_id == PASS_TYPE


def test_renewed_certificate_replaces_the_row_and_signs_at_once(shop: Shop, certs: Certs) -> None:
    keep(shop, **certs.pem())
    before = signer(shop)
    renewed = certs.certificate()

    keep(shop, **certs.pem() | {"certificate": pem_of(renewed)})

    assert len(kept(shop)) == 1
    assert before.certificate != signer(shop).certificate == renewed


def test_parsed_once_while_nothing_changes(small: Shop, certs: Certs) -> None:
    keep(small, **certs.pem())

    assert signer(small) is signer(small)


def test_certificate_that_ends_later_is_a_fault_of_its_own_and_is_gone_with_the_next(small: Shop, certs: Certs) -> None:
    until = clock.now() + timedelta(days=2)
    keep(small, **certs.pem(valid=(clock.now() - timedelta(days=9), until)))

    with clock.moved(to=until + timedelta(seconds=1)):
        with pytest.raises(LeimaError) as refused:
            small.apple()
        keep(small, **certs.pem())
        after = face(small.apple())

    assert (refused.value.status, refused.value.code) == (503, "wallet_certificate_expired")
    assert after["passTypeIdentifier"] == PASS_TYPE


def test_other_brands_never_sign_with_it(shop: Shop, certs: Certs) -> None:
    other = a_brand(shop.runtime.database, "kallio")

    keep(shop, **certs.pem())

    assert signer(shop).pass_type_id == PASS_TYPE
    assert signer(shop, other).pass_type_id == shop.chain.pass_type_id
    with shop.runtime.database.reading(other) as session:
        assert credentials.find(session, "apple") is None


def test_nothing_of_key_or_account_is_readable_in_the_database(small: Shop, certs: Certs, sqlite_url: str) -> None:
    account = json.loads(small.chain.service_account)

    keep(small, **certs.pem())
    small.change(
        lambda session: credentials.import_google(
            session, account_json=small.chain.service_account, issuer_id="3388000000022999999"
        )
    )

    stem = Path(sqlite_url.removeprefix("sqlite:///"))
    stored = b"".join(path.read_bytes() for path in stem.parent.glob(f"{stem.name}*"))  # the write-ahead log too
    assert stored.count(PASS_TYPE.encode()) > 0
    for secret in (
        b"PRIVATE KEY",
        b"BEGIN CERTIFICATE",
        private_pem(certs.mine)[40:90],
        account["private_key"][40:90],
    ):
        assert (secret if isinstance(secret, bytes) else secret.encode()) not in stored


def test_phones_with_another_pass_type_hold_the_import_back_unless_forced(shop: Shop, certs: Certs) -> None:
    register(shop, shop.apple())

    held_back = refusal(shop, **certs.pem())
    same_type = keep(shop, **certs.pem(pass_type=shop.chain.pass_type_id))
    forced = keep(shop, **certs.pem(), force=True)

    assert held_back == "wallet_pass_type_in_use"
    assert same_type.id == forced.id
    assert signer(shop).pass_type_id == PASS_TYPE


def test_pass_that_no_phone_holds_holds_nothing_back(small: Shop, certs: Certs) -> None:
    small.apple()

    assert keep(small, **certs.pem()).names["pass_type"] == PASS_TYPE


def test_own_service_account_speaks_for_its_brand_alone(shop: Shop) -> None:
    other, issuer = a_brand(shop.runtime.database, "kallio"), "3388000000022999999"

    shop.change(
        lambda session: credentials.import_google(session, account_json=shop.chain.service_account, issuer_id=issuer)
    )

    issuers = []
    for brand_id in (shop.brand_id, other):
        with shop.runtime.database.reading(brand_id) as session:
            issuers.append(Tools.of(shop.runtime).account(session).issuer_id)
    assert issuers == [issuer, shop.chain.issuer_id]
    assert jobs_of(shop, "wallet.credential_changed") == [{"brand_id": shop.brand_id, "kind": "google"}]


@pytest.mark.parametrize(
    ("account", "issuer", "code"),
    [
        (b"{}", "3388", "wallet_google_account_unusable"),
        (b"no JSON", "3388", "wallet_google_account_unusable"),
        (b"\xff\xfe", "3388", "wallet_google_account_unusable"),
        (None, "BCR2DN4", "wallet_google_issuer_invalid"),
        (None, "", "wallet_google_issuer_invalid"),
        (None, "٣٣٨٨", "wallet_google_issuer_invalid"),
    ],
)
def test_bad_account_or_issuer_is_refused_by_name(account: bytes | None, issuer: str, code: str, small: Shop) -> None:
    given = {"account_json": small.chain.service_account if account is None else account, "issuer_id": issuer}

    with pytest.raises(LeimaError) as refused:
        small.change(lambda session: credentials.import_google(session, **given))

    assert refused.value.code == code
    assert kept(small) == []


def test_credential_whose_encryption_key_is_gone_is_a_fault_by_name(
    sqlite: Database, sqlite_url: str, settings: Settings, chain: WalletChain, certs: Certs
) -> None:
    shop = a_shop(sqlite, settings, chain)
    keep(shop, **certs.pem())
    other = Keyring({"new": b"n" * 32}, b"a look-up secret for the tests only")

    blind = Database(sqlite_url, other)
    try:
        with blind.reading(shop.brand_id) as session, pytest.raises(LeimaError) as refused:
            Tools.of(Runtime(shop.runtime.settings, blind)).signer(session)
    finally:
        blind.close()

    assert refused.value.code == "wallet_credential_sealed"


def test_no_key_passphrase_or_account_is_in_a_log_or_a_text(small: Shop, certs: Certs) -> None:
    with capture_logs() as logs:
        row = keep(small, p12=certs.p12(), password=PASSPHRASE)
        told = [refusal(small, **given) for _code, given in certs.faults()]
        small.apple()

    with small.runtime.database.reading(small.brand_id) as session:
        tools = Tools.of(small.runtime)
        texts = repr((row, told, logs, tools, tools.signer(session), tools.identity(tools.signer(session))))
    assert PASSPHRASE.decode() not in texts
    assert "PRIVATE" not in texts
    key = load_pem_private_key(private_pem(certs.mine), None)
    assert key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()[40:90] not in texts


def test_identity_for_apple_is_the_same_object_and_has_the_chain(small: Shop, certs: Certs) -> None:
    keep(small, **certs.pem())
    with small.runtime.database.reading(small.brand_id) as session:
        tools = Tools.of(small.runtime)
        first, again = (tools.identity(tools.signer(session)) for _ in range(2))

    assert first is again
    assert first.certificate.count(b"BEGIN CERTIFICATE") == 2
    assert load_pem_private_key(first.key, None).private_numbers() == certs.mine.private_numbers()  # type: ignore[union-attr]


def test_missing_service_is_offered_again_after_an_import(
    sqlite: Database, settings: Settings, certs: Certs, chain: WalletChain
) -> None:
    shop = a_shop(sqlite, settings, chain, apple_certificate=None, apple_key=None, apple_wwdr=None)

    def offered() -> bool:
        with sqlite.reading(shop.brand_id) as session:
            return wallet.available(session, shop.runtime).apple

    before = offered()
    keep(shop, **certs.pem())

    assert (before, offered()) == (False, True)
