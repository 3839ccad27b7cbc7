"""Confirming a contact in the member's door: till-made cards, two codes at once, tries that are used up."""

import re
from datetime import timedelta

import pytest

from app.core import clock
from tests.doors.memberside import Browser, balance, message, newest_member
from tests.doors.tillside import TillSide

PHONE, OTHER = "0401234567", "0407654321"


def sign_up_and_stamp(till: TillSide, contact: str = PHONE) -> int:
    """Make a card at the till and stamp it; return its stamps."""
    body = {"contact": contact, "age_confirmed": True, "consents": [], "language": "en"}
    answer = till.post("/members", body)
    assert answer.status_code == 201, answer.text
    bought = till.post("/purchases", till.sale(scan=answer.json["scan"], total_cents=1600))  # type: ignore[index]
    assert bought.status_code == 201, bought.text
    return balance(till, newest_member(till).id)


def test_link_of_a_till_made_card_opens_it_on_the_phone(till: TillSide) -> None:
    stamps = sign_up_and_stamp(till)
    _digits, link = message(till)
    phone = Browser(till)

    assert "Yes, confirm it" in phone.get(f"confirm?token={link}").text
    assert phone.post("confirm", token=link).location == "/meri/"

    assert phone.stamps() == stamps > 0


def test_stamps_of_a_till_made_card_come_along_when_its_contact_is_confirmed(till: TillSide) -> None:
    stamps = sign_up_and_stamp(till)
    phone = Browser(till)
    phone.join(PHONE)
    assert phone.stamps() == 0

    assert phone.post("confirm", code=message(till)[0]).location == "/meri/"

    assert phone.stamps() == stamps > 0


def test_signing_in_takes_a_till_made_card_in_too(till: TillSide) -> None:
    phone, later = Browser(till), Browser(till)
    phone.join(PHONE)
    phone.post("confirm", code=message(till)[0])
    stamps = sign_up_and_stamp(till)

    later.post("sign-in", contact=PHONE)
    assert later.post("sign-in/code", code=message(till)[0]).location == "/meri/"

    assert later.stamps() == stamps > 0


def test_another_contact_brings_no_till_made_card(till: TillSide) -> None:
    sign_up_and_stamp(till)
    phone = Browser(till)
    phone.join(OTHER)

    phone.post("confirm", code=message(till)[0])

    assert phone.stamps() == 0


def test_card_of_another_browser_is_not_taken_in_even_if_it_says_that_a_till_made_it(till: TillSide) -> None:
    stranger, owner = Browser(till), Browser(till)
    stranger.join(PHONE, source="till")
    kept = newest_member(till)
    owner.join(PHONE)

    owner.post("confirm", code=message(till)[0])
    owner.post("profile/name", first_name="Owner")

    assert kept.source == "web"
    assert "Owner" not in stranger.get("profile").text


def add_phone(till: TillSide) -> Browser:
    """Join by email and add a phone number: two codes are open."""
    phone = Browser(till)
    phone.join("kaisla@mail.example")
    phone.post("profile/contacts", contact=PHONE)
    return phone


def test_card_asks_for_the_code_that_was_asked_for_last(till: TillSide) -> None:
    phone = add_phone(till)

    assert "Confirm your phone number" in phone.get("").text
    assert phone.post("confirm", next="card", contact=phone.named(), code=message(till)[0]).location == "/meri/"

    assert "Confirm your email" in phone.get("").text


def test_each_form_takes_the_code_of_its_own_contact(till: TillSide) -> None:
    phone = Browser(till)
    phone.join("kaisla@mail.example")
    of_email = phone.named()
    phone.post("profile/contacts", contact=PHONE)
    of_phone = phone.named()

    crossed = phone.post("confirm", contact=of_phone, code=message(till, newest=1)[0])
    right = phone.post("confirm", contact=of_email, code=message(till, newest=1)[0])

    assert (crossed.status_code, right.status_code) == (422, 303)
    assert "Confirm your phone number" in phone.get("").text


def test_new_code_is_for_the_contact_of_the_form(till: TillSide) -> None:
    phone = Browser(till)
    phone.join("kaisla@mail.example")
    of_email = phone.named()
    phone.post("profile/contacts", contact=PHONE)

    assert phone.post("confirm/again", contact=of_email).status_code == 303

    assert phone.named() == of_email
    assert phone.post("confirm", contact=of_email, code=message(till)[0]).status_code == 303


@pytest.mark.parametrize("form", [{"next": "card"}, {}])
def test_page_stays_and_says_how_long_to_wait_when_the_tries_are_used_up(till: TillSide, form: dict[str, str]) -> None:
    phone = Browser(till)
    phone.join(PHONE)

    answers = [phone.post("confirm", code="no", **form) for _try in range(6)]

    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert "Send a new code" in answers[0].text
    for answer in answers[4:]:
        assert 'name="code"' in answer.text
        assert re.search(r"Please wait \d+ minutes\.", answer.text)
        assert "Send a new code" not in answer.text
    assert 0 < int(answers[5].headers["Retry-After"]) <= 600


def test_sign_in_page_stays_when_the_tries_are_used_up(till: TillSide) -> None:
    phone = Browser(till)
    phone.post("sign-in", contact=PHONE)

    answers = [phone.post("sign-in/code", code="no") for _try in range(6)]

    assert answers[5].status_code == 429
    assert 'name="code"' in answers[5].text
    assert re.search(r"Please wait \d+ minutes\.", answers[5].text)
    assert "send a new code" not in answers[5].text


def test_link_that_is_used_or_too_old_has_no_button_and_says_how_to_get_a_new_one(till: TillSide) -> None:
    sign_up_and_stamp(till)
    _digits, link = message(till)
    phone = Browser(till)
    with clock.moved(by=timedelta(minutes=11)):
        old = [phone.get(f"confirm?token={link}"), phone.post("confirm", token=link)]
    phone.post("confirm", token=link)

    used = [phone.get(f"confirm?token={link}"), phone.post("confirm", token=link)]

    for answer in (*old, *used):
        assert "This link has been used" in answer.text
        assert "your stamps come along" in answer.text
        assert "Yes, confirm it" not in answer.text
        assert "Is this yours?" not in answer.text
