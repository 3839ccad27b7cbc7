"""Certificates that another brand could bring: good ones, and each with one fault."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from app.core import clock
from app.fakes.wallet_chain import FROM, UNTIL, issue, private_pem

PASS_TYPE, TEAM = "pass.fi.own", "OWNTEAM001"
PASSPHRASE = b"s\xc3\xa4 salainen"
Import = dict[str, Any]  # arguments of `credentials.import_apple`


class Certs:
    """An authority, a stranger and a pass key; keys are made once, certificates as asked."""

    def __init__(self) -> None:
        self.authority, self.mine, self.other = (
            rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in "123"
        )
        self.name = x509.Name.from_rfc4514_string("CN=Own Authority,OU=G4,O=Own")
        self.wwdr = self.authority_of(self.authority)
        self.stranger = self.authority_of(self.other)

    def authority_of(self, key: rsa.RSAPrivateKey, **how: Any) -> x509.Certificate:
        return issue(self.name, key.public_key(), self.name, key, authority=how.pop("authority", True), **how)

    def certificate(self, *, pass_type: str = PASS_TYPE, team: str = TEAM, **how: Any) -> x509.Certificate:
        """Issue a pass certificate; a pass type or team that is empty is left out."""
        parts = [f"UID={pass_type}" if pass_type else "", f"OU={team}" if team else "", "CN=Own"]
        subject = x509.Name.from_rfc4514_string(",".join(filter(None, parts)))
        return issue(subject, self.mine.public_key(), self.name, self.authority, pass_type_id=pass_type, **how)

    def pem(self, **how: Any) -> Import:
        """Return a PEM import; `how` as `certificate`."""
        return {"certificate": text(self.certificate(**how)), "key": private_pem(self.mine), "wwdr": text(self.wwdr)}

    def p12(self, *, with_wwdr: bool = True, passphrase: bytes = PASSPHRASE, **how: Any) -> bytes:
        others = [self.wwdr] if with_wwdr else None
        lock: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return pkcs12.serialize_key_and_certificates(b"own", self.mine, self.certificate(**how), others, lock)

    def faults(self) -> list[tuple[str, Import]]:
        """Return every kind of fault by its code."""
        good, now = self.pem(), clock.now()
        ended, later = (FROM, now - timedelta(days=1)), (now + timedelta(days=1), UNTIL)
        locked = self.mine.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE))
        curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        whole = {"p12": self.p12(), "password": PASSPHRASE}
        return [
            ("wallet_certificate_expired", self.pem(valid=ended)),
            ("wallet_certificate_expired", {"p12": self.p12(valid=ended), "password": PASSPHRASE}),
            ("wallet_certificate_not_yet_valid", self.pem(valid=later)),
            ("wallet_key_of_another_certificate", good | {"key": private_pem(self.other)}),
            ("wallet_certificate_unreadable", good | {"certificate": good["certificate"][:400]}),
            ("wallet_certificate_unreadable", good | {"wwdr": good["wwdr"][:400]}),
            ("wallet_certificate_unreadable", whole | {"p12": whole["p12"][:-9]}),
            ("wallet_certificate_unreadable", whole | {"p12": b""}),
            ("wallet_certificate_unreadable", whole | {"p12": b"no PKCS#12"}),
            ("wallet_key_unreadable", good | {"key": good["key"][:400]}),
            ("wallet_key_unreadable", good | {"key": curve}),
            ("wallet_passphrase_wrong", good | {"key": locked, "password": b"toinen"}),
            ("wallet_passphrase_wrong", good | {"key": locked}),
            ("wallet_passphrase_wrong", whole | {"password": b"toinen"}),
            ("wallet_passphrase_wrong", whole | {"password": b""}),
            ("wallet_wwdr_missing", good | {"wwdr": b""}),
            ("wallet_wwdr_missing", whole | {"p12": self.p12(with_wwdr=False)}),
            ("wallet_certificate_of_another_issuer", good | {"wwdr": text(self.stranger)}),
            ("wallet_certificate_of_another_issuer", whole | {"wwdr": text(self.stranger)}),
            ("wallet_certificate_of_another_pass_type", self.pem(pass_type="")),
            ("wallet_certificate_of_another_team", self.pem(team="")),
        ]


def text(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


Faults = Callable[[], list[tuple[str, Import]]]


@pytest.fixture(scope="session")
def certs() -> Certs:
    return cast(Certs, Certs())
