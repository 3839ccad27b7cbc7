"""The certificate and key that sign Apple passes, parsed once for each process. Pure.

Parsing costs 40 to 70 ms, signing 0.7 ms.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from app.core.errors import Unavailable
from app.core.i18n import gettext as _
from app.wallet import signature

# A PEM block; the old form has header lines before an empty one.
_FRAME = re.compile(rb"-----BEGIN ([A-Z ]+)-----\s+(?:Proc-Type[^\n]*\n[^\n]*\n\s*)?([^-]*)-----END \1-----")
_BLOCK = 8  # bytes: what the old form encrypts is padded to a multiple of it


class SignerError(Unavailable):
    """Passes cannot be signed; stamps and joining go on."""

    code = "wallet_certificate"


class CertificateUnreadable(SignerError):
    """The pass certificate or Apple's intermediate one is missing, cut short or no PEM."""

    code = "wallet_certificate_unreadable"


class KeyUnreadable(SignerError):
    """The private key is missing, cut short or no RSA key."""

    code = "wallet_key_unreadable"


class PassphraseWrong(SignerError):
    """The private key is whole but locked, and the passphrase is missing or another."""

    code = "wallet_passphrase_wrong"


class WwdrMissing(SignerError):
    """Apple's intermediate certificate is not given: without it phones cannot follow the chain."""

    code = "wallet_wwdr_missing"


class KeyOfAnotherCertificate(SignerError):
    """The private key does not belong to the certificate."""

    code = "wallet_key_of_another_certificate"


class CertificateExpired(SignerError):
    """The pass certificate, or the intermediate one, has ended."""

    code = "wallet_certificate_expired"


class CertificateNotYetValid(SignerError):
    """The pass certificate, or the intermediate one, begins later."""

    code = "wallet_certificate_not_yet_valid"


class WrongPassType(SignerError):
    """The certificate is for another pass type."""

    code = "wallet_certificate_of_another_pass_type"


class WrongTeam(SignerError):
    """The certificate is of another team."""

    code = "wallet_certificate_of_another_team"


class WrongIssuer(SignerError):
    """The intermediate certificate did not issue the pass certificate: another WWDR generation."""

    code = "wallet_certificate_of_another_issuer"


@dataclass(frozen=True)
class Signer:
    """A pass certificate with its key and the WWDR certificate that issued it."""

    certificate: x509.Certificate
    key: RSAPrivateKey = field(repr=False)
    wwdr: x509.Certificate
    pass_type_id: str
    team_id: str

    @classmethod
    def load(
        cls,
        *,
        certificate: bytes,
        key: bytes,
        wwdr: bytes,
        now: datetime,
        password: bytes | None = None,
        pass_type_id: str | None = None,
        team_id: str | None = None,
    ) -> "Signer":
        """Parse and check the parts; certificates in PEM or DER, the key in PEM.

        Args:
            pass_type_id, team_id: what the settings say; left out, the certificate's own are taken.

        Raises:
            SignerError: one of its kinds, by name.
        """
        mine = read_certificate(certificate)
        if not wwdr.strip():
            raise WwdrMissing(_("Apple's intermediate certificate (WWDR) is missing."))
        theirs = read_certificate(wwdr)
        private = read_key(key, password)
        if private.public_key() != mine.public_key():
            raise KeyOfAnotherCertificate(_("The private key does not belong to the pass certificate."))
        signer = cls(
            mine, private, theirs, _named(mine, NameOID.USER_ID), _named(mine, NameOID.ORGANIZATIONAL_UNIT_NAME)
        )
        if pass_type_id not in (None, signer.pass_type_id) or not signer.pass_type_id:
            raise WrongPassType(_("The pass certificate is for another pass type."), found=signer.pass_type_id)
        if team_id not in (None, signer.team_id) or not signer.team_id:
            raise WrongTeam(_("The pass certificate is of another team."), found=signer.team_id)
        try:
            mine.verify_directly_issued_by(theirs)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise WrongIssuer(_("The WWDR certificate did not issue the pass certificate.")) from error
        signer.check(now)
        return signer

    def check(self, now: datetime) -> None:
        """Raise when a certificate is not valid at a moment: a long-running process outlives it.

        Raises:
            CertificateExpired, CertificateNotYetValid
        """
        if now > self.expires:
            raise CertificateExpired(_("The certificate that signs passes has expired."))
        if now < self.begins:
            raise CertificateNotYetValid(_("The certificate that signs passes is not valid yet."))

    def sign(self, data: bytes, at: datetime) -> bytes:
        """Return the detached PKCS#7 signature of data, DER, SHA-256, with Apple's intermediate certificate.

        Args:
            at: the signing time that it states, aware.
        """
        frame = self._frame
        if frame is None or at.year > signature.LAST_YEAR:
            return signature.sign(data, self.certificate, self.key, self.wwdr)
        return frame.sign(data, at)

    @cached_property
    def begins(self) -> datetime:
        """Return when the later of the two certificates begins, aware."""
        return max(self.certificate.not_valid_before_utc, self.wwdr.not_valid_before_utc)

    @cached_property
    def expires(self) -> datetime:
        """Return when the first of the two certificates ends, aware."""
        return min(self.certificate.not_valid_after_utc, self.wwdr.not_valid_after_utc)

    @cached_property
    def _frame(self) -> signature.Frame | None:
        """Return what is the same in all signatures; None where the library lays them out in an unknown way."""
        try:
            return signature.Frame.of(self.certificate, self.key, self.wwdr)
        except (ValueError, InvalidSignature):
            return None


