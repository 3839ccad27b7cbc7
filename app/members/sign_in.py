"""Proving a contact: confirming the one given on joining, signing in on another device.

Known and unknown contacts get the same answer for the same work; only the mailbox learns the difference. For a contact
that nobody holds the message says that there is no card and how to join, once a day: silence would leave people
waiting.
Source: trust.md, "log-in codes", "who is a member"; design.md section 3, "Members and contacts".
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core import clock
from app.core.crypto import hash_token, same
from app.core.db import keyring
from app.core.errors import Conflict, Invalid
from app.core.events import emit
from app.core.i18n import gettext as _
from app.core.i18n import ngettext
from app.members import codes, consents, contacts, lookup
from app.members.codes import TRIES, CodeUnusable, Try, count_ask, count_try, newest
from app.members.contacts import ContactValue
from app.members.events import ContactConfirmed
from app.members.models import Contact, ContactCode, Member
from app.members.rules import mask_contact

__all__ = ["Try", "ask", "confirm", "confirm_link", "count_ask", "count_try", "message", "newest", "peek"]

NO_CARD_AGAIN = timedelta(days=1)  # at most one "there is no card" for a contact in this time


class CodeWrong(Invalid):
    """The digits are not those of the code; `left` tries remain."""

    code = "code_wrong"

    def __init__(self, left: int) -> None:
        message = ngettext("Wrong code. %(n)s try left.", "Wrong code. %(n)s tries left.", left)
        super().__init__(message, left=left, field="code")


class ConfirmWhereAsked(Conflict):
    """This link works only in the browser that asked for it; the code may be typed there instead."""

    code = "confirm_where_asked"

    def __init__(self) -> None:
        super().__init__(_("Please go back to where you asked for this, and type the code from the message there."))


@dataclass(frozen=True)
class Confirmed:
    """What a code proved.

    The browser may get the member's session: it asked, or no browser did (a till).
    When `merged_from` is set, the caller hands both to `cards.service.absorb`, in the same unit.
    """

    member_id: int
    merged_from: int | None
    purpose: str


@dataclass(frozen=True)
class Peek:
    """What the page behind a link shows before its button is pressed."""

    purpose: str
    kind: str
    contact: str  # masked
    here: bool  # the button works in this browser


@dataclass(frozen=True)
class Message:
    """What is to be sent for a code; without digits it says that there is no card for this contact."""

    kind: str  # email, phone
    to: str
    language: str
    purpose: str
    digits: str | None
    link: str | None  # token of the link
    here: bool = True  # a browser asked, and the digits work there; after a sign-up at a till only the link does


def ask(
    session: Session, *, contact: str, purpose: str, member: Member | None, browser: str, language: str
) -> ContactCode:
    """Send a code and a link to a contact.

    The door counts with `count_ask` before its unit opens.

    Args:
        contact: as typed.
        purpose: `confirm` for a member's own contact, `sign_in` on another device (member is None then).

    Raises:
        ContactInvalid: it cannot be a contact.
    """
    value = contacts.parse(contact, region=contacts.region_of(session))
    owner = member if purpose == "confirm" else lookup.holder(session, value)
    member_id = owner.id if owner else None
    return codes.make(session, value, purpose=purpose, member_id=member_id, browser=browser, language=language)


def message(session: Session, code_id: int) -> Message | None:
    """Return what to send for a code; None when it is over, or the contact heard that it has no card today already."""
    row = session.scalar(select(ContactCode).where(ContactCode.id == code_id))
    if row is None or row.used_at is not None or row.ends_at <= clock.now():
        return None
    keys = keyring(session)
    to = keys.text(row.contact)
    if row.member_id is not None:
        link, here = keys.text(row.link), bool(row.browser_hash)
        return Message(row.kind, to, row.language, row.purpose, keys.text(row.code), link, here=here)
    told = select(ContactCode.id).where(
        ContactCode.contact_hash == row.contact_hash,
        ContactCode.member_id.is_(None),
        ContactCode.id < row.id,
        ContactCode.at > row.at - NO_CARD_AGAIN,
    )
    return None if session.scalar(told.limit(1)) else Message(row.kind, to, row.language, row.purpose, None, None)


def confirm(session: Session, attempt: Try, *, digits: str, browser: str) -> Confirmed:
    """Prove a contact by the digits, in the browser that asked for them.

    Args:
        attempt: from `count_try`, which committed the try before this unit opened.

    Raises:
        CodeWrong: other digits; also for a contact that nobody holds.
        CodeUnusable: used, expired, or asked by another browser.
    """
    row = session.scalar(select(ContactCode).where(ContactCode.public_id == attempt.code))
    counted = row is not None and 1 <= attempt.number <= min(row.tries, TRIES)
    if row is None or not counted or row.used_at is not None or not _asked_here(row, browser):
        raise CodeUnusable
    right = same(keyring(session).text(row.code), "".join(digits.split())[:20])
    if not right or row.member_id is None:
        raise CodeWrong(TRIES - attempt.number)
    return _proved(session, row, row.member_id)


def peek(session: Session, token: str, *, browser: str) -> Peek | None:
    """Return what a link is for, for the page with the button; uses nothing up. None when it is over."""
    row = codes.by_link(session, token)
    if row is None or row.member_id is None:
        return None
    masked = mask_contact(row.kind, codes.contact_in(session, row).value)
    return Peek(row.purpose, row.kind, masked, _link_works(row, browser))


def confirm_link(session: Session, token: str, *, browser: str) -> Confirmed:
    """Prove a contact by the button behind the link.

    Only in the browser that asked, whatever it is for: whoever asked may not be who reads the mail, and would be
    signed in to a card that its later owner takes for theirs. A till's sign-up was asked by no browser.

    Raises:
        CodeUnusable: used, expired, unknown.
        ConfirmWhereAsked: another browser asked; the code stays usable there.
    """
    row = codes.by_link(session, token)
    if row is None or row.member_id is None:
        raise CodeUnusable
    if not _link_works(row, browser):
        raise ConfirmWhereAsked
    return _proved(session, row, row.member_id)


def _link_works(row: ContactCode, browser: str) -> bool:
    return not row.browser_hash or _asked_here(row, browser)


def _asked_here(row: ContactCode, browser: str) -> bool:
    return bool(browser) and same(row.browser_hash, hash_token(browser))


def _proved(session: Session, row: ContactCode, member_id: int) -> Confirmed:
    """Use a code up and return what it proved, with the member and who holds the contact locked until the commit."""
    value = codes.contact_in(session, row)

    def concerned() -> set[int]:
        found = (lookup.live(session, member_id), lookup.holder(session, value))
        return {member.id for member in found if member}

    lookup.lock_found(session, concerned)  # before the code: a merge locks members first, then their open codes
    codes.use(session, row)
    member = lookup.live(session, member_id)
    if member is None:
        raise CodeUnusable
    if row.purpose == "sign_in":
        owner = lookup.holder(session, value)
        if owner is None or owner.id != member.id:
            raise CodeUnusable  # the contact has moved to another member since
        return Confirmed(owner.id, None, row.purpose)
    owner = lookup.holder(session, value) or _take(session, member, value)
    return Confirmed(owner.id, None if owner.id == member.id else member.id, row.purpose)


def _take(session: Session, member: Member, value: ContactValue) -> Member:
    """Confirm a contact for a member; return who holds it now, another one if that was faster."""
    same_contact = (Contact.member_id == member.id, Contact.kind == value.kind, Contact.value == value.value)
    contact = session.scalar(select(Contact).where(*same_contact))
    if contact is None:
        raise CodeUnusable  # taken out of the profile meanwhile
    try:
        with session.begin_nested():  # the unique index decides between two at once
            contact.confirmed_at = clock.now()
            session.flush()
    except IntegrityError:
        owner = lookup.holder(session, value)
        if owner is None:
            raise
        return owner
    if member.state == "provisional":
        member.state = "confirmed"
    consents.contact_confirmed(session, member, value.kind)
    emit(session, ContactConfirmed(member_id=member.id, contact_id=contact.id))
    return member
