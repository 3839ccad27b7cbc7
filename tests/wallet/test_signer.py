"""Certificates that sign passes: good ones, and each fault by its name."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from app.core import clock
from app.fakes.wallet_chain import FROM, UNTIL, WalletChain, issue, private_pem, wallet_chain
from app.wallet import signature
from app.wallet import signer as signers
from app.wallet.signer import Signer

SIGNING_TIME = bytes.fromhex("06092a864886f70d010905")  # the attribute's name


class Makers:
    """Authority and key pairs for certificates with one fault each."""

    def __init__(self) -> None:
        self.root, self.mine, self.other = (
            rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in "123"
        )
        self.name = x509.Name.from_rfc4514_string("CN=Authority")
        self.wwdr = self.pem(issue(self.name, self.root.public_key(), self.name, self.root, authority=True))
        self.stranger = self.pem(issue(self.name, self.other.public_key(), self.name, self.other, authority=True))

    @staticmethod
    def pem(certificate: x509.Certificate) -> bytes:
        return certificate.public_bytes(Encoding.PEM)

    def parts(self, subject: str = "UID=pass.fi.meri,OU=MERITEAM01", **how: Any) -> dict[str, Any]:
        name = x509.Name.from_rfc4514_string(subject)
        made = issue(name, self.mine.public_key(), self.name, self.root, pass_type_id="pass.fi.meri", **how)
        return {"certificate": self.pem(made), "key": private_pem(self.mine), "wwdr": self.wwdr, "now": clock.now()}


@pytest.fixture(scope="module")
def makers() -> Makers:
    return Makers()


def test_good_certificate_gives_pass_type_team_and_end(makers: Makers) -> None:
    signer = Signer.load(**makers.parts(), pass_type_id="pass.fi.meri", team_id="MERITEAM01")

    assert (signer.pass_type_id, signer.team_id, signer.expires) == ("pass.fi.meri", "MERITEAM01", UNTIL)


def test_key_with_passphrase_opens_with_it(makers: Makers) -> None:
    locked = makers.mine.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"salainen"))

    assert Signer.load(**makers.parts() | {"key": locked}, password=b"salainen").team_id == "MERITEAM01"
    for wrong in (b"toinen", b"", None):
        with pytest.raises(signers.PassphraseWrong):
            Signer.load(**makers.parts() | {"key": locked}, password=wrong)
    for broken in (locked[:400], locked[:400] + locked[600:]):
        with pytest.raises(signers.KeyUnreadable):
            Signer.load(**makers.parts() | {"key": broken}, password=b"salainen")


def test_wrong_passphrase_is_named_even_when_it_opens_to_rubbish(makers: Makers) -> None:
    """Of some hundred wrong ones, one gives bytes that look decrypted and are no key."""
    form = (Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"salainen"))
    locked = makers.mine.private_bytes(*form)

    for number in range(600):
        with pytest.raises(signers.PassphraseWrong):
            signers.read_key(locked, b"toinen %d" % number)


def test_passphrase_that_a_key_does_not_need_is_left_aside(makers: Makers) -> None:
    assert Signer.load(**makers.parts(), password=b"tarpeeton").team_id == "MERITEAM01"


def test_certificates_may_be_der_and_have_words_before_them(makers: Makers) -> None:
    good = makers.parts()
    der = x509.load_pem_x509_certificate(good["certificate"]).public_bytes(Encoding.DER)

    for certificate in (der, b"Bag Attributes\n  friendlyName: Meri\n" + good["certificate"]):
        assert Signer.load(**good | {"certificate": certificate}).pass_type_id == "pass.fi.meri"


def test_each_fault_of_a_certificate_has_its_name(makers: Makers) -> None:
    good = makers.parts()
    now = good["now"]
    ended, later = (FROM, now - timedelta(days=1)), (now + timedelta(days=1), UNTIL)
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    faults: list[tuple[dict[str, Any], type[signers.SignerError]]] = [
        (good | {"key": private_pem(makers.other)}, signers.KeyOfAnotherCertificate),
        (makers.parts(valid=ended), signers.CertificateExpired),
        (makers.parts(valid=later), signers.CertificateNotYetValid),
        (good | {"pass_type_id": "pass.fi.other"}, signers.WrongPassType),
        (good | {"team_id": "OTHERTEAM1"}, signers.WrongTeam),
        (makers.parts("CN=Nobody"), signers.WrongPassType),
        (good | {"wwdr": makers.stranger}, signers.WrongIssuer),
        (good | {"wwdr": b""}, signers.WwdrMissing),
        (good | {"wwdr": good["wwdr"][:400]}, signers.CertificateUnreadable),
        (good | {"certificate": good["certificate"][:400]}, signers.CertificateUnreadable),
        (good | {"key": good["key"][:400]}, signers.KeyUnreadable),
        (good | {"key": curve}, signers.KeyUnreadable),
    ]

    for parts, kind in faults:
        with pytest.raises(signers.SignerError) as caught:
            Signer.load(**parts)
        assert (type(caught.value), caught.value.status) == (kind, 503)
    assert len({kind.code for _, kind in faults}) == len({kind for _, kind in faults})


def test_signature_is_the_librarys_own_byte_for_byte(signer: Signer) -> None:
    manifest = b'{"pass.json":"0000"}' * 40
    parts = (signer.certificate, signer.key, signer.wwdr)

    library = signature.sign(manifest, *parts)

    stated = re.search(rb"\x17\x0d(\d{12})Z", library[library.index(SIGNING_TIME) :])
    assert stated is not None
    at = datetime.strptime(stated[1].decode(), "%y%m%d%H%M%S").replace(tzinfo=UTC)
    assert signature.Frame.of(*parts).sign(manifest, at) == library
    assert signer.sign(manifest, at) == library


def test_moment_that_the_frame_cannot_state_is_signed_by_the_library(signer: Signer) -> None:
    made = signer.sign(b"{}", datetime(2050, 1, 1, tzinfo=UTC))

    assert made[: len(made) // 2] == signer.sign(b"{}", clock.now())[: len(made) // 2]


def test_secrets_are_not_in_the_signers_text(signer: Signer, chain: WalletChain) -> None:
    assert "key" not in repr(signer)
    assert "PRIVATE" not in repr(chain)


def test_chain_is_made_once_and_its_keys_are_for_the_owner_only(tmp_path: Path) -> None:
    first = wallet_chain(tmp_path / "chain")

    assert wallet_chain(tmp_path / "chain") == first
    assert [path.name for path in tmp_path.iterdir()] == ["chain"]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "chain").iterdir()} == {0o600}
