"""The register: joining, the profile, and the register part of a merge.

Source: earning.md, "Members, consent, erasure"; design.md section 3, "Members and contacts".
"""

import secrets
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core import clock, sessions
from app.core.crypto import random_symbols
from app.core.db import brand_of, keyring
from app.core.errors import Conflict, Invalid
from app.core.events import emit
from app.core.i18n import LANGUAGES
from app.core.i18n import gettext as _
from app.members import codes, consents, contacts, lookup
from app.members.contacts import ContactValue
from app.members.events import MemberChanged, MemberJoined, MemberMerged
from app.members.forms import Joined, JoinForm, Seen, check, check_name
from app.members.lookup import codes_of, contacts_of, find_by_code, live, pending_contact
from app.members.models import Contact, ContactCode, Member, MemberCode, Scan, ScanConfirmation
from app.members.rules import CODE_LENGTH, SPOKEN_LENGTH
from app.members.rules import display_name as _display_name
from app.network.models import Brand

__all__ = [
    "JoinForm", "Joined", "absorb", "add_contact", "ask_again", "codes_of", "contacts_of", "devices", "display_name",
    "end_device", "find_by_code", "join", "live", "pending_contact", "rename", "renew_secrets", "set_birth_month",
    "set_language",
]  # fmt: skip

DOOR = "member"  # of the member's sessions
SESSION_LASTS = timedelta(days=400)  # as long as browsers keep a cookie; ending it in the profile works at once
TOTP_BYTES = 20
CONTACTS = 5  # that one member may have
_DRAWS = 5  # of a code that somebody has already


class ContactYours(Conflict):
    """The member has confirmed this contact already."""

    code = "contact_yours"


class BirthMonthInvalid(Invalid):
    """A month is 1 to 12."""

    code = "birth_month_invalid"


class ContactsFull(Conflict):
    """The member has as many contacts as one may have."""

    code = "contacts_full"


def join(session: Session, form: JoinForm) -> Joined:
    """Join: always a new provisional member with its codes, whoever has the contact already.

    Nothing here looks the contact up, so known and unknown ones cannot differ. Ticked consents are pending until
    the contact is confirmed, push until the browser subscribes; what is not ticked leaves no row. The door counts
    with `sign_in.count_ask` before its unit opens.

    Raises:
        Invalid: one of `forms.FAULTS`, or `SeveralFaults` that lists them; each names its `field`.

    Emits MemberJoined and ContactCodeAsked for the first contact.
    """
    seen = check(session, form)
    member = _register(session, form, seen)
    give_codes(session, member)
    session.add_all(Contact(member_id=member.id, kind=value.kind, value=value.value) for value in seen.contacts)
    session.flush()
    for channel, text in seen.wordings.items():
        consents.record(
            session, member, channel, "pending", source=member.source, method="tick", wording=consents.proof(text),
            outlet_id=member.outlet_id, staff_id=form.staff_id,
        )  # fmt: skip
    emit(session, MemberJoined(member_id=member.id))
    code = _ask(session, member, seen.contacts[0], browser=form.browser)
    return Joined(member=member, contact=seen.contacts[0], code=code)


def display_name(member: Member) -> str:
    """Return `Aino K.`, or an empty text."""
    return _display_name(member.first_name, member.last_name)


def rename(session: Session, member: Member, first_name: str) -> None:
    """Change the first name; an empty one takes it away.

    Raises:
        NameInvalid: too long, or signs that no name has.
    """
    member.first_name = check_name(first_name)
    session.flush()
    emit(session, MemberChanged(member_id=member.id))


def set_language(session: Session, member: Member, language: str) -> None:
    """Speak to the member in one of the brand's languages; another one is left unheard."""
    if language in session.get_one(Brand, brand_of(session)).languages and language in LANGUAGES:
        member.language = language
        session.flush()
        emit(session, MemberChanged(member_id=member.id))


def set_birth_month(session: Session, member: Member, month: int | None) -> None:
    """Note the month of birth, 1 is January; None forgets it.

    Raises:
        BirthMonthInvalid: there is no such month.
    """
    if month is not None and not 1 <= month <= 12:
        raise BirthMonthInvalid(_("Choose a month."), field="birth_month")
    member.birth_month = month
    session.flush()
    emit(session, MemberChanged(member_id=member.id))


def add_contact(session: Session, member: Member, contact: str, *, browser: str) -> ContactCode:
    """Add an email address or phone number to the profile and ask for its code.

    The same for a contact that another member holds: confirming it merges this member into that one.

    Raises:
        ContactInvalid: it cannot be a contact.
        ContactYours: confirmed already.
        ContactsFull: there are five.
    """
    value = contacts.parse(contact, region=contacts.region_of(session))
    lookup.lock(session, member.id)
    mine = contacts_of(session, member.id)
    known = next((row for row in mine if (row.kind, row.value) == (value.kind, value.value)), None)
    if known is not None and known.confirmed_at is not None:
        raise ContactYours(_("You have confirmed this contact already."), field="contact")
    if known is None and len(mine) >= CONTACTS:
        raise ContactsFull(_("You have as many contacts as one card can have."), field="contact")
    if known is None:
        session.add(Contact(member_id=member.id, kind=value.kind, value=value.value))
        session.flush()
    return _ask(session, member, value, browser=browser)


