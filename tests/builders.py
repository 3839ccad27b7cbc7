"""Builders with defaults: what a test does not say does not matter to it."""

import dataclasses
import hashlib
from typing import Any

from sqlalchemy.orm import Session

from app.cards.limits import Limits
from app.core import clock
from app.core.crypto import hash_token, new_token, random_symbols
from app.core.db import Database, keyring
from app.members import service, sign_in
from app.members.forms import Joined, JoinForm
from app.members.models import Contact, ContactCode, Member, MemberCode, Wording
from app.members.sign_in import Confirmed
from app.network.models import Brand, CostCentre, Outlet, Reseller, Till

# Limits against misuse are off where a test is about something else: it may sell as often as it likes.
NO_LIMITS = {field.name: False for field in dataclasses.fields(Limits) if field.name != "far_minutes"}


def a_brand(database: Database, slug: str = "meri", **fields: Any) -> int:
    """Build a brand with a cost centre, one reseller, one outlet, one till and wordings; return its id."""
    fields.setdefault("limits", NO_LIMITS)
    with database.unit() as session:
        brand = Brand(slug=slug, name=fields.pop("name", slug.title()), **fields)
        session.add(brand)
        session.flush()
        brand_id = brand.id
    with database.unit(brand_id) as session:
        session.add(CostCentre(slug="marketing", name="Marketing"))
        an_outlet(session)
        for kind in ("terms", "privacy", *(f"consent.{channel}.marketing" for channel in ("email", "sms", "push"))):
            for language in ("fi", "sv", "en"):
                words = f"{kind} {language}"
                digest = hashlib.sha256(words.encode()).hexdigest()
                session.add(Wording(kind=kind, language=language, version=1, text=words, sha256=digest, at=clock.now()))
    return brand_id


def an_outlet(session: Session, **fields: Any) -> Outlet:
    """Build an outlet of a new reseller, with one till."""
    slug = fields.pop("slug", random_symbols(6).lower())
    reseller = Reseller(slug=slug, name=f"Reseller {slug}", business_id="1234567-1")
    session.add(reseller)
    session.flush()
    outlet = Outlet(slug=slug, name=fields.pop("name", f"Outlet {slug}"), reseller_id=reseller.id, **fields)
    session.add(outlet)
    session.flush()
    a_till(session, outlet=outlet)
    return outlet


def a_till(session: Session, *, outlet: Outlet | None = None, key: str | None = None) -> Till:
    """Build a till, at an outlet of its own unless one is given."""
    if outlet is None:
        outlet = an_outlet(session)
    slug = random_symbols(6).lower()
    till = Till(slug=slug, name="Till 1", outlet_id=outlet.id, key_hash=hash_token(key or new_token()))
    session.add(till)
    session.flush()
    return till


def a_member(session: Session, **fields: Any) -> Member:
    """Build a member with its codes, and a confirmed email address when its state says so."""
    fields = {"first_name": "Aino", "state": "confirmed", "language": "en", **fields}
    member = Member(
        joined_at=clock.now(), totp_secret=keyring(session).encrypt(b"s" * 20), age_confirmed=True, **fields
    )
    session.add(member)
    session.flush()
    session.add(MemberCode(member_id=member.id, code=random_symbols(16), spoken=random_symbols(8), at=clock.now()))
    if member.state == "confirmed":
        value = f"{random_symbols(12).lower()}@example.com"
        session.add(Contact(member_id=member.id, kind="email", value=value, confirmed_at=clock.now()))
    session.flush()
    return member


BROWSER = "the cookie of the browser that asks"


def a_form(contact: str = "aino@example.com", **fields: Any) -> JoinForm:
    """Build what somebody fills in to join, nothing wrong with it."""
    return JoinForm(contact, **{"age": True, "language": "en", "browser": BROWSER, **fields})


def a_newcomer(session: Session, contact: str = "aino@example.com", **fields: Any) -> Joined:
    """Build a member that has joined and confirmed nothing."""
    return service.join(session, a_form(contact, **fields))


def prove(session: Session, code: ContactCode, browser: str = BROWSER) -> Confirmed:
    """Press the button behind a code's link, merge if it says so, and return what it proved."""
    proved = sign_in.confirm_link(session, keyring(session).text(code.link), browser=browser)
    if proved.merged_from is not None:
        ids = (proved.merged_from, proved.member_id)
        service.absorb(session, *(session.get_one(Member, member_id) for member_id in ids))
    return proved


def a_proved_member(session: Session, contact: str = "aino@example.com", **fields: Any) -> Member:
    """Build a member that has joined and confirmed its contact."""
    joined = a_newcomer(session, contact, **fields)
    return session.get_one(Member, prove(session, joined.code).member_id)
