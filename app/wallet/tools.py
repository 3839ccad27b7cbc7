"""What passes are made with: templates, certificate and service account, parsed once for each process.

A file that is replaced is read again on the next pass, so a renewed certificate needs no restart. A fault is never
kept: its sentence is in the reader's language, and it is gone as soon as the file is right.
"""

from dataclasses import dataclass, field
from pathlib import Path

from app.core import clock
from app.core.i18n import gettext as _
from app.core.runtime import Runtime
from app.core.settings import Settings
from app.wallet.google import ServiceAccount, ServiceAccountUnusable
from app.wallet.signer import Signer, SignerError
from app.wallet.templates import Template, load_templates

TEMPLATES = Path(__file__).parents[2] / "wallet_templates"
_SHARED = "wallet"  # where the runtime keeps them

State = tuple[tuple[str, int, int], ...]  # path, size and time of change of each file


class NoCertificate(SignerError):
    """The settings name no pass certificate, key or WWDR certificate."""

    code = "wallet_certificate_missing"


class NoServiceAccount(ServiceAccountUnusable):
    """The settings name no issuer or service account of Google Wallet."""

    code = "wallet_google_account_missing"


@dataclass
class Tools:
    """The tools of one process."""

    settings: Settings = field(repr=False)
    templates: dict[str, Template]
    _signer: tuple[State, Signer] | None = None
    _account: tuple[State, ServiceAccount] | None = None

    @classmethod
    def of(cls, runtime: Runtime) -> "Tools":
        """Return the process's tools; the first call loads and checks the templates.

        Raises:
            TemplateError: with file and line of every fault.
        """
        found: Tools | None = runtime.shared.get(_SHARED)
        if found is None:
            found = runtime.shared[_SHARED] = cls(runtime.settings, load_templates(TEMPLATES))
        return found

    def signer(self) -> Signer:
        """Return the certificate and key that sign Apple passes, valid at this moment.

        Raises:
            SignerError: one of its kinds, by name.
        """
        settings = self.settings
        paths = (settings.apple_certificate, settings.apple_key, settings.apple_wwdr)
        files = [path for path in paths if path is not None]
        if len(files) < len(paths):
            raise NoCertificate(_("No certificate is set up that signs Apple Wallet passes."))
        state = _state(files)
        if self._signer is None or self._signer[0] != state:
            certificate, key, wwdr = (_read(path) for path in files)
            password = settings.apple_key_password.encode() or None
            self._signer = (
                state, Signer.load(certificate=certificate, key=key, wwdr=wwdr, password=password, now=clock.now())
            )  # fmt: skip
        signer = self._signer[1]
        signer.check(clock.now())
        return signer

    def account(self) -> ServiceAccount:
        """Return the service account that signs Google's save links.

        Raises:
            ServiceAccountUnusable: none is set up, or its file cannot be read.
        """
        issuer, path = self.settings.google_issuer, self.settings.google_service_account
        if not issuer or path is None:
            raise NoServiceAccount(_("No service account is set up for Google Wallet."))
        state = _state([path])
        if self._account is None or self._account[0] != state:
            self._account = (state, ServiceAccount.load(_read(path), issuer_id=issuer))
        return self._account[1]


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
