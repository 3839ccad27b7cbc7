"""Passwords of staff: argon2, one answer for every refusal, the same work for unknown emails."""

from datetime import timedelta
from time import perf_counter

import pytest
from sqlalchemy.orm import Session

from app.core import clock, sessions
from app.core.db import Database
from app.network import staff
from app.network.models import Staff
from tests.builders import a_brand

PASSWORD = "correct horse battery"


def a_person(session: Session, email: str = "iida@meri.example") -> Staff:
    person = Staff(email=email, name="Iida", role="brand_admin")
    session.add(person)
    session.flush()
    return person


def test_the_right_password_logs_in_whatever_the_case_of_the_email(session: Session) -> None:
    person = a_person(session)

    staff.set_password(session, person, PASSWORD)

    assert staff.check_password(session, " IIDA@meri.example ", PASSWORD) is person
    assert person.password_hash is not None
    assert person.password_hash.startswith("$argon2id$")


def test_every_refusal_is_the_same(session: Session) -> None:
    staff.set_password(session, a_person(session), PASSWORD)
    gone = a_person(session, "gone@meri.example")
    staff.set_password(session, gone, PASSWORD)
    gone.ended_at = clock.now()
    a_person(session, "new@meri.example")

    answers = set()
    for email, password in [
        ("iida@meri.example", "wrong horse battery"),
        ("nobody@meri.example", PASSWORD),
        ("gone@meri.example", PASSWORD),
        ("new@meri.example", ""),
        ("iida@meri.example", PASSWORD + "x" * 1000),
    ]:
        with pytest.raises(staff.LoginRefused) as refused:
            staff.check_password(session, email, password)
        answers.add((refused.value.code, refused.value.message))

    assert len(answers) == 1


def test_an_unknown_email_costs_a_hash_too(session: Session) -> None:
    staff.set_password(session, a_person(session), PASSWORD)

    def seconds(email: str) -> float:
        began = perf_counter()
        with pytest.raises(staff.LoginRefused):
            staff.check_password(session, email, "wrong horse battery")
        return perf_counter() - began

    seconds("nobody@meri.example")
    known = min(seconds("iida@meri.example") for _ in range(3))
    unknown = min(seconds("nobody@meri.example") for _ in range(3))

    assert unknown > known / 3


def test_a_new_password_ends_the_log_ins_of_the_old_one(session: Session) -> None:
    person = a_person(session)
    token = sessions.start(session, door=staff.DOOR, subject_id=person.id, lasts=timedelta(hours=1))

    staff.set_password(session, person, PASSWORD)

    assert sessions.find(session, token, door=staff.DOOR) is None


@pytest.mark.parametrize("password", ["", "short", "x" * 129])
def test_passwords_too_short_or_long_are_refused_and_the_old_one_stays(session: Session, password: str) -> None:
    person = a_person(session)
    staff.set_password(session, person, PASSWORD)

    with pytest.raises(staff.PasswordRefused):
        staff.set_password(session, person, password)

    assert staff.check_password(session, person.email, PASSWORD) is person


def test_people_of_another_brand_are_unknown_here_but_can_log_in(database: Database) -> None:
    meri, puro = a_brand(database), a_brand(database, "puro")
    with database.unit(puro) as session:
        person = a_person(session)
        staff.set_password(session, person, PASSWORD)

    with database.reading(meri) as session, pytest.raises(staff.StaffUnknown):
        staff.staff_by_id(session, person.id)
    with database.reading(meri) as session, pytest.raises(staff.StaffUnknown):
        staff.staff_of_brand(session, person.email)
    with database.reading() as session:
        assert staff.check_password(session, person.email, PASSWORD).brand_id == puro
