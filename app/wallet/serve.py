"""Apple passes as they are asked for: the same pass on each download, built when it is asked for and never before."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock, i18n
from app.core.db import brand_of, keyring
from app.core.events import emit
from app.core.i18n import gettext as _
from app.core.runtime import Runtime
from app.network.models import Brand
from app.wallet import marks
from app.wallet.apple import MEDIA_TYPE, build_pass
from app.wallet.devices import PassUnknown
from app.wallet.events import PhonesDue
from app.wallet.models import WalletDevice, WalletPass, WalletRegistration
from app.wallet.shown import Reader, Shown
from app.wallet.signer import Signer, SignerError, WrongPassType
from app.wallet.tools import Tools

NEAR = 200  # meters around an outlet within which a phone offers the pass


@dataclass(frozen=True)
class PassFile:
    """A signed `.pkpass` with what a phone asks by the next time."""

    body: bytes
    media_type: str
    filename: str
    last_modified: datetime  # whole seconds, UTC; strictly increases with the content
    etag: str


@dataclass(frozen=True)
class Known:
    """What a phone says it has: the ETag and Last-Modified of its pass, either of them or none."""

    etags: frozenset[str] = frozenset()
    since: datetime | None = None

    def covers(self, row: WalletPass) -> bool:
        """Tell whether the phone has the newest content; an ETag says it more exactly than a time."""
        if self.etags:
            return row.fingerprint in self.etags
        return self.since is not None and self.since >= row.last_modified


def update(session: Session, runtime: Runtime, row: WalletPass, known: Known) -> PassFile | None:
    """Return a pass for a phone that asks for it; None when it has the newest one.

    Raises:
        SignerError: it cannot be signed now; its phones are woken once it can be.
        PassUnknown: its card is no more.
    """
    try:
        signer = _signer(session, runtime, row)
    except SignerError:
        _missed(runtime, row)
        raise
    shown = _shown(session, runtime, row)
    if shown.fingerprint == row.fingerprint and known.covers(row):
        return None
    row, shown = settle(runtime, row, signer, served=True)
    return None if known.etags and known.covers(row) else build(session, runtime, row, shown, signer)


def download(session: Session, runtime: Runtime, row: WalletPass, signer: Signer, filename: str) -> PassFile:
    """Return a pass for its member's download; `session` may be a reading one."""
    shown = _shown(session, runtime, row)
    if shown.fingerprint != row.fingerprint or row.pass_type != signer.pass_type_id:
        row, shown = settle(runtime, row, signer)
    return build(session, runtime, row, shown, signer, filename)


def settle(runtime: Runtime, row: WalletPass, signer: Signer, *, served: bool = False) -> tuple[WalletPass, Shown]:
    """Make the row name the content of this moment, in a short unit of its own; return both.

    Whatever changed without an event, such as a brand's color, is found here and told to the pass's other phones.
    """
    with runtime.database.unit(row.brand_id) as session:
        (fresh,) = session.scalars(
            select(WalletPass).where(WalletPass.id == row.id).with_for_update(key_share=True)
        ).all()
        shown = _shown(session, runtime, fresh)
        if marks.mark(session, [(fresh, shown)]) and _is_on_phone(session, fresh):
            emit(session, PhonesDue(brand_id=brand_of(session)))
        fresh.pass_type = signer.pass_type_id
        if served:
            fresh.served_at = clock.now()
        session.flush()
    return fresh, shown


def build(
    session: Session, runtime: Runtime, row: WalletPass, shown: Shown, signer: Signer, filename: str = "card.pkpass"
) -> PassFile:
    """Sign a pass; nothing is written."""
    brand = session.get_one(Brand, row.brand_id)
    body = build_pass(
        shown.template,
        shown.view,
        signer=signer,
        serial=row.serial,
        token=keyring(session).text(row.token or b""),
        web_service_url=web_service_url(runtime, brand),
        expires=shown.expires,
        voided=shown.voided,
        places=shown.places,
        max_distance=NEAR,
    )
    return PassFile(body, MEDIA_TYPE, filename, row.last_modified, row.fingerprint)


def web_service_url(runtime: Runtime, brand: Brand) -> str:
    """Return where phones ask for a brand's passes; it stands in every pass, so it never changes."""
    return f"{runtime.settings.base_url}/wallet/{brand.slug}"


def _signer(session: Session, runtime: Runtime, row: WalletPass) -> Signer:
    signer = Tools.of(runtime).signer(session)
    if signer.pass_type_id != row.pass_type:
        raise WrongPassType(_("The pass certificate is for another pass type."), found=signer.pass_type_id)
    return signer


def _shown(session: Session, runtime: Runtime, row: WalletPass) -> Shown:
    member = marks.live_member(session, row)
    if member is None:
        raise PassUnknown(_("There is no such pass."))
    with i18n.use_language(member.language):
        shown = Reader(session, runtime, member).show(row)
    if shown is None:
        raise PassUnknown(_("There is no such pass."))
    return shown


def _is_on_phone(session: Session, row: WalletPass) -> bool:
    there = select(WalletRegistration.id).where(WalletRegistration.pass_id == row.id).limit(1)
    return session.scalars(there).first() is not None


def _missed(runtime: Runtime, row: WalletPass) -> None:
    """Let the phones of a pass be due: one of them asked in vain. Once is enough until they are woken."""
    with runtime.database.unit(row.brand_id) as session:
        waiting = (
            select(WalletDevice.id)
            .join(WalletRegistration, WalletRegistration.device_id == WalletDevice.id)
            .where(WalletRegistration.pass_id == row.id, WalletDevice.due <= WalletDevice.woken)
            .limit(1)
        )
        if session.scalars(waiting).first() is None:
            return
        marks.again(session, session.get_one(WalletPass, row.id))
        emit(session, PhonesDue(brand_id=row.brand_id))
