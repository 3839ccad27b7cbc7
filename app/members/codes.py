"""Codes of 6 digits and the links beside them: made, counted, found. What they prove is `sign_in`'s.

Source: trust.md, "log-in codes"; design.md section 3, "Counters survive refusals".
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import hash_token, new_digits, new_token
from app.core.db import Database, keyring
from app.core.errors import Conflict, LeimaError
from app.core.events import emit
from app.core.i18n import gettext as _
from app.core.sessions import DoorSession
from app.members import contacts
from app.members.contacts import ContactValue
from app.members.events import ContactCodeAsked
from app.members.models import Contact, ContactCode, Member

LIFETIME = timedelta(minutes=10)
TRIES = 5  # of one code, and of one contact within LIFETIME whatever the number of its codes
ASKS = 5  # messages to one contact within LIFETIME
ASKS_OF_ADDRESS = 30  # within LIFETIME: a shop's guests share one address


class CodeUnusable(Conflict):
    """No such code for this browser, or it is used, expired or has no tries left: one answer for all of them."""

    code = "code_unusable"

    def __init__(self) -> None:
        super().__init__(_("This code can no longer be used. Please ask for a new one."))


@dataclass(frozen=True)
class Try:
    """One counted try at a code. Only `count_try` makes it, and nothing is compared without it."""

    code: str  # the code's public id
    number: int  # 1 to 5


def make(
    session: Session, contact: ContactValue, *, purpose: str, member_id: int | None, browser: str, language: str
) -> ContactCode:
    """Make a code and its link and queue the message. The same rows for known and unknown contacts.

    Args:
        purpose: confirm or sign_in.
        member_id: who asks, or who holds the contact; None for a contact that nobody holds: no digits pass then.
        browser: token of the asking browser's cookie; empty when no browser asked, then only the link works.
    """
    keys, now, link = keyring(session), clock.now(), new_token()
    row = ContactCode(
        purpose=purpose, member_id=member_id, kind=contact.kind, contact=keys.encrypt(contact.value),
        contact_hash=contacts.fingerprint(session, contact), code=keys.encrypt(new_digits()),
        link=keys.encrypt(link), link_hash=hash_token(link), browser_hash=hash_token(browser) if browser else "",
        language=language, at=now, ends_at=now + LIFETIME,
    )  # fmt: skip
    session.add(row)
    session.flush()
    emit(session, ContactCodeAsked(code_id=row.id))
    return row


def count_ask(database: Database, brand_id: int, *, contact: str, address: str, most: int = ASKS_OF_ADDRESS) -> None:
    """Count one wish for a message, before the request's unit opens: by contact and by the asking address.

    Raises:
        TooMany: more than 5 for a contact, or `most` from an address, within 10 minutes.
    """
    with database.reading(brand_id) as session:
        try:
            key = contacts.fingerprint(session, contacts.parse(contact, region=contacts.region_of(session)))
        except LeimaError:
            key = ""  # no message goes to what cannot be a contact; the form says so
    now = clock.now()
    database.count(f"ask:{brand_id}:from:{address}", limit=most, window=LIFETIME, now=now)
    if key:
        database.count(f"ask:{brand_id}:to:{key}", limit=ASKS, window=LIFETIME, now=now)


def count_try(database: Database, brand_id: int, code_public_id: str) -> Try:
    """Count one try, committed before anything is compared, so that no refusal and no race gives it back.

    Counted by contact, so that asking for more codes gives no more tries, and in the code's own row.

    Raises:
        TooMany: 5 tries at this contact within 10 minutes; says how long to wait.
        CodeUnusable: unknown, used, expired, or its own 5 tries are gone.
    """
    wanted = (ContactCode.public_id == code_public_id, ContactCode.used_at.is_(None), ContactCode.ends_at > clock.now())
    with database.reading(brand_id) as session:
        contact = session.scalar(select(ContactCode.contact_hash).where(*wanted))
    if contact is None:
        raise CodeUnusable
    database.count(f"try:{brand_id}:{contact}", limit=TRIES, window=LIFETIME, now=clock.now(), strict=True)
    with database.unit(brand_id) as session:
        counted = update(ContactCode).where(*wanted, ContactCode.tries < TRIES).values(tries=ContactCode.tries + 1)
        number = session.scalar(counted.returning(ContactCode.tries))
    if number is None:
        raise CodeUnusable
    return Try(code_public_id, number)


def newest(session: Session, *, browser: str, contact_hash: str | None = None) -> ContactCode | None:
    """Return the newest open code that this browser asked for; for one contact where its hash is given."""
    if not browser:
        return None
    mine = [
        ContactCode.browser_hash == hash_token(browser),
        ContactCode.used_at.is_(None),
        ContactCode.ends_at > clock.now(),
    ]
    if contact_hash is not None:
        mine.append(ContactCode.contact_hash == contact_hash)
    return session.scalar(select(ContactCode).where(*mine).order_by(ContactCode.id.desc()).limit(1))


def waiting(session: Session, member_id: int) -> Contact | None:
    """Return the unconfirmed contact of a member whose code was asked last; None when all are confirmed."""
    unproved = (Contact.member_id == member_id, Contact.confirmed_at.is_(None))
    rows = list(session.scalars(select(Contact).where(*unproved).order_by(Contact.id)))
    if len(rows) < 2:
        return rows[0] if rows else None
    by_hash = {contacts.fingerprint(session, ContactValue(row.kind, row.value)): row for row in rows}
    asked = select(ContactCode.contact_hash).where(
        ContactCode.member_id == member_id, ContactCode.contact_hash.in_(by_hash)
    )
    last = session.scalar(asked.order_by(ContactCode.id.desc()).limit(1))
    return by_hash[last] if last else rows[0]


def joined_here(session: Session, contact: ContactValue, *, browser: str) -> Member | None:
    """Return the provisional member that this browser made with this contact within LIFETIME: a form sent twice.

    Looks at the browser's own codes only, so it tells nothing of who else has the contact. On PostgreSQL the browser's
    requests queue here until the unit ends; on SQLite all writers do.
    """
    browser_hash = hash_token(browser)
    if session.get_bind().dialect.name == "postgresql":
        key = int(browser_hash[:15], 16)
        session.execute(select(func.pg_advisory_xact_lock(key)))
    since = clock.now() - LIFETIME
    made = (
        select(Member)
        .join(ContactCode, ContactCode.member_id == Member.id)
        .where(
            ContactCode.browser_hash == browser_hash, ContactCode.purpose == "confirm", ContactCode.at > since,
            ContactCode.contact_hash == contacts.fingerprint(session, contact),
            Member.state == "provisional", Member.joined_at > since,
        )
    )  # fmt: skip
    return session.scalar(made.order_by(Member.id.desc()).limit(1))


def till_made(session: Session, contact: ContactValue, *, but: int) -> list[Member]:
    """Return the cards made at a till for a contact that nobody proved for them, the oldest first.

    Never one that a browser asked for or is signed in to: whoever sits there need not have the contact.

    Args:
        but: the member that has just proved the contact.
    """
    asked = select(ContactCode.id).where(ContactCode.member_id == Member.id, ContactCode.browser_hash != "")
    inside = select(DoorSession.id).where(DoorSession.door == "member", DoorSession.subject_id == Member.id)
    found = (
        select(Member)
        .join(Contact, Contact.member_id == Member.id)
        .where(
            Contact.kind == contact.kind, Contact.value == contact.value, Contact.confirmed_at.is_(None),
            Member.source == "till", Member.state == "provisional", Member.id != but,
            ~asked.exists(), ~inside.exists(),
        )
    )  # fmt: skip
    # One that is confirmed at this moment is left to that: waiting for it here could be waiting for each other.
    return list(session.scalars(found.order_by(Member.id).with_for_update(skip_locked=True, of=Member)))


def by_link(session: Session, token: str) -> ContactCode | None:
    """Return the open code that a link belongs to. Changes nothing."""
    return session.scalar(
        select(ContactCode).where(
            ContactCode.link_hash == hash_token(token), ContactCode.used_at.is_(None), ContactCode.ends_at > clock.now()
        )
    )


def use(session: Session, row: ContactCode) -> None:
    """Use a code up: one conditional UPDATE, so that one of many at once succeeds.

    Raises:
        CodeUnusable: somebody was faster, or its time is over.
    """
    now = clock.now()
    used = (
        update(ContactCode)
        .where(ContactCode.id == row.id, ContactCode.used_at.is_(None), ContactCode.ends_at > now)
        .values(used_at=now)
        .returning(ContactCode.id)
    )
    if session.scalar(used) is None:
        raise CodeUnusable


def contact_in(session: Session, row: ContactCode) -> ContactValue:
    """Return the contact that a code was asked for."""
    return ContactValue(row.kind, keyring(session).text(row.contact))
