"""A brand's own certificate for Apple and service account for Google: checked before they are kept, sealed at rest."""

import hashlib
import json

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509 import Certificate
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of, keyring
from app.core.errors import Conflict, Invalid
from app.core.events import emit
from app.core.i18n import gettext as _
from app.wallet.events import CredentialChanged
from app.wallet.google import ServiceAccount, ServiceAccountUnusable
from app.wallet.models import WalletCredential, WalletPass, WalletRegistration
from app.wallet.signer import (
    ApplePem,
    CertificateUnreadable,
    KeyUnreadable,
    PassphraseWrong,
    Signer,
    SignerError,
    WwdrMissing,
    is_whole_der,
    read_certificate,
    read_key,
)

APPLE, GOOGLE = "apple", "google"
LONGEST = 100_000  # bytes of a file: real ones have a tenth


class PassTypeInUse(Conflict):
    """Phones hold passes of another type and would ask for that one for ever."""

    code = "wallet_pass_type_in_use"


class IssuerInvalid(Invalid):
    """Google's issuer id is digits."""

    code = "wallet_google_issuer_invalid"


class AppleSealed(SignerError):
    """The brand's certificate cannot be opened: the key that sealed it was taken out of the settings."""

    code = "wallet_credential_sealed"


class GoogleSealed(ServiceAccountUnusable):
    """The same of the brand's service account."""

    code = "wallet_credential_sealed"


def import_apple(
    session: Session,
    *,
    p12: bytes | None = None,
    password: bytes | None = None,
    certificate: bytes = b"",
    key: bytes = b"",
    wwdr: bytes = b"",
    force: bool = False,
) -> WalletCredential:
    """Keep the brand's own pass certificate in place of the one before; nothing is kept when it is refused.

    Args:
        p12: PKCS#12 as Apple's keychain exports it; takes the place of certificate and key.
        password: of the PKCS#12, or of the key.
        certificate, wwdr: PEM or DER; the WWDR certificate may also lie in the PKCS#12.
        force: even when phones hold passes of another type, which are then never updated again.

    Raises:
        SignerError: one of its kinds, by name.
        PassTypeInUse: see `force`.

    Source: issue 3, "Certificates".
    """
    parts = _unpack(p12, password, wwdr) if p12 is not None else None
    signer = (
        Signer.load(certificate=parts.certificate, key=parts.key, wwdr=parts.wwdr, now=clock.now())
        if parts
        else Signer.load(certificate=certificate, key=key, wwdr=wwdr, password=password, now=clock.now())
    )
    if not force and (old := pass_types_on_phones(session) - {signer.pass_type_id}):
        raise PassTypeInUse(
            _(
                "Phones hold passes of the type %(old)s; with a certificate for %(new)s they are never updated again.",
                old=", ".join(sorted(old)), new=signer.pass_type_id,
            )
        )  # fmt: skip
    pem = ApplePem.of(signer)
    text = json.dumps({name: getattr(pem, name).decode() for name in ("certificate", "key", "wwdr")})
    names = {"pass_type": signer.pass_type_id, "team": signer.team_id}
    row = _keep(session, APPLE, text, names)
    row.expires_at = signer.expires
    return row


def import_google(session: Session, *, account_json: bytes, issuer_id: str) -> WalletCredential:
    """Keep the brand's own service account in place of the one before; nothing is kept when it is refused.

    Raises:
        IssuerInvalid: the issuer id is no row of digits.
        ServiceAccountUnusable: the file cannot be read.
    """
    if not (issuer_id.isascii() and issuer_id.isdigit() and len(issuer_id) <= 25):
        raise IssuerInvalid(_("Google's issuer id is a row of digits; the Google Pay & Wallet Console shows it."))
    account = ServiceAccount.load(account_json, issuer_id=issuer_id)
    return _keep(session, GOOGLE, account_json.decode(), {"issuer": issuer_id, "account": account.email})


def find(session: Session, kind: str) -> WalletCredential | None:
    """Return the brand's own credential, sealed; None when it uses the installation's."""
    return session.scalar(select(WalletCredential).where(WalletCredential.kind == kind))


