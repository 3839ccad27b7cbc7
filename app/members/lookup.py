"""Finding members: by code, by confirmed contact, and past a merge."""

import contextlib
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.members.contacts import ContactValue
from app.members.models import Contact, Member, MemberCode
from app.members.rules import read_member_text

_GONE = ("erased", "merged")
_LONGEST_CHAIN = 20  # a merge shortens the chains it makes longer; this only stops a circle in a broken database


def live(session: Session, member_id: int) -> Member | None:
    """Return the member, or the one it was merged into; None when that one is erased."""
    for _ in range(_LONGEST_CHAIN):
        member = session.scalar(select(Member).where(Member.id == member_id))
        if member is None or member.state == "erased":
            return None
        if member.merged_into_id is None:
            return member
        member_id = member.merged_into_id
    return None


def family(session: Session, member_id: int) -> list[int]:
    """Return the ids of a member and of all that were merged into it."""
    merged = session.scalars(select(Member.id).where(Member.merged_into_id == member_id))
    return [member_id, *sorted(merged)]


def owner_of_code(session: Session, text: str) -> Member | None:
    """Return the member that a scanned or typed code was made for: its secret checks the code's 6 digits."""
    read = read_member_text(text)
    if read is None:
        return None
    same = MemberCode.code == read.id if read.id else MemberCode.spoken == read.spoken
    return session.scalar(select(Member).join(MemberCode, MemberCode.member_id == Member.id).where(same))


def find_by_code(session: Session, text: str) -> Member | None:
    """Return the member that a QR's text, a bare id or a spoken code names today, past a merge; None when unknown."""
    owner = owner_of_code(session, text)
    return live(session, owner.id) if owner else None


def holder(session: Session, contact: ContactValue) -> Member | None:
    """Return the member that has confirmed a contact. One query whether there is one or not: time would tell."""
    confirmed = (Contact.kind == contact.kind, Contact.value == contact.value, Contact.confirmed_at.is_not(None))
    joined = select(Member).join(Contact, Contact.member_id == Member.id).where(*confirmed, Member.state.not_in(_GONE))
    return session.scalar(joined)


def contacts_of(session: Session, member_id: int) -> list[Contact]:
    """Return a member's contacts, the oldest first."""
    return list(session.scalars(select(Contact).where(Contact.member_id == member_id).order_by(Contact.id)))


def pending_contact(session: Session, member_id: int) -> Contact | None:
    """Return the oldest contact that the member has still to confirm."""
    return next((contact for contact in contacts_of(session, member_id) if contact.confirmed_at is None), None)


def codes_of(session: Session, member_id: int) -> MemberCode:
    """Return the codes on the member's own card.

    Raises:
        sqlalchemy.exc.NoResultFound: it has none, which the books would tell.
    """
    return session.scalars(
        select(MemberCode).where(MemberCode.member_id == member_id).order_by(MemberCode.id).limit(1)
    ).one()


def lock(session: Session, *member_ids: int) -> list[Member]:
    """Lock members in the order of their ids, so that two requests cannot wait for each other, and read them anew.

    Rows that only point to a member, such as a scan, are written meanwhile: the key itself is not locked.
    """
    statement = select(Member).where(Member.id.in_(member_ids)).order_by(Member.id).with_for_update(key_share=True)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


class _WrongGuess(Exception):
    """Gives the locks of a first guess back."""


def lock_found(session: Session, find: Callable[[], set[int]]) -> None:
    """Lock the members that `find` names, until it names the same ones while they are locked.

    Locks of a first guess are given back before the next one, so that they are always taken in id order.
    """
    while True:
        named = find()
        with contextlib.suppress(_WrongGuess), session.begin_nested():
            lock(session, *named)
            if find() != named:
                raise _WrongGuess
            return


def lock_live(session: Session, member_id: int) -> Member | None:
    """Lock the member, or the one it was merged into, and return it; None when that one is erased."""

    def living() -> set[int]:
        member = live(session, member_id)
        return {member.id} if member else set()

    lock_found(session, living)
    return live(session, member_id)
