"""Joining: what it makes, what it refuses, and that a known contact makes no difference."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.db import Database, keyring
from app.core.errors import Invalid
from app.core.jobs import Job
from app.core.tables import Base
from app.members import consents, forms, service, wordings
from app.members.consents import ContactMissing
from app.members.forms import SeveralFaults
from app.members.models import Contact, ContactCode, Member, MemberCode, Wording
from app.network.models import Outlet
from tests.builders import a_brand, a_form, a_newcomer, a_proved_member


def rows(session: Session) -> dict[str, int]:
    """Count the rows of every table of the brand."""
    found = {}
    for table in Base.metadata.sorted_tables:
        if "brand_id" in table.c:
            brand = table.c.brand_id == session.info["brand_id"]
            found[table.name] = session.scalar(select(func.count()).select_from(table).where(brand)) or 0
    return found


def test_joining_makes_a_provisional_member_with_codes_and_secret(session: Session) -> None:
    outlet = session.scalars(select(Outlet)).first()
    assert outlet is not None

    member = a_newcomer(session, first_name=" Aino ", source="outlet", outlet_slug=outlet.slug, language="sv").member

    codes = session.scalars(select(MemberCode).where(MemberCode.member_id == member.id)).one()
    assert (member.state, member.first_name, member.language, member.source) == ("provisional", "Aino", "sv", "outlet")
    assert (member.outlet_id, len(codes.code), len(codes.spoken)) == (outlet.id, 16, 8)
    assert len(keyring(session).decrypt(member.totp_secret)) == 20
    assert member.age_confirmed


def test_terms_and_privacy_notice_are_kept_as_they_were_shown(session: Session) -> None:
    old = wordings.current(session, "terms", "en")
    assert old is not None
    wordings.publish(session, kind="terms", language="en", text="newer terms")

    read_old = a_newcomer(session, wordings={"terms": old.public_id}).member
    read_new = a_newcomer(session).member

    assert read_old.terms_id == old.id
    assert session.get_one(Wording, read_new.terms_id).version == 2
    assert session.get_one(Wording, read_new.privacy_id).kind == "privacy"


def test_each_ticked_consent_is_pending_with_the_text_that_was_read(session: Session) -> None:
    form = a_form(contact_2="040 123 4567", consents=frozenset({"email", "sms", "push"}), source="poster")

    member = service.join(session, form).member

    events = consents.current(session, member.id)
    assert {channel: event.state for channel, event in events.items()} == dict.fromkeys(
        ("email", "sms", "push"), "pending"
    )
    for channel, event in events.items():
        text = session.get_one(Wording, event.wording_id)
        assert (text.kind, text.language, text.sha256) == (f"consent.{channel}.marketing", "en", event.wording_sha256)
        assert (event.source, event.method) == ("poster", "tick")


def test_what_is_not_ticked_leaves_no_row(session: Session) -> None:
    assert consents.current(session, a_newcomer(session).member.id) == {}


@pytest.mark.parametrize(
    ("contact", "channel", "kind"), [("aino@example.com", "sms", "phone"), ("0401234567", "email", "email")]
)
def test_ticked_channel_without_its_contact_asks_for_it(
    session: Session, contact: str, channel: str, kind: str
) -> None:
    with pytest.raises(ContactMissing) as refused:
        a_newcomer(session, contact, consents=frozenset({channel}))

    assert refused.value.extra == {"channel": channel, "kind": kind, "field": "contact_2"}


def test_second_contact_satisfies_the_ticked_channel_and_waits_unconfirmed(session: Session) -> None:
    joined = a_newcomer(session, contact_2="0401234567", consents=frozenset({"sms"}))

    contacts = [(row.kind, row.confirmed_at) for row in service.contacts_of(session, joined.member.id)]
    assert contacts == [("email", None), ("phone", None)]
    assert joined.contact.kind == joined.code.kind == "email"


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"age": False}, "age_missing", "age"),
        ({"contact": " "}, "contact_required", "contact"),
        ({"contact": "aino@"}, "email_invalid", "contact"),
        ({"contact_2": "12"}, "phone_invalid", "contact_2"),
        ({"first_name": "http://evil.example"}, "name_invalid", "first_name"),
        ({"consents": frozenset({"fax"})}, "consent_not_offered", "form"),
        ({"wordings": {"terms": "made up"}}, "wording_unknown", "form"),
    ],
)
def test_one_fault_is_told_by_code_and_field(session: Session, fields: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        a_newcomer(session, **{"contact": "aino@example.com", **fields})

    assert (refused.value.code, list(forms.fields(refused.value))) == (code, [field])


def test_several_faults_are_told_at_once(session: Session) -> None:
    with pytest.raises(SeveralFaults) as refused:
        a_newcomer(session, "aino@", age=False, first_name="\u202e", consents=frozenset({"sms"}))

    assert set(forms.fields(refused.value)) == {"contact", "age", "first_name"}


def test_text_of_another_brand_is_unknown(sqlite: Database) -> None:
    own, other = a_brand(sqlite), a_brand(sqlite, "other")
    with sqlite.reading(other) as session:
        foreign = wordings.current(session, "terms", "en")
    assert foreign is not None

    with pytest.raises(wordings.WordingUnknown), sqlite.unit(own) as session:
        a_newcomer(session, wordings={"terms": foreign.public_id})


def test_unknown_language_source_and_outlet_still_join(session: Session) -> None:
    member = a_newcomer(session, language="de", source="<script>", outlet_slug="nowhere").member

    assert (member.language, member.source, member.outlet_id) == ("fi", "web", None)


def test_known_and_unknown_contact_make_the_same_rows_and_answer(session: Session) -> None:
    a_proved_member(session, "known@example.com")
    before = rows(session)
    known = a_newcomer(session, "known@example.com")
    between = rows(session)
    unknown = a_newcomer(session, "other@example.com")
    after = rows(session)

    assert {n: between[n] - before[n] for n in before} == {n: after[n] - between[n] for n in before}
    assert (known.member.state, known.code.purpose) == (unknown.member.state, unknown.code.purpose)
    assert known.code.member_id == known.member.id


def test_code_that_somebody_has_is_drawn_again(session: Session) -> None:
    first = a_newcomer(session).member
    taken = service.codes_of(session, first.id)
    second = Member(joined_at=first.joined_at, totp_secret=b"", language="en")
    session.add(second)
    session.flush()
    draws = iter([taken.code, "2" * 8, "3" * 16, taken.spoken, "4" * 16, "5" * 8])

    given = service.give_codes(session, second, draw=lambda _length: next(draws))

    assert (given.code, given.spoken) == ("4" * 16, "5" * 8)
    assert session.scalar(select(func.count()).select_from(MemberCode)) == 2


def test_joining_writes_nothing_when_it_is_refused(session: Session) -> None:
    before = rows(session)

    with pytest.raises(Invalid):
        a_newcomer(session, age=False)

    assert rows(session) == before


def test_no_contact_stands_in_the_open_beside_the_register(session: Session) -> None:
    a_newcomer(session, "secret.name@example.com")

    row = session.scalars(select(ContactCode)).one()
    assert b"secret.name" not in bytes(row.contact) + bytes(row.code) + bytes(row.link)
    assert not any("secret.name" in job.arguments for job in session.scalars(select(Job)))
    assert session.scalars(select(Contact)).one().value == "secret.name@example.com"