@dataclass(frozen=True)
class ApplePem:
    """What a brand's passes are signed with, as PEM texts; the key has no passphrase any more."""

    certificate: bytes
    key: bytes = field(repr=False)
    wwdr: bytes

    @classmethod
    def of(cls, signer: Signer) -> "ApplePem":
        """Write a signer's parts."""
        return cls(
            signer.certificate.public_bytes(Encoding.PEM),
            signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            signer.wwdr.public_bytes(Encoding.PEM),
        )


def read_certificate(data: bytes) -> x509.Certificate:
    """Return a certificate from PEM, or from DER as Apple's pages give it.

    Raises:
        CertificateUnreadable: neither, or cut short.
    """
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificate(data)
        return x509.load_der_x509_certificate(data)
    except ValueError as error:
        raise CertificateUnreadable(_("A certificate that signs passes cannot be read.")) from error


def read_key(pem: bytes, password: bytes | None = None) -> RSAPrivateKey:
    """Return a private key from PEM; a passphrase that it does not need is left aside.

    Raises:
        PassphraseWrong: the text is whole, but this does not open it.
        KeyUnreadable: anything else.
    """
    locked = b"ENCRYPTED" in pem
    if locked and not password and _is_whole(pem):
        raise PassphraseWrong(_("The private key of the pass certificate has a passphrase."))
    try:
        key = load_pem_private_key(pem, password if locked else None)
    except (ValueError, TypeError) as error:
        # By chance, one wrong passphrase of 256 gives something that only fails to be a key.
        if locked and _is_whole(pem):
            raise PassphraseWrong(_("The passphrase of the private key is another.")) from error
        raise KeyUnreadable(_("The private key of the pass certificate cannot be read.")) from error
    if not isinstance(key, RSAPrivateKey):
        raise KeyUnreadable(_("The private key of the pass certificate is no RSA key."))
    return key


def _is_whole(pem: bytes) -> bool:
    """Tell whether a PEM text has its end and nothing was lost between."""
    found = _FRAME.search(pem)
    if found is None:
        return False
    try:
        der = base64.b64decode(b"".join(found[2].split()), validate=True)
    except binascii.Error:
        return False
    return is_whole_der(der) if b"Proc-Type" not in pem else len(der) % _BLOCK == 0


def is_whole_der(data: bytes) -> bool:
    """Tell whether bytes are one DER sequence of the length that it says."""
    if len(data) < 2 or data[0] != 0x30:
        return False
    if data[1] < 0x80:
        return len(data) == 2 + data[1]
    size = data[1] & 0x7F
    return len(data) == 2 + size + int.from_bytes(data[2 : 2 + size], "big")


def _named(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""
