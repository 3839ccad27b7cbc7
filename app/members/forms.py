"""What people fill in to join, and everything that can be wrong with it, told at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.db import brand_of
from app.core.errors import Invalid, LeimaError
from app.core.i18n import LANGUAGES
from app.core.i18n import gettext as _
from app.members import contacts, wordings
from app.members.consents import CONTACT_OF, ConsentNotOffered, ContactMissing
from app.members.contacts import ContactInvalid, ContactValue
from app.members.models import ContactCode, Member, Wording
from app.members.rules import clean_name
from app.network.models import Brand, Outlet

SOURCES = (
    "web", "poster", "outlet", "till", "kiosk", "banner", "roll_up", "qr_poster", "web_shop", "referral", "sms",
)  # fmt: skip
T = TypeVar("T")


class ContactRequired(ContactInvalid):
    """The one field that joining needs is empty."""

    code = "contact_required"


class AgeMissing(Invalid):
    """The age was not confirmed; `lowest_age` is the brand's."""

    code = "age_missing"


class NameInvalid(Invalid):
    """The name is too long or holds signs that no name has."""

    code = "name_invalid"


class SeveralFaults(Invalid):
    """More than one thing is wrong; `faults` lists field, code and sentence of each."""

    code = "several_faults"


FAULTS = (ContactInvalid, AgeMissing, NameInvalid, ContactMissing, ConsentNotOffered, wordings.WordingUnknown)


@dataclass(frozen=True)
class JoinForm:
    """What a door collected. Nothing is checked yet."""

    contact: str
    age: bool  # "I am at least 13"
    language: str
    contact_2: str | None = None  # asked for when a ticked channel lacks its contact
    first_name: str | None = None
    source: str = "web"
    outlet_slug: str | None = None
    consents: frozenset[str] = frozenset()  # ticked: email, sms, push
    # Public ids of the texts on the page: terms, privacy, email, sms, push. What is missing is the newest.
    wordings: Mapping[str, str] = field(default_factory=dict)
    browser: str = ""  # token of the asking browser's cookie; empty at a till
    staff_id: int | None = None  # who signed the member up


@dataclass(frozen=True)
class Joined:
    """The new member, the contact that a code was sent to, and that code's row."""

    member: Member
    contact: ContactValue
    code: ContactCode


@dataclass(frozen=True)
class Seen:
    """A form that was checked."""

    contacts: tuple[ContactValue, ...]
    first_name: str | None
    language: str
    source: str
    outlet_id: int | None
    terms: Wording | None
    privacy: Wording | None
    wordings: dict[str, Wording]  # channel → the sentence that was ticked


def fields(error: LeimaError) -> dict[str, str]:
    """Return field → sentence of a refused form, for the page that shows it again."""
    faults = error.extra.get("faults")
    if isinstance(faults, list):
        return {str(fault["field"]): str(fault["message"]) for fault in reversed(faults)}
    return {str(error.extra.get("field", "form")): error.message}


def check(session: Session, form: JoinForm) -> Seen:
    """Check all of a form.

    Raises:
        Invalid: the one thing that is wrong, or `SeveralFaults`.
    """
    brand = session.get_one(Brand, brand_of(session))
    language = (
        form.language if form.language in brand.languages and form.language in LANGUAGES else brand.default_language
    )
    faults: list[Invalid] = []

    def attempt(part: Callable[[], T], otherwise: T) -> T:
        try:
            return part()
        except Invalid as fault:
            faults.append(fault)
            return otherwise

    def text(kind: str, key: str) -> Wording | None:
        return attempt(lambda: wordings.shown(session, kind, form.wordings.get(key), language), None)

    region = contacts.region_of(session)
    given = attempt(lambda: _contacts(form, region), None)
    name = attempt(lambda: check_name(form.first_name or ""), None)
    if not form.age:
        message = _("Please confirm that you are at least %(n)s years old.", n=brand.lowest_age)
        faults.append(AgeMissing(message, lowest_age=brand.lowest_age, field="age"))
    nothing: dict[str, Wording] = {}
    ticked = attempt(lambda: _ticked(session, form, given, language), nothing)
    terms, privacy = text("terms", "terms"), text("privacy", "privacy")
    _refuse(faults)
    source, outlet_id = form.source if form.source in SOURCES else "web", _outlet(session, form.outlet_slug)
    if source == "outlet" and outlet_id is None:
        source = "web"  # a link that names no outlet of ours
    return Seen(given or (), name, language, source, outlet_id, terms, privacy, ticked)


def check_name(text: str) -> str | None:
    """Return a first name as it is kept, None for an empty one.

    Raises:
        NameInvalid: too long, or signs that no name has.
    """
    if not text.strip():
        return None
    try:
        return clean_name(text)
    except ValueError:
        raise NameInvalid(_("Please use letters only, at most 60."), field="first_name") from None


def _contacts(form: JoinForm, region: str) -> tuple[ContactValue, ...]:
    if not form.contact.strip():
        raise ContactRequired(_("Please type your email address or mobile phone number."))
    first = contacts.parse(form.contact, region=region)
    if not (form.contact_2 or "").strip():
        return (first,)
    try:
        second = contacts.parse(form.contact_2 or "", region=region)
    except ContactInvalid as fault:
        fault.extra["field"] = "contact_2"
        raise
    return (first,) if first == second else (first, second)


def _ticked(
    session: Session, form: JoinForm, given: tuple[ContactValue, ...] | None, language: str
) -> dict[str, Wording]:
    """Return the sentence of each ticked channel; `given` is None when the contacts themselves are at fault."""
    found: dict[str, Wording] = {}
    for channel in sorted(form.consents):
        text = None
        if channel in wordings.MARKETING_CHANNELS:
            kind = wordings.consent_kind(channel)
            text = wordings.shown(session, kind, form.wordings.get(channel), language)
        if text is None:
            raise ConsentNotOffered(_("This consent is not asked for."), channel=channel, field="form")
        needed = CONTACT_OF.get(channel)
        if needed and given is not None and needed not in {value.kind for value in given}:
            raise ContactMissing(channel)
        found[channel] = text
    return found


def _outlet(session: Session, slug: str | None) -> int | None:
    """Return the outlet that a link names; a link with a slip still lets people join."""
    return session.scalar(select(Outlet.id).where(Outlet.slug == slug)) if slug else None


def _refuse(faults: list[Invalid]) -> None:
    if len(faults) == 1:
        raise faults[0]
    if faults:
        listed: list[dict[str, Any]] = [
            {**fault.extra, "code": fault.code, "message": fault.message} for fault in faults
        ]
        for entry in listed:
            entry.setdefault("field", "form")
        raise SeveralFaults(_("Please check what is marked."), faults=listed)