def ask_again(session: Session, member: Member, *, browser: str, contact: Contact | None = None) -> ContactCode | None:
    """Send a new code for a contact, the one asked for last if none is given; None when all are confirmed."""
    contact = contact or codes.waiting(session, member.id)
    return _ask(session, member, ContactValue(contact.kind, contact.value), browser=browser) if contact else None


def devices(session: Session, member: Member) -> list[sessions.DoorSession]:
    """Return the member's live log-ins, the newest first."""
    return sessions.of_subject(session, door=DOOR, subject_id=member.id)


def end_device(session: Session, member: Member, public_id: str) -> int | None:
    """End one of the member's log-ins and renew the secret that it knows; return its id, None when not theirs."""
    for login in devices(session, member):
        if login.public_id == public_id:
            sessions.end(session, login.id)
            renew_secrets(session, member)
            return login.id
    return None


def renew_secrets(session: Session, member: Member) -> None:
    """Draw new secrets for the member's moving code and for those of the cards merged into it.

    A device that knows the old ones shows codes that only earn from now on.
    """
    lookup.lock(session, member.id)
    merged = select(Member).where(Member.merged_into_id == member.id).order_by(Member.id)
    for row in (member, *session.scalars(merged)):
        row.totp_secret = _new_secret(session)
    session.flush()
    emit(session, MemberChanged(member_id=member.id))


def absorb(session: Session, newcomer: Member, into: Member) -> Member:
    """Do the register part of a merge; `cards.service.absorb` calls it and moves what was earned.

    Contacts, open codes, log-ins, scans and the newer consents go to the member that stays. The newcomer keeps its own
    codes and secret, which lead to that member from now on. Safe to repeat. Returns the member that stays.
    """
    locked = {member.id: member for member in lookup.lock(session, newcomer.id, into.id)}
    newcomer, kept = locked[newcomer.id], live(session, into.id)
    if kept is None or newcomer.merged_into_id is not None or kept.id == newcomer.id:
        return kept or into
    _move_contacts(session, newcomer, kept)
    consents.absorb(session, newcomer, kept)
    for table in (ContactCode, ScanConfirmation, Scan):  # as `allowing.answer` locks them
        session.execute(update(table).where(table.member_id == newcomer.id).values(member_id=kept.id))
    sessions.move(session, door=DOOR, from_id=newcomer.id, to_id=kept.id)
    session.execute(update(Member).where(Member.merged_into_id == newcomer.id).values(merged_into_id=kept.id))
    kept.first_name = kept.first_name or newcomer.first_name
    kept.birth_month = kept.birth_month or newcomer.birth_month
    newcomer.state, newcomer.merged_into_id, newcomer.first_name = "merged", kept.id, None
    session.flush()
    emit(session, MemberMerged(member_id=newcomer.id, into_id=kept.id))
    return kept


def give_codes(session: Session, member: Member, *, draw: Callable[[int], str] = random_symbols) -> MemberCode:
    """Draw the member's codes, again when somebody has one of them (8 symbols do meet now and then).

    Raises:
        RuntimeError: five draws were all taken; the chance is broken.
    """
    for _attempt in range(_DRAWS):
        row = MemberCode(member_id=member.id, code=draw(CODE_LENGTH), spoken=draw(SPOKEN_LENGTH), at=clock.now())
        try:
            with session.begin_nested():
                session.add(row)
                session.flush()
        except IntegrityError:
            continue
        return row
    raise RuntimeError("no free member code was drawn")


def _register(session: Session, form: JoinForm, seen: Seen) -> Member:
    member = Member(
        first_name=seen.first_name, language=seen.language, source=seen.source, outlet_id=seen.outlet_id,
        joined_at=clock.now(), age_confirmed=form.age, state="provisional",
        terms_id=seen.terms.id if seen.terms else None, privacy_id=seen.privacy.id if seen.privacy else None,
        totp_secret=_new_secret(session),
    )  # fmt: skip
    session.add(member)
    session.flush()
    return member


def _new_secret(session: Session) -> bytes:
    return keyring(session).encrypt(secrets.token_bytes(TOTP_BYTES))


def _ask(session: Session, member: Member, value: ContactValue, *, browser: str) -> ContactCode:
    return codes.make(session, value, purpose="confirm", member_id=member.id, browser=browser, language=member.language)


def _move_contacts(session: Session, newcomer: Member, kept: Member) -> None:
    known = {(row.kind, row.value): row for row in contacts_of(session, kept.id)}
    for row in contacts_of(session, newcomer.id):
        twin = known.get((row.kind, row.value))
        if twin is None:
            row.member_id = kept.id
            continue
        confirmed_at = row.confirmed_at
        session.execute(delete(Contact).where(Contact.id == row.id))
        twin.confirmed_at = twin.confirmed_at or confirmed_at
    session.flush()
    if any(row.confirmed_at for row in session.scalars(select(Contact).where(Contact.member_id == kept.id))):
        kept.state = "confirmed"
