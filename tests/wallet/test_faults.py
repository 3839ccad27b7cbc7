"""Certificates of six bad kinds and a push service that is down: passes wait, stamps do not, nothing is lost."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from sqlalchemy import select

from app.core.db import Database
from app.core.settings import Settings
from app.fakes.wallet_chain import WalletChain, issue, private_pem
from app.ledger import service as ledger
from app.wallet import service as wallet
from app.wallet.models import WalletChannel, WalletDevice
from tests.conftest import KEYS
from tests.databases import a_database
from tests.wallet.appleside import AppleShop, apple_shop
from tests.wallet.shop import SIZE

SOON = timedelta(seconds=2)
LONG = timedelta(minutes=5)


@dataclass(frozen=True)
class Bad:
    """What is put in place of the good files, and the code that it is named by."""

    code: str
    certificate: bytes | None = None
    key: bytes | None = None
    wwdr: bytes | None = None


def _issued(chain: WalletChain, valid: tuple[datetime, datetime]) -> bytes:
    """Return the pass certificate for another time, issued by itself."""
    mine = x509.load_pem_x509_certificate(chain.certificate)
    key = load_pem_private_key(chain.key, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    made = issue(mine.subject, key.public_key(), mine.subject, key, pass_type_id=chain.pass_type_id, valid=valid)
    return made.public_bytes(Encoding.PEM)


def bad(kind: str, chain: WalletChain) -> Bad:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key = load_pem_private_key(chain.key, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    # Self-issued, so that its dates alone are wrong: it is its own intermediate.
    years = ((2020, 2021), (2090, 2091))
    over, ahead = ((datetime(a, 1, 1, tzinfo=UTC), datetime(b, 1, 1, tzinfo=UTC)) for a, b in years)
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"another passphrase"))
    kinds: dict[str, Callable[[], Bad]] = {
        "expired": lambda: Bad("wallet_certificate_expired", _issued(chain, over), None, _issued(chain, over)),
        "not yet valid": lambda: Bad(
            "wallet_certificate_not_yet_valid", _issued(chain, ahead), None, _issued(chain, ahead)
        ),
        "wrong key": lambda: Bad("wallet_key_of_another_certificate", key=private_pem(other)),
        "truncated": lambda: Bad("wallet_certificate_unreadable", certificate=chain.certificate[:400]),
        "wrong passphrase": lambda: Bad("wallet_passphrase_wrong", key=sealed),
        "missing WWDR": lambda: Bad("wallet_wwdr_missing", wwdr=b""),
    }
    return kinds[kind]()


@pytest.fixture
def at(sqlite: Database, settings: Settings, chain: WalletChain, tmp_path: Path) -> Iterator[AppleShop]:
    with apple_shop(sqlite, settings, chain, tmp_path) as found:
        yield found


def put(at: AppleShop, found: Bad | None) -> None:
    """Replace the files of the settings as an operator would, or put the good ones back."""
    settings, chain = at.shop.runtime.settings, at.shop.chain
    good = {"certificate": chain.certificate, "key": chain.key, "wwdr": chain.wwdr}
    for name, data in good.items():
        path = getattr(settings, f"apple_{name}")
        broken = getattr(found, name) if found else None
        path.write_bytes(data if broken is None else broken)


KINDS = ["expired", "not yet valid", "wrong key", "truncated", "wrong passphrase", "missing WWDR"]


@pytest.mark.parametrize("kind", KINDS)
def test_bad_certificate_is_named_stops_passes_alone_and_each_pass_is_updated_once_after_the_repair(
    at: AppleShop, kind: str
) -> None:
    serial = at.take()
    found = bad(kind, at.shop.chain)
    put(at, found)

    at.shop.buy("1")
    at.shop.buy("2")
    assert at.work(SOON) == 0
    at.phone.wake()  # a phone asks by itself, in vain

    assert ("GET", 503) in at.statuses
    refused = at.client.get(
        f"/wallet/meri/v1/passes/{at.shop.chain.pass_type_id}/{serial}",
        headers={"Authorization": f"ApplePass {at.phone.passes[serial].file.token}"},
    )
    assert (refused.status_code, refused.json and refused.json["code"]) == (503, found.code)
    with at.shop.runtime.database.reading(at.shop.brand_id) as session:
        (channel,) = session.scalars(select(WalletChannel))
    assert channel.fault == found.code
    assert at.balance(serial) == f"0/{SIZE}"

    put(at, None)

    assert at.work(LONG) == 1
    assert at.balance(serial) == f"2/{SIZE}"
    assert at.work(2 * LONG) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_bad_certificate_is_not_offered_and_joining_and_stamps_go_on(at: AppleShop, kind: str) -> None:
    put(at, bad(kind, at.shop.chain))

    form = {"contact": "new.one@mail.example", "age": "1"}
    joined = at.client.post("/meri/join", data=form, headers={"Origin": at.shop.runtime.settings.base_url})
    at.shop.buy("1")

    assert joined.status_code == 303
    with at.shop.runtime.database.reading(at.shop.brand_id) as session:
        assert not wallet.available(session, at.shop.runtime).apple
        assert sum(ledger.balances(session, at.shop.member_id).values()) == 1


@pytest.fixture(params=["sqlite", "postgres"])
def both(request: pytest.FixtureRequest, settings: Settings, chain: WalletChain, tmp_path: Path) -> Iterator[AppleShop]:
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_test_url")
    database = a_database(url, KEYS)
    with apple_shop(database, settings, chain, tmp_path) as found:
        yield found
    database.close()


def test_apple_down_for_an_hour_loses_nothing_and_the_phone_hears_once(both: AppleShop) -> None:
    serial = both.take()
    both.apns.down()
    for minute in range(0, 60, 6):
        both.shop.buy(f"m{minute}")
        assert both.work(timedelta(minutes=minute) + SOON) == 0
    with both.shop.runtime.database.reading(both.shop.brand_id) as session:
        (channel,) = session.scalars(select(WalletChannel))
        (phone,) = session.scalars(select(WalletDevice))
        assert channel.fault == "apns_unreachable"
        assert phone.due > phone.woken
    both.apns.up()

    woken = [both.work(timedelta(minutes=minute)) for minute in (62, 64, 66, 80)]

    assert woken == [1, 0, 0, 0]
    assert both.balance(serial) == "0/5"
    assert both.phone.fields(serial)["news"].startswith("Your card: 0 of 5 stamps. Ready to use: Free coffee, Free")


def test_one_connection_carries_every_wake_up(both: AppleShop) -> None:
    both.take()
    before = both.apns.connections
    for number in range(5):
        both.shop.buy(str(number))
        both.work(SOON * (number + 1))

    assert both.apns.connections == before


def test_new_token_while_apple_is_down_is_the_one_that_is_woken(both: AppleShop) -> None:
    serial = both.take()
    both.apns.down()
    both.shop.buy("1")
    both.work(SOON)
    old = both.phone.push_token
    both.phone.renew_token()
    both.apns.forget(old)
    both.apns.up()

    assert both.work(LONG) == 1
    assert both.balance(serial) == "1/5"


def test_phone_that_removed_the_card_without_a_word_is_forgotten_at_apples_410(both: AppleShop) -> None:
    both.take()
    both.apns.forget(both.phone.push_token)
    both.shop.buy("1")

    both.work(SOON)

    with both.shop.runtime.database.reading(both.shop.brand_id) as session:
        assert session.scalars(select(WalletDevice)).all() == []
