"""A phone takes a good pass and no other: each fault is refused by its name."""

from datetime import timedelta
from typing import Any

import pytest

from app.core import clock
from app.fakes.pkcs7 import SignatureRefused, verify
from app.fakes.pkpass import PkpassRefused, open_pass
from app.fakes.wallet_chain import PASS_TYPE_ID, UNTIL, WalletChain, wallet_chain
from tests.fakes.phoneside import TOKEN, a_pass, sha1, signature_of


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> WalletChain:
    return wallet_chain(tmp_path_factory.mktemp("pkpass") / "chain")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> WalletChain:
    """Another authority's chain of the same names."""
    return wallet_chain(tmp_path_factory.mktemp("pkpass") / "other")


def test_good_pass_is_taken_with_all_that_it_shows(chain: WalletChain) -> None:
    held = open_pass(a_pass(chain, balance="3", voided=True, expirationDate="2027-01-01T00:00Z"), authority=chain.root)

    assert (held.serial, held.pass_type, held.organization) == ("one", PASS_TYPE_ID, "Meri")
    assert (held.token, held.voided, held.expires) == (TOKEN, True, "2027-01-01T00:00Z")
    assert held.fields == {"balance": "3", "news": "news 3"}
    assert held.messages == {"balance": "You have %@ stamps"}
    assert set(held.files) == {"pass.json", "manifest.json", "signature", "icon.png"}
    assert TOKEN not in repr(held)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"files": {"icon.png": None}}, "no icon.png"),
        ({"files": {"signature": None}}, "no signature"),
        ({"files": {"manifest.json": None}}, "no manifest.json"),
        ({"files": {"pass.json": None}}, "no pass.json"),
        ({"files": {"pass.json": b"{"}}, "pass.json is no JSON"),
        ({"files": {"pass.json": b"[]"}}, "pass.json is no object"),
        ({"files": {"signature": b"0"}}, "the signature is none"),
        ({"listed": {"icon.png": None}}, "names other files"),
        ({"listed": {"logo.png": "0" * 40}}, "names other files"),
        ({"listed": {"icon.png": sha1(b"another")}}, "icon.png is not"),
        ({"signed": b"another manifest"}, "of other bytes"),
        ({"serialNumber": None}, "no serialNumber"),
        ({"teamIdentifier": None}, "no teamIdentifier"),
        ({"organizationName": ""}, "no organizationName"),
        ({"description": None}, "no description"),
        ({"formatVersion": 2}, "another format"),
        ({"storeCard": None}, "no style"),
        ({"passTypeIdentifier": "pass.fi.other"}, "another pass type or team"),
        ({"teamIdentifier": "OTHERTEAM1"}, "another pass type or team"),
        ({"authenticationToken": "short"}, "without a token"),
        ({"storeCard": {"headerFields": [{"key": "a", "value": "1"}], "backFields": [{"key": "a", "value": "2"}]}},
         "key is used twice"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)  # fmt: skip
def test_pass_with_a_fault_is_refused_by_its_name(given: dict[str, Any], said: str, chain: WalletChain) -> None:
    with pytest.raises(PkpassRefused, match=said):
        open_pass(a_pass(chain, **given), authority=chain.root)


def test_file_that_is_no_archive_is_refused() -> None:
    with pytest.raises(PkpassRefused, match="not a zip"):
        open_pass(b"<html>")


def test_pass_of_an_authority_that_the_phone_does_not_know_is_refused(chain: WalletChain, other: WalletChain) -> None:
    with pytest.raises(PkpassRefused, match="chain of certificates"):
        open_pass(a_pass(chain), authority=other.root)


def test_pass_is_refused_when_its_certificate_has_ended(chain: WalletChain) -> None:
    data = a_pass(chain)

    with clock.moved(to=UNTIL + timedelta(days=1)), pytest.raises(PkpassRefused, match="not valid now"):
        open_pass(data, authority=chain.root)


def test_signature_names_its_signer_and_no_byte_of_what_is_signed_may_change(chain: WalletChain) -> None:
    signature = signature_of(chain, b"data")
    attributes = signature.index(bytes.fromhex("06092a864886f70d010903"))  # the first one names the content's type
    algorithm = signature.rindex(bytes.fromhex("06092a864886f70d0101"))
    places = [*range(attributes, algorithm - 2), *range(len(signature) - 256, len(signature))]

    signer, inside = verify(signature, b"data")

    assert f"UID={PASS_TYPE_ID}" in signer.subject.rfc4514_string()
    assert len(inside) == 2
    for at in places:
        changed = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
        with pytest.raises(SignatureRefused):
            verify(changed, b"data")


@pytest.mark.parametrize("cut", [0, 1, 100, 1000, -1])
def test_signature_that_is_cut_short_is_none(cut: int, chain: WalletChain) -> None:
    with pytest.raises(SignatureRefused):
        verify(signature_of(chain, b"data")[:cut], b"data")
