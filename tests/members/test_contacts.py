"""Contacts as typed: their one normal form, and why others are refused."""

import pytest

from app.members import contacts
from app.members.contacts import ContactValue


@pytest.mark.parametrize(
    ("typed", "kind", "value"),
    [
        ("aino@example.com", "email", "aino@example.com"),
        ("  Aino.K+Leima@Example.COM ", "email", "aino.k+leima@example.com"),
        ("aino@exämple.fi", "email", "aino@xn--exmple-cua.fi"),
        ("040 123 4567", "phone", "+358401234567"),
        ("040-1234567", "phone", "+358401234567"),
        ("0401234567", "phone", "+358401234567"),
        ("+358 (40) 123 4567", "phone", "+358401234567"),
        ("00358 40 123 4567", "phone", "+358401234567"),
        ("+46 70 123 45 67", "phone", "+46701234567"),
        ("+1 202 555 0143", "phone", "+12025550143"),
    ],
)
def test_contact_is_kept_in_one_form(typed: str, kind: str, value: str) -> None:
    assert contacts.parse(typed) == ContactValue(kind, value)


def test_number_without_country_code_is_read_in_the_brands_region() -> None:
    assert contacts.parse("070-123 45 67", region="SE").value == "+46701234567"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "contact_invalid"),
        ("aino", "contact_invalid"),
        ("040 CALL ME", "contact_invalid"),
        ("0401234567;ext=9", "contact_invalid"),
        ("x" * 255, "contact_invalid"),
        ("a@" + "b" * 300 + ".fi", "contact_invalid"),
        ("aino@", "email_invalid"),
        ("aino@example", "email_invalid"),
        ("aino@@example.com", "email_invalid"),
        ("aino@localhost", "email_invalid"),
        ("aino@[127.0.0.1]", "email_invalid"),
        ("aino k@example.com", "email_invalid"),
        ("aino@example.com\nBcc: all@example.com", "email_invalid"),
        ("äinö@example.com", "email_invalid"),
        ("040 12", "phone_invalid"),
        ("+999 123 456 789", "phone_invalid"),
        ("+358 40 123 4567 890 123 456", "phone_invalid"),
        ("09 1234567", "phone_not_mobile"),
        ("0800 123 456", "phone_not_mobile"),
        ("0700 12345", "phone_not_mobile"),
    ],
)
def test_what_cannot_be_a_contact_is_refused_with_its_reason(typed: str, code: str) -> None:
    with pytest.raises(contacts.ContactInvalid) as refused:
        contacts.parse(typed)

    assert (refused.value.code, refused.value.status, refused.value.extra["field"]) == (code, 422, "contact")
