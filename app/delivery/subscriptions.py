"""Browsers that a member lets us push to. A subscription lives as long as the log-in that it came from."""

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import brand_of, inserting, keyring
from app.core.sessions import DoorSession
from app.delivery.channel import PushKeys
from app.delivery.models import PushSubscription
from app.members import consents, lookup
from app.members.models import Member
from app.members.service import DOOR

MOST = 10  # browsers of one member; the oldest goes when another comes


def subscribe(
    session: Session,
    member: Member,
    *,
    endpoint: str,
    keys: PushKeys,
    login_id: int | None = None,
    simulated: bool = False,
) -> PushSubscription:
    """Keep a browser's subscription; the same endpoint again, also from another member, replaces what was known.

    The door has checked the endpoint and the keys. A pending push consent is granted now.

    Args:
        login_id: the browser's log-in, with which the subscription ends.
    """
    member = lookup.lock_live(session, member.id) or member
    row = _row(session, member, endpoint)
    row.member_id, row.p256dh, row.auth, row.simulated = member.id, keys.p256dh, keys.auth, simulated
    row.login_id, row.failed = login_id, 0
    session.flush()
    kept = {old.id for old in of_member(session, member.id)[:MOST]}
    for old in session.scalars(select(PushSubscription).where(PushSubscription.member_id == member.id)).all():
        if old.id not in kept and old is not row:
            session.delete(old)
    session.flush()
    consents.subscribed(session, member)
    return row


def _row(session: Session, member: Member, endpoint: str) -> PushSubscription:
    """Return the endpoint's row; of two tabs at once, both get the one row."""
    hashed = keyring(session).lookup("push endpoint", endpoint)
    insert = inserting(session)
    values = {
        "brand_id": brand_of(session), "member_id": member.id, "endpoint_hash": hashed, "p256dh": "", "auth": "",
        "endpoint": keyring(session).encrypt(endpoint), "at": clock.now(),
    }  # fmt: skip
    session.execute(
        insert(PushSubscription).values(values).on_conflict_do_nothing(index_elements=["brand_id", "endpoint_hash"])
    )
    return session.scalars(select(PushSubscription).where(PushSubscription.endpoint_hash == hashed)).one()


def of_member(session: Session, member_id: int) -> list[PushSubscription]:
    """Return a member's browsers that are still logged in, the newest first."""
    logged_in = select(DoorSession.id).where(
        DoorSession.door == DOOR, DoorSession.subject_id == member_id, DoorSession.ends_at > clock.now()
    )
    wanted = select(PushSubscription).where(
        PushSubscription.member_id == member_id,
        or_(PushSubscription.login_id.is_(None), PushSubscription.login_id.in_(logged_in)),
    )
    return list(session.scalars(wanted.order_by(PushSubscription.id.desc())))


def drop(session: Session, subscription_id: int) -> None:
    """Forget a browser that its push service says is gone."""
    session.execute(delete(PushSubscription).where(PushSubscription.id == subscription_id))


def drop_all(session: Session, member_id: int) -> None:
    """Forget every browser of a member who wants no notifications."""
    session.execute(delete(PushSubscription).where(PushSubscription.member_id == member_id))


def drop_login(session: Session, login_id: int) -> None:
    """Forget the browser of a log-in that has ended."""
    session.execute(delete(PushSubscription).where(PushSubscription.login_id == login_id))


def follow(session: Session, *, from_login: int, to_login: int, member_id: int) -> None:
    """Hand a browser's subscription to its next log-in; with another member's card it is forgotten."""
    for row in session.scalars(select(PushSubscription).where(PushSubscription.login_id == from_login)).all():
        if row.member_id == member_id:
            row.login_id = to_login
        else:
            session.delete(row)
    session.flush()


def move(session: Session, *, member_id: int, into_id: int) -> None:
    """Hand a merged member's browsers to the member it became; the merge has moved their log-ins."""
    for row in session.scalars(select(PushSubscription).where(PushSubscription.member_id == member_id)).all():
        row.member_id = into_id
    session.flush()
