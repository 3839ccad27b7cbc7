"""Till keys: opaque, shown once, kept as a hash, revocable at once."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock, sessions
from app.core.crypto import hash_token, new_token
from app.core.errors import Unauthorized
from app.core.i18n import gettext as _
from app.network.models import Outlet, Reseller, Till

DOOR = "till"
PREFIX = "till_"  # so that a scanner of leaked secrets can tell what it found
LONGEST_KEY = 100


class TillKeyUnknown(Unauthorized):
    """The key names no till, or was revoked: one answer for both."""

    code = "till_key_unknown"


@dataclass(frozen=True)
class TillPlace:
    """A till with the outlet and reseller that it stands for."""

    till: Till
    outlet: Outlet
    reseller: Reseller


def new_till_key(session: Session, till: Till) -> str:
    """Give a till a new key of 192 bits and end the old one with its log-ins; shown only now."""
    key = PREFIX + new_token()
    till.key_hash, till.revoked_at = hash_token(key), None
    sessions.end_all(session, door=DOOR, subject_id=till.id)
    session.flush()
    return key


def revoke_till_key(session: Session, till: Till) -> None:
    """End a till's key and its log-ins, from the next call on."""
    till.key_hash, till.revoked_at = None, clock.now()
    sessions.end_all(session, door=DOOR, subject_id=till.id)
    session.flush()


def till_by_key(session: Session, key: str) -> Till:
    """Return the till of a key; works without a brand, since the key names it.

    Raises:
        TillKeyUnknown: unknown or revoked.
    """
    found = None
    if 0 < len(key) <= LONGEST_KEY:
        wanted = select(Till).where(Till.key_hash == hash_token(key.strip()), Till.revoked_at.is_(None))
        found = session.scalar(wanted.execution_options(finds_brand=True))
    if found is None:
        raise TillKeyUnknown(_("This till key is not known. It may have been replaced."))
    return found


def till_place(session: Session, till_id: int) -> TillPlace:
    """Return a till of the session's brand that may work, with its outlet and reseller.

    Raises:
        TillKeyUnknown: it is not of this brand, or its key was revoked.
    """
    found = session.execute(
        select(Till, Outlet, Reseller)
        .join(Outlet, Outlet.id == Till.outlet_id)
        .join(Reseller, Reseller.id == Outlet.reseller_id)
        .where(Till.id == till_id, Till.revoked_at.is_(None), Till.key_hash.is_not(None))
    ).one_or_none()
    if found is None:
        raise TillKeyUnknown(_("This till key is not known. It may have been replaced."))
    return TillPlace(*found)
