"""Signing up at the till page."""

import re

from sqlalchemy import func, select

from app.members.models import Member
from tests.doors.shop import Shop


def test_new_member_gets_a_card_and_can_be_stamped_at_once(shop: Shop) -> None:
    form = {"contact": "liisa@example.com", "first_name": "Liisa", "of_age": "yes", "consent": ["email"], "key": "one"}

    first, second = (shop.post("/till/members", **form) for _click in range(2))
    scan = first.location.rsplit("/", 1)[1]

    assert first.location == second.location
    assert "Liisa" in shop.get(first.location).text
    assert shop.sell("4,00", scan=scan, key="two").status_code == 303
    with shop.database.reading(shop.brand_id) as session:
        assert session.scalar(select(func.count(Member.id))) == 2


def test_sign_up_says_what_is_wrong_beside_each_field(shop: Shop) -> None:
    nothing = shop.post("/till/members", contact="", key="one")
    lacking = shop.post("/till/members", contact="0401234567", of_age="yes", consent=["email"], key="two")

    assert (nothing.status_code, lacking.status_code) == (422, 422)
    assert "contact-error" in nothing.text
    assert "at least 13 years" in nothing.text
    assert 'name="contact_2"' in lacking.text
    assert 'value="0401234567"' in lacking.text


def test_known_and_unknown_contacts_get_the_same_answer(shop: Shop) -> None:
    pages = []
    for key, contact in (("one", "liisa@example.com"), ("two", "liisa@example.com")):
        answer = shop.post("/till/members", contact=contact, of_age="yes", key=key)
        pages.append(re.sub(r"[0-9A-Z]{26}", "ID", shop.get(answer.location).text))

    assert re.sub(r'nonce="[^"]*"', "", pages[0]) == re.sub(r'nonce="[^"]*"', "", pages[1])
