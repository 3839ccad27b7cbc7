"""A certificate chain like Apple's and a service account like Google's, self-made, for the demo and the tests.

No phone trusts them; everything else about the passes is as with real ones.
"""

import ipaddress
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PASS_TYPE_ID = "pass.fi.leima.demo"  # noqa: S105  a name, no password
TEAM_ID = "LEIMADEMO1"
ISSUER_ID = "3388000000022000001"
FROM, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)  # the demo's clock moves
_PASS_TYPE_EXTENSION = x509.ObjectIdentifier("1.2.840.113635.100.6.1.16")
_PASS_SIGNING = x509.ObjectIdentifier("1.2.840.113635.100.4.14")
_FILES = ("root.pem", "wwdr.pem", "pass.pem", "pass.key", "google.json")


@dataclass(frozen=True, slots=True)
class WalletChain:
    """PEM texts of the chain, the signer's key, and the service account's JSON."""

    root: bytes
    wwdr: bytes
    certificate: bytes
    key: bytes = field(repr=False)
    service_account: bytes = field(repr=False)
    pass_type_id: str
    team_id: str
    issuer_id: str = ISSUER_ID


def wallet_chain(folder: Path, *, pass_type_id: str = PASS_TYPE_ID, team_id: str = TEAM_ID) -> WalletChain:
    """Return the chain kept in a folder, made the first time; two processes at once get the same one."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            _make(made, pass_type_id, team_id)
            made.rename(folder)
        except OSError:  # another process was first: its folder is there and not empty
            if not folder.is_dir():
                raise
        finally:
            shutil.rmtree(made, ignore_errors=True)
    root, wwdr, certificate, key, account = ((folder / name).read_bytes() for name in _FILES)
    return WalletChain(root, wwdr, certificate, key, account, pass_type_id, team_id)


def _make(folder: Path, pass_type_id: str, team_id: str) -> None:
    root_key, wwdr_key, pass_key, google_key = (_rsa() for _ in range(4))
    root_name = _name("Leima Demo Root CA", "Leima Demo Certification Authority")
    wwdr_name = _name("Leima Demo Developer Relations Certification Authority", "G4")
    pass_name = x509.Name(
        [
            x509.NameAttribute(NameOID.USER_ID, pass_type_id),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Pass Type ID: {pass_type_id}"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, team_id),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Leima Demo"),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FI"),
        ]
    )
    root = issue(root_name, root_key.public_key(), root_name, root_key, authority=True)
    wwdr = issue(wwdr_name, wwdr_key.public_key(), root_name, root_key, authority=True)
    signer = issue(pass_name, pass_key.public_key(), wwdr_name, wwdr_key, pass_type_id=pass_type_id)
    account = {
        "type": "service_account",
        "project_id": "leima-demo",
        "private_key_id": "demo",
        "private_key": private_pem(google_key).decode(),
        "client_email": "wallet@leima-demo.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    texts = (*(each.public_bytes(Encoding.PEM) for each in (root, wwdr, signer)), private_pem(pass_key))
    for name, data in zip(_FILES, (*texts, json.dumps(account, indent=1).encode()), strict=True):
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(data)


def issue(
    subject: x509.Name,
    key: rsa.RSAPublicKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPrivateKey,
    *,
    authority: bool = False,
    pass_type_id: str = "",
    valid: tuple[datetime, datetime] = (FROM, UNTIL),
) -> x509.Certificate:
    """Return a certificate as Apple's authority would issue it, or one of the authority itself."""
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    builder = (
        x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number(), *valid)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **usage),
            critical=True,
        )
    )
    if pass_type_id:
        value = b"\x0c" + bytes([len(pass_type_id)]) + pass_type_id.encode()  # DER: UTF8String
        builder = builder.add_extension(
            x509.UnrecognizedExtension(_PASS_TYPE_EXTENSION, value), critical=False
        ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, _PASS_SIGNING]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def loopback_certificate() -> tuple[bytes, bytes]:
    """Return the PEM to trust, and the PEM of certificate and key for a server on 127.0.0.1, made for this moment."""
    key, name = _rsa(), _name("127.0.0.1", "Leima Demo loopback")
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), FROM, UNTIL)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    pem = builder.add_extension(address, critical=False).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return pem, pem + private_pem(key)


def private_pem(key: rsa.RSAPrivateKey) -> bytes:
    """Return a key as PEM without passphrase."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(common: str, unit: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Leima Demo"),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FI"),
        ]
    )
