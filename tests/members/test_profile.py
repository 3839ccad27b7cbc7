"""The profile: name, language, further contacts, devices."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from app.core import sessions
from app.members import service
from app.members.forms import NameInvalid
from app.members.service import BirthMonthInvalid, ContactsFull, ContactYours
from tests.builders import BROWSER, a_proved_member, prove


def test_name_is_changed_and_taken_away(session: Session) -> None:
    member = a_proved_member(session)

    service.rename(session, member, "  Aino  Maija ")
    assert (member.first_name, service.display_name(member)) == ("Aino Maija", "Aino Maija")
    service.rename(session, member, " ")

    assert member.first_name is None
    with pytest.raises(NameInvalid):
        service.rename(session, member, "\u202eAino")


def test_birth_month_is_told_and_forgotten(session: Session) -> None:
    member = a_proved_member(session)

    service.set_birth_month(session, member, 2)
    with pytest.raises(BirthMonthInvalid):
        service.set_birth_month(session, member, 13)
    assert member.birth_month == 2
    service.set_birth_month(session, member, None)

    assert member.birth_month is None


def test_language_is_one_of_the_brands(session: Session) -> None:
    member = a_proved_member(session)

    service.set_language(session, member, "sv")
    service.set_language(session, member, "de")

    assert member.language == "sv"


def test_added_contact_waits_for_its_code_and_asking_again_adds_no_second_row(session: Session) -> None:
    member = a_proved_member(session)

    service.add_contact(session, member, "0401234567", browser=BROWSER)
    code = service.add_contact(session, member, "+358 40 1234567", browser=BROWSER)
    waiting = service.pending_contact(session, member.id)
    assert waiting is not None
    assert (waiting.value, len(service.contacts_of(session, member.id))) == ("+358401234567", 2)

    prove(session, code)

    assert service.pending_contact(session, member.id) is None


def test_contact_that_is_confirmed_or_one_too_many_is_refused(session: Session) -> None:
    member = a_proved_member(session)

    with pytest.raises(ContactYours):
        service.add_contact(session, member, "AINO@example.com", browser=BROWSER)
    for number in range(4):
        service.add_contact(session, member, f"aino{number}@example.com", browser=BROWSER)
    with pytest.raises(ContactsFull):
        service.add_contact(session, member, "aino9@example.com", browser=BROWSER)


def test_devices_are_listed_and_ended_by_their_owner_only(session: Session) -> None:
    aino, eino = a_proved_member(session), a_proved_member(session, "eino@example.com")
    token = sessions.start(
        session, door="member", subject_id=aino.id, lasts=timedelta(days=1), device="Chrome on Android"
    )
    device = service.devices(session, aino)[0]

    assert device.device == "Chrome on Android"
    assert not service.end_device(session, eino, device.public_id)
    assert sessions.find(session, token, door="member") is not None
    assert service.end_device(session, aino, device.public_id)

    assert sessions.find(session, token, door="member") is None
    assert service.devices(session, aino) == []
