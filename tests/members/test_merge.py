"""Merging: a newcomer that proves a contact of another member becomes that member."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock, sessions
from app.core.db import Database, keyring
from app.members import books, consents, lookup, service, sign_in
from app.members.models import Contact, ContactCode, Member, Scan
from app.members.sign_in import Confirmed
from tests.builders import BROWSER, a_brand, a_newcomer, a_proved_member, a_till, prove
from tests.members.races import at_once


def merge(session: Session, **fields: object) -> tuple[Member, Member]:
    """Build a member and a newcomer that proves the same contact; return both."""
    kept = a_proved_member(session)
    joined = a_newcomer(session, **fields)  # type: ignore[arg-type]
    prove(session, joined.code)
    session.expire_all()
    return kept, joined.member


def test_newcomer_that_proves_a_held_contact_becomes_its_holder(session: Session) -> None:
    kept, newcomer = merge(session)

    assert (newcomer.state, newcomer.merged_into_id, kept.state) == ("merged", kept.id, "confirmed")
    assert [(row.member_id, row.value) for row in session.scalars(select(Contact))] == [(kept.id, "aino@example.com")]
    assert books.check(session) == []


def test_codes_of_both_cards_name_the_member_that_stays(session: Session) -> None:
    kept, newcomer = merge(session)

    for member in (kept, newcomer):
        codes = service.codes_of(session, member.id)
        for text in (codes.code, codes.spoken, f"HTTPS://LEIMA.EXAMPLE/M/{codes.code}"):
            found = service.find_by_code(session, text)
            assert found is kept


def test_phone_that_joined_stays_signed_in_as_the_member_that_stays(session: Session) -> None:
    kept = a_proved_member(session)
    joined = a_newcomer(session)
    token = sessions.start(session, door="member", subject_id=joined.member.id, lasts=timedelta(days=1), device="Phone")

    prove(session, joined.code)

    login = sessions.find(session, token, door="member")
    assert login is not None
    assert login.subject_id == kept.id
    assert [device.device for device in service.devices(session, kept)] == ["Phone"]


def test_second_contact_and_name_of_the_newcomer_are_kept(session: Session) -> None:
    kept, _ = merge(session, first_name="Aino", contact_2="0401234567")

    contacts = {row.kind: row.confirmed_at is not None for row in service.contacts_of(session, kept.id)}
    assert contacts == {"email": True, "phone": False}
    assert kept.first_name == "Aino"


def test_name_that_the_member_has_stays(session: Session) -> None:
    kept = a_proved_member(session, first_name="Aino")
    prove(session, a_newcomer(session, first_name="Eino").code)

    assert kept.first_name == "Aino"


def test_open_code_of_the_newcomer_proves_for_the_member_that_stays(session: Session) -> None:
    kept = a_proved_member(session)
    joined = a_newcomer(session, contact_2="0401234567")
    phone = sign_in.ask(
        session, contact="0401234567", purpose="confirm", member=joined.member, browser=BROWSER, language="en"
    )
    prove(session, joined.code)

    proved = prove(session, session.get_one(ContactCode, phone.id))

    assert (proved.member_id, proved.merged_from) == (kept.id, None)
    assert all(row.confirmed_at for row in service.contacts_of(session, kept.id))


def test_merge_of_merged_leads_to_one_living_member(session: Session) -> None:
    first, second = a_proved_member(session), a_proved_member(session, "0401234567")
    third = a_newcomer(session, "0401234567")
    prove(session, third.code)
    adding = service.add_contact(session, second, "aino@example.com", browser=BROWSER)

    prove(session, adding)

    session.expire_all()
    assert {second.merged_into_id, third.member.merged_into_id} == {first.id}
    assert {row.value for row in service.contacts_of(session, first.id)} == {"aino@example.com", "+358401234567"}
    assert lookup.live(session, third.member.id) is first
    assert books.check(session) == []


def test_merging_twice_or_with_itself_changes_nothing(session: Session) -> None:
    kept, newcomer = merge(session)

    assert service.absorb(session, newcomer, kept) is kept
    assert service.absorb(session, kept, kept) is kept
    assert service.absorb(session, kept, newcomer) is kept
    assert (kept.state, newcomer.merged_into_id) == ("confirmed", kept.id)


def test_scan_of_the_newcomer_goes_on_for_the_member_that_stays(session: Session) -> None:
    from app.members import scans

    kept, till = a_proved_member(session), a_till(session)
    joined = a_newcomer(session)
    scan = scans.read(session, service.codes_of(session, joined.member.id).code, till=till)

    prove(session, joined.code)

    assert session.get_one(Scan, scan.id).member_id == kept.id


@pytest.mark.parametrize(
    ("held", "ticked", "expected"),
    [
        (None, True, "granted"),  # the newer decision, and the contact is proved
        ("granted", False, "granted"),  # a form without the tick takes nothing away
        ("withdrawn", True, "granted"),
        ("withdrawn", False, "withdrawn"),
        ("granted", True, "granted"),
    ],
)
def test_newer_decision_about_a_consent_holds_after_a_merge(
    session: Session, held: str | None, ticked: bool, expected: str
) -> None:
    kept = a_proved_member(session, consents=frozenset({"email"}) if held else frozenset())
    if held == "withdrawn":
        consents.withdraw(session, kept, "email")

    prove(session, a_newcomer(session, consents=frozenset({"email"}) if ticked else frozenset()).code)

    assert consents.current(session, kept.id)["email"].state == expected
    assert books.check(session) == []


def test_withdrawal_after_the_newcomers_tick_is_the_newer_decision(session: Session) -> None:
    kept = a_proved_member(session, consents=frozenset({"email"}))
    joined = a_newcomer(session, consents=frozenset({"email"}))
    with clock.moved(by=timedelta(minutes=1)):
        consents.withdraw(session, kept, "email")
        prove(session, joined.code)

    assert consents.current(session, kept.id)["email"].state == "withdrawn"


def test_tick_for_a_number_that_nobody_proved_stays_pending_after_a_merge(session: Session) -> None:
    kept = a_proved_member(session)
    prove(session, a_newcomer(session, contact_2="0401234567", consents=frozenset({"sms"})).code)

    event = consents.current(session, kept.id)["sms"]
    assert (event.state, event.method) == ("pending", "absorbed")
    assert not consents.granted(session, kept.id, "sms")


def test_of_many_newcomers_that_prove_one_contact_at_once_one_holds_it(database: Database) -> None:
    brand_id = a_brand(database)
    with database.unit(brand_id) as session:
        links = [keyring(session).text(a_newcomer(session).code.link) for _ in range(12)]

    def act(number: int) -> Confirmed:
        with database.unit(brand_id) as session:
            proved = sign_in.confirm_link(session, links[number], browser=BROWSER)
            if proved.merged_from is not None:
                ids = (proved.merged_from, proved.member_id)
                service.absorb(session, *(session.get_one(Member, member_id) for member_id in ids))
            return proved

    results = at_once(12, act)

    assert [result for result in results if not isinstance(result, Confirmed)] == []
    with database.reading(brand_id) as session:
        states = sorted(session.scalars(select(Member.state)))
        assert states == ["confirmed"] + ["merged"] * 11
        assert books.check(session) == []
