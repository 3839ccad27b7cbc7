"""Browsers that a member lets us push to."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import keyring
from app.delivery.channel import PushKeys
from app.delivery.models import PushSubscription
from app.members import consents
from app.members.models import Member

MOST = 10  # browsers of one member; the oldest goes when another comes


def subscribe(
    session: Session, member: Member, *, endpoint: str, keys: PushKeys, simulated: bool = False
) -> PushSubscription:
    """Keep a browser's subscription; the same endpoint again, also from another member, replaces what was known.

    The door has checked the endpoint and the keys. A pending push consent is granted now.
    """
    hashed = keyring(session).lookup("push endpoint", endpoint)
    row = session.scalar(select(PushSubscription).where(PushSubscription.endpoint_hash == hashed))
    if row is None:
        row = PushSubscription(endpoint_hash=hashed, endpoint=keyring(session).encrypt(endpoint), at=clock.now())
        session.add(row)
    row.member_id, row.p256dh, row.auth, row.simulated = member.id, keys.p256dh, keys.auth, simulated
    row.failed = 0
    session.flush()
    for old in of_member(session, member.id)[MOST:]:
        session.delete(old)
    session.flush()
    consents.subscribed(session, member)
    return row


def of_member(session: Session, member_id: int) -> list[PushSubscription]:
    """Return a member's browsers, the newest first."""
    wanted = select(PushSubscription).where(PushSubscription.member_id == member_id)
    return list(session.scalars(wanted.order_by(PushSubscription.id.desc())))


def drop(session: Session, subscription_id: int) -> None:
    """Forget a browser that its push service says is gone."""
    session.execute(delete(PushSubscription).where(PushSubscription.id == subscription_id))


def move(session: Session, *, member_id: int, into_id: int) -> None:
    """Hand a merged member's browsers to the member it became."""
    for row in of_member(session, member_id):
        row.member_id = into_id
    session.flush()
