"""Certificates and service accounts that are missing, broken, renewed: passes alone stop, each fault by name."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from app.core import clock
from app.core.crypto import new_token
from app.core.db import Database
from app.core.errors import Unavailable
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.fakes.wallet_chain import UNTIL, WalletChain, issue, private_pem, wallet_chain
from app.wallet import service as wallet
from app.wallet.tools import Tools
from tests.wallet.shop import Shop, a_shop, face, files_of


def available(shop: Shop) -> wallet.Available:
    with shop.runtime.database.reading(shop.brand_id) as session:
        return wallet.available(session, shop.runtime)


def is_self_made(shop: Shop) -> bool:
    with shop.runtime.database.reading(shop.brand_id) as session:
        return wallet.is_self_made(session, shop.runtime)


@pytest.mark.parametrize(
    ("gone", "code"),
    [
        ("apple_certificate", "wallet_certificate_missing"),
        ("apple_key", "wallet_certificate_missing"),
        ("apple_wwdr", "wallet_wwdr_missing"),
    ],
)
def test_missing_certificate_stops_passes_with_a_code_and_purchases_go_on(
    gone: str, code: str, database: Database, settings: Settings, chain: WalletChain
) -> None:
    shop = a_shop(database, settings, chain, **{gone: None})

    with pytest.raises(Unavailable) as refused:
        shop.apple()
    shop.buy("1")

    assert (refused.value.status, refused.value.code) == (503, code)
    assert shop.rows() == []
    assert available(shop) == wallet.Available(apple=False, google=True)
    assert not is_self_made(shop)


@pytest.mark.parametrize(
    ("how", "name", "code"),
    [
        ("truncated", "apple_certificate", "wallet_certificate_unreadable"),
        ("truncated", "apple_key", "wallet_key_unreadable"),
        ("truncated", "apple_wwdr", "wallet_certificate_unreadable"),
        ("removed", "apple_certificate", "wallet_certificate_unreadable"),
        ("removed", "apple_key", "wallet_key_unreadable"),
        ("removed", "apple_wwdr", "wallet_wwdr_missing"),
    ],
)
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
    assert available(small).apple
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
    assert available(small).apple

    with clock.moved(to=UNTIL + timedelta(seconds=1)):
        with pytest.raises(Unavailable) as refused:
            small.apple()
        offered = available(small)

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

    with shop.runtime.database.reading(shop.brand_id) as session, pytest.raises(Unavailable) as refused:
        Tools.of(shop.runtime).account(session)

    assert (refused.value.status, refused.value.code) == (503, code)
    assert shop.rows() == []
    assert available(shop) == wallet.Available(apple=True, google=False)
    assert shop.apple().body.startswith(b"PK")


def test_chain_of_the_demo_is_self_made_and_apples_own_is_not(small: Shop) -> None:
    assert is_self_made(small)
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

    assert not is_self_made(small)
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
    assert refused.value.code == "wallet_passphrase_wrong"
    assert secret not in repr(shop.runtime.shared)
