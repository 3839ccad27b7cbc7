"""Apple's web service, the database side: which phones have which passes, and what a phone has to fetch.

Source: wallet.md, "Apple's web service".
"""

from dataclasses import dataclass

from sqlalchemy import case, delete, exists, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import same
from app.core.db import brand_of, inserting, keyring
from app.core.errors import Invalid, Unauthorized
from app.core.events import emit
from app.core.i18n import gettext as _
from app.wallet import marks
from app.wallet.events import PhonesDue
from app.wallet.models import WalletDevice, WalletPass, WalletRegistration
from app.wallet.rows import PURPOSE

DEVICE, PUSH_TOKEN = "wallet device", "wallet push token"
LONGEST_TOKEN, LONGEST_DEVICE = 1000, 200  # characters; Apple's have 64 and 32


class PassUnknown(Unauthorized):
    """No such pass, or the token is another's: the two answers are one."""

    code = "wallet_pass_unknown"


class RegistrationInvalid(Invalid):
    """A phone's registration has no push token, or one of an impossible length."""

    code = "wallet_registration_invalid"
    status = 400


@dataclass(frozen=True)
class Updates:
    """The passes that a phone has to fetch, and the tag that it keeps."""

    serials: list[str]
    tag: str


def prove(session: Session, serial: str, pass_type: str, token: str) -> WalletPass:
    """Return the pass that a phone proves to have.

    Raises:
        PassUnknown: one answer for an unknown serial, another type and a wrong token, compared in constant time.
    """
    row = session.scalar(select(WalletPass).where(WalletPass.serial == serial, WalletPass.kind == "apple"))
    given = keyring(session).lookup(PURPOSE, token)
    right = same(given, (row.token_hash if row else None) or "-" * len(given))
    if row is None or not right or row.pass_type != pass_type:
        raise PassUnknown(_("There is no such pass."))
    return row


def register(session: Session, row: WalletPass, *, device: str, push_token: str) -> bool:
    """Keep that a phone has a pass, and where it is woken; return True when that is new.

    A phone that registers again gives its newest token, which counts for all its passes. It is woken when anything is
    new: what changed between its download and this call, or what its old token never heard, it then fetches.

    Raises:
        RegistrationInvalid: the token or the phone's id is empty or far too long.
    """
    if not 0 < len(push_token) <= LONGEST_TOKEN or not 0 < len(device) <= LONGEST_DEVICE:
        raise RegistrationInvalid(_("A phone registers with its push token."))
    keys = keyring(session)
    token_hash = keys.lookup(PUSH_TOKEN, push_token)
    known = _device(session, device, row.pass_type or "")
    if known is not None and known.push_token_hash == token_hash and _registered(session, known.id, row.id):
        known.token_at = clock.now()
        return False
    version = marks.next_version(session)  # before the phone's row: every writer locks in this order
    values = {
        "brand_id": brand_of(session), "device_hash": keys.lookup(DEVICE, device), "pass_type": row.pass_type,
        "push_token": keys.encrypt(push_token), "push_token_hash": token_hash, "token_at": clock.now(),
        "due": version, "woken": 0,
    }  # fmt: skip
    insert = inserting(session)
    newest = {name: values[name] for name in ("push_token", "push_token_hash", "token_at", "due")}
    device_id = session.scalars(
        insert(WalletDevice)
        .values(values)
        .on_conflict_do_update(
            index_elements=["brand_id", "device_hash", "pass_type"], set_={**newest, "sending_until": None}
        )
        .returning(WalletDevice.id)
    ).one()
    link = {
        "brand_id": brand_of(session), "device_id": device_id, "pass_id": row.id, "version": version,
        "at": clock.now(),
    }  # fmt: skip
    made = session.scalar(
        insert(WalletRegistration)
        .values(link)
        .on_conflict_do_nothing(index_elements=["brand_id", "device_id", "pass_id"])
        .returning(WalletRegistration.id)
    )
    emit(session, PhonesDue(brand_id=brand_of(session)))
    return made is not None


def unregister(session: Session, row: WalletPass, *, device: str) -> None:
    """Forget that a phone has a pass, and the phone with its last one. A second time changes nothing."""
    found = _device(session, device, row.pass_type or "", lock=True)
    if found is None:
        return
    session.execute(
        delete(WalletRegistration).where(WalletRegistration.device_id == found.id, WalletRegistration.pass_id == row.id)
    )
    left = exists().where(WalletRegistration.device_id == WalletDevice.id)
    session.execute(delete(WalletDevice).where(WalletDevice.id == found.id, ~left))


def updates(session: Session, *, device: str, pass_type: str, tag: str | None) -> Updates | None:
    """Return every pass of a phone with a version above its tag; None when there is none, or no such phone.

    One statement sees one state of the database, and versions are committed in their order: below the new tag nothing
    is still to come.
    """
    since = marks.read_tag(session, tag)
    found = changed_since(session, device=device, pass_type=pass_type, since=since)
    if not found:
        return None
    epoch = marks.current(session).epoch
    return Updates([serial for serial, _version in found], marks.Version(epoch, max(n for _serial, n in found)).tag)


def changed_since(session: Session, *, device: str, pass_type: str, since: int) -> list[tuple[str, int]]:
    """Return serial and version of a phone's passes above a version, the oldest change first."""
    pair = (WalletPass.version, WalletRegistration.version)
    newest = case((pair[0] > pair[1], pair[0]), else_=pair[1])
    wanted = (
        select(WalletPass.serial, newest)
        .join(WalletRegistration, WalletRegistration.pass_id == WalletPass.id)
        .join(WalletDevice, WalletDevice.id == WalletRegistration.device_id)
        .where(
            WalletDevice.device_hash == keyring(session).lookup(DEVICE, device),
            WalletDevice.pass_type == pass_type,
            newest > since,
        )
    )
    return sorted(((serial, n) for serial, n in session.execute(wanted)), key=lambda pair: pair[1])


def _device(session: Session, device: str, pass_type: str, *, lock: bool = False) -> WalletDevice | None:
    hashed = keyring(session).lookup(DEVICE, device)
    wanted = select(WalletDevice).where(WalletDevice.device_hash == hashed, WalletDevice.pass_type == pass_type)
    return session.scalar(wanted.with_for_update() if lock else wanted)


def _registered(session: Session, device_id: int, pass_id: int) -> bool:
    wanted = (WalletRegistration.device_id == device_id, WalletRegistration.pass_id == pass_id)
    return session.scalar(select(WalletRegistration.id).where(*wanted)) is not None