def digest_of(session: Session, kind: str) -> str | None:
    """Return what changes when the brand's own credential does; None when it has none."""
    return session.scalar(select(WalletCredential.digest).where(WalletCredential.kind == kind))


def open_apple(session: Session) -> ApplePem:
    """Return the parts of the brand's own signer, which it has.

    Raises:
        AppleSealed: the key that sealed them was taken out of the settings.
    """
    found = _row(session, APPLE)
    try:
        texts: dict[str, str] = json.loads(keyring(session).decrypt(found.sealed))
    except (KeyError, InvalidTag) as error:
        sentence = _("The certificate is sealed with a key that LEIMA_ENCRYPTION_KEYS does not hold.")
        raise AppleSealed(sentence) from error
    return ApplePem(**{name: text.encode() for name, text in texts.items()})


def open_google(session: Session) -> ServiceAccount:
    """Return the brand's own service account, which it has.

    Raises:
        GoogleSealed: as AppleSealed.
    """
    found = _row(session, GOOGLE)
    try:
        text = keyring(session).decrypt(found.sealed)
    except (KeyError, InvalidTag) as error:
        sentence = _("The service account is sealed with a key that LEIMA_ENCRYPTION_KEYS does not hold.")
        raise GoogleSealed(sentence) from error
    return ServiceAccount.load(text, issuer_id=found.names["issuer"])


def pass_types_on_phones(session: Session) -> set[str]:
    """Return the pass types that phones of the brand's members hold, as they were signed last."""
    held = (
        select(WalletPass.pass_type)
        .join(WalletRegistration, WalletRegistration.pass_id == WalletPass.id)
        .where(WalletPass.pass_type.is_not(None))
        .distinct()
    )
    return {name for name in session.scalars(held) if name}


def _row(session: Session, kind: str) -> WalletCredential:
    return session.scalars(select(WalletCredential).where(WalletCredential.kind == kind)).one()


def _keep(session: Session, kind: str, text: str, names: dict[str, str]) -> WalletCredential:
    row = find(session, kind)
    if row is None:
        row = WalletCredential(kind=kind)
        session.add(row)
    row.sealed = keyring(session).encrypt(text)
    row.digest = hashlib.sha256(text.encode()).hexdigest()
    row.names, row.imported_at = names, clock.now()
    session.flush()
    emit(session, CredentialChanged(brand_id=brand_of(session), kind=kind))
    return row


def _unpack(p12: bytes, password: bytes | None, wwdr: bytes) -> ApplePem:
    """Return what lies in a PKCS#12; a WWDR certificate that is given apart wins."""
    if len(p12) > LONGEST or not is_whole_der(p12):
        raise CertificateUnreadable(_("The PKCS#12 file is cut short, or is none."))
    found = _opened(p12, password)
    if found.cert is None:
        raise CertificateUnreadable(_("The PKCS#12 file holds no certificate that belongs to its key."))
    if found.key is None:
        raise KeyUnreadable(_("The PKCS#12 file holds no private key."))
    mine = found.cert.certificate
    key = found.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    theirs = read_certificate(wwdr) if wwdr else _issuer_of(mine, [each.certificate for each in found.additional_certs])
    read_key(key)  # an elliptic key is refused by name
    return ApplePem(mine.public_bytes(Encoding.PEM), key, theirs.public_bytes(Encoding.PEM))


def _opened(p12: bytes, password: bytes | None) -> pkcs12.PKCS12KeyAndCertificates:
    for each in (password,) if password else (None, b""):  # without a passphrase there are two ways to write it
        try:
            return pkcs12.load_pkcs12(p12, each)
        except ValueError:  # the library's word for a wrong passphrase and for a broken file is the same
            continue
    raise PassphraseWrong(_("The passphrase of the PKCS#12 file is another."))


def _issuer_of(mine: Certificate, others: list[Certificate]) -> Certificate:
    for each in others:
        if each.subject == mine.issuer:
            return each
    raise WwdrMissing(_("Apple's intermediate certificate (WWDR) is neither in the PKCS#12 file nor given apart."))
