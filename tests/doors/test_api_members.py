"""Signing up by the till API: a consent needs the contact of its channel, and one message goes out."""

from typing import Any

import pytest
from sqlalchemy import func, select

from app.members.models import ConsentEvent, Contact, ContactCode, Member
from tests.doors.test_api_errors import refusal
from tests.doors.tillside import TillSide
from tests.walls.rows import rows

EMAIL, PHONE = "till.person@mail.example", "+358401234567"
FORM: dict[str, Any] = {"contact": EMAIL, "age_confirmed": True, "first_name": "Tilda"}


def test_a_refused_consent_is_given_with_the_second_contact_that_the_refusal_asks_for(till: TillSide) -> None:
    lacking = till.post("/members", {**FORM, "consents": ["sms"]})
    assert refusal(lacking) == (422, "contact_missing")
    assert lacking.json is not None

    answer = till.post("/members", {**FORM, "consents": ["sms"], lacking.json["field"]: PHONE})

    assert answer.status_code == 201
    with till.database.reading(till.side.brand_id) as session:
        member = session.scalar(select(func.max(Member.id)))
        contacts = session.scalars(select(Contact).where(Contact.member_id == member)).all()
        consents = session.scalars(select(ConsentEvent).where(ConsentEvent.member_id == member)).all()
    assert {(row.kind, row.value) for row in contacts} == {("email", EMAIL), ("phone", PHONE)}
    assert [(row.channel, row.state) for row in consents] == [("sms", "pending")]


def test_the_second_contact_gets_no_message_and_uses_up_none_of_its_own(till: TillSide) -> None:
    with till.database.reading(till.side.brand_id) as session:
        before = session.scalar(select(func.max(ContactCode.id)))
    people = [f"till.person.{number}@mail.example" for number in range(6)]
    statuses = [till.post("/members", {**FORM, "contact": who, "contact_2": PHONE}).status_code for who in people]
    own = till.post("/members", {**FORM, "contact": PHONE})

    assert (statuses, own.status_code) == ([201] * 6, 201)
    with till.database.reading(till.side.brand_id) as session:
        sent = session.scalars(select(ContactCode.kind).where(ContactCode.id > before).order_by(ContactCode.id)).all()
    assert sent == ["email"] * 6 + ["phone"]


def test_the_sixth_sign_up_of_one_contact_waits(till: TillSide) -> None:
    answers = [till.post("/members", FORM) for _try in range(6)]

    assert [answer.status_code for answer in answers] == [201] * 5 + [429]
    assert refusal(answers[-1]) == (429, "too_many_tries")
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"contact": "  "}, "contact_required"),
        ({"contact": "nobody"}, "contact_invalid"),
        ({"contact": "a@b"}, "email_invalid"),
        ({"contact": "+35840"}, "phone_invalid"),
        ({"contact": "+358942419000"}, "phone_not_mobile"),
        ({"contact_2": "+358942419000"}, "phone_not_mobile"),
        ({"contact_2": "\0"}, "invalid"),
        ({"contact_2": 7}, "invalid"),
        ({"age_confirmed": False}, "age_missing"),
        ({"first_name": "<b>"}, "name_invalid"),
        ({"age_confirmed": False, "contact_2": "nobody"}, "several_faults"),
    ],
)
def test_a_sign_up_that_cannot_be_is_refused_by_its_code(till: TillSide, wrong: dict[str, Any], code: str) -> None:
    before = rows(till.file)

    assert refusal(till.post("/members", {**FORM, **wrong})) == (422, code)
    assert {**rows(till.file), "counter": ""} == {**before, "counter": ""}
