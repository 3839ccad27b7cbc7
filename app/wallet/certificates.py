"""Everything that can be wrong with a pass certificate, each by its name. Pure.

`Signer.load` stops at the first fault; here each check stands alone, so that all are told at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import NameOID

from app.core import i18n
from app.core.i18n import gettext as _
from app.core.i18n import ngettext
from app.wallet.signer import (
    ApplePem,
    CertificateExpired,
    CertificateNotYetValid,
    KeyOfAnotherCertificate,
    SignerError,
    WrongIssuer,
    WrongPassType,
    WrongTeam,
    WwdrMissing,
    read_certificate,
    read_key,
)

Level = Literal["fine", "warn", "fault"]
APPLE = "Apple Inc."  # who issues the certificates that phones trust
STEPS = (7, 14, 30)  # days before the end at which a warning grows louder


@dataclass(frozen=True)
class Finding:
    """One thing looked at: a stable name, how it is, a stable code where it is not fine, and a sentence."""

    name: str
    level: Level
    code: str
    detail: str


def fine(name: str, detail: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(name, "fine", "", detail)


def warn(name: str, code: str, detail: str) -> Finding:
    """Say that something will be wrong, or may be meant so."""
    return Finding(name, "warn", code, detail)


def fault(name: str, code: str, detail: str) -> Finding:
    """Say that something is wrong."""
    return Finding(name, "fault", code, detail)


def of_error(name: str, error: SignerError) -> Finding:
    """Say what was refused."""
    return fault(name, error.code, error.message)


def examine(pem: ApplePem, password: bytes | None, now: datetime) -> Iterator[Finding]:
    """Yield what there is to say of a certificate, its key and Apple's intermediate certificate."""
    mine, theirs, key = _parse(pem, password)
    if isinstance(mine, SignerError):
        yield of_error("apple_certificate", mine)
        return
    yield fine("apple_certificate", _("Issued for %(name)s", name=_named(mine.subject, NameOID.COMMON_NAME)))
    yield _key(mine, key)
    yield from _chain(mine, theirs)
    yield from _ends("apple_expiry", mine, now)
    if not isinstance(theirs, SignerError):
        yield from _ends("apple_wwdr_expiry", theirs, now)
    yield _identifier("apple_pass_type", mine, NameOID.USER_ID, WrongPassType.code)
    yield _identifier("apple_team", mine, NameOID.ORGANIZATIONAL_UNIT_NAME, WrongTeam.code)
    if is_apples(mine):
        yield fine("apple_trust", _("Issued by Apple"))
    else:
        yield warn("apple_trust", "wallet_self_made", _("Made by yourselves: no phone accepts these passes"))


def is_apples(certificate: x509.Certificate) -> bool:
    """Tell whether Apple issued it, by the name it gives: no phone takes passes of any other."""
    return _named(certificate.issuer, NameOID.ORGANIZATION_NAME) == APPLE


def pass_type_of(pem: ApplePem) -> str:
    """Return the pass type of a certificate; empty when it cannot be read."""
    try:
        return _named(read_certificate(pem.certificate).subject, NameOID.USER_ID)
    except SignerError:
        return ""


def _parse(
    pem: ApplePem, password: bytes | None
) -> tuple[x509.Certificate | SignerError, x509.Certificate | SignerError, RSAPrivateKey | SignerError]:
    return _certificate(pem.certificate), _wwdr(pem.wwdr), _private(pem.key, password)


def _certificate(data: bytes) -> x509.Certificate | SignerError:
    try:
        return read_certificate(data)
    except SignerError as error:
        return error


def _wwdr(data: bytes) -> x509.Certificate | SignerError:
    if data.strip():
        return _certificate(data)
    return WwdrMissing(_("Apple's intermediate certificate (WWDR) is missing."))


def _private(pem: bytes, password: bytes | None) -> RSAPrivateKey | SignerError:
    try:
        return read_key(pem, password)
    except SignerError as error:
        return error


def _key(mine: x509.Certificate, key: RSAPrivateKey | SignerError) -> Finding:
    if isinstance(key, SignerError):
        return of_error("apple_key", key)
    if key.public_key() != mine.public_key():
        return fault(
            "apple_key", KeyOfAnotherCertificate.code, _("The private key does not belong to the pass certificate.")
        )
    return fine("apple_key", _("Belongs to the certificate, %(bits)s bits", bits=key.key_size))


def _chain(mine: x509.Certificate, theirs: x509.Certificate | SignerError) -> Iterator[Finding]:
    if isinstance(theirs, SignerError):
        yield of_error("apple_chain", theirs)
        return
    wanted, given = (_named(name, NameOID.ORGANIZATIONAL_UNIT_NAME) for name in (mine.issuer, theirs.subject))
    try:
        mine.verify_directly_issued_by(theirs)
    except (ValueError, TypeError, InvalidSignature):
        yield fault("apple_chain", WrongIssuer.code, _("The WWDR certificate did not issue the pass certificate."))
    else:
        if _is_authority(theirs):
            yield fine("apple_chain", _("The WWDR certificate issued the pass certificate"))
        else:
            sentence = _("The certificate given as WWDR is no authority.")
            yield fault("apple_chain", "wallet_wwdr_no_authority", sentence)
    if wanted != given:
        yield fault(
            "apple_generation",
            "wallet_wwdr_of_another_generation",
            _("The certificate needs WWDR %(wanted)s; given is %(given)s.", wanted=wanted or "?", given=given or "?"),
        )
    else:
        yield fine("apple_generation", given or _("The certificate names none"))


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _ends(name: str, certificate: x509.Certificate, now: datetime) -> Iterator[Finding]:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    day = i18n.format_date(ends.date())
    left = ends - now
    within = next((step for step in STEPS if left <= timedelta(days=step)), None)
    if left < timedelta():
        yield fault(name, CertificateExpired.code, _("Ended on %(day)s", day=day))
    elif now < begins:
        sentence = _("Begins only on %(day)s", day=i18n.format_date(begins.date()))
        yield fault(name, CertificateNotYetValid.code, sentence)
    elif within is None:
        yield fine(name, _("Until %(day)s", day=day))
    else:
        soon = ngettext(
            "Ends on %(day)s, in %(n)s day: renew it",
            "Ends on %(day)s, in %(n)s days: renew it",
            left.days,
            day=day,
        )
        yield warn(name, f"wallet_certificate_ends_within_{within}_days", soon)


def _identifier(name: str, certificate: x509.Certificate, oid: x509.ObjectIdentifier, code: str) -> Finding:
    found = _named(certificate.subject, oid)
    return fine(name, found) if found else fault(name, code, _("The certificate names none: it is for something else."))


def _named(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""
