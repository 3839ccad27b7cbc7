"""What passes are made with: templates, certificate and service account of a brand, parsed once for each process.

The brand's own come first, then the installation's. A file that is replaced and a credential that is imported anew are
read again on the next pass, so a renewed certificate needs no restart. A fault is never kept: its sentence is in the
reader's language, and it is gone as soon as the file is right.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of
from app.core.i18n import gettext as _
from app.core.log import log
from app.core.outbound import Identity
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.wallet import brand_templates, credentials
from app.wallet.brand_templates import TemplateRefused
from app.wallet.credentials import APPLE, GOOGLE
from app.wallet.google import ServiceAccount, ServiceAccountUnusable
from app.wallet.signer import ApplePem, Signer, SignerError, WwdrMissing
from app.wallet.templates import SHIPPED, Template, load_templates

_SHARED = "wallet"  # where the runtime keeps them
_OF_SETTINGS = 0  # in place of a brand: the installation's own

T = TypeVar("T")
State = tuple[tuple[str, int, int], ...]  # path, size and time of change of each file


class NoCertificate(SignerError):
    """Neither the brand nor the settings have a pass certificate, its key and the WWDR certificate."""

    code = "wallet_certificate_missing"


class NoServiceAccount(ServiceAccountUnusable):
    """Neither the brand nor the settings have an issuer and a service account of Google Wallet."""

    code = "wallet_google_account_missing"


@dataclass
class Tools:
    """The tools of one process."""

    settings: Settings = field(repr=False)
    templates: dict[str, Template]  # Leima's own
    _kept: dict[tuple[int, str], tuple[Hashable, Any]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, runtime: Runtime) -> "Tools":
        """Return the process's tools; the first call loads and checks the templates.

        Raises:
            TemplateError: with file and line of every fault.
        """
        found: Tools | None = runtime.shared.get(_SHARED)
        if found is None:
            found = runtime.shared[_SHARED] = cls(runtime.settings, load_templates(SHIPPED))
        return found

    def signer(self, session: Session) -> Signer:
        """Return the certificate and key that sign the brand's Apple passes, valid at this moment.

        Raises:
            SignerError: one of its kinds, by name.
        """
        digest = credentials.digest_of(session, APPLE)
        if digest is None:
            signer = self._signer_of_settings()
        else:
            signer = self._keep(brand_of(session), APPLE, digest, lambda: _loaded(credentials.open_apple(session)))
        signer.check(clock.now())
        return signer

    def account(self, session: Session) -> ServiceAccount:
        """Return the service account that speaks to Google for the brand.

        Raises:
            ServiceAccountUnusable: none is set up, or it cannot be read.
        """
        digest = credentials.digest_of(session, GOOGLE)
        if digest is None:
            return self._account_of_settings()
        return self._keep(brand_of(session), GOOGLE, digest, lambda: credentials.open_google(session))

    def parts(self, session: Session) -> tuple[ApplePem, bytes | None]:
        """Return what the brand's passes are to be signed with, unread, and the key's passphrase: for the doctor.

        Raises:
            NoCertificate, AppleSealed
        """
        if credentials.digest_of(session, APPLE) is not None:
            return credentials.open_apple(session), None
        return ApplePem(*(_read(path) for path in self._files())), self.settings.apple_key_password.encode() or None

    def identity(self, signer: Signer) -> Identity:
        """Return what a connection to Apple's push service proves itself with; the same object each time."""
        return _identity(signer)

    def template(self, session: Session, name: str) -> Template:
        """Return the brand's own template, or Leima's; one that Leima's rules refuse by now is passed over.

        Raises:
            KeyError: there is no such template.
        """
        digest = brand_templates.digests(session).get(name)
        if digest is None:
            return self.templates[name]
        try:
            return self._keep(brand_of(session), name, digest, lambda: brand_templates.load(session, name))
        except TemplateRefused as error:
            log.error("wallet template refused", template=name, faults=len(error.faults))
            return self.templates[name]

    def _signer_of_settings(self) -> Signer:
        files, password = self._files(), self.settings.apple_key_password.encode() or None
        return self._keep(
            _OF_SETTINGS, APPLE, _state(files), lambda: _loaded(ApplePem(*(_read(path) for path in files)), password)
        )

    def _files(self) -> list[Path]:
        settings = self.settings
        paths = (settings.apple_certificate, settings.apple_key, settings.apple_wwdr)
        found = [path for path in paths if path is not None]
        if paths[2] is None and len(found) == 2:
            raise WwdrMissing(_("Apple's intermediate certificate (WWDR) is missing."))
        if len(found) < len(paths):
            raise NoCertificate(_("No certificate is set up that signs Apple Wallet passes."))
        return found

    def _account_of_settings(self) -> ServiceAccount:
        issuer, path = self.settings.google_issuer, self.settings.google_service_account
        if not issuer or path is None:
            raise NoServiceAccount(_("No service account is set up for Google Wallet."))
        return self._keep(
            _OF_SETTINGS, GOOGLE, _state([path]), lambda: ServiceAccount.load(_read(path), issuer_id=issuer)
        )

    def _keep(self, brand_id: int, name: str, state: Hashable, make: Callable[[], T]) -> T:
        """Return what was made in this state, or make it; what fails is not kept."""
        found = self._kept.get((brand_id, name))
        if found is None or found[0] != state:
            found = self._kept[brand_id, name] = (state, make())
        kept: T = found[1]
        return kept


@lru_cache(maxsize=128)
def _identity(signer: Signer) -> Identity:
    chain = signer.certificate.public_bytes(Encoding.PEM) + signer.wwdr.public_bytes(Encoding.PEM)
    return Identity(chain, signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _loaded(pem: ApplePem, password: bytes | None = None) -> Signer:
    return Signer.load(certificate=pem.certificate, key=pem.key, wwdr=pem.wwdr, password=password, now=clock.now())


def _state(paths: list[Path]) -> State:
    """Return what changes when a file is replaced; a missing one has a state too."""
    found = []
    for path in paths:
        try:
            about = path.stat()
        except OSError:
            found.append((str(path), -1, 0))
        else:
            found.append((str(path), about.st_size, about.st_mtime_ns))
    return tuple(found)


def _read(path: Path) -> bytes:
    """Return a file; one that is not there is as unreadable as an empty one, and is named so."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
